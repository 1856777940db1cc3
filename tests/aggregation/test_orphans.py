"""Orphans where assignments are read by principal: found by a sweep by pair on a schedule of its own (issue 3, part 1).

Named, never attached: no account shows what an orphan holds, and no entitlement counts it. The real connector reads
the emulated AWS in this process, on a clock that days can be added to.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector import app
from connector.app import Core
from connector.commands import COMMANDS
from connector.model import Account, Entitlement, ListAccounts, ListEntitlements, Snapshot, Source
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from connector.settings import Settings
from tests.acceptance.oracle import Truth, dump
from tests.aggregation.truth import counted

SIZE = Size(users=6, groups=4, permission_sets=5, aws_accounts=6, applications=0, pairs=25)
DAY = 24 * 3600.0
PAIR = "permissionSetAssignment"


class Days:
    """The machine's clock, and days that a test adds."""

    added = 0.0

    def now(self) -> float:
        return time.time() + self.added

    def monotonic(self) -> float:
        return time.monotonic() + self.added

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds))


class World:
    """A source that is read by principal."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox = sandbox
        self.core = Core(
            Settings(
                sources={"default": Source("default", region=sandbox.region, snapshot_max_age=60.0)},
                store_url=f"sqlite:///{folder / 'store.db'}",
                aws_tps=1000,
                identitystore_tps=1000,
                organizations_tps=1000,
            )
        )
        self.clock: Any = self.core.clock
        self.desk = self.core.desk(self.core.settings.sources["default"], threading.Event())

    def accounts(self) -> dict[str, Account]:
        """A list."""
        found = list(COMMANDS["std:account:list"].run(self.desk, ListAccounts()))
        return {each.id: each for each in found if isinstance(each, Account)}

    def pairs(self) -> dict[str, Entitlement]:
        """A list of pairs."""
        found = list(COMMANDS["std:entitlement:list"].run(self.desk, ListEntitlements(PAIR)))
        return {each.id: each for each in found if isinstance(each, Entitlement)}

    def newest(self) -> Snapshot:
        """The newest snapshot."""
        found = self.core.records.latest("default")
        assert found is not None
        return found

    def upkeep(self) -> bool:
        """A round of upkeep; whether it swept. Waits for the sweep's end."""
        swept = self.desk.freshness.sweep_if_due()
        deadline = time.monotonic() + 30
        while any(each.name == "census" for each in threading.enumerate()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return swept

    def orphans(self) -> list[str]:
        """What the organisation has, as the service names them."""
        truth = Truth(dump(self.sandbox))
        return sorted(
            f"{pair} of {kind} {who}"
            for (kind, who), held in truth.holds.items()
            for pair in held
            if who in truth.orphans()
        )


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.setattr(app, "SystemClock", Days)
    with Sandbox(generated(SIZE, seed=3), Options()) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        holder = next(iter(sandbox.organisation.store.users))
        arn = next(iter(sandbox.organisation.instance.permission_sets)).arn
        asked = {"permission_set": arn, "account_id": sandbox.organisation.management_account}
        principal = {"principal_type": "USER", "principal_id": holder.id}
        sandbox.control("mutate", {"action": "add_assignment", **asked, **principal})
        sandbox.control("mutate", {"action": "delete_user", "user": holder.id})
        made = World(sandbox, tmp_path)
        yield made
        made.core.directories.close()
        made.core.records.close()  # type: ignore[attr-defined]


def _tells_the_truth(world: World) -> None:
    truth = Truth(dump(world.sandbox))
    accounts, pairs = world.accounts(), world.pairs()
    assert set(accounts) == set(truth.users)
    for identity, each in accounts.items():
        for name in ("permissionSetAssignments", "inheritedPermissionSetAssignments", "groups"):
            assert list(each.attributes[name]) == truth.account(identity)[name]
    assert set(pairs) == truth.pairs
    for identity, entitlement in pairs.items():
        right = truth.pair(identity)
        for name in ("userCount", "groupCount"):
            assert entitlement.attributes[name] == right[name], identity


def test_a_list_by_principal_says_that_it_cannot_see_orphans(world: World) -> None:
    assert world.orphans()
    _tells_the_truth(world)
    summary = world.newest().summary
    assert summary["by_pair"] is False
    assert summary["orphans"] == []
    assert any("orphans are those of the last sweep" in str(each) for each in list(summary["warnings"]))  # type: ignore[call-overload]
    assert "ListAccountAssignments" not in counted(world.sandbox)


def test_a_sweep_names_them_and_attaches_them_to_nobody(world: World) -> None:
    world.accounts()
    assert world.upkeep()
    summary = world.newest().summary
    assert summary["by_pair"] is True
    assert summary["orphans"] == world.orphans()
    assert counted(world.sandbox)["ListAccountAssignments"] == len(world.sandbox.organisation.instance.pairs)
    _tells_the_truth(world)
    gone = {each.rpartition(" ")[2] for each in world.orphans()}
    assert not gone & set(world.accounts())


def test_the_next_list_by_principal_keeps_what_the_sweep_found(world: World) -> None:
    world.accounts()
    assert world.upkeep()
    before = world.newest().number
    world.clock.added += 61
    _tells_the_truth(world)
    assert world.newest().number > before
    # By pair it was read once: lists stay at the cheaper walk.
    assert world.newest().summary["by_pair"] is False
    assert world.newest().summary["orphans"] == world.orphans()


def test_the_schedule_is_the_sweeps_own(world: World) -> None:
    assert not world.upkeep(), "nothing was ever read: nobody asked for this source"
    world.accounts()
    assert world.upkeep()
    world.clock.added += 61
    world.accounts()
    assert not world.upkeep(), "a sweep a day is enough"
    world.clock.added += DAY
    assert world.upkeep()
    world.clock.added += 61
    world.accounts()
    world.clock.added += DAY / 2
    assert not world.upkeep()


def test_where_lists_are_read_by_pair_nothing_is_swept(world: World) -> None:
    """They see orphans themselves."""
    organisation = world.sandbox.organisation
    with organisation.lock:
        for each in list(organisation.instance.permission_sets)[1:]:
            organisation.instance.remove_permission_set(each)
    world.accounts()
    assert world.newest().summary["by_pair"] is True
    assert world.newest().summary["orphans"] == world.orphans()
    assert not world.upkeep()
