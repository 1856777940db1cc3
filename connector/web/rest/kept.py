"""Changes that outlasted their request: kept in this process, an hour from their end.

`Operations` is what the face asks of whoever keeps them. A restart forgets these; what asks the same again is safe, as
every change can be repeated.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from connector.errors import OperationNotFound
from connector.ports import Clock

State = Literal["accepted", "succeeded", "failed", "partly"]
KEPT: Final = 3600.0
"""Seconds an operation stays after its end."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A change and what became of it, in the form in which it is shown."""

    id: str
    source: str
    steps: Sequence[Mapping[str, Any]]
    """What was asked, one each."""
    state: State = "accepted"
    outcomes: Sequence[Mapping[str, Any]] = ()
    account: Mapping[str, Any] | None = None
    """As it was read back at the end."""
    problem: Mapping[str, Any] | None = None
    """Why it failed, wholly or partly."""


class Operations(Protocol):
    """Keeps operations."""

    def open(self, source: str, steps: Sequence[Mapping[str, Any]]) -> Operation:
        """A change that goes on."""

    def close(self, operation: Operation) -> None:
        """It has ended as this says."""

    def find(self, id: str) -> Operation:
        """As it stands now; `OperationNotFound`."""


@dataclass
class InProcess:
    """`Operations` in memory. Thread-safe."""

    clock: Clock
    _kept: dict[str, tuple[Operation, float | None]] = field(default_factory=dict, repr=False)
    """With the end, in monotonic seconds."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def open(self, source: str, steps: Sequence[Mapping[str, Any]]) -> Operation:
        operation = Operation(uuid.uuid4().hex, source, tuple(steps))
        with self._lock:
            self._forget()
            self._kept[operation.id] = (operation, None)
        return operation

    def close(self, operation: Operation) -> None:
        with self._lock:
            self._kept[operation.id] = (operation, self.clock.monotonic())

    def find(self, id: str) -> Operation:
        with self._lock:
            self._forget()
            found = self._kept.get(id)
        if found is None:
            raise OperationNotFound(f"No operation {id[:60]!r} is known, or it ended more than an hour ago.")
        return found[0]

    def _forget(self) -> None:
        now = self.clock.monotonic()
        for id_, (_, ended) in list(self._kept.items()):
            if ended is not None and now - ended > KEPT:
                del self._kept[id_]
