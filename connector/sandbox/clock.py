"""The time of the emulated AWS.

Dates of objects and the progress of assignments come from here, so that a test can move the clock instead of waiting.
The quota (quota.py) never uses it: requests per second are counted on the real clock.
"""

import threading
import time


class Clock:
    """Seconds since 1970, moved forward by `advance`; shared by every connection."""

    def __init__(self) -> None:
        self._offset = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """The current time in seconds."""
        return time.time() + self._offset

    def advance(self, seconds: float) -> None:
        """Move the clock forward; assignments that are due by then complete at the next call."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        with self._lock:
            self._offset += seconds
