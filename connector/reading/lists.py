"""What pages are read from: dressers, shelves and deltas of snapshots, a few kept from one page to the next.

A snapshot never changes, so whatever was counted for its first page holds for all others. Every page is read from the
store by keyset; only names, counts and what groups pass on are kept, never accounts. Losing one costs time alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar

from connector.model import Snapshot, Source
from connector.ports import Records
from connector.reading.deltas import Delta
from connector.reading.entitlements import Shelf
from connector.reading.views import Dresser

KEPT: Final = 8
"""Of a large organisation each holds some megabytes."""

Made = TypeVar("Made")


class Lists:
    """Thread-safe. Two threads may make the same thing at once; the later one stays."""

    def __init__(self, kept: int = KEPT) -> None:
        self._limit = kept
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = threading.Lock()

    def dresser(self, source: Source, records: Records, snapshot: Snapshot) -> Dresser:
        """For whole lists of accounts."""
        key = ("accounts", source.name, snapshot.number)
        return self._find(key, lambda: Dresser(source, records, snapshot))

    def shelf(self, source: Source, records: Records, snapshot: Snapshot) -> Shelf:
        """For lists of entitlements."""
        key = ("entitlements", source.name, snapshot.number)
        return self._find(key, lambda: Shelf(source, records, snapshot))

    def delta(self, source: Source, records: Records, old: Snapshot, new: Snapshot, *, exact: bool) -> Delta:
        """For lists of accounts that changed."""
        key = ("delta", source.name, old.number, new.number, exact)
        return self._find(key, lambda: Delta(source, records, old, new, exact))

    def _find(self, key: Hashable, make: Callable[[], Made]) -> Made:
        with self._lock:
            found: Made | None = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        made = make()
        with self._lock:
            self._kept[key] = made
            self._kept.move_to_end(key)
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return made
