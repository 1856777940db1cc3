"""The machine's own clock behind `ports.Clock`. Tests bring another; nobody else calls `time` for waits."""

from __future__ import annotations

import time


class SystemClock:
    """Wall time, monotonic time and sleep of this machine, in seconds."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never jump; for waits and deadlines."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Block the calling thread; never less than zero."""
        time.sleep(max(0.0, seconds))
