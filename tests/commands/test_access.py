"""Access that our own readings do not show is neither lost nor taken for given: what counts is what AWS holds.

The real commands on the emulated AWS over HTTP and a real store, in this process, on a clock that runs fast, so that
what AWS does slowly is waited for quickly.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.app import Core
from connector.commands import COMMANDS
from connector.errors import GrantFailed
from connector.model import (
    Change,
    ChangeAccount,
    Event,
    OneAccount,
    Op,
    Source,
)
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import ENG, small
from connector.settings import Settings
from tests.named import Named

PAIRS = "permissionSetAssignments"
SPEED = 20.0


class Fast:
    """The machine's clock, sped up."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / SPEED)


class World(Named):
    """The small organisation, and the connector on it."""

    def __init__(self, sandbox: Sandbox, folder: Path, sources: tuple[Source, ...]) -> None:
        self.sandbox = sandbox
        self.core = Core(
            Settings(
                sources={each.name: each for each in sources},
                store_url=f"sqlite:///{folder / 'store.db'}",
                aws_tps=1000,
                identitystore_tps=1000,
                organizations_tps=1000,
            ),
            Fast(),
        )

    def does(self, command: str, asked: Any, source: str = "default") -> Event:
        """The last event of a command."""
        desk = self.core.desk(self.core.settings.sources[source], threading.Event())
        return list(COMMANDS[f"std:account:{command}"].run(desk, asked))[-1]

    def update(self, op: Op, user: str, *pairs: str, source: str = "default") -> Event:
        """Add, set or remove pairs."""
        return self.does("update", ChangeAccount(user, (Change(op, PAIRS, pairs),)), source)

    def options(self, **options: Any) -> None:
        """Of the sandbox."""
        self.sandbox.control("options", options)

    def mutate(self, action: str, **what: Any) -> None:
        """Behind the API's back."""
        self.sandbox.control("mutate", {"action": action, **what})

    def held(self, user: str) -> set[str]:
        """Ids of the pairs AWS holds for the user, when nothing is in flight any more and nothing lags."""
        self.sandbox.control("advance", {"seconds": 600})
        self.sandbox.control("organisation")
        found = self.sandbox.organisation.instance.assignments
        return {f"{account}:{arn.rsplit('/', 1)[-1]}" for arn, account, who in found if who == ("USER", user)}

    def exists(self, user: str) -> bool:
        """Whether the identity store has the user."""
        return user in self.sandbox.organisation.store.users_by_id


SOURCES = (
    Source("default", region="eu-west-1", read_deadline=8.0),
    Source("strip", region="eu-west-1", disable_by="strip", read_deadline=8.0),
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with Sandbox(small(), Options(assignment_seconds=0.05)) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield World(sandbox, tmp_path, SOURCES)


# ---- what AWS was never made to take ----------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["denied", "throttled"])
@pytest.mark.parametrize("how", ["delete", "disable"])
def test_a_refused_removal_keeps_the_user_also_where_the_aws_account_is_suspended(
    world: World, how: str, fault: str
) -> None:
    """Only a removal that AWS took up and ended as FAILED is left by AWS; one that it refused can be sent again."""
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.mutate("add_assignment", permission_set="Read", account_id=ENG, principal_type="USER", principal_id=user)
    world.mutate("set_account_state", account_id=ENG, state="SUSPENDED")
    world.sandbox.control("faults", {"operation": "DeleteAccountAssignment", "fault": fault})
    source = {"delete": "default", "disable": "strip"}[how]
    with pytest.raises(GrantFailed, match=pair) as refused:
        world.does(how, OneAccount(user), source)
    assert "reactivate it" not in str(refused.value), "that would not help"
    assert world.exists(user)
    assert world.held(user) == {pair}

    world.sandbox.control("faults", {"clear": True})
    world.does(how, OneAccount(user), source)
    assert world.exists(user) is (how == "disable")
