"""Acceptance 3: a list cut in the middle is an error at the dev server's client, whatever cut it."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dev_server import DevServer, Told, told
from face import TOKEN as FACE_TOKEN
from face import Face
from isc_relay import Relay, Then
from running import Running

from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox


def listing(dev_server: DevServer, url: str, source: str = "default") -> Told:
    """The accounts, as the dev server's client sees them."""
    return dev_server.client(url, source=source).ask("std:account:list")


@pytest.mark.parametrize("then", ["reset", "close"])
@pytest.mark.parametrize("limit", [10, 300, 100_000, 700_000])
def test_the_connection_breaks(dev_server: DevServer, service: Running, limit: int, then: Then) -> None:
    """Reset or closed: within the answer's head, in its first frame, and far into it."""
    with Relay(service.port, limit, then) as relay:
        cut = listing(dev_server, relay.url)
    whole = listing(dev_server, service.url)

    assert cut.error is not None
    assert relay.url.removeprefix("http://") in cut.error
    assert "broke off" in cut.error or "closed the connection before it answered" in cut.error
    assert cut.kind == "generic"
    assert cut.outputs == whole.outputs[: len(cut.outputs)]
    assert len(cut.outputs) < len(whole.outputs) == 1_000
    assert limit < 1_000 or len(cut.outputs) > 10


def test_only_the_end_is_missing(dev_server: DevServer, service: Running) -> None:
    """Every frame arrived, but not the five bytes that say so."""
    with Relay(service.port, kept_back=5) as relay:
        cut = listing(dev_server, relay.url)

    assert len(cut.outputs) == 1_000
    assert cut.error is not None
    assert "broke off before its end (after 1000 objects)" in cut.error


def test_the_service_is_killed(dev_server: DevServer, tmp_path: Path) -> None:
    """kill -9 in the middle of a list of 10,000 entitlements, of which a part has arrived."""
    made = generated(Size(users=3, groups=3, permission_sets=100, aws_accounts=100, pairs=10), seed=2)
    with (
        Sandbox(made) as sandbox,
        Running(sandbox, tmp_path, '[sources.default]\nentitlement_scope = "all"\n') as service,
        Relay(service.port, 200_000, "hold") as relay,
        ThreadPoolExecutor() as pool,
    ):
        tenant = dev_server.client(relay.url)
        answer = pool.submit(tenant.ask, "std:entitlement:list", {"type": "permissionSetAssignment"})
        assert relay.reached.wait(60)
        service.kill()
        relay.go_on.set()
        cut = answer.result(60)

    assert cut.error is not None
    assert "broke off before its end" in cut.error
    assert 50 < len(cut.outputs) < 9_500


def test_the_face_is_killed_between_frames(dev_server: DevServer, tmp_path: Path) -> None:
    """The real face and gunicorn, killed while a slow list is on its way."""
    asked = {"state": {"accounts": "100", "pause": "0.05"}}
    with Face(tmp_path) as face, ThreadPoolExecutor() as pool:
        answer = pool.submit(dev_server.client(face.url, FACE_TOKEN).ask, "std:account:list", asked)
        time.sleep(1)
        face.kill()
        cut = answer.result(60)

    assert 1 <= len(cut.outputs) < 100
    assert cut.error is not None
    assert "broke off before its end" in cut.error


def test_aws_denies_page_seven(dev_server: DevServer, organisation: Sandbox, service: Running) -> None:
    """Of ten pages of users: the service fails the command, and so does the bundle, with the permission's name."""
    organisation.control("faults", {"clear": True, "operation": "ListUsers", "fault": "denied", "after": 6})
    try:
        direct = told(service.client(source="fresh").post("std:account:list"))
        organisation.control("faults", {"clear": True, "operation": "ListUsers", "fault": "denied", "after": 6})
        denied = listing(dev_server, service.url, source="fresh")
    finally:
        organisation.control("faults", {"clear": True})

    assert denied.outputs == []
    assert denied.error is not None
    assert "identitystore:ListUsers" in denied.error
    assert denied.kind == direct.kind
    assert listing(dev_server, service.url, source="fresh").error is None


@pytest.mark.parametrize("fault", ["error500", "half", "loop"])
def test_aws_fails_late(dev_server: DevServer, organisation: Sandbox, service: Running, fault: str) -> None:
    organisation.control("faults", {"clear": True, "operation": "ListUsers", "fault": fault, "after": 6})
    try:
        failed = listing(dev_server, service.url, source="fresh")
    finally:
        organisation.control("faults", {"clear": True})

    assert failed.error
    assert failed.outputs == []


def test_a_command_fails_after_frames(dev_server: DevServer, tmp_path: Path) -> None:
    """The service's own late failure: its frames, then its sentence, as it says them itself."""
    asked = {"state": {"accounts": "500", "size": "300", "fail": "AWS denied page seven."}}
    with Face(tmp_path) as face:
        direct = face.client().post("std:account:list", asked)
        bundled = dev_server.client(face.url, FACE_TOKEN).ask("std:account:list", asked)

    assert not direct.whole
    assert len(direct.outputs) == 500
    assert bundled == told(direct)
    assert bundled.error == "AWS denied page seven."


def test_a_command_fails_after_keep_alives(dev_server: DevServer, tmp_path: Path) -> None:
    """Then the status is 200 already, and it is an error all the same."""
    with Face(tmp_path) as face:
        asked = {"state": {"silence": "0.7", "fail": "AWS denied it."}}
        failed = dev_server.client(face.url, FACE_TOKEN).ask("std:account:list", asked)

    assert len(failed.of_type("keepAlive")) >= 2
    assert failed.error == "AWS denied it."


def test_a_state_is_not_saved_after_half_a_list(dev_server: DevServer, tmp_path: Path) -> None:
    """The state arrived, and only the answer's end did not."""
    asked = {"stateful": True, "state": {"accounts": "3"}}
    with Face(tmp_path) as face, Relay(face.port, kept_back=5) as relay:
        whole = dev_server.client(face.url, FACE_TOKEN).ask("std:account:list", asked)
        cut = dev_server.client(relay.url, FACE_TOKEN).ask("std:account:list", asked)

    assert whole.of_type("state") == [{"snapshot": "7"}]
    assert cut.outputs == whole.outputs
    assert cut.of_type("state") == []
    assert cut.error is not None
