"""What calls cost the connector itself: CPU seconds of one thread, with no quota and no latency in between."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from unittest.mock import patch

from connector.aws import Directories, Directory
from connector.clock import SystemClock
from connector.model import Lane, Pair, Source
from connector.pace import Pace
from connector.patience import Patience
from tests.bench.world import SHAPES, Emulated, Service, listing

RUNS = 5
"""Of which the fastest counts: the others were disturbed."""


def calls(name: str = "M") -> dict[str, str]:
    """One call that answers one row, pages of a hundred, and a whole cold list."""
    with Emulated(SHAPES[name], 0, latency_ms=0, options={"--organizations-tps": "0"}) as emulated:
        with patch.dict(os.environ, emulated.environment()):
            directory = _directory()
            assignment, membership, user = _each(directory)
        with Service(emulated, 1000.0) as service:
            made, before = emulated.get("state")["calls_total"], service.cpu()
            listing(service.running.client())
            made, spent = emulated.get("state")["calls_total"] - made, service.cpu() - before
    return {
        "ListAccountAssignments, 1 row": f"{assignment * 1000:.1f} ms",
        "ListGroupMemberships, 100 rows": f"{membership * 1000:.1f} ms",
        "ListUsers, 100 rows": f"{user * 1000:.1f} ms",
        f"cold list of {name}": f"{spent:.1f} s for {made:,} calls",
        "CPU per call": f"{spent / made * 1000:.1f} ms",
        "calls one core can make": f"{made / spent:.0f} a second",
    }


def _directory() -> Directory:
    clock = SystemClock()
    pace = Pace({"sso-admin": 1000, "identitystore": 1000, "organizations": 1000}, clock)
    return Directories(pace, clock).open(Source("default"), Lane.CENSUS, Patience(60, clock, threading.Event()))


def _each(directory: Directory) -> tuple[float, float, float]:
    set_ = next(iter(directory.permission_set_ids()))
    pair = Pair(next(iter(directory.aws_accounts_of(set_))), set_)
    largest = max(list(directory.groups())[:50], key=lambda each: len(list(directory.members(each.id))))
    return (
        _cost(lambda: directory.assignments_of_pair(pair), times=50),
        _cost(lambda: directory.members(largest.id)),
        _cost(directory.users),
    )


def _cost(ask: Callable[[], Iterable[object]], times: int = 1) -> float:
    """CPU seconds of a page."""
    pages = max(1, -(-len(list(ask())) // 100)) * times
    spent = []
    for _ in range(RUNS):
        before = time.thread_time()
        for _ in range(times):
            list(ask())
        spent.append(time.thread_time() - before)
    return min(spent) / pages
