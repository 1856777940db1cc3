"""How long a command goes on without progress: one object a request, shared by all its threads.

Told by `aws.calls` when AWS answers, asked by it when AWS does not. It never waits and never ends anything itself.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from connector import ports
from connector.errors import Cancelled
from connector.lease import Hold
from connector.ports import Clock


class Patience:
    """Patience of one request.

    `deadline_seconds` is the source's `read_deadline` (or `change_deadline`): a lasting fault ends the command after
    this long without progress, so a census of an hour is fine while AWS keeps answering. `cancelled` is set by the
    face when the client has left.
    """

    def __init__(self, deadline_seconds: float, clock: Clock, cancelled: threading.Event | None = None) -> None:
        self._deadline = deadline_seconds
        self._clock = clock
        self._cancelled = cancelled
        # Written without a lock: assigning one float is atomic, and of two threads' progress either is right.
        self._since = clock.monotonic()

    def progress(self) -> None:
        """AWS answered: the wait starts anew."""
        self._since = self._clock.monotonic()

    def remaining(self) -> float:
        """Seconds left before a lasting fault ends the command; never negative."""
        return max(0.0, self._deadline - (self._clock.monotonic() - self._since))

    def check(self) -> None:
        """Raise `Cancelled` when the client left, else return."""
        if self._cancelled is not None and self._cancelled.is_set():
            raise Cancelled("The client left before the answer was complete.")

    def still_ours(self) -> None:
        """Nobody else takes over what is no operation."""


@dataclass(frozen=True, slots=True)
class Held:
    """Patience of what another process may take over: it ends when that has happened."""

    patience: ports.Patience
    hold: Hold

    def progress(self) -> None:
        """AWS answered: the wait starts anew."""
        self.patience.progress()

    def remaining(self) -> float:
        """Seconds left before a lasting fault ends the command; never negative."""
        return self.patience.remaining()

    def check(self) -> None:
        """Raise when the client left, or the work is known to be lost, else return."""
        self.hold.check()
        self.patience.check()

    def still_ours(self) -> None:
        """Have the store say so, else raise `RetryLater`."""
        self.hold.prove()
