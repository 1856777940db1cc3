"""What was called: counts per operation, errors, throttles, concurrency, rates, and the last calls.

Written by dispatch.py for every AWS and SCIM request, read at the control endpoint. Bounded: it never grows with the
length of a run. Request parameters are not kept.
"""

import threading
from collections import Counter, deque
from typing import Any

CALLS_KEPT = 20_000
SECONDS_KEPT = 3_600


class Journal:
    """Counts since the start or the last reset."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls: Counter[str] = Counter()
        self.families: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.throttles: Counter[str] = Counter()
        self.requests_now = 0
        self.requests_peak = 0
        self.wrong_answers: deque[str] = deque(maxlen=100)
        self.crashes: deque[str] = deque(maxlen=100)
        self._log: deque[dict[str, Any]] = deque(maxlen=CALLS_KEPT)
        self._seconds: deque[tuple[int, Counter[str]]] = deque(maxlen=SECONDS_KEPT)

    def begin(self) -> None:
        """A request arrived."""
        with self._lock:
            self.requests_now += 1
            self.requests_peak = max(self.requests_peak, self.requests_now)

    def end(self, entry: dict[str, Any]) -> None:
        """A request was answered, or dropped; `entry` has at, service, operation, outcome and more to look at."""
        operation, family, outcome = entry["operation"], entry["service"], entry["outcome"]
        with self._lock:
            self.requests_now -= 1
            self.calls[operation] += 1
            self.families[family] += 1
            if outcome != "ok":
                self.errors[f"{operation}:{outcome}"] += 1
            if outcome in ("ThrottlingException", "TooManyRequestsException", "Throttling"):
                self.throttles[family] += 1
            self._log.append(entry)
            second = int(entry["at"])
            if not self._seconds or self._seconds[-1][0] < second:
                self._seconds.append((second, Counter()))
            self._seconds[-1][1][family] += 1

    def as_dict(self) -> dict[str, Any]:
        """All counts."""
        with self._lock:
            peaks: Counter[str] = Counter()
            for _, counts in self._seconds:
                peaks |= counts
            return {
                "calls": dict(self.calls),
                "calls_total": sum(self.calls.values()),
                "families": dict(self.families),
                "errors": dict(self.errors),
                "throttles": dict(self.throttles),
                "requests_now": self.requests_now,
                "requests_peak": self.requests_peak,
                "rate_peak": dict(peaks),
                "wrong_answers": list(self.wrong_answers),
                "crashes": list(self.crashes),
            }

    def rates(self) -> list[dict[str, Any]]:
        """Requests of each family, second by second."""
        with self._lock:
            return [{"second": second, **counts} for second, counts in self._seconds]

    def log(self, last: int | None = None) -> list[dict[str, Any]]:
        """The last calls, oldest first."""
        with self._lock:
            entries = list(self._log)
        return entries if last is None else entries[-last:]
