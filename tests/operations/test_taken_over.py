"""A process that stood still in the middle of a change: another finished it and went on; the first does nothing more.

Two cores on one store and the emulated AWS over HTTP. What stands still waits for the turn of an AWS account.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from connector.app import Core
from connector.commands import COMMANDS
from connector.errors import RetryLater
from connector.lease import LEASE
from connector.model import Account, Change, ChangeAccount, Event, OneAccount, Op, Source
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import DATA, ENG, small
from connector.settings import Settings
from tests.named import Named

PAIRS = "permissionSetAssignments"


class Ahead:
    """The machine's clock, some seconds ahead of it."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> float:
        return time.time() + self.seconds

    def monotonic(self) -> float:
        return time.monotonic() * 10

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / 10)


class Process(Named):
    """One of those that share the store."""

    def __init__(self, sandbox: Sandbox, store_url: str) -> None:
        self.sandbox = sandbox
        self.clock = Ahead()
        paces = dict.fromkeys(("aws_tps", "identitystore_tps", "organizations_tps"), 1000)
        self.core = Core(Settings(sources={"default": Source("default")}, store_url=store_url, **paces), self.clock)  # type: ignore[arg-type]

    def does(self, command: str, asked: Any) -> Event:
        """The last event of a command."""
        desk = self.core.desk(self.core.settings.sources["default"], threading.Event())
        return list(COMMANDS[f"std:account:{command}"].run(desk, asked))[-1]

    def update(self, user: str, *changes: Change) -> Event:
        """Of one account."""
        return self.does("update", ChangeAccount(user, changes))

    def takes_over(self) -> None:
        """What the other has begun, as if that showed no sign of life; return when it is finished."""
        self.clock.seconds += LEASE + 1
        self.core.recover()
        until(lambda: not self.core.store.operations.listed("default", True, 1))


@pytest.fixture
def processes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Process, Process]]:
    with Sandbox(small(), Options(assignment_seconds=0.02)) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        both = tuple(Process(sandbox, f"sqlite:///{tmp_path / 'store.db'}") for _ in range(2))
        yield both  # type: ignore[misc]
        for each in both:
            each.core.directories.close()
            each.core.store.close()


def until(true: Callable[[], Any]) -> None:
    """Wait for it."""
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("where", "attribute"),
    [(DATA, PAIRS), (ENG, PAIRS), (DATA, "groups")],
    ids=["before it takes", "before it gives an assignment", "before it takes, and gives a membership"],
)
def test_it_gives_nothing_that_was_taken_since(processes: tuple[Process, Process], where: str, attribute: str) -> None:
    """Something is to be taken, then something given; that was done, and taken again, by the other meanwhile."""
    slow, quick = processes
    user, old = slow.user("barbara"), slow.pair("Write", DATA)
    new = slow.pair("Security", ENG) if attribute == PAIRS else slow.group("aws_data_read")
    given = {"permission_set": "Write", "account_id": DATA, "principal_type": "USER", "principal_id": user}
    slow.sandbox.control("mutate", {"action": "add_assignment", **given})
    places = slow.core._room.of(slow.sandbox.organisation.instance.arn)

    with ThreadPoolExecutor(1) as pool:
        with places.take(where):
            asked = (Change(Op.REMOVE, PAIRS, (old,)), Change(Op.ADD, attribute, (new,)))
            answer = pool.submit(slow.update, user, *asked)
            until(lambda: places.waiting(where) == 1)
            quick.takes_over()
            (taken_up,) = quick.core.store.operations.listed("default", False, 1)
            assert taken_up.state == "succeeded"
            quick.update(user, Change(Op.REMOVE, attribute, (new,)))
        with pytest.raises(RetryLater, match="took over"):
            answer.result(10)

    account = quick.does("read", OneAccount(user))
    assert isinstance(account, Account)
    assert new not in account.attributes[attribute]
    assert old not in account.attributes[PAIRS]
