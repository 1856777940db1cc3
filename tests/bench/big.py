"""The largest organisation that is promised: what a census and a list of it take of memory, patience, CPU and disk."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from connector.model import Fact, Snapshot
from connector.reading import facts
from connector.reading.views import every_of, kinds_in
from connector.store import Store, open_store
from tests.bench.world import SHAPES, Emulated, Service, listing

UNLIMITED: Final = 1000.0
"""The fastest pace that can be configured."""
SNAPSHOTS: Final = 6
CHANGED: Final = 100
"""One fact of so many changes from one snapshot to the next."""


def big(name: str = "B", latency_ms: float = 5.0) -> dict[str, str]:
    """One census and one warm list; then five more snapshots in its store."""
    shape = SHAPES[name]
    options = {"--organizations-tps": "0"}
    with Emulated(shape, 0, latency_ms, options) as emulated, Service(emulated, UNLIMITED) as service:
        cold = listing(service.running.client())
        before, wall = service.cpu(), time.monotonic()
        warm = listing(service.running.client())
        seconds, wall = service.cpu() - before, time.monotonic() - wall
        assert cold.frames == warm.frames == shape.users, (cold.frames, warm.frames)
        memory = service.peak_memory()
        calls = emulated.get("state")["calls_total"]
        assert service.running.stop() == 0
        one, six = _space(service.running.directory / "connector.db")
        service.running.start()
    return {
        "organisation": f"{shape.users:,} users, {shape.groups:,} groups",
        "cold": f"{calls:,} calls, {cold.total:.0f} s",
        "peak memory": f"{memory:.0f} MB",
        "longest silence": f"{max(cold.silence, warm.silence):.1f} s",
        "CPU per 1,000 accounts": f"{seconds / shape.users * 1000:.3f} s",
        "accounts a second of CPU": f"{shape.users / seconds:,.0f}",
        "accounts a second": f"{shape.users / wall:,.0f}",
        "one snapshot": f"{one / 1e6:.0f} MB",
        f"{SNAPSHOTS} snapshots": f"{six / 1e6:.0f} MB, × {six / one:.2f}",
    }


# ---- space -------------------------------------------------------------------------------------------------------


def _space(path: Path) -> tuple[int, int]:
    """Bytes that one snapshot takes, and all of them: pages in use, not those that staging left for others."""
    store = open_store(f"sqlite:///{path}")
    try:
        latest = store.latest("default")
        assert latest is not None
        one = _used(path)
        for number in range(1, SNAPSHOTS):
            latest = _changed(store, latest, number)
        return one, _used(path)
    finally:
        store.close()


def _used(path: Path) -> int:
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        size, count, free = (
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count", "freelist_count")
        )
        return int(size * (count - free))
    finally:
        connection.close()


def _changed(store: Store, latest: Snapshot, number: int) -> Snapshot:
    """The next census of the same source, where one fact in a hundred of every kind is another."""
    census = store.begin_census("default", "bench", 600)
    assert census is not None
    kinds = kinds_in(latest)
    store.stage(census, _every(store, latest, kinds, number))
    mark, _ = store.marks("default", 0)
    published = store.publish(census, kinds, latest.summary, mark)
    assert published is not None
    return published


def _every(store: Store, latest: Snapshot, kinds: Sequence[str], number: int) -> Iterator[Fact]:
    for kind in kinds:
        for place, each in enumerate(every_of(store, latest, kind)):
            yield _other(each, number) if place % CHANGED == number else each


def _other(fact: Fact, number: int) -> Fact:
    """Somebody else in a group, somebody else who holds a pair, or the same thing with something changed."""
    if fact.kind == facts.MEMBERSHIP:
        return replace(fact, id=f"{fact.id}.{number}", subject=f"{fact.subject}.{number}")
    return replace(fact, body={**fact.body, "changed": number})
