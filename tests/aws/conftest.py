"""The aws room against an emulated AWS over real HTTP, on a clock whose sleeps take no time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from connector.aws import Directories, Directory
from connector.model import Lane, Pair, Principal, Source
from connector.pace import Pace
from connector.patience import Patience
from connector.sandbox.dispatch import EmulatedAws
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import DATA, small

TYPES = ("group", "permissionSetAssignment", "applicationAssignment")


class SkippingClock:
    """Real time, plus everything that was slept: an hour of backoff passes at once, a slow server does not."""

    def __init__(self) -> None:
        self.slept = 0.0

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    def sleep(self, seconds: float) -> None:
        self.slept += max(0.0, seconds)


class World:
    """The sandbox with the small organisation, and directories into it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.clock = SkippingClock()
        self.pace = Pace({"sso-admin": 500, "identitystore": 500, "organizations": 500}, self.clock)
        self.directories = Directories(self.pace, self.clock)

    def open(self, source: Source | None = None, deadline: float = 5.0, lane: Lane = Lane.LIVE) -> Directory:
        return self.directories.open(
            source or Source("default", entitlement_types=TYPES), lane, Patience(deadline, self.clock)
        )

    def fault(self, operation: str, fault: str, **more: object) -> None:
        self.sandbox.control("faults", {"operation": operation, "fault": fault, **more})

    def forget(self) -> None:
        """Have the instance looked up again."""
        self.directories.close()
        self.directories = Directories(self.pace, self.clock)

    def heal(self) -> None:
        self.sandbox.control("faults", {"clear": True})

    def count(self, operation: str) -> int:
        """Calls of one operation that reached AWS."""
        return sum(1 for call in self.sandbox.control("calls")["calls"] if call["operation"] == operation)

    def pass_time(self, seconds: float = 60.0) -> None:
        self.sandbox.control("advance", {"seconds": seconds})

    def user(self, name: str) -> str:
        return self.sandbox.organisation.store.users_by_name[name].id

    def group(self, name: str) -> str:
        return self.sandbox.organisation.store.groups_by_name[name].id

    def permission_set(self, name: str) -> str:
        return self.sandbox.organisation.instance.permission_sets_by_name[name].arn.rsplit("/", 1)[-1]

    def pair(self, permission_set: str = "Read", aws_account: str = DATA) -> Pair:
        return Pair(aws_account, self.permission_set(permission_set))

    def principal(self, name: str) -> Principal:
        return Principal("USER", self.user(name))


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture
def world(_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A fresh small organisation; assignments take ten seconds of its own clock."""
    aws = EmulatedAws(small(), Options(check_answers=True, assignment_seconds=10.0))
    _sandbox.aws = aws
    for name, value in _sandbox.environment().items():
        monkeypatch.setenv(name, value)
    made = World(_sandbox)
    yield made
    made.directories.close()
    assert list(aws.journal.wrong_answers) == []
    assert list(aws.journal.crashes) == []
