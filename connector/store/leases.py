"""Who makes the census of a source: one owner at a time, for as long as it shows signs of life.

The lease is in the source's row, timed by the clock that all who share the database see. Each lease has a fence, a
number never used twice; whatever an owner writes carries its fence, so one that lost its lease without knowing is
refused. Facts are never touched here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from connector.errors import CallUs, RetryLater
from connector.ports import Census
from connector.store.database import Database
from connector.store.names import Names
from connector.store.tables import source


@dataclass(frozen=True, slots=True)
class Lease:
    """A census being made."""

    source: str
    started_at: float
    """Unix seconds, by the store's clock."""
    number: int
    """The source's."""
    fence: int
    mark: int
    """Number of the newest mark when it began."""


def lease_of(census: Census) -> Lease:
    """The census as this room gave it out."""
    if not isinstance(census, Lease):
        raise CallUs("A census was not begun in this store.")
    return census


def lock(connection: Connection, number: int) -> Row[Any]:
    """The source's row, ours until the transaction ends: writers of one source take turns here."""
    return connection.execute(select(source).where(source.c.id == number).with_for_update()).one()


def hold(connection: Connection, lease: Lease) -> Row[Any]:
    """`lock`, for one who must still have its lease; `RetryLater` when it was lost."""
    row = lock(connection, lease.number)
    if not _holds(row, lease):
        raise lost(lease)
    return row


def check(connection: Connection, lease: Lease) -> None:
    """Raise `RetryLater` when the lease was lost; let others go on."""
    row = connection.execute(select(source).where(source.c.id == lease.number)).one()
    if not _holds(row, lease):
        raise lost(lease)


def lost(lease: Lease) -> RetryLater:
    """What an owner hears that was too slow."""
    return RetryLater(f"Another process took over the census of source {lease.source}; try again.", after=5)


def _holds(row: Row[Any], lease: Lease) -> bool:
    # A lease that ran out still counts while nobody else took it: nothing can have come between.
    return bool(row.fence == lease.fence and row.lease_owner is not None)


def release(connection: Connection, number: int) -> None:
    """End a source's lease, whoever has it; its fence stays used."""
    connection.execute(
        update(source).where(source.c.id == number).values(lease_owner=None, lease_until=None, lease_started=None)
    )


class Leases:
    """Leases of all sources."""

    def __init__(self, database: Database, sources: Names) -> None:
        self._database = database
        self._sources = sources

    def begin(self, name: str, owner: str, seconds: float) -> Lease | None:
        """Take the lease, or None while another holds it, of the same owner too."""
        number = self._sources.make(name)
        with self._database.writing() as connection:
            row = lock(connection, number)
            now = self._database.now(connection)
            if row.lease_until is not None and row.lease_until > now:
                return None
            lease = Lease(name, now, number, row.fence + 1, row.mark)
            connection.execute(
                update(source)
                .where(source.c.id == number)
                .values(fence=lease.fence, lease_owner=owner, lease_until=now + seconds, lease_started=now)
            )
        return lease

    def renew(self, lease: Lease, seconds: float) -> bool:
        """Show a sign of life. False when the lease was lost."""
        with self._database.writing() as connection:
            if not _holds(lock(connection, lease.number), lease):
                return False
            until = self._database.now(connection) + seconds
            connection.execute(update(source).where(source.c.id == lease.number).values(lease_until=until))
        return True

    def abandon(self, lease: Lease, reason: str) -> None:
        """Give the lease back and keep why, if it failed. Whoever lost it before has nothing to say any more."""
        with self._database.writing() as connection:
            if not _holds(lock(connection, lease.number), lease):
                return
            release(connection, lease.number)
            if not reason:
                return
            connection.execute(
                update(source)
                .where(source.c.id == lease.number)
                .values(failed_at=self._database.now(connection), failure=reason)
            )

    def running(self, name: str) -> bool:
        """Whether somebody holds the lease now."""
        number = self._sources.find(name)
        if number is None:
            return False
        with self._database.reading() as connection:
            until = connection.execute(select(source.c.lease_until).where(source.c.id == number)).scalar()
            return until is not None and until > self._database.now(connection)

    def last_failure(self, name: str) -> tuple[float, str] | None:
        """When and why the last census was abandoned, None when a later one succeeded."""
        number = self._sources.find(name)
        if number is None:
            return None
        with self._database.reading() as connection:
            row = connection.execute(select(source.c.failed_at, source.c.failure).where(source.c.id == number)).one()
        return None if row.failed_at is None else (row.failed_at, row.failure)
