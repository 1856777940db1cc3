"""What takes old things away: snapshots, facts that no kept snapshot sees, marks, leftovers of dead censuses,
operations that ended long ago, keys that callers may use anew, tokens that expired.

A snapshot goes some time after a newer one took its place, not after it was made: whoever began to read it while it
was the newest has that time to finish. Everything goes in short transactions, so that nobody waits long.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, case, delete, func, select

from connector.store.database import Database
from connector.store.leases import lock, release
from connector.store.ledgers import operation, operation_key, token
from connector.store.operation_keys import DAY
from connector.store.staging import Staging
from connector.store.tables import closed, fact, mark, snapshot, source

GRACE: Final = 3600.0
"""Seconds after which a lease that ran out is taken from its owner, who may only be slow."""
MONTH: Final = 30 * 24 * 3600.0
"""Seconds an operation can be asked for after its end."""


class Sweeper:
    """Sweeps all sources."""

    def __init__(self, database: Database, staging: Staging) -> None:
        self._database = database
        self._staging = staging

    def sweep(self, keep: float) -> None:
        """Forget what was replaced more than `keep` seconds ago. A source's newest snapshot always stays."""
        with self._database.reading() as connection:
            sources = connection.execute(select(source.c.id)).scalars().all()
        for number in sources:
            self._snapshots(number, keep)
            self._facts(number)
            self._marks(number, keep)
            self._staging.drop(number, before=self._unused_fence(number))
        self._operations()

    def _snapshots(self, number: int, keep: float) -> None:
        with self._database.writing() as connection:
            lock(connection, number)
            long_ago = self._database.now(connection) - keep
            oldest_kept = (
                select(func.max(snapshot.c.number))
                .where(snapshot.c.source == number, snapshot.c.published_at <= long_ago)
                .scalar_subquery()
            )
            connection.execute(delete(snapshot).where(snapshot.c.source == number, snapshot.c.number < oldest_kept))

    def _facts(self, number: int) -> None:
        oldest = select(func.min(snapshot.c.number)).where(snapshot.c.source == number).scalar_subquery()
        unseen = and_(fact.c.source == number, closed, fact.c.valid_to <= oldest)
        while self._database.delete_some(fact, unseen):
            pass

    def _marks(self, number: int, keep: float) -> None:
        with self._database.writing() as connection:
            row = lock(connection, number)
            needless = self._database.now(connection) - keep
            if row.lease_started is not None:
                # The census that is being made will ask for those since it began.
                needless = min(needless, row.lease_started)
            connection.execute(delete(mark).where(mark.c.source == number, mark.c.at < needless))

    def _operations(self) -> None:
        """One that has not ended has no end to be old, whatever its age."""
        with self._database.reading() as connection:
            now = self._database.now(connection)
        while self._database.delete_some(operation, operation.c.ended_at < now - MONTH):
            pass
        while self._database.delete_some(operation_key, operation_key.c.at < now - DAY):
            pass
        # Those had for another live for minutes and are many; the others can still be seen in the list for a while.
        long_ago = case((token.c.parent.is_not(None), now - DAY), else_=now - MONTH)
        while self._database.delete_some(token, token.c.expires_at < long_ago):
            pass

    def _unused_fence(self, number: int) -> int:
        """Fences below this one have no owner any more."""
        with self._database.writing() as connection:
            row = lock(connection, number)
            if row.lease_owner is not None:
                if row.lease_until > self._database.now(connection) - GRACE:
                    return int(row.fence)
                release(connection, number)
            return int(row.fence) + 1
