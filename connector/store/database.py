"""Short transactions on the store's database, reading or writing, and the few places where databases differ.

Connections come from `engines`; statements come from the modules by noun. Nothing here knows a table, and every
fault of the database leaves through `faults`.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    any_,
    delete,
    exists,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

from connector.errors import Busy
from connector.ports import Clock
from connector.store.faults import AFTER, BUSY, store_faults

WAIT: Final = 30.0
"""Seconds to wait for a connection or a lock. The longest writer is a publication."""
BELIEVED: Final = 1.0
"""Seconds for which readers believe that the database is as it was when one of them looked."""


class Database:
    """Short transactions on one database, for many threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self._clock = clock
        self._writer = engine.execution_options(writes=True)
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time and wakes those who wait by polling; inside one process a lock is fairer.
        self._turn = threading.Lock()
        self._guard: Callable[[Connection], None] | None = None
        self._guarded = 0.0

    def guard(self, check: Callable[[Connection], None]) -> None:
        """From now on, do nothing in any transaction where the check raises; who only reads asks it now and then."""
        self._guard = check

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. It never waits for a writer."""
        with store_faults(), self.engine.connect() as connection, connection.begin():
            if time.monotonic() - self._guarded > BELIEVED:
                self._check(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at its end, or does nothing. `RetryLater` when its turn does not come."""
        if not self._is_sqlite:
            with store_faults(), self._writer.begin() as connection:
                self._check(connection)
                yield connection
            return
        if not self._turn.acquire(timeout=WAIT):
            raise Busy(BUSY, after=AFTER)
        try:
            with store_faults(), self._writer.begin() as connection:
                self._check(connection)
                yield connection
        finally:
            self._turn.release()

    def _check(self, connection: Connection) -> None:
        if self._guard is not None:
            self._guard(connection)
            self._guarded = time.monotonic()

    def now(self, connection: Connection) -> float:
        """Unix seconds by the one clock that all who share the database see."""
        if self._is_sqlite:
            return self._clock.now()
        seconds = connection.execute(text("SELECT extract(epoch FROM clock_timestamp())::float8")).scalar_one()
        return float(seconds)

    def insert(self, table: Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that knows ON CONFLICT; both databases spell it alike."""
        return sqlite.insert(table) if self._is_sqlite else postgresql.insert(table)

    def insert_many(
        self, connection: Connection, statement: sqlite.Insert | postgresql.Insert, rows: Sequence[dict[str, Any]]
    ) -> None:
        """Insert rows that name every column, in types the driver knows: thousands, in half of SQLAlchemy's time."""
        if not rows:
            return
        compiled = statement.compile(self.engine)
        order = compiled.positiontup
        parameters = [tuple(map(row.__getitem__, order)) for row in rows] if order else rows
        connection.exec_driver_sql(compiled.string, parameters)

    def delete_some(self, table: Table, where: ColumnElement[bool], limit: int = 5000) -> int:
        """Delete up to `limit` rows in a transaction of their own, so that nobody waits long. How many there were."""
        place: ColumnElement[Any] = literal_column("rowid" if self._is_sqlite else "ctid")
        places = select(place).select_from(table).where(where).limit(limit)
        # An array lets PostgreSQL go straight to the places instead of joining.
        these = place.in_(places) if self._is_sqlite else place == any_(func.array(places.scalar_subquery()))
        with self.writing() as connection:
            return connection.execute(delete(table).where(these)).rowcount

    def empty_unless(self, table: Table, *there: ColumnElement[bool]) -> bool:
        """Delete all rows, unless there are such ones. Whether it did; it never does on PostgreSQL.

        SQLite gives back the pages without looking at the rows (https://sqlite.org/lang_delete.html, truncate
        optimization). PostgreSQL's TRUNCATE would lock out all who write.
        """
        if not self._is_sqlite:
            return False
        with self.writing() as connection:
            if any(connection.execute(select(exists().where(each))).scalar_one() for each in there):
                return False
            connection.execute(delete(table))
        return True

    def analyze(self, *tables: Table) -> None:
        """Tell PostgreSQL's planner what a census has just brought. SQLite's needs no telling."""
        if self._is_sqlite:
            return
        with self.writing() as connection:
            for table in tables:
                connection.execute(text(f"ANALYZE (SKIP_LOCKED) {table.name}"))

    def dispose(self) -> None:
        """Close all connections."""
        self.engine.dispose()
