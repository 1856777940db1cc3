"""What differs between two snapshots: a question to the life spans of facts, with no second store.

A fact that changed and changed back does not differ, nor one that came and went in between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from sqlalchemy import CompoundSelect, Select, and_, distinct, func, or_, select, union, union_all

from connector.store.database import Database
from connector.store.names import Names
from connector.store.snapshots import still_there
from connector.store.tables import closed, fact, opened_later

NAMES: Final = 20_000
"""Names in memory at a time."""


class Differences:
    """Differences between snapshots of any source."""

    def __init__(self, database: Database, sources: Names, kinds: Names) -> None:
        self._database = database
        self._sources = sources
        self._kinds = kinds

    def changed(self, name: str, since: int, until: int, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(kind, id) of facts that are in one snapshot only or not the same in both, by kind and id.

        `CursorExpired` when one of the two is not kept, or is swept before the end.
        """
        return self._walk(_differing, name, since, until, kinds)

    def touched(self, name: str, since: int, until: int, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(kind, id) of facts that began or ended after one snapshot, up to the other, by kind and id."""
        return self._walk(_touched, name, since, until, kinds)

    def _walk(
        self,
        asking: Callable[[int, int | None, int, int, str], Select[Any] | CompoundSelect[Any]],
        name: str,
        since: int,
        until: int,
        kinds: Sequence[str],
    ) -> Iterator[tuple[str, str]]:
        source = self._sources.make(name)
        for kind in sorted(set(kinds)):
            number = self._kinds.find(kind)
            after = ""
            while True:
                query = asking(source, number, min(since, until), max(since, until), after)
                with self._database.reading() as connection:
                    ids = connection.execute(query).scalars().all()
                    still_there(connection, name, source, since)
                    still_there(connection, name, source, until)
                for each in ids:
                    yield kind, each
                if len(ids) < NAMES:
                    break
                after = ids[-1]


def _differing(source: int, kind: int | None, first: int, last: int, after: str) -> Select[Any]:
    """Names of facts with one life at `first` that ended by `last`, one at `last` that began after `first`, or both.

    With both, what they say must differ. Each leg has an index of its own to start from.
    """
    named = and_(fact.c.source == source, fact.c.kind == kind, fact.c.id > after)
    ended = select(fact.c.id, fact.c.digest).where(
        named, closed, fact.c.valid_from <= first, fact.c.valid_to > first, fact.c.valid_to <= last
    )
    begun = select(fact.c.id, fact.c.digest).where(
        named,
        opened_later,
        fact.c.valid_from > first,
        fact.c.valid_from <= last,
        or_(fact.c.valid_to.is_(None), fact.c.valid_to > last),
    )
    lives = union_all(ended, begun).subquery()
    return (
        select(lives.c.id)
        .group_by(lives.c.id)
        .having(or_(func.count() == 1, func.count(distinct(lives.c.digest)) == 2))
        .order_by(lives.c.id)
        .limit(NAMES)
    )


def _touched(source: int, kind: int | None, first: int, last: int, after: str) -> CompoundSelect[Any]:
    """Names of facts with a life that ended or began after `first`, by `last`."""
    named = and_(fact.c.source == source, fact.c.kind == kind, fact.c.id > after)
    ended = select(fact.c.id).where(named, closed, fact.c.valid_to > first, fact.c.valid_to <= last)
    begun = select(fact.c.id).where(named, opened_later, fact.c.valid_from > first, fact.c.valid_from <= last)
    return union(ended, begun).order_by("id").limit(NAMES)
