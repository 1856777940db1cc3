"""Notes: small texts that the core wants to find again, such as names that never change. Nothing here reads them."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, select

from connector.store.database import Database
from connector.store.facts import storable
from connector.store.leases import lock
from connector.store.names import Names
from connector.store.tables import note


class Notes:
    """Notes of all sources."""

    def __init__(self, database: Database, sources: Names) -> None:
        self._database = database
        self._sources = sources

    def get(self, name: str, key: str) -> str | None:
        """The value last put."""
        number = self._sources.find(name)
        if number is None or not storable(key):
            return None
        with self._database.reading() as connection:
            return connection.execute(
                select(note.c.value).where(note.c.source == number, note.c.key == key)
            ).scalar_one_or_none()

    def keep(self, name: str, key: str, value: str) -> str:
        """Keep the value unless there is one; what is kept."""
        number = self._sources.make(name)
        statement = self._database.insert(note).values(source=number, key=key, value=value)
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_nothing(index_elements=(note.c.source, note.c.key)))
            return str(
                connection.execute(select(note.c.value).where(note.c.source == number, note.c.key == key)).scalar_one()
            )

    def put(self, name: str, key: str, value: str) -> None:
        """Keep the value under the key in place of what was there."""
        number = self._sources.make(name)
        with self._database.writing() as connection:
            self._put(connection, number, key, value)

    def change(self, name: str, key: str, change: Callable[[str | None], str]) -> None:
        """Keep what `change` makes of the value; who changes a note of the source at the same time comes after."""
        number = self._sources.make(name)
        with self._database.writing() as connection:
            lock(connection, number)
            known = connection.execute(
                select(note.c.value).where(note.c.source == number, note.c.key == key)
            ).scalar_one_or_none()
            self._put(connection, number, key, change(known))

    def _put(self, connection: Connection, number: int, key: str, value: str) -> None:
        statement = self._database.insert(note).values(source=number, key=key, value=value)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=(note.c.source, note.c.key), set_={"value": statement.excluded.value}
            )
        )
