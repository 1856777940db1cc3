"""The next snapshot of a source: of a whole census, or of a few subjects after our own change.

Staged facts (or the few that are handed in) are compared with the living ones; what vanished or changed ends, what is
new or changed begins. All of it happens in one transaction under the source's lock, so numbers grow by one and nobody
sees half a snapshot. Rows that ended are never touched again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, exists, func, insert, literal, select, update

from connector.errors import CallUs
from connector.model import Fact, Operation, Snapshot
from connector.store import marks, operation_leases
from connector.store.database import Database
from connector.store.facts import among, dump, to_row
from connector.store.leases import Lease, hold, lock, release
from connector.store.names import Names
from connector.store.snapshots import newest, of_snapshot_row
from connector.store.tables import about_someone, fact, snapshot, source, staged

LAID_OUT: Final = "laid out"
"""Doubt about a snapshot that its census goes on to complete; True is one that only another census ends."""


class Publications:
    """Makes snapshots."""

    def __init__(self, database: Database, sources: Names, kinds: Names) -> None:
        self._database = database
        self._sources = sources
        self._kinds = kinds

    def publish(
        self,
        lease: Lease,
        kinds: Sequence[str],
        summary: Mapping[str, object],
        seen_changes: int,
        despite_doubts: bool = False,
    ) -> Snapshot | None:
        """The staged facts of `kinds`, and no others, as the next snapshot; gives the lease back.

        What was changed after the mark `seen_changes` is taken from the newest snapshot, of the kinds that its change
        read back: it has put them there. None, and nothing done, where that snapshot cannot say, because there is none,
        or it is of another configuration, or doubted; `despite_doubts`, this one is doubted then as well. `RetryLater`
        when the lease was lost.
        """
        numbers = {self._kinds.make(kind): kind for kind in kinds}
        self._database.analyze(staged, fact)
        with self._database.writing() as connection:
            if hold(connection, lease).mark > seen_changes:
                row = newest(connection, lease.number)
                last = None if row is None else of_snapshot_row(lease.source, row)
                if last is None or last.configuration != summary.get("fingerprint", ""):
                    return None
                if _lacks_changes(last):
                    if not despite_doubts:
                        return None
                    summary = {**summary, "doubted": True}
                _carry_over(connection, lease, numbers, seen_changes)
            made = self._whole(connection, lease, numbers, summary)
            release(connection, lease.number)
            connection.execute(update(source).where(source.c.id == lease.number).values(failed_at=None, failure=None))
        return of_snapshot_row(lease.source, made)

    def lay_out(self, lease: Lease, kinds: Sequence[str], summary: Mapping[str, object]) -> int:
        """The staged facts as a snapshot that starts no list; the lease stays. Number of the newest mark.

        What is changed after that mark is put on top of it, so that `publish` can take it from there.
        """
        numbers = {self._kinds.make(kind): kind for kind in kinds}
        with self._database.writing() as connection:
            row = hold(connection, lease)
            self._whole(connection, lease, numbers, {**summary, "doubted": LAID_OUT})
        return int(row.mark)

    def _whole(
        self, connection: Connection, lease: Lease, numbers: Mapping[int, str], summary: Mapping[str, object]
    ) -> Row[Any]:
        """What is staged as the next snapshot."""
        last = newest(connection, lease.number)
        number = last.number + 1 if last else 1
        now = self._database.now(connection)
        counts = _turn_over(connection, lease, list(numbers), number)
        return _record(
            connection,
            source=lease.number,
            number=number,
            census=number,
            completed_at=now,
            published_at=now,
            summary=dump(summary),
            counts=json.dumps({kind: counts[each] for each, kind in numbers.items()}),
        )

    def amend(
        self,
        name: str,
        configuration: str,
        kinds: Sequence[str],
        about: Mapping[str, Iterable[Fact]],
        change: Operation | None = None,
        marked: bool = False,
    ) -> Snapshot | None:
        """The newest snapshot with these facts of `kinds` by subject instead, or itself when they are the same.

        Kinds that its census did not read stay absent. None when there is no snapshot, or it is of another
        configuration. `RetryLater` when `change` was taken over. `marked`: the subjects have marks for it, also where
        it is None.
        """
        wanted = [(subject, each) for subject, facts in about.items() for each in facts]
        if any(each.subject != subject or each.kind not in kinds for subject, each in wanted):
            raise CallUs("A snapshot was to be amended with facts about something else.")
        number = self._sources.make(name) if marked else self._sources.find(name)
        if number is None:
            return None
        numbers = {kind: self._kinds.make(kind) for kind in kinds}
        with self._database.writing() as connection:
            lock(connection, number)
            if change is not None and not operation_leases.hold(connection, change):
                raise operation_leases.lost(change)
            if marked:
                marks.make(connection, number, about, kinds, self._database.now(connection))
            last = newest(connection, number)
            if last is None or of_snapshot_row(name, last).configuration != configuration:
                return None
            counts = Counter[str](json.loads(last.counts))
            read = {kind: numbers[kind] for kind in kinds if kind in counts}
            rows = [to_row(each, read[each.kind]) for _, each in wanted if each.kind in read]
            if not _amend(connection, number, last.number + 1, about, read, rows, counts):
                return of_snapshot_row(name, last)
            made = self._follow(connection, last, counts=json.dumps(counts))
        return of_snapshot_row(name, made)

    def doubt(self, name: str) -> None:
        """The newest snapshot once more, as one that lacks a change."""
        number = self._sources.find(name)
        if number is None:
            return
        with self._database.writing() as connection:
            lock(connection, number)
            last = newest(connection, number)
            if last is not None and json.loads(last.summary).get("doubted") is not True:
                self._follow(connection, last, summary=dump({**json.loads(last.summary), "doubted": True}))

    def _follow(self, connection: Connection, last: Row[Any], **columns: str) -> Row[Any]:
        """The snapshot after `last`, of the same census, which differs in these columns."""
        kept = {name: last._mapping[name] for name in ("source", "census", "completed_at", "summary", "counts")}
        now = self._database.now(connection)
        return _record(connection, **{**kept, **columns}, number=last.number + 1, published_at=now)


def _record(connection: Connection, **columns: Any) -> Row[Any]:
    return connection.execute(insert(snapshot).values(columns).returning(*snapshot.c)).one()


def _lacks_changes(last: Snapshot) -> bool:
    """Whether it may lack what was changed lately, to a census that goes on from it.

    One that was laid out lacks only what was marked before, and a census that asks has seen those marks.
    """
    return last.doubted and last.summary["doubted"] != LAID_OUT


def _staged_by(lease: Lease, kinds: list[int]) -> ColumnElement[bool]:
    return and_(staged.c.source == lease.number, staged.c.fence == lease.fence, staged.c.kind.in_(kinds))


def _carry_over(connection: Connection, lease: Lease, kinds: Mapping[int, str], seen: int) -> None:
    """Stage the living facts about the subjects marked after `seen`, in place of what is staged.

    Only those of the kinds that their changes read back: the others are as old as the last census.
    """
    changed = marks.read_back(connection, lease.number, seen)
    columns = ("kind", "id", "digest", "subject", "held", "body")
    for number, kind in kinds.items():
        alive = and_(fact.c.source == lease.number, fact.c.kind == number, fact.c.valid_to.is_(None), about_someone)
        for some in among(staged.c.subject, changed.get(kind, ())):
            connection.execute(delete(staged).where(_staged_by(lease, [number]), some))
        for some in among(fact.c.subject, changed.get(kind, ())):
            living = select(literal(lease.number), literal(lease.fence), *(fact.c[name] for name in columns))
            connection.execute(insert(staged).from_select(["source", "fence", *columns], living.where(alive, some)))


# ---- a whole census ----------------------------------------------------------------------------------------------


def _turn_over(connection: Connection, lease: Lease, kinds: list[int], number: int) -> Counter[int]:
    """End what is not staged as it is, begin what is staged and does not live. How many of each kind are staged."""
    mine = _staged_by(lease, kinds)
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


# ---- a few subjects ----------------------------------------------------------------------------------------------


def _amend(
    connection: Connection,
    source: int,
    number: int,
    about: Iterable[str],
    read: Mapping[str, int],
    rows: Sequence[dict[str, Any]],
    counts: Counter[str],
) -> bool:
    """End and begin the few facts that differ, and correct `counts`. False when none does."""
    names = {each: kind for kind, each in read.items()}
    wanted = {(row["kind"], row["id"]): row for row in rows}
    living = _living(connection, source, names, about, wanted)
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
    connection: Connection,
    source: int,
    kinds: Iterable[int],
    about: Iterable[str],
    wanted: Iterable[tuple[int, str]],
) -> dict[tuple[int, str], bytes]:
    """Digests of the living facts about the subjects, and of those with a wanted name: these had another subject."""
    columns = select(fact.c.kind, fact.c.id, fact.c.digest).where(fact.c.source == source, fact.c.valid_to.is_(None))
    of_subjects = columns.where(about_someone, fact.c.kind.in_(kinds))
    questions = [of_subjects.where(some) for some in among(fact.c.subject, about)]
    ids: dict[int, list[str]] = {}
    for kind, id_ in wanted:
        ids.setdefault(kind, []).append(id_)
    questions += [columns.where(fact.c.kind == kind, some) for kind in ids for some in among(fact.c.id, ids[kind])]
    return {(row.kind, row.id): row.digest for question in questions for row in connection.execute(question)}
