"""Reading snapshots. Facts come from the fact table, by the life spans that a snapshot's number falls into.

What is handed out is complete or an error: each read ends by making sure that its snapshot was not swept meanwhile.
Nothing is written here, and no connection is held while a caller looks at what it got.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from connector.errors import CursorExpired
from connector.model import Fact, Snapshot
from connector.store.database import Database
from connector.store.facts import WHAT, among, in_snapshot, of_row, storable
from connector.store.names import Names
from connector.store.tables import about_someone, fact, held_by_someone, snapshot


def newest(connection: Connection, source: int) -> Row[Any] | None:
    """The row of a source's newest snapshot."""
    return connection.execute(
        select(snapshot).where(snapshot.c.source == source).order_by(snapshot.c.number.desc()).limit(1)
    ).one_or_none()


def of_snapshot_row(name: str, row: Row[Any]) -> Snapshot:
    """The snapshot of a row."""
    # SQLite hands a whole number back as one where it was just written, and as a float later.
    return Snapshot(name, row.number, row.census, float(row.completed_at), json.loads(row.summary))


def find(connection: Connection, source: int, number: int) -> Row[Any] | None:
    """The row of a snapshot, None when it is unknown or swept."""
    return connection.execute(
        select(snapshot).where(snapshot.c.source == source, snapshot.c.number == number)
    ).one_or_none()


def still_there(connection: Connection, name: str, source: int, number: int) -> Row[Any]:
    """The row of a snapshot; `CursorExpired` when it was swept, and what was read of it may have holes.

    Asked after the reading: the sweeper takes the snapshot away before its facts.
    """
    row = find(connection, source, number)
    if row is None:
        raise CursorExpired(f"Snapshot {number} of source {name} is not kept any more; start again.")
    return row


class Snapshots:
    """Snapshots of all sources. Every question about a snapshot raises `CursorExpired` when it was swept."""

    def __init__(self, database: Database, sources: Names, kinds: Names) -> None:
        self._database = database
        self._sources = sources
        self._kinds = kinds

    def latest(self, name: str) -> Snapshot | None:
        """A source's newest snapshot."""
        source = self._sources.find(name)
        if source is None:
            return None
        with self._database.reading() as connection:
            row = newest(connection, source)
        return None if row is None else of_snapshot_row(name, row)

    def numbered(self, name: str, number: int) -> Snapshot | None:
        """A source's snapshot, None when it is unknown or swept."""
        source = self._sources.find(name)
        if source is None:
            return None
        with self._database.reading() as connection:
            row = find(connection, source, number)
        return None if row is None else of_snapshot_row(name, row)

    def newest_at(self, name: str, moment: float) -> Snapshot | None:
        """A source's newest snapshot of those published by then; None when there is none."""
        source = self._sources.find(name)
        if source is None:
            return None
        query = select(snapshot).where(snapshot.c.source == source, snapshot.c.published_at <= moment)
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(snapshot.c.number.desc()).limit(1)).one_or_none()
        return None if row is None else of_snapshot_row(name, row)

    def one(self, snapshot: Snapshot, kind: str, id: str) -> Fact | None:
        """The fact of this name."""
        found = self._facts(snapshot, kind, fact.c.id == id) if storable(id) else []
        return found[0] if found else None

    def page(self, snapshot: Snapshot, kind: str, after: str, limit: int) -> Sequence[Fact]:
        """Up to `limit` facts with id > `after`, by id."""
        return self._facts(snapshot, kind, fact.c.id > after, order=(fact.c.id,), limit=limit)

    def about(self, snapshot: Snapshot, kind: str, subjects: Sequence[str]) -> Sequence[Fact]:
        """Facts about any of the subjects, by subject, then id."""
        found: list[Fact] = []
        for some in among(fact.c.subject, subjects):
            found += self._facts(snapshot, kind, about_someone, some, order=(fact.c.subject, fact.c.id))
        return found

    def held(self, snapshot: Snapshot, kind: str, subjects: Sequence[str], gapless: bool) -> Sequence[tuple[str, str]]:
        """(subject, held) of the facts about any of the subjects, by subject, then id; `gapless`, about any between."""
        source, number = self._sources.make(snapshot.source), self._kinds.find(kind)
        seen = in_snapshot(source, number, snapshot)
        found: list[tuple[str, str]] = []
        with self._database.reading() as connection:
            between = (
                [and_(fact.c.subject >= subjects[0], fact.c.subject <= subjects[-1])] if gapless and subjects else []
            )
            for some in between or among(fact.c.subject, subjects):
                query = select(fact.c.subject, fact.c.held).where(seen, about_someone, some)
                rows = connection.execute(query.order_by(fact.c.subject, fact.c.id)).all()
                found += [(subject, what) for subject, what in rows]
            still_there(connection, snapshot.source, source, snapshot.number)
        return found

    def holding(self, snapshot: Snapshot, kind: str, held: str) -> Sequence[Fact]:
        """Facts that hold `held`, by id."""
        if not storable(held):
            return []
        return self._facts(snapshot, kind, held_by_someone, fact.c.held == held, order=(fact.c.id,))

    def tally(self, snapshot: Snapshot, kind: str) -> Mapping[str, int]:
        """How many facts hold each thing, by `held`."""
        source, number = self._sources.make(snapshot.source), self._kinds.find(kind)
        with self._database.reading() as connection:
            rows = connection.execute(
                select(fact.c.held, func.count())
                .where(in_snapshot(source, number, snapshot), held_by_someone)
                .group_by(fact.c.held)
                .order_by(fact.c.held)
            ).all()
            still_there(connection, snapshot.source, source, snapshot.number)
        return {row[0]: row[1] for row in rows}

    def count(self, snapshot: Snapshot, kind: str) -> int:
        """How many facts there are, counted when the snapshot was published."""
        source = self._sources.make(snapshot.source)
        with self._database.reading() as connection:
            row = still_there(connection, snapshot.source, source, snapshot.number)
        counts: dict[str, int] = json.loads(row.counts)
        return counts.get(kind, 0)

    def _facts(
        self,
        snapshot: Snapshot,
        kind: str,
        *where: ColumnElement[bool],
        order: Sequence[ColumnElement[Any]] = (),
        limit: int | None = None,
    ) -> list[Fact]:
        source, number = self._sources.make(snapshot.source), self._kinds.find(kind)
        query = select(*WHAT).where(in_snapshot(source, number, snapshot), *where).order_by(*order).limit(limit)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
            still_there(connection, snapshot.source, source, snapshot.number)
        return [of_row(kind, row) for row in rows]
