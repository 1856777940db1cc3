"""Facts of a census being made. They come from `reading`, batch by batch, and wait for `publications`.

They lie under the census's fence, invisible to every other census and to all readers of snapshots. Iterables are
drained between transactions, never inside one: they may ask AWS.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final

from sqlalchemy import Column, Connection, and_, delete, select

from connector.model import Fact
from connector.store.database import Database
from connector.store.facts import among, of_row, to_row
from connector.store.leases import Lease, check, hold
from connector.store.names import Names
from connector.store.tables import staged

BATCH: Final = 5000
"""Facts in memory at a time, and in one transaction."""

_KEY: Final = (staged.c.source, staged.c.fence, staged.c.kind, staged.c.id)


class Staging:
    """Staged facts of all censuses."""

    def __init__(self, database: Database, kinds: Names) -> None:
        self._database = database
        self._kinds = kinds

    def add(self, lease: Lease, facts: Iterable[Fact]) -> None:
        """Keep facts; of two with the same kind and id the later one stays. `RetryLater` when the lease was lost."""
        waiting = iter(facts)
        while batch := list(islice(waiting, BATCH)):
            rows = self._rows(lease, batch)
            with self._database.writing() as connection:
                check(connection, lease)
                self._insert(connection, rows)

    def replace(self, lease: Lease, subject: str, kinds: Sequence[str], facts: Iterable[Fact]) -> None:
        """Put these in the place of all staged facts of `kinds` about `subject`."""
        rows = self._rows(lease, list(facts))
        numbers = [self._kinds.make(kind) for kind in kinds]
        with self._database.writing() as connection:
            # Locked, unlike `add`: two replacements of one subject must not mix.
            hold(connection, lease)
            connection.execute(
                delete(staged).where(_of(lease), staged.c.kind.in_(numbers), staged.c.subject == subject)
            )
            self._insert(connection, rows)

    def read(self, lease: Lease, kind: str) -> Iterator[Fact]:
        """Staged facts of a kind, by id; what is staged meanwhile may or may not be among them."""
        number = self._kinds.make(kind)
        after = ""
        while True:
            with self._database.reading() as connection:
                rows = connection.execute(
                    select(staged.c.id, staged.c.subject, staged.c.held, staged.c.body)
                    .where(_of(lease), staged.c.kind == number, staged.c.id > after)
                    .order_by(staged.c.id)
                    .limit(BATCH)
                ).all()
            for row in rows:
                yield of_row(kind, row)
            if len(rows) < BATCH:
                return
            after = rows[-1].id

    def which(self, lease: Lease, kind: str, ids: Iterable[str]) -> frozenset[str]:
        """Those of the ids that are staged."""
        number = self._kinds.make(kind)
        with self._database.reading() as connection:
            found = (
                connection.execute(select(staged.c.id).where(_of(lease), staged.c.kind == number, some)).scalars()
                for some in among(staged.c.id, ids)
            )
            return frozenset(chain.from_iterable(found))

    def named(self, lease: Lease, kind: str, ids: Iterable[str]) -> list[Fact]:
        """Staged facts of these ids."""
        return self._found(lease, kind, staged.c.id, ids)

    def about(self, lease: Lease, kind: str, subjects: Iterable[str]) -> list[Fact]:
        """Staged facts about any of the subjects."""
        return self._found(lease, kind, staged.c.subject, subjects)

    def _found(self, lease: Lease, kind: str, column: Column[str], names: Iterable[str]) -> list[Fact]:
        number = self._kinds.make(kind)
        columns = select(staged.c.id, staged.c.subject, staged.c.held, staged.c.body)
        with self._database.reading() as connection:
            return [
                of_row(kind, row)
                for some in among(column, names)
                for row in connection.execute(columns.where(_of(lease), staged.c.kind == number, some))
            ]

    def remove(self, lease: Lease, kind: str, ids: Iterable[str]) -> None:
        """Forget staged facts of these ids. `RetryLater` when the lease was lost."""
        number = self._kinds.make(kind)
        with self._database.writing() as connection:
            check(connection, lease)
            for some in among(staged.c.id, ids):
                connection.execute(delete(staged).where(_of(lease), staged.c.kind == number, some))

    def drop(self, source: int, before: int) -> None:
        """Forget what censuses with a fence below `before` left. In short transactions where others stage meanwhile."""
        leftovers = and_(staged.c.source == source, staged.c.fence < before)
        later = and_(staged.c.source == source, staged.c.fence >= before)
        if self._database.empty_unless(staged, staged.c.source < source, staged.c.source > source, later):
            return
        while self._database.delete_some(staged, leftovers):
            pass

    def _rows(self, lease: Lease, batch: Sequence[Fact]) -> list[dict[str, Any]]:
        under = {"source": lease.number, "fence": lease.fence}
        kinds = {kind: self._kinds.make(kind) for kind in {fact.kind for fact in batch}}
        rows = {}
        for fact in batch:
            row = to_row(fact, kinds[fact.kind])
            row.update(under)
            rows[row["kind"], row["id"]] = row
        # In one order always, so that threads which stage the same facts wait for each other in a line.
        return [rows[key] for key in sorted(rows)]

    def _insert(self, connection: Connection, rows: list[dict[str, Any]]) -> None:
        statement = self._database.insert(staged)
        new = statement.excluded
        self._database.insert_many(
            connection,
            statement.on_conflict_do_update(
                index_elements=_KEY,
                set_={"digest": new.digest, "subject": new.subject, "held": new.held, "body": new.body},
            ),
            rows,
        )


def _of(lease: Lease) -> Any:
    return and_(staged.c.source == lease.number, staged.c.fence == lease.fence)
