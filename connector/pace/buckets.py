"""Tokens under the quota, which come back evenly: counted in this process, or in PostgreSQL for several.

pyrate-limiter's algorithm decides; its Limiter sleeps without asking whether anybody still waits, and its PostgreSQL
bucket counts rows of a log. Who comes first is decided in `lanes`.
"""

from __future__ import annotations

import math
import random
import threading
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

from pyrate_limiter import GCRA, Rate

from connector.errors import RetryLater
from connector.model import Lane
from connector.ports import Clock

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg_pool import ConnectionPool

_ALGORITHM: Final = GCRA()
_jitter = random.SystemRandom()


class Bucket(Protocol):
    """Tokens of one AWS account and one family of services."""

    def spend(self, lane: Lane) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""

    def waiting(self, lane: Lane) -> AbstractContextManager[None]:
        """While entered, other processes' lower lanes take nothing from this bucket."""


def rate_of(tps: float) -> Rate:
    """`tps` a second in whole tokens and milliseconds, never more than it; a ninth of them may go out at once.

    A pace of nine tenths of AWS's quota then stays under the quota in any second, however AWS counts.
    """
    tokens = max(1, math.floor(tps))
    return Rate(tokens, math.ceil(tokens * 1000 / tps), burst=max(1, tokens // 9))


class LocalBucket:
    """For one process. Thread-safe."""

    def __init__(self, tps: float, clock: Clock) -> None:
        self._rates = [rate_of(tps)]
        self._state = _ALGORITHM.initial(self._rates)
        self._clock = clock
        self._lock = threading.Lock()

    def spend(self, lane: Lane) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""
        with self._lock:
            now = int(self._clock.monotonic() * 1000)
            self._state, decision = _ALGORITHM.step(self._rates, self._state, now, 1)
        return (decision.retry_after_ms or 0) / 1000

    def waiting(self, lane: Lane) -> AbstractContextManager[None]:
        """Nobody else takes from it."""
        return nullcontext()


class SharedBucket:
    """For several processes: a row in PostgreSQL, on the database's clock. The pool's sessions commit by themselves.

    One statement decides and takes, so that nobody who stands still in between holds the row. A higher lane that waits
    is known to other processes by an advisory lock of its session, which dies with it. The pool needs four connections
    or more: waiting holds one.
    """

    _TABLE: Final = """
        CREATE UNLOGGED TABLE IF NOT EXISTS pace (name text PRIMARY KEY, spent_until timestamptz NOT NULL)
        """
    """To when the tokens taken so far last. Unlogged: after a crash nothing was spent."""
    _STEP: Final = """
        WITH taken AS (
            INSERT INTO pace AS row VALUES (%(name)s, clock_timestamp() + %(each)s)
            ON CONFLICT (name) DO UPDATE SET spent_until = %(each)s + CASE
                WHEN row.spent_until BETWEEN clock_timestamp() AND clock_timestamp() + %(most)s THEN row.spent_until
                ELSE clock_timestamp()
            END
            WHERE row.spent_until NOT BETWEEN clock_timestamp() + %(ahead)s AND clock_timestamp() + %(most)s
            RETURNING 0::float8 AS wait
        )
        SELECT wait FROM taken
        UNION ALL
        SELECT greatest(0.001, extract(epoch FROM spent_until - %(ahead)s - clock_timestamp())::float8)
        FROM pace WHERE name = %(name)s AND NOT EXISTS (SELECT FROM taken)
        """
    """GCRA. What lies further ahead than `most` was written before the clock was set back."""

    def __init__(self, tps: float, pool: ConnectionPool, name: str) -> None:
        rate = rate_of(tps)
        each = timedelta(milliseconds=rate.interval) / rate.limit
        self._values = {
            "name": name,
            "each": each,
            "ahead": (rate.burst - 1) * each,
            "most": timedelta(milliseconds=rate.interval),
        }
        self._pool = pool
        self._key = zlib.crc32(name.encode()) - 2**31
        with _store_faults(), pool.connection() as session, session.transaction():
            # Two that make a table at the same time fail, IF NOT EXISTS or not.
            session.execute("SELECT pg_advisory_xact_lock(%s)", (zlib.crc32(b"pace"),))
            session.execute(self._TABLE)

    def spend(self, lane: Lane) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""
        with _store_faults(), self._pool.connection() as session:
            if lane > min(Lane) and self._higher_waits(session, lane):
                return 0.02 + _jitter.random() * 0.02
            row = session.execute(self._STEP, self._values).fetchone()
        # None where another process made the row while the statement ran.
        return float(row[0]) if row is not None else 0.001

    @contextmanager
    def waiting(self, lane: Lane) -> Iterator[None]:
        """While entered, other processes' lower lanes take nothing from this bucket."""
        with _store_faults(), self._pool.connection() as session:
            session.execute("SELECT pg_advisory_lock_shared(%s, %s)", (self._key, int(lane)))
            try:
                yield
            finally:
                session.execute("SELECT pg_advisory_unlock_shared(%s, %s)", (self._key, int(lane)))

    def _higher_waits(self, session: Connection[Any], lane: Lane) -> bool:
        found = session.execute(
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
            "AND classid = %s::bigint::oid AND objid::bigint < %s LIMIT 1",
            (self._key % 2**32, int(lane)),
        )
        return found.fetchone() is not None


@contextmanager
def _store_faults() -> Iterator[None]:
    """PostgreSQL not answering is no fault of AWS; nobody may call AWS unpaced, so the caller has to come back."""
    import psycopg
    import psycopg_pool

    try:
        yield
    except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed) as caught:
        raise RetryLater("The database that paces calls to AWS does not answer.", after=10) from caught
