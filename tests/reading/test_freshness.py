"""Single flight: whoever comes too late to find a snapshot, and too early to find a census under way, reads nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from connector.clock import SystemClock
from connector.model import Snapshot, Source
from connector.patience import Patience
from connector.ports import Records
from connector.reading.freshness import Freshness
from connector.store import open_store

SUMMARY = {"fingerprint": "f", "kinds": ["user"], "orphans": []}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


class Late:
    """Records where another process publishes right after the first look for a snapshot."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.published: Snapshot | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def latest(self, source: str) -> Snapshot | None:
        found = self._records.latest(source)
        if found is None:
            census = self._records.begin_census(source, "other", 30)
            assert census is not None
            self.published = self._records.publish(census, ("user",), SUMMARY, 0)
        return found


def test_a_census_that_ended_between_the_look_and_the_turn_is_not_made_again(records: Records) -> None:
    clock = SystemClock()
    late = Late(records)
    freshness = Freshness(
        source=Source("default"),
        directories=None,  # type: ignore[arg-type]  # nobody may ask AWS
        records=late,  # type: ignore[arg-type]
        stripped=None,  # type: ignore[arg-type]  # nobody may read accounts
        clock=clock,
        patience=lambda: Patience(1, clock),
        owner="me",
        fingerprint="f",
    )
    assert freshness.snapshot(Patience(1, clock, threading.Event())) == late.published
    assert not records.census_running("default")
    assert records.last_failure("default") is None
