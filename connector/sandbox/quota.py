"""How many requests a second AWS takes: one token bucket for each family of operations.

dispatch.py asks before every call. All callers of a family share its bucket, as all tools of an organisation share
sso-admin's 20 requests a second (aws-behaviour 37). Counted on the real clock, which no test moves.
"""

import threading
import time

from connector.sandbox.options import Options


class Bucket:
    """Tokens that grow with time up to a burst."""

    def __init__(self) -> None:
        self._tokens: float | None = None
        self._at = 0.0

    def take(self, rate: float, burst: float, now: float) -> bool:
        """Take a token if there is one."""
        if self._tokens is None:
            self._tokens = burst
        else:
            self._tokens = min(burst, self._tokens + (now - self._at) * rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Quota:
    """The buckets of all families."""

    def __init__(self) -> None:
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    def admits(self, family: str, options: Options, now: float | None = None) -> bool:
        """Whether the family takes one more request at this moment."""
        rate = rate_of(family, options)
        if rate is None:
            return True
        burst = max(1.0, options.burst if options.burst is not None else rate)
        with self._lock:
            bucket = self._buckets.setdefault(family, Bucket())
            return bucket.take(rate, burst, time.monotonic() if now is None else now)


def rate_of(family: str, options: Options) -> float | None:
    """The requests a second of a family; None where there is no limit."""
    if family == "organizations":
        return options.organizations_tps
    if family == "identitystore":
        return options.tps if options.identitystore_tps is None else options.identitystore_tps
    return options.tps if family == "sso-admin" else None
