"""Clocks that tests put in the place of the machine's."""

from __future__ import annotations

import time

SPEED = 20.0
"""How much faster than the machine's the clock runs: pauses before repetitions need not be waited for."""


class FastClock:
    """The machine's clock, sped up."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / SPEED)
