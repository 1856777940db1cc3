"""Tokens under the quota, which come back evenly: counted in this process, or in PostgreSQL for several.

pyrate-limiter's algorithm decides; its Limiter sleeps without asking whether anybody still waits, and its PostgreSQL
bucket counts rows of a log. Who comes first is decided in `lanes`.
"""

from __future__ import annotations

import math
import threading
import uuid
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from pyrate_limiter import GCRA, Rate

from connector.errors import RetryLater
from connector.model import Lane
from connector.ports import Clock

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

HOLD: Final = 1.0
"""Seconds for which others hold back for a lane that does not say again that it waits."""
_ALGORITHM: Final = GCRA()


class Bucket(Protocol):
    """Tokens of one AWS account and one family of services. Thread-safe."""

    def spend(self, lane: Lane, waits: bool = False) -> float:
        """Take a token and return 0, or return the seconds after which to ask again.

        Who `waits` holds back other processes' lower lanes until it has left, or for `HOLD` seconds.
        """

    def left(self, lane: Lane) -> None:
        """Nobody of this process waits in the lane any more."""


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

    def spend(self, lane: Lane, waits: bool = False) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""
        with self._lock:
            now = int(self._clock.monotonic() * 1000)
            self._state, decision = _ALGORITHM.step(self._rates, self._state, now, 1)
        return (decision.retry_after_ms or 0) / 1000

    def left(self, lane: Lane) -> None:
        """Nobody else takes from it."""


class SharedBucket:
    """For several processes: a row in PostgreSQL, on the database's clock. The pool's sessions commit by themselves.

    One statement decides and takes, so that nobody who stands still in between holds the row. A lane that waits says so
    in a row of its process, which is not heeded any more a moment after the process has died.
    """

    _TABLES: Final = """
        CREATE UNLOGGED TABLE IF NOT EXISTS pace (name text PRIMARY KEY, spent_until timestamptz NOT NULL);
        CREATE UNLOGGED TABLE IF NOT EXISTS pace_waiting (
            name text, lane smallint, process text, until timestamptz NOT NULL, PRIMARY KEY (name, lane, process)
        );
        DELETE FROM pace_waiting WHERE until < clock_timestamp() - interval '1 hour'
        """
    """`spent_until`: to when the tokens taken so far last. Unlogged: after a crash nothing was spent, nobody waits."""
    _STEP: Final = """
        WITH announced AS (
            INSERT INTO pace_waiting
            SELECT %(name)s, %(lane)s, %(process)s, clock_timestamp() + %(hold)s WHERE %(waits)s
            ON CONFLICT (name, lane, process) DO UPDATE SET until = excluded.until
        ), others AS (
            SELECT EXISTS (
                SELECT FROM pace_waiting
                WHERE name = %(name)s AND lane < %(lane)s
                AND until BETWEEN clock_timestamp() AND clock_timestamp() + %(hold)s
            ) AS first
        ), taken AS (
            INSERT INTO pace AS row SELECT %(name)s, clock_timestamp() + %(each)s FROM others WHERE NOT first
            ON CONFLICT (name) DO UPDATE SET spent_until = %(each)s + CASE
                WHEN row.spent_until BETWEEN clock_timestamp() AND clock_timestamp() + %(most)s THEN row.spent_until
                ELSE clock_timestamp()
            END
            WHERE row.spent_until NOT BETWEEN clock_timestamp() + %(ahead)s AND clock_timestamp() + %(most)s
            RETURNING 0::float8 AS wait
        )
        SELECT wait FROM taken
        UNION ALL
        SELECT greatest(
            CASE WHEN first THEN 0.02 ELSE 0.001 END,
            extract(epoch FROM spent_until - %(ahead)s - clock_timestamp())::float8
        )
        FROM others LEFT JOIN pace ON name = %(name)s WHERE NOT EXISTS (SELECT FROM taken)
        """
    """GCRA. What lies further ahead than it can was written before the clock was set back."""

    def __init__(self, tps: float, pool: ConnectionPool, name: str) -> None:
        rate = rate_of(tps)
        each = timedelta(milliseconds=rate.interval) / rate.limit
        self._values = {
            "name": name,
            "process": uuid.uuid4().hex,
            "hold": timedelta(seconds=HOLD),
            "each": each,
            "ahead": (rate.burst - 1) * each,
            "most": timedelta(milliseconds=rate.interval),
        }
        self._pool = pool
        with _store_faults(), pool.connection() as session, session.transaction():
            # Two that make a table at the same time fail, IF NOT EXISTS or not.
            session.execute("SELECT pg_advisory_xact_lock(%s)", (zlib.crc32(b"pace"),))
            session.execute(self._TABLES)

    def spend(self, lane: Lane, waits: bool = False) -> float:
        """Take a token and return 0, or return the seconds after which to ask again."""
        with _store_faults(), self._pool.connection() as session:
            return float(
                session.execute(self._STEP, {**self._values, "lane": lane.value, "waits": waits}).fetchall()[0][0]
            )

    def left(self, lane: Lane) -> None:
        """Nobody of this process waits in the lane any more."""
        with _store_faults(), self._pool.connection() as session:
            session.execute(
                "DELETE FROM pace_waiting WHERE name = %(name)s AND lane = %(lane)s AND process = %(process)s",
                {**self._values, "lane": lane.value},
            )


@contextmanager
def _store_faults() -> Iterator[None]:
    """PostgreSQL not answering is no fault of AWS; nobody may call AWS unpaced, so the caller has to come back."""
    import psycopg
    import psycopg_pool

    try:
        yield
    except (psycopg.Error, psycopg_pool.PoolTimeout, psycopg_pool.PoolClosed) as caught:
        raise RetryLater("The database that paces calls to AWS does not answer.", after=10) from caught
