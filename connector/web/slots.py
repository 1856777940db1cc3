"""How many commands may run at once, on all faces together.

A command takes a slot and gives it back when its answer has gone out. When there is none, a client that does not read
its answer gives way: a slot held for nobody is no reason to refuse somebody.
"""

from __future__ import annotations

import threading
import time
from typing import Final

from connector.errors import Busy
from connector.web.connections import HERE, TICK

PATIENCE: Final = 4.0
"""Seconds to wait for a slot while somebody may give way."""


class Slots:
    """A semaphore. Thread-safe."""

    def __init__(self, number: int) -> None:
        self._free = threading.BoundedSemaphore(number)

    def take(self) -> None:
        """Take one, or refuse the command."""
        if not self.acquire():
            raise Busy("Too many commands run at once; try again later.", after=10)

    def acquire(self, blocking: bool = False) -> bool:
        """Take one; False when all commands are wanted by somebody."""
        if self._free.acquire(blocking=blocking):
            return True
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and HERE.relieve():
            if self._free.acquire(timeout=TICK):
                return True
        return False

    def release(self) -> None:
        """Give it back."""
        self._free.release()
