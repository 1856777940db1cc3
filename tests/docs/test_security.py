"""`docs/security.md` tells the truth: its commands work as printed; its secrets, times and public paths are all."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from connector.app import KEEP
from connector.sandbox.server import Sandbox
from connector.settings import Settings
from connector.store.operation_keys import DAY
from connector.store.sweeper import MONTH
from connector.web.kept_tokens import ISSUED_FOR
from connector.web.scopes import NEEDS, PUBLIC
from tests.running import Running

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    given = {"CONNECTOR_AUDIT_KEY": "k" * 32}
    with Sandbox() as sandbox, Running(sandbox, tmp_path_factory.mktemp("security"), environment=given) as running:
        yield running


def test_its_commands_work_as_printed(service: Running) -> None:
    """All, in their order; after a change and a refused caller."""
    made = service.command("token", "new", "--name", "iiq", "--scope", "provision")
    identifier = re.findall(r"knows it as (\w+)", made.stdout)[0]
    user = service.client().outputs("std:account:list")[0]["identity"]
    changes = [{"op": "Set", "attribute": "title", "value": "Audited"}]
    service.client().one("std:account:update", {"identity": user, "changes": changes})
    requests.get(f"{service.url}/metrics", headers={"Authorization": "Bearer idc_nobody"}, timeout=10)
    path = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "ID": identifier}

    done = subprocess.run(
        ["bash", "-eux", "-o", "pipefail", "-c", "".join(BLOCKS)],
        env=service._environment() | path,
        cwd=service.directory,
        capture_output=True,
        text=True,
        timeout=90,
    )

    assert len(BLOCKS) == 6
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("The audit is whole") == 2
    assert '"Audited"' in done.stdout


def test_every_setting_that_is_a_secret_is_rotated() -> None:
    """The table names each variable that holds one, and everything else that lets somebody in."""
    table = TEXT.partition("| secret | step by step |")[2].partition("\n\n")[0]
    hidden = [name for name, field in Settings.__dataclass_fields__.items() if not field.repr]
    assert {"store_url", "audit_key", "oidc_jwks", "aws_surroundings"} == set(hidden), "a new secret needs its row"
    words = ["CONNECTOR_AUDIT_KEY", "CONNECTOR_API_TOKENS", "CONNECTOR_TLS_CLIENT_CA", "scim_token_file"]
    for word in (*words, "database password", "external id", "role of a source", "AWS keys"):
        assert word.lower() in table.lower()


def test_public_paths_are_all() -> None:
    """What needs no token."""
    public = {name for name, need in NEEDS.items() if need == PUBLIC}
    assert public == {"ops.livez", "ops.readyz", "rest.openapi", "rest.problem"}
    for path in ("/livez", "/readyz", "/openapi.json", "/problems/…"):
        assert f"`{path}`" in TEXT


def test_times_are_those_of_the_code() -> None:
    """How long things are kept."""
    assert f"{KEEP / 86400:.0f} days after a newer one" in TEXT
    assert f"{MONTH / 86400:.0f} days after their end" in TEXT
    assert DAY == 86400
    assert f"access tokens made from them, {ISSUED_FOR / 60:.0f} minutes" in TEXT
