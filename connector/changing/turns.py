"""What only one request of a process shall do at a time. Changes of one account wait for each other as operations."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Turns:
    """Locks by name, kept only while somebody holds or wants them. Thread-safe, one process."""

    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _held: dict[str, tuple[threading.Lock, int]] = field(default_factory=dict, repr=False)

    @contextmanager
    def take(self, name: str) -> Iterator[None]:
        """Hold the turn of that name."""
        with self._guard:
            lock, wanted = self._held.get(name, (threading.Lock(), 0))
            self._held[name] = (lock, wanted + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, wanted = self._held.pop(name)
                if wanted > 1:
                    self._held[name] = (lock, wanted - 1)
