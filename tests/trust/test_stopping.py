"""SIGTERM in the middle of things: a list is whole or visibly broken, and a change ends in a state that is known."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from connector.store import open_store
from tests.named import Named
from tests.running import Answer, Client, Running, change, key

USERS = 60
DATA = "123456789012"


class Impatient(Running):
    """It waits a second for what runs."""

    def program(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("impatient.py")), str(self.port)]


class World(Named):
    """A sandbox and the names in it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox


def stopped_during(service: Running, operation: str, ask: Callable[[Client], Answer]) -> Future[Answer]:
    """What was answered to who asked while the service was told to stop, during a call to AWS."""
    sandbox = service.sandbox
    before = sandbox.control("state")["calls"].get(operation, 0)
    pool = ThreadPoolExecutor(1)
    answer = pool.submit(ask, service.client(timeout=60))
    deadline = time.monotonic() + 30
    while sandbox.control("state")["calls"].get(operation, 0) == before:
        assert time.monotonic() < deadline, f"{operation} was never called"
        time.sleep(0.01)
    assert service._process is not None
    service._process.send_signal(signal.SIGTERM)
    assert service._process.wait(40) == 0
    service._process = None
    pool.shutdown()
    return answer


def lists(client: Client) -> Answer:
    return client.post("std:account:list")


def test_a_list_is_waited_for(tmp_path: Path) -> None:
    organisation = generated(Size(users=USERS, groups=20, permission_sets=5, aws_accounts=5, pairs=20), seed=7)
    with Sandbox(organisation, Options(latency_ms=100)) as sandbox, Running(sandbox, tmp_path) as service:
        answer = stopped_during(service, "ListUsers", lists).result()
        assert answer.complete
        assert len(answer.outputs) == USERS


def test_a_list_that_is_cut_off_is_never_short(tmp_path: Path) -> None:
    """No status, or a body that breaks off: no client takes it for the whole."""
    organisation = generated(Size(users=USERS, groups=20, permission_sets=5, aws_accounts=5, pairs=20), seed=7)
    with Sandbox(organisation, Options(latency_ms=700)) as sandbox, Impatient(sandbox, tmp_path) as service:
        cut = stopped_during(service, "ListUsers", lists)
        try:
            answer = cut.result()
        except (OSError, HTTPException):
            return
        assert not answer.complete


@pytest.mark.parametrize("kind", [Running, Impatient])
@pytest.mark.parametrize("change_", ["give", "take"])
def test_a_change_ends_in_a_state_that_is_known(tmp_path: Path, kind: type[Running], change_: str) -> None:
    """Waited for, or taken up again at the next start; its caller was told the truth, or nothing."""
    with Sandbox(options=Options(assignment_seconds=2.5)) as sandbox:
        world = World(sandbox)
        user, pair = world.user("barbara"), world.pair("Write" if change_ == "take" else "Read", DATA)
        op, operation = (
            ("Add", "CreateAccountAssignment") if change_ == "give" else ("Remove", "DeleteAccountAssignment")
        )
        asked = key(user, changes=[change(op, "permissionSetAssignments", pair)])
        service = kind(sandbox, tmp_path).start()
        answer = stopped_during(service, operation, lambda client: client.post("std:account:update", asked))
        try:
            told: Answer | None = answer.result()
        except (OSError, HTTPException):
            told = None
        assert kind is Impatient or (told is not None and told.complete), told

        with kind(sandbox, tmp_path) as again:
            (ended,) = finished(tmp_path)
            assert ended.state == "succeeded"
            account: Any = again.client().one("std:account:read", key(user))
            held = pair in account["attributes"]["permissionSetAssignments"]
            assert held == (change_ == "give")
            if told is not None and told.complete:
                assert told.outputs in ([account], [{}])


def finished(directory: Path) -> list[Any]:
    """All operations, once they have ended."""
    store = open_store(f"sqlite:///{directory / 'connector.db'}")
    try:
        deadline = time.monotonic() + 60
        while store.operations.listed(None, True, 10):
            assert time.monotonic() < deadline, "an operation was not finished"
            time.sleep(0.1)
        return list(store.operations.listed(None, False, 10))
    finally:
        store.close()
