"""Tokens under the quota: at most `tps` of them in any second, counted in this process or in PostgreSQL for several.

pyrate-limiter's buckets are asked directly, not through its Limiter: that sleeps without asking whether anybody still
waits, and its background thread is not needed where each grant sweeps. Who comes first is decided in `lanes`.
"""

from __future__ import annotations

import math
import random
import re
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Final, Protocol, cast

from pyrate_limiter import InMemoryBucket, Rate, RateItem

from connector.errors import RetryLater
from connector.model import Lane
from connector.ports import Clock

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

_jitter = random.SystemRandom()


class Bucket(Protocol):
    """Tokens of one AWS account and one family of services."""

    def spend(self, lane: Lane) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""

    def waiting(self, lane: Lane) -> AbstractContextManager[None]:
        """While entered, other processes' lower lanes take nothing from this bucket."""


def rate_of(tps: float) -> Rate:
    """`tps` a second, as whole tokens in whole milliseconds; never more than it, rounded tokens included."""
    tokens = max(1, math.floor(tps))
    return Rate(tokens, math.ceil(tokens * 1000 / tps))


class LocalBucket:
    """For one process: a log of the last second's tokens, exact to the millisecond."""

    def __init__(self, tps: float, clock: Clock) -> None:
        self._bucket = InMemoryBucket([rate_of(tps)])
        self._clock = clock

    def spend(self, lane: Lane) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""
        now = int(self._clock.monotonic() * 1000)
        self._bucket.leak(now)
        item = RateItem("call", now)
        if self._bucket.put(item):
            return 0.0
        return max(0.001, _seconds(self._bucket.waiting(item)))

    def waiting(self, lane: Lane) -> AbstractContextManager[None]:
        """Nobody else takes from it."""
        return nullcontext()


class SharedBucket:
    """For several processes: pyrate-limiter's bucket in PostgreSQL, on the database's clock.

    A higher lane that waits is known to other processes by an advisory lock of its session, which dies with it. The
    pool needs four connections or more (waiting holds one), and sessions of one time zone (`-c timezone=UTC`): the
    bucket keeps local timestamps.
    """

    _SWEEP: Final = 100
    """Grants between two deletions of spent tokens."""

    def __init__(self, tps: float, pool: ConnectionPool, name: str) -> None:
        # Only with the `postgres` extra, and only where a pool is given.
        from pyrate_limiter.buckets.postgres import PostgresBucket

        self._pool = pool
        self._key = zlib.crc32(name.encode()) - 2**31
        self._grants = 0
        with _store_faults():
            self._bucket = PostgresBucket(pool, _table(name), [rate_of(tps)])

    def spend(self, lane: Lane) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""
        with _store_faults():
            if lane > min(Lane) and self._higher_waits(lane):
                return 0.02 + _jitter.random() * 0.02
            now = cast("int", self._bucket._clock.now())  # its own `now` is untyped
            item = RateItem("call", now)
            if self._bucket.put(item):
                self._grants += 1
                if self._grants % self._SWEEP == 0:
                    self._bucket.leak(now)
                return 0.0
            seconds = _seconds(self._bucket.waiting(item))
        # Also denied while another process has the table: then there is no wait to tell, and a moment will do.
        return max(0.002 + _jitter.random() * 0.006, seconds)

    @contextmanager
    def waiting(self, lane: Lane) -> Iterator[None]:
        """While entered, other processes' lower lanes take nothing from this bucket."""
        with _store_faults(), self._pool.connection() as session:
            session.execute("SELECT pg_advisory_lock_shared(%s, %s)", (self._key, int(lane)))
            session.commit()  # no transaction stays open while we wait
            try:
                yield
            finally:
                session.execute("SELECT pg_advisory_unlock_shared(%s, %s)", (self._key, int(lane)))

    def _higher_waits(self, lane: Lane) -> bool:
        with self._pool.connection() as session:
            found = session.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
                "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
                "AND classid = %s::bigint::oid AND objid::bigint < %s LIMIT 1",
                (self._key % 2**32, int(lane)),
            )
            return found.fetchone() is not None


def _seconds(wait: object) -> float:
    """pyrate-limiter's wait in milliseconds; these buckets have no other kind, though its types allow an awaitable."""
    return wait / 1000 if isinstance(wait, int) else 0.0


def _table(name: str) -> str:
    """PostgreSQL cuts names at 63 characters; the sum keeps those apart that look alike."""
    return f"{re.sub(r'[^a-z0-9]', '_', name.lower())[:30]}_{zlib.crc32(name.encode()):08x}"


@contextmanager
def _store_faults() -> Iterator[None]:
    """PostgreSQL not answering is no fault of AWS; nobody may call AWS unpaced, so the caller has to come back."""
    import psycopg
    import psycopg_pool

    try:
        yield
    except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed) as caught:
        raise RetryLater("The database that paces calls to AWS does not answer.", after=10) from caught
