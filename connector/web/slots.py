"""How many commands may run at once, on all faces together.

A command takes a slot and gives it back when its answer has gone out. When there is none, clients that do not read
their answers give way, one for each who waits: a slot held for nobody is no reason to refuse somebody. Who came first
is served first.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

from connector.errors import Busy
from connector.web.connections import HERE, TICK, Connections

PATIENCE: Final = 4.0
"""Seconds to wait for a slot while somebody may give way."""


class Slots:
    """So many commands, and a line of those who wait to run one. Thread-safe."""

    def __init__(self, number: int, connections: Connections = HERE) -> None:
        self._free = number
        self._connections = connections
        self._line: deque[threading.Event] = deque()
        self._turn = threading.Lock()

    def take(self) -> None:
        """Take one; `Busy` when all commands are wanted by somebody."""
        with self._turn:
            if self._free:
                self._free -= 1
                return
            mine = threading.Event()
            self._line.append(mine)
        with self._connections.wanted():
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and self._connections.may_give_way():
                if mine.wait(TICK):
                    return
        with self._turn:
            if mine.is_set():  # just now
                return
            self._line.remove(mine)
        raise Busy("Too many commands run at once; try again later.", after=10)

    def release(self) -> None:
        """Give it back, to whoever waits longest."""
        with self._turn:
            if self._line:
                self._line.popleft().set()
            else:
                self._free += 1
