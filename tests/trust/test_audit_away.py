"""The audit cannot be written where it has to go as well: nothing is changed, reads go on, and later all is well."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import requests

from connector.sandbox.server import Sandbox
from tests.named import Named
from tests.running import TOKEN, Running

BEARER = {"Authorization": f"Bearer {TOKEN}"}
CHANGING = ("Create", "Delete", "Update", "Scim")
DATA = "123456789012"


class Piped(Running):
    """Its standard output goes to a program that takes one line and ends."""

    def program(self) -> list[str]:
        serve = " ".join(super().program())
        return ["bash", "-c", f"exec > >(head -n 1 > {self.directory}/taken); exec {serve}"]


class World(Named):
    """A service, and what its callers see of it."""

    def __init__(self, sandbox: Sandbox, service: Running) -> None:
        self.sandbox, self.service = sandbox, service
        self.base = f"{service.url}/v1/sources/default/accounts"

    def changes(self) -> list[requests.Response]:
        """Every kind of change, asked for."""
        grace, barbara = f"{self.base}/{self.user('grace')}", f"{self.base}/{self.user('barbara')}"
        asked: tuple[tuple[str, str, object], ...] = (
            ("PATCH", grace, {"title": "No"}),
            ("POST", self.base, {"userName": "new", "givenName": "N", "familyName": "N"}),
            ("POST", f"{grace}/entitlements/group", {"value": self.group("aws_data_read")}),
            ("DELETE", f"{barbara}/entitlements/permissionSetAssignment/{self.pair('Write', DATA)}", None),
            ("DELETE", grace, None),
        )
        return [requests.request(how, where, json=what, headers=BEARER, timeout=30) for how, where, what in asked]

    def nothing_is_changed(self) -> None:
        """Each is refused, to be sent again; AWS is asked for none."""
        self.sandbox.control("forget")
        for answer in self.changes():
            assert answer.status_code == 503, answer.text
            assert answer.json()["retryable"] is True
            assert "CONNECTOR_AUDIT_LOG" in answer.json()["detail"]
        calls = self.sandbox.control("state")["calls"]
        assert [name for name in calls if name.startswith(CHANGING)] == []

    def reads_go_on(self) -> None:
        """Lists and single accounts; also callers who are refused are refused."""
        assert requests.get(self.base, headers=BEARER, timeout=30).status_code == 200
        assert requests.get(f"{self.base}/{self.user('grace')}", headers=BEARER, timeout=30).status_code == 200
        wrong = requests.get(self.base, headers={"Authorization": "Bearer idc_wrong"}, timeout=30)
        assert wrong.status_code == 401


@contextmanager
def small_disk(where: Path) -> Iterator[Path]:
    """A file system of a few pages."""
    where.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", where], capture_output=True)
    if made.returncode != 0:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield where
    finally:
        subprocess.run(["umount", where], check=True)


def fill(path: Path) -> None:
    """Leave no room beside it."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(b"x" * 512):
            pass


@pytest.mark.skipif(shutil.which("mount") is None, reason="this system has no mount")
def test_its_disk_is_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as disk, Sandbox() as sandbox:
        given = {"CONNECTOR_AUDIT_LOG": str(disk / "audit.log")}
        with Running(sandbox, tmp_path, environment=given) as service:
            world = World(sandbox, service)
            path = f"{world.base}/{world.user('grace')}"
            assert requests.patch(path, json={"title": "Before"}, headers=BEARER, timeout=30).status_code == 200
            (disk / "audit.log").rename(disk / "audit.log.1")  # as logs are rotated: the next line needs a new page
            fill(disk / "filling")
            world.nothing_is_changed()
            world.reads_go_on()

            (disk / "filling").unlink()
            assert requests.patch(path, json={"title": "After"}, headers=BEARER, timeout=30).status_code == 200
            assert service.command("audit", "verify").returncode == 0
            log = (disk / "audit.log").read_text()
            assert "After" in log
            assert service.command("audit", "verify", "--file", str(disk / "audit.log")).returncode == 0


def test_nobody_reads_its_pipe_any_more(tmp_path: Path) -> None:
    with Sandbox() as sandbox:
        with Piped(sandbox, tmp_path, environment={"CONNECTOR_AUDIT_LOG": "-"}) as service:
            world = World(sandbox, service)
            path = f"{world.base}/{world.user('grace')}"
            requests.patch(path, json={"title": "Before"}, headers=BEARER, timeout=30)
            deadline = time.monotonic() + 10
            while not (tmp_path / "taken").read_text():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            world.nothing_is_changed()
            world.reads_go_on()
            assert service.command("audit", "verify").returncode == 0
        assert json.loads((tmp_path / "taken").read_text())["record"]["what"] == "intent"
