"""The audit in the store: entries chained by hash, and a head that says how far they go (`ports.Audit`).

Records come from the core and stay for good; as lines they go to the sink, before they are kept, and to whoever
exports or checks them. `audit_trail` has the form of a line. Whoever appends holds the head until it has committed, so
that threads, processes and replicas make one chain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Connection, Select, func, insert, select, update

from connector import audit_trail
from connector.audit_trail import GENESIS, Head
from connector.errors import CallUs, RetryLater
from connector.store.database import Database
from connector.store.faults import AFTER
from connector.store.ledgers import audit, audit_head

BATCH: Final = 1000
"""Entries in memory at a time."""
NO_HEAD: Final = "The audit has lost its head."
UNHEARD: Final = "The audit cannot be written where CONNECTOR_AUDIT_LOG says; nothing is changed until it can."

_HEAD: Final[Select[Any]] = select(audit_head.c.entries, audit_head.c.hash).where(audit_head.c.id == 1)
_NEWEST: Final = select(func.max(audit.c.seq))


class Audit:
    """The one audit of the store."""

    def __init__(self, database: Database, key: bytes | None = None, sink: Callable[[str], None] | None = None) -> None:
        self._database = database
        self._key = key
        self._sink = sink

    def append(self, record: Mapping[str, object]) -> None:
        """Add a record; `RetryLater`, and nothing added, when the store or the sink cannot keep it."""
        try:
            text = audit_trail.canonical(record)
        except (TypeError, ValueError) as fault:
            raise CallUs("A record of the audit is no JSON.") from fault
        with self._database.writing() as connection:
            head = connection.execute(_HEAD.with_for_update()).one_or_none()
            if head is None:
                raise RetryLater(f"{NO_HEAD} Nothing is changed until the store is restored.", after=AFTER)
            seq, at = head.entries + 1, self._database.now(connection)
            line, digest = audit_trail.entry(seq, at, head.hash, text, self._key)
            connection.execute(insert(audit).values(seq=seq, at=at, record=text, hash=digest))
            connection.execute(update(audit_head).where(audit_head.c.id == 1).values(entries=seq, hash=digest))
            # Last: what the database refuses was not announced. What it then fails to commit is announced again.
            self._announce(line)

    def head(self) -> Head:
        """How far the audit goes, as its head says."""
        with self._database.reading() as connection:
            row = connection.execute(_HEAD).one_or_none()
        return Head(0, "") if row is None else Head(row.entries, row.hash)

    def lines(self, since: float | None = None) -> Iterator[str]:
        """All entries, or those from the first that is not older (Unix seconds), and a closing line. None is judged.

        What is appended meanwhile is left out. Raises `ConnectorError`s between lines, never inside one.
        """
        parts = (_HEAD.with_only_columns(audit_head.c.entries), _HEAD.with_only_columns(audit_head.c.hash), _NEWEST)
        with self._database.reading() as connection:
            # The newest entry's number with the head, in one look: entries after the head are to be found out.
            count, digest, newest = connection.execute(select(*(each.scalar_subquery() for each in parts))).one()
            first = 1 if since is None else _first(connection, since)
        first = (count or 0) + 1 if first is None else first
        yield from self._entries(None if since is None else first, newest or 0)
        yield NO_HEAD if count is None else audit_trail.closing(first, Head(count, digest), self._key)

    def _entries(self, first: int | None, last: int) -> Iterator[str]:
        previous, reached = GENESIS, None
        if first is not None:
            with self._database.reading() as connection:
                before = select(audit.c.hash).where(audit.c.seq < first).order_by(audit.c.seq.desc()).limit(1)
                previous, reached = connection.execute(before).scalar() or GENESIS, first - 1
        while True:
            rows = select(audit).where(audit.c.seq <= last).order_by(audit.c.seq).limit(BATCH)
            with self._database.reading() as connection:
                found = connection.execute(rows if reached is None else rows.where(audit.c.seq > reached)).all()
            for row in found:
                yield audit_trail.kept(row.seq, row.at, previous, row.record, row.hash)
                previous, reached = row.hash, row.seq
            if len(found) < BATCH:
                return

    def _announce(self, line: str) -> None:
        if self._sink is None:
            return
        try:
            self._sink(line)
        except Exception as fault:
            raise RetryLater(UNHEARD, after=AFTER) from fault


def _first(connection: Connection, since: float) -> int | None:
    return connection.execute(select(func.min(audit.c.seq)).where(audit.c.at >= since)).scalar()
