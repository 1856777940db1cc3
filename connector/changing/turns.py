"""One change at a time for an account: two plans made from the same reading would undo each other's steps."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Turns:
    """Locks by account of one source, kept only while somebody holds or wants them. Thread-safe, one process."""

    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _held: dict[str, tuple[threading.Lock, int]] = field(default_factory=dict, repr=False)

    @contextmanager
    def take(self, account: str) -> Iterator[None]:
        """Hold the account's turn."""
        with self._guard:
            lock, wanted = self._held.get(account, (threading.Lock(), 0))
            self._held[account] = (lock, wanted + 1)
        try:
            with lock:
                yield
        finally:
            with self._guard:
                lock, wanted = self._held.pop(account)
                if wanted > 1:
                    self._held[account] = (lock, wanted - 1)
