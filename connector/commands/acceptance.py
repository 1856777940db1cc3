"""Whether a change is accepted: agreed between the thread that asks the store for it and the one that waits for that.

Who stops waiting may say that nothing is done only when nothing will be. So either the change is withdrawn before the
store keeps it, and the store then keeps nothing, or it goes on and is told by its id.
"""

from __future__ import annotations

import threading

from connector.errors import Cancelled


class Acceptance:
    """Of one change. Thread-safe."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._begun = False
        self._withdrawn = False
        self._operation = ""

    @property
    def operation(self) -> str:
        """Id of the operation that the change has become; empty until the store has kept it."""
        return self._operation

    def begin(self) -> None:
        """The store is about to keep it. `Cancelled` when it was withdrawn."""
        with self._turn:
            if self._withdrawn:
                raise Cancelled("The change was withdrawn before the store took it; nothing was done.")
            self._begun = True

    def became(self, operation: str) -> None:
        """The store has kept it, as the operation of that id."""
        self._operation = operation

    def withdraw(self) -> bool:
        """Whether nothing will be done; False when the store is about to keep it, or has."""
        with self._turn:
            self._withdrawn = not self._begun
            return self._withdrawn
