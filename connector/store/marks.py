"""Marks: which subjects we changed ourselves, so that a census knows what it may have read too early.

A mark is made under the source's lock, as a publication is, and with the amendment that it announces: either the
publication sees both and heeds what was changed, or both come after it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set

from sqlalchemy import Connection, insert, select, update

from connector.store.database import Database
from connector.store.leases import lock
from connector.store.names import Names
from connector.store.tables import mark, source


def make(connection: Connection, source_number: int, subjects: Collection[str], kinds: Sequence[str], at: float) -> int:
    """Note, under the source's lock, that changes of the subjects have ended; the newest mark's number."""
    newest = int(lock(connection, source_number).mark)
    if not subjects:
        return newest
    said = json.dumps(sorted(kinds))
    rows = [
        {"source": source_number, "number": number, "subject": subject, "at": at, "kinds": said}
        for number, subject in enumerate(sorted(subjects), start=newest + 1)
    ]
    connection.execute(update(source).where(source.c.id == source_number).values(mark=newest + len(rows)))
    connection.execute(insert(mark), rows)
    return newest + len(rows)


def read_back(connection: Connection, source_number: int, seen: int) -> dict[str, set[str]]:
    """Subjects with a mark of a number above `seen`, by the kinds that their changes read back."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    made = select(mark.c.subject, mark.c.kinds).where(mark.c.source == source_number, mark.c.number > seen)
    for row in connection.execute(made.distinct()):
        for kind in json.loads(row.kinds):
            found[kind].add(row.subject)
    return found


class Marks:
    """Marks of all sources."""

    def __init__(self, database: Database, sources: Names) -> None:
        self._database = database
        self._sources = sources

    def make(self, name: str, subject: str, kinds: Sequence[str]) -> int:
        """Note that a change of `subject` has ended, and read back facts of `kinds`; the mark's number."""
        number = self._sources.make(name)
        with self._database.writing() as connection:
            return make(connection, number, (subject,), kinds, self._database.now(connection))

    def after(self, name: str, seen: int) -> tuple[int, frozenset[str]]:
        """Newest mark's number, 0 when there never was one, and subjects with a mark of a number above `seen`."""
        number = self._sources.find(name)
        if number is None:
            return 0, frozenset()
        with self._database.reading() as connection:
            # The number first: a mark made in between may be told too much, never too little.
            newest = connection.execute(select(source.c.mark).where(source.c.id == number)).scalar_one()
            subjects = connection.execute(
                select(mark.c.subject).distinct().where(mark.c.source == number, mark.c.number > seen)
            ).scalars()
            return newest, frozenset(subjects)

    def read_back(self, name: str, seen: int) -> Mapping[str, Set[str]]:
        """Subjects with a mark of a number above `seen`, by the kinds that their changes read back."""
        number = self._sources.find(name)
        if number is None:
            return {}
        with self._database.reading() as connection:
            return read_back(connection, number, seen)
