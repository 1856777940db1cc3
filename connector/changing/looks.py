"""When to look at a change that AWS is working on: hardly before it can have ended, and soon after it has. Pure.

A look costs the quota that changes need; a look too late keeps one of the ten places that others wait for. How long
changes take is learned as TCP learns round trips (RFC 6298): a moving average, and how far from it they lately were.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

UNKNOWN: Final = 0.25
"""Seconds to the first look, and first between looks, while nothing is known."""
SHORTEST: Final = 0.1
"""Seconds between looks, at least."""
LONGEST: Final = 4.0
"""Seconds between looks, at most."""
FINENESS: Final = 0.03
"""Part of the time that changes take by which a look may come late."""
GROWTH: Final = 1.3
"""What takes much longer than usual is not worth the quota of a look every moment."""


@dataclass
class Durations:
    """How long changes have lately taken. One thread learns, any may ask."""

    _average: float = 0.0
    """Seconds; 0 while nothing is known."""
    _deviation: float = 0.0

    def first(self) -> float:
        """Seconds from a submission to the first look."""
        if not self._average:
            return UNKNOWN
        return max(SHORTEST, self._average / 2, self._average - 2 * self._deviation)

    def pause(self, looks: int) -> float:
        """Seconds to the next look, after so many that found the change still going on."""
        shortest = max(SHORTEST, FINENESS * self._average, self._deviation / 4) if self._average else UNKNOWN
        return min(LONGEST, shortest * GROWTH**looks)

    def learn(self, running: float, ended: float) -> None:
        """A change took more than `running` and at most `ended` seconds."""
        took = (running + ended) / 2
        if not self._average:
            self._average, self._deviation = took, took - running
            return
        self._deviation += 0.25 * (abs(took - self._average) - self._deviation)
        self._average += 0.25 * (took - self._average)
