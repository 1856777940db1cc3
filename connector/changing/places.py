"""Which assignment change goes to AWS next: ten at a time in one instance, one of them in an AWS account.

Of those whose AWS account is free, the one with the most others waiting for the same AWS account: they come one after
the other, and that row decides when all are done. A change that others have overtaken twenty times goes before them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

IN_FLIGHT: Final = 10
"""Outstanding assignment changes AWS accepts, not adjustable (aws-behaviour 27)."""
OVERTAKEN: Final = 2 * IN_FLIGHT
"""By how many that came later a change is overtaken at most, while its AWS account is free."""


class Places:
    """AWS's ten places in one instance, whichever sources serve it. Thread-safe, one process."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._came = 0
        self._waiting: dict[str, deque[_Wish]] = {}
        self._taken: set[str] = set()

    @contextmanager
    def take(self, aws_account_id: str) -> Iterator[None]:
        """Hold a place for a change in that AWS account."""
        with self._guard:
            self._came += 1
            wish = _Wish(self._came)
            self._waiting.setdefault(aws_account_id, deque()).append(wish)
            self._give()
        wish.granted.wait()
        try:
            yield
        finally:
            with self._guard:
                self._taken.remove(aws_account_id)
                self._give()

    def waiting(self, aws_account_id: str) -> int:
        """How many want a place there and have none."""
        with self._guard:
            return len(self._waiting.get(aws_account_id, ()))

    def _give(self) -> None:
        while len(self._taken) < IN_FLIGHT:
            free = [each for each in self._waiting if each not in self._taken]
            if not free:
                return
            chosen = min(free, key=self._order)
            wish = self._waiting[chosen].popleft()
            for each in free:
                if each != chosen and self._waiting[each][0].number < wish.number:
                    self._waiting[each][0].overtaken += 1
            if not self._waiting[chosen]:
                del self._waiting[chosen]
            self._taken.add(chosen)
            wish.granted.set()

    def _order(self, aws_account_id: str) -> tuple[bool, int, int]:
        waiting = self._waiting[aws_account_id]
        first = waiting[0]
        can_wait = first.overtaken < OVERTAKEN
        return can_wait, -len(waiting) if can_wait else 0, first.number


class _Wish:
    """Somebody who wants a place."""

    def __init__(self, number: int) -> None:
        self.number = number
        """In the order of their coming."""
        self.overtaken = 0
        self.granted = threading.Event()
