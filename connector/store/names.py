"""Numbers of sources and kinds. A name gets its number when something is first written under it, and keeps it.

Numbers are remembered for the life of the process; a name that was never written under has none and holds nothing.
"""

from __future__ import annotations

from sqlalchemy import Table, select

from connector.errors import CallUs
from connector.store.database import Database
from connector.store.facts import storable
from connector.store.tables import kind, source


class Names:
    """Name to number for one table."""

    def __init__(self, database: Database, table: Table) -> None:
        self._database = database
        self._table = table
        self._known: dict[str, int] = {}

    def find(self, name: str) -> int | None:
        """The number of a name, None when nothing was ever written under it."""
        if name not in self._known and storable(name):
            columns = self._table.c
            with self._database.reading() as connection:
                number = connection.execute(select(columns.id).where(columns.name == name)).scalar()
            if number is not None:
                self._known[name] = number
        return self._known.get(name)

    def make(self, name: str) -> int:
        """The number of a name, a new one when need be. Never called inside a transaction, which could undo it."""
        number = self.find(name)
        if number is None:
            if not storable(name):
                raise CallUs(f"The name of a {self._table.name} is no text.")
            with self._database.writing() as connection:
                connection.execute(self._database.insert(self._table).values(name=name).on_conflict_do_nothing())
            number = self.find(name)
        if number is None:
            raise CallUs(f"The store lost a {self._table.name} it had just written.")
        return number


def sources(database: Database) -> Names:
    """Numbers of sources."""
    return Names(database, source)


def kinds(database: Database) -> Names:
    """Numbers of kinds of facts."""
    return Names(database, kind)
