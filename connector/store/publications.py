"""The next snapshot of a source: of a whole census, or of one subject after our own change.

Staged facts (or the few that are handed in) are compared with the living ones; what vanished or changed ends, what is
new or changed begins. All of it happens in one transaction under the source's lock, so numbers grow by one and nobody
sees half a snapshot. Rows that ended are never touched again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, and_, exists, func, insert, literal, select, update

from connector.errors import CallUs
from connector.model import Fact, Snapshot
from connector.store.database import Database
from connector.store.facts import dump, to_row
from connector.store.leases import Lease, hold, lock, release
from connector.store.names import Names
from connector.store.snapshots import newest, of_snapshot_row
from connector.store.tables import about_someone, fact, snapshot, source, staged


class Publications:
    """Makes snapshots."""

    def __init__(self, database: Database, sources: Names, kinds: Names) -> None:
        self._database = database
        self._sources = sources
        self._kinds = kinds

    def publish(
        self, lease: Lease, kinds: Sequence[str], summary: Mapping[str, object], seen_changes: int
    ) -> Snapshot | None:
        """The staged facts of `kinds`, and no others, as the next snapshot; gives the lease back.

        None, and nothing done, when a change was marked after `seen_changes`. `RetryLater` when the lease was lost.
        """
        said = dump(summary)
        numbers = {self._kinds.make(kind): kind for kind in kinds}
        self._database.analyze(staged, fact)
        with self._database.writing() as connection:
            row = hold(connection, lease)
            if row.mark > seen_changes:
                return None
            now = self._database.now(connection)
            last = newest(connection, lease.number)
            number = last.number + 1 if last else 1
            counts = _turn_over(connection, lease, list(numbers), number)
            made = _record(
                connection,
                source=lease.number,
                number=number,
                census=number,
                completed_at=now,
                published_at=now,
                summary=said,
                counts=json.dumps({kind: counts[each] for each, kind in numbers.items()}),
            )
            release(connection, lease.number)
            connection.execute(update(source).where(source.c.id == lease.number).values(failed_at=None, failure=None))
        return of_snapshot_row(lease.source, made)

    def amend(self, name: str, subject: str, kinds: Sequence[str], facts: Iterable[Fact]) -> Snapshot | None:
        """The newest snapshot with these facts of `kinds` about `subject` instead, or itself when they are the same.

        Kinds that its census did not read stay absent. None when there is no snapshot.
        """
        wanted = list(facts)
        if any(each.subject != subject or each.kind not in kinds for each in wanted):
            raise CallUs("A snapshot was to be amended with facts about something else.")
        number = self._sources.find(name)
        if number is None:
            return None
        numbers = {kind: self._kinds.make(kind) for kind in kinds}
        with self._database.writing() as connection:
            lock(connection, number)
            last = newest(connection, number)
            if last is None:
                return None
            counts = Counter[str](json.loads(last.counts))
            read = {kind: numbers[kind] for kind in kinds if kind in counts}
            rows = [to_row(each, read[each.kind]) for each in wanted if each.kind in read]
            if not _amend(connection, number, last.number + 1, subject, read, rows, counts):
                return of_snapshot_row(name, last)
            made = _record(
                connection,
                source=number,
                number=last.number + 1,
                census=last.census,
                completed_at=last.completed_at,
                published_at=self._database.now(connection),
                summary=last.summary,
                counts=json.dumps(counts),
            )
        return of_snapshot_row(name, made)


def _record(connection: Connection, **columns: Any) -> Row[Any]:
    return connection.execute(insert(snapshot).values(columns).returning(*snapshot.c)).one()


# ---- a whole census ----------------------------------------------------------------------------------------------


def _turn_over(connection: Connection, lease: Lease, kinds: list[int], number: int) -> Counter[int]:
    """End what is not staged as it is, begin what is staged and does not live. How many of each kind are staged."""
    mine = and_(staged.c.source == lease.number, staged.c.fence == lease.fence, staged.c.kind.in_(kinds))
    alive = and_(fact.c.source == lease.number, fact.c.valid_to.is_(None))
    same_name = and_(staged.c.kind == fact.c.kind, staged.c.id == fact.c.id)
    connection.execute(
        update(fact)
        .where(alive, ~exists().where(mine, same_name, staged.c.digest == fact.c.digest))
        .values(valid_to=number)
    )
    columns = (staged.c.kind, staged.c.id, staged.c.digest, staged.c.subject, staged.c.held, staged.c.body)
    connection.execute(
        insert(fact).from_select(
            ["source", "valid_from", *(column.name for column in columns)],
            select(literal(lease.number), literal(number), *columns)
            .where(mine, ~exists().where(alive, same_name))
            .order_by(staged.c.kind, staged.c.id),
        )
    )
    counted = connection.execute(select(staged.c.kind, func.count()).where(mine).group_by(staged.c.kind))
    return Counter({row[0]: row[1] for row in counted})


# ---- one subject -------------------------------------------------------------------------------------------------


def _amend(
    connection: Connection,
    source: int,
    number: int,
    subject: str,
    read: Mapping[str, int],
    rows: Sequence[dict[str, Any]],
    counts: Counter[str],
) -> bool:
    """End and begin the few facts that differ, and correct `counts`. False when none does."""
    names = {each: kind for kind, each in read.items()}
    wanted = {(row["kind"], row["id"]): row for row in rows}
    living = _living(connection, source, names, subject, wanted)
    ended = [key for key, digest in living.items() if key not in wanted or wanted[key]["digest"] != digest]
    begun = [row for key, row in wanted.items() if living.get(key) != row["digest"]]
    for kind, id_ in ended:
        counts[names[kind]] -= 1
        this = and_(fact.c.source == source, fact.c.kind == kind, fact.c.id == id_, fact.c.valid_to.is_(None))
        connection.execute(update(fact).where(this).values(valid_to=number))
    for row in begun:
        counts[names[row["kind"]]] += 1
    if begun:
        connection.execute(insert(fact), [{"source": source, "valid_from": number, **row} for row in begun])
    return bool(ended or begun)


def _living(
    connection: Connection, source: int, kinds: Iterable[int], subject: str, wanted: Iterable[tuple[int, str]]
) -> dict[tuple[int, str], bytes]:
    """Digests of the living facts about the subject, and of those with a wanted name: these had another subject."""
    columns = select(fact.c.kind, fact.c.id, fact.c.digest).where(fact.c.source == source, fact.c.valid_to.is_(None))
    questions = [columns.where(about_someone, fact.c.kind.in_(kinds), fact.c.subject == subject)]
    questions += [columns.where(fact.c.kind == kind, fact.c.id == id_) for kind, id_ in wanted]
    return {(row.kind, row.id): row.digest for question in questions for row in connection.execute(question)}
