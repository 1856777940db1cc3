"""Marks: which subjects we changed ourselves, so that a census knows what it may have read too early.

A mark is made under the source's lock, as a publication is: either the publication sees the mark and heeds what was
changed, or the mark comes after it and the amendment that follows goes on top.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import insert, select, update

from connector.store.database import Database
from connector.store.leases import lock
from connector.store.names import Names
from connector.store.tables import mark, source


class Marks:
    """Marks of all sources."""

    def __init__(self, database: Database, sources: Names) -> None:
        self._database = database
        self._sources = sources

    def make(self, name: str, subject: str, kinds: Sequence[str]) -> int:
        """Note that a change of `subject` has ended, and read back facts of `kinds`; the mark's number."""
        number = self._sources.make(name)
        with self._database.writing() as connection:
            made = int(lock(connection, number).mark) + 1
            connection.execute(update(source).where(source.c.id == number).values(mark=made))
            connection.execute(
                insert(mark).values(
                    source=number,
                    number=made,
                    subject=subject,
                    at=self._database.now(connection),
                    kinds=json.dumps(sorted(kinds)),
                )
            )
        return made

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
