"""Connections to the database that a URL names: SQLite for one host, PostgreSQL for several processes or replicas.

A `Database` hands out short transactions, reading or writing. Nothing here knows a table, and no error or log line
shows the URL's password or a statement's parameters, which are people's data.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Table,
    any_,
    create_engine,
    delete,
    event,
    func,
    literal_column,
    make_url,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError

from connector.errors import Busy, FixConfiguration
from connector.ports import Clock
from connector.store.faults import AFTER, BUSY, store_faults

POOL: Final = 10
"""Connections kept; as many again may be opened for a while."""
WAIT: Final = 30.0
"""Seconds to wait for a connection or a lock. The longest writer is a publication."""

_SQLITE_PRAGMAS: Final = (
    f"busy_timeout = {int(WAIT * 1000)}",
    "journal_mode = WAL",
    # With a write-ahead log, power loss may take the last transactions but never half of one.
    "synchronous = NORMAL",
    # In bytes: a large publication does not leave its log behind for ever.
    "journal_size_limit = 67108864",
)
_READING, _WRITING = ("PRAGMA cache_size = -4096", "PRAGMA cache_size = -65536")
"""KiB of pages that a connection keeps. Readers are many and small; the one writer fills several indexes at once."""


class Database:
    """Short transactions on one database, for many threads."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self._clock = clock
        self._writer = engine.execution_options(writes=True)
        self._is_sqlite = engine.dialect.name == "sqlite"
        # SQLite has one writer at a time and wakes those who wait by polling; inside one process a lock is fairer.
        self._turn = threading.Lock()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that only reads. It never waits for a writer."""
        with store_faults(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that commits at its end, or does nothing. `RetryLater` when its turn does not come."""
        if not self._is_sqlite:
            with store_faults(), self._writer.begin() as connection:
                yield connection
            return
        if not self._turn.acquire(timeout=WAIT):
            raise Busy(BUSY, after=AFTER)
        try:
            with store_faults(), self._writer.begin() as connection:
                yield connection
        finally:
            self._turn.release()

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


def connect(url: str, clock: Clock) -> Database:
    """The database behind a SQLAlchemy URL; `FixConfiguration` when we cannot use such a URL."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise FixConfiguration(
            "CONNECTOR_STORE_URL is no URL; write sqlite:///path or postgresql://user@host/database."
        ) from None
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return Database(_sqlite(parsed), clock)
    if backend in ("postgresql", "postgres"):
        return Database(_postgresql(parsed), clock)
    raise FixConfiguration(f"CONNECTOR_STORE_URL starts with {backend}:; the store can be sqlite: or postgresql:.")


# ---- SQLite ------------------------------------------------------------------------------------------------------


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise FixConfiguration("CONNECTOR_STORE_URL must name a file: sqlite:////var/lib/idc-connector/store.db.")
    _make_file(Path(url.database))
    engine = create_engine(
        url.set(drivername="sqlite+pysqlite"),
        hide_parameters=True,
        pool_size=POOL,
        max_overflow=POOL,
        pool_timeout=WAIT,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "checkin", _return_sqlite)
    return engine


def _make_file(path: Path) -> None:
    """Make the file before SQLite does, so that nobody else can read it; its logs take over the mode."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as fault:
        raise FixConfiguration(
            "The file that CONNECTOR_STORE_URL names cannot be made or written; check its folder and its owner."
        ) from fault


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver would begin transactions at its own discretion, and never an immediate one.
    connection.isolation_level = None
    for pragma in _SQLITE_PRAGMAS:
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and then writes could meet a newer writer and fail at once: take the lock first.
    writes = connection.get_execution_options().get("writes", False)
    if writes:
        connection.exec_driver_sql(_WRITING)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _return_sqlite(connection: Any, _record: object) -> None:
    # None when the connection was lost.
    if connection is not None:
        connection.execute(_READING)


# ---- PostgreSQL --------------------------------------------------------------------------------------------------


def _postgresql(url: URL) -> Engine:
    try:
        engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            hide_parameters=True,
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=WAIT,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 10,
                # A host that vanished without a word is noticed within half a minute.
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 4,
                "tcp_user_timeout": int(WAIT * 1000),
            },
        )
    except ModuleNotFoundError as fault:
        raise FixConfiguration("PostgreSQL needs a driver: install idc-connector[postgres].") from fault
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # A replica that is frozen in the middle of a transaction must not hold up the others for ever.
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{int(WAIT)}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{int(WAIT)}s'")
    connection.commit()
