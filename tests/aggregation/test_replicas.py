"""Several service processes on one PostgreSQL (issue 3, acceptance 5), and what a crash leaves behind.

One census in AWS for lists asked of both, one pace for both together, and when the process that reads is killed the
other one finishes the job. A crash of the only process leaves the last snapshot to answer from.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any

import psycopg
import pytest

from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.truth import are_true, counted, shown
from tests.bench.oracle import cheapest
from tests.databases import Server
from tests.running import Running, change, key

SIZE = Size(users=150, groups=120, permission_sets=12, aws_accounts=15, pairs=120)
LATE = 0.5
"""Seconds a call may take from its token to AWS: so much closer together may calls arrive than they were let go."""
SOURCES = """
[sources.default]
snapshot_max_age = 3600
"""
ANEW = """
[sources.default]
snapshot_max_age = 0
"""


@contextmanager
def _replicas(sandbox: Sandbox, url: str, folder: Path, tps: int = 1000) -> Iterator[tuple[Running, Running]]:
    environment = {"CONNECTOR_STORE_URL": url, "CONNECTOR_AWS_TPS": str(tps)}
    folders = [folder / name for name in ("one", "two")]
    for each in folders:
        each.mkdir()
    one, two = (Running(sandbox, each, SOURCES, environment) for each in folders)
    with one, two:
        yield one, two


@pytest.fixture
def store(postgresql: Server) -> Iterator[str]:
    """URL of an empty database."""
    url = postgresql.create_database()
    yield url
    postgresql.drop_database(url)


def _wait_for(sandbox: Sandbox, operation: str, times: int) -> None:
    deadline = time.monotonic() + 30
    while counted(sandbox).get(operation, 0) < times:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _a_minute_later(url: str) -> None:
    """The lease of whoever reads runs out, as it does when no sign of life comes from its owner."""
    with psycopg.connect(url) as session:
        session.execute("UPDATE source SET lease_until = lease_until - 60")


def test_two_lists_at_once_make_one_census(store: str, tmp_path: Path) -> None:
    sandbox = Sandbox(generated(SIZE), Options(latency_ms=20))
    with sandbox, _replicas(sandbox, store, tmp_path) as services:
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda each: each.client().outputs("std:account:list"), services * 2))
        assert all(each == found[0] for each in found)
        are_true(shown(found[0]), sandbox)
        calls = counted(sandbox)
        assert calls["ListUsers"] == 2, [each.events("census published") for each in services]
        assert calls["ListAccountAssignments"] == 120
        assert calls["DescribePermissionSet"] == 12
        families = Counter(sandbox.control("state")["families"])
        least = cheapest(sandbox.control("organisation"))
        assert sum(families[each] for each in least) <= 1.05 * sum(least.values())
        # Both show the snapshot from now on, and a change made here shows there at once.
        one, two = (each.client() for each in services)
        sandbox.control("forget")
        user = found[0][0]["identity"]
        changed = one.one("std:account:update", key(user, changes=[change("Set", "title", "New")]))
        assert shown(two.outputs("std:account:list"))[user] == changed
        assert "ListUsers" not in counted(sandbox)


def test_together_they_stay_under_one_pace(store: str, tmp_path: Path) -> None:
    """Two sources of one organisation, read by a process each: more calls than the pace allows want to be made."""
    pace = 60
    sandbox = Sandbox(generated(SIZE), Options())
    with sandbox, _replicas(sandbox, store, tmp_path, pace) as services:
        for each in services:
            (each.directory / "sources.toml").write_text("[sources.one]\n[sources.two]\n")
            each.sources = "[sources.one]\n[sources.two]\n"
            each.stop()
            each.start()
        sandbox.control("forget")
        with ThreadPoolExecutor(2) as pool:
            asked = [services[0].client("one"), services[1].client("two")]
            found = list(pool.map(lambda each: each.outputs("std:account:list"), asked))
        assert found[0] == found[1]
        calls = sandbox.control("calls")["calls"]
        for family in ("sso-admin", "identitystore"):
            moments = sorted(each["at"] for each in calls if each["service"] == family)
            assert len(moments) > 2 * pace, "too few calls to tell"
            for first, began in enumerate(moments):
                for last, ended in enumerate(moments[first:], start=first):
                    assert last - first + 1 <= pace * (ended - began + 1 + LATE), family


@pytest.mark.parametrize("waits", [True, False], ids=["asked-before", "asked-after"])
def test_when_the_one_that_reads_is_killed_the_other_finishes(store: str, tmp_path: Path, waits: bool) -> None:
    """Whether its client had been waiting for the other's census, or comes when the other is dead."""
    sandbox = Sandbox(generated(SIZE), Options(latency_ms=50))
    with sandbox, _replicas(sandbox, store, tmp_path) as (one, two), ThreadPoolExecutor(2) as pool:
        lost = pool.submit(one.client().post, "std:account:list")
        _wait_for(sandbox, "ListAccountAssignments", 10)
        saved = pool.submit(two.client().outputs, "std:account:list") if waits else None
        time.sleep(0.3)
        one.kill()
        with pytest.raises((OSError, HTTPException)):
            lost.result(10)
        _a_minute_later(store)
        found = saved.result(30) if saved is not None else two.client().outputs("std:account:list")
        are_true(shown(found), sandbox)
        assert len(two.events("census published")) == 1
        # What the dead one had read is of no use to anybody, and is gone.
        with psycopg.connect(store) as session:
            assert session.execute("SELECT count(*) FROM staged").fetchone() == (0,)


@pytest.mark.slow
def test_the_other_one_waits_no_longer_than_the_lease(store: str, tmp_path: Path) -> None:
    """As above, in real time: a lease lasts half a minute."""
    sandbox = Sandbox(generated(SIZE), Options(latency_ms=50))
    with sandbox, _replicas(sandbox, store, tmp_path) as (one, two), ThreadPoolExecutor(1) as pool:
        lost = pool.submit(one.client().post, "std:account:list")
        _wait_for(sandbox, "ListAccountAssignments", 10)
        one.kill()
        with pytest.raises((OSError, HTTPException)):
            lost.result(10)
        answer = two.client().post("std:account:list")
        assert answer.complete
        are_true(shown(answer.outputs), sandbox)
        assert answer.seconds < 30 + 15


def test_a_crash_of_the_only_process_leaves_the_last_snapshot(tmp_path: Path) -> None:
    sandbox = Sandbox(generated(SIZE), Options())
    with sandbox, Running(sandbox, tmp_path, SOURCES) as service, ThreadPoolExecutor(1) as pool:
        asked = {"stateful": True}
        first = service.client().post("std:account:list", asked)
        assert first.complete
        assert service.stop() == 0

        service.sources = ANEW
        service.start()
        sandbox.control("options", {"latency_ms": 50})
        sandbox.control("forget")
        lost = pool.submit(service.client().post, "std:account:list")
        _wait_for(sandbox, "ListAccountAssignments", 10)
        service.kill()
        with pytest.raises((OSError, HTTPException)):
            lost.result(10)

        service.sources = SOURCES
        service.start()
        sandbox.control("options", {"latency_ms": 0})
        sandbox.control("forget")
        assert service.client().outputs("std:account:list") == first.outputs
        again = service.client().post("std:account:list", {**asked, "state": first.frames[-1]["data"]})
        assert [frame["type"] for frame in again.frames] == ["state"]
        assert counted(sandbox) == {}
        # Our own changes go on top of it, whoever died in the middle of what.
        user = first.outputs[0]["identity"]
        changed = service.client().one("std:account:update", key(user, changes=[change("Set", "title", "New")]))
        assert shown(service.client().outputs("std:account:list"))[user] == changed


def test_a_grant_goes_before_the_other_replicas_census(store: str, tmp_path: Path) -> None:
    """As counts: between two of the grant's calls, the census gets no more than the few that were on their way."""
    pace = 40
    size = Size(users=300, groups=60, permission_sets=25, aws_accounts=40)
    sandbox = Sandbox(generated(size), Options(latency_ms=20, assignment_seconds=0.5))
    with sandbox, _replicas(sandbox, store, tmp_path, pace) as (one, two), ThreadPoolExecutor(1) as pool:
        alone = _grant(two, sandbox, 0)
        reading = pool.submit(one.client().post, "std:account:list")
        _wait_for(sandbox, "ListAccountAssignments", 60)
        beside = _grant(two, sandbox, 1)
        assert not reading.done(), "the census ended before the grant: make it longer"
        assert reading.result(60).complete
        assert beside <= 2 * alone + 0.5, (beside, alone)
        are_true(shown(two.client().outputs("std:account:list")), sandbox)


def _grant(service: Running, sandbox: Sandbox, number: int) -> float:
    """Seconds that it takes to give a pair to a user who has not got it."""
    organisation = sandbox.organisation
    account = next(each.id for each in organisation.accounts if each.state == "ACTIVE")
    free: list[Any] = [
        (user.id, f"{account}:{each.arn.split('/')[-1]}")
        for user in organisation.store.users
        for each in organisation.instance.permission_sets
        if user.enabled and (each.arn, account, ("USER", user.id)) not in organisation.instance.assignments
    ]
    user, pair = free[number * 100]
    began = time.monotonic()
    account_ = service.client().one(
        "std:account:update", key(user, changes=[change("Add", "permissionSetAssignments", pair)])
    )
    assert pair in account_["attributes"]["permissionSetAssignments"]
    return time.monotonic() - began
