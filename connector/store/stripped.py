"""What was taken from users that are disabled by stripping, to be given back (`ports.Stripped`).

Noted before it is taken, so that a crash in between loses nothing. What may be given back is not known here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, literal, select

from connector.store.database import Database
from connector.store.facts import storable
from connector.store.ledgers import stripped
from connector.store.names import Names

COMPLETE: Final = "complete"
"""Value of the row without attribute that says that all was taken."""


class Stripped:
    """Journals of all sources."""

    def __init__(self, database: Database, sources: Names) -> None:
        self._database = database
        self._sources = sources

    def journal(self, source: str, user_id: str) -> Mapping[str, Sequence[str]] | None:
        """Ids taken, sorted, by account attribute; empty when the user had nothing, None when it is not disabled."""
        number = self._sources.find(source)
        if number is None or not storable(user_id):
            return None
        with self._database.reading() as connection:
            return _journal(connection, *_of(number, user_id))

    def strip(self, source: str, user_id: str, held: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """Add to the journal, which is begun when there is none; the whole of it."""
        number = self._sources.make(source)
        # In one order always, so that two who strip the same user wait for each other in a line.
        taken = [("", ""), *sorted({(name, value) for name, values in held.items() for value in values})]
        with self._database.writing() as connection:
            now = self._database.now(connection)
            connection.execute(
                self._database.insert(stripped).on_conflict_do_nothing(),
                [
                    {"source": number, "user": user_id, "attribute": name, "value": value, "at": now}
                    for name, value in taken
                ],
            )
            return _journal(connection, *_of(number, user_id)) or {}

    def complete(self, source: str, user_id: str) -> None:
        """All was taken; what a journal lacks to be one is added."""
        number = self._sources.make(source)
        with self._database.writing() as connection:
            now = self._database.now(connection)
            connection.execute(
                self._database.insert(stripped).on_conflict_do_nothing(),
                [
                    {"source": number, "user": user_id, "attribute": "", "value": value, "at": now}
                    for value in ("", COMPLETE)
                ],
            )

    def journals(self, user_id: str) -> Mapping[str, Sequence[str]]:
        """Ids taken from the user, sorted, by account attribute, as all sources know them."""
        if not storable(user_id):
            return {}
        with self._database.reading() as connection:
            return _journal(connection, stripped.c.user == user_id) or {}

    def forget(self, user_id: str, revoked: Mapping[str, Sequence[str]]) -> None:
        """No source gives these back; the user stays as disabled as it is."""
        gone = sorted({(name, value) for name, values in revoked.items() for value in values})
        if not gone:
            return
        with self._database.writing() as connection:
            for name, value in gone:
                connection.execute(
                    delete(stripped).where(
                        stripped.c.user == user_id, stripped.c.attribute == name, stripped.c.value == value
                    )
                )

    def hand_over(self, source: str, user_id: str, others: Collection[str]) -> bool:
        """Give the user's journal to one of the others, if its own is complete; whether there is such a one."""
        mine = self._sources.find(source)
        theirs = [number for name in sorted(others) if (number := self._sources.find(name)) is not None]
        if mine is None or not theirs or not storable(user_id):
            return False
        this = _of(mine, user_id)
        with self._database.writing() as connection:
            disabled = select(stripped.c.source).where(
                stripped.c.source.in_(theirs), *_COMPLETE, stripped.c.user == user_id
            )
            heir = connection.execute(disabled.order_by(stripped.c.source).limit(1)).scalar()
            if heir is None:
                return False
            moved = select(literal(heir), stripped.c.user, stripped.c.attribute, stripped.c.value, stripped.c.at)
            connection.execute(
                self._database.insert(stripped)
                .from_select(["source", "user", "attribute", "value", "at"], moved.where(*this))
                .on_conflict_do_nothing()
            )
            connection.execute(delete(stripped).where(*this))
        return True

    def restored(self, source: str, user_id: str) -> None:
        """Forget the user's journal."""
        number = self._sources.find(source)
        if number is None or not storable(user_id):
            return
        with self._database.writing() as connection:
            connection.execute(delete(stripped).where(*_of(number, user_id)))

    def disabled(self, source: str, user_id: str) -> bool:
        """Whether the user's journal is complete."""
        number = self._sources.find(source)
        if number is None or not storable(user_id):
            return False
        with self._database.reading() as connection:
            query = select(stripped.c.user).where(*_complete(number), stripped.c.user == user_id)
            return connection.execute(query).first() is not None

    def all(self, source: str) -> frozenset[str]:
        """Users whose journal is complete."""
        number = self._sources.find(source)
        with self._database.reading() as connection:
            return frozenset(connection.execute(select(stripped.c.user).where(*_complete(number))).scalars())


def _of(source: int, user_id: str) -> tuple[ColumnElement[bool], ...]:
    """The rows of a user's journal."""
    return stripped.c.source == source, stripped.c.user == user_id


_COMPLETE: Final = (stripped.c.attribute == "", stripped.c.value == COMPLETE)
"""The row that says it, of each user."""


def _complete(source: int | None) -> tuple[ColumnElement[bool], ...]:
    """The same of a source."""
    return stripped.c.source == source, *_COMPLETE


def _journal(connection: Connection, *where: ColumnElement[bool]) -> dict[str, list[str]] | None:
    rows = connection.execute(
        select(stripped.c.attribute, stripped.c.value)
        .where(*where)
        .distinct()
        .order_by(stripped.c.attribute, stripped.c.value)
    ).all()
    journal: dict[str, list[str]] = {}
    for name, value in rows:
        if name:
            journal.setdefault(name, []).append(value)
    return journal if rows else None
