"""Connections to the database that a URL names: SQLite for one host, PostgreSQL for several processes or replicas.

They go to a `Database`. No error or log line shows the URL's password, or a statement's parameters, which are
people's data.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from connector.errors import FixConfiguration
from connector.ports import Clock
from connector.store.database import WAIT, Database

POOL: Final = 10
"""Connections kept; as many again may be opened for a while."""

_SQLITE_PRAGMAS: Final = (
    f"busy_timeout = {int(WAIT * 1000)}",
    "journal_mode = WAL",
    # Each commit reaches the disk before anything is done on its strength: an operation or an audit record that power
    # loss could take back would let a change be made that nobody knows of. Batches keep the price small.
    "synchronous = FULL",
    # In bytes: a large publication does not leave its log behind for ever.
    "journal_size_limit = 67108864",
)
_READING, _WRITING = ("PRAGMA cache_size = -4096", "PRAGMA cache_size = -65536")
"""KiB of pages that a connection keeps. Readers are many and small; the one writer fills several indexes at once."""


def shown(url: str) -> str:
    """A URL that could be connected to, without its password and whatever else stands behind its `?`."""
    return make_url(url).set(query={}).render_as_string(hide_password=True)


def connect(url: str, clock: Clock, make_folder: bool = False) -> Database:
    """The database behind a SQLAlchemy URL; `FixConfiguration` when we cannot use such a URL.

    `make_folder` also makes the folder of an SQLite file, with those above it.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise FixConfiguration(
            "CONNECTOR_STORE_URL is no URL; write sqlite:///path or postgresql://user@host/database."
        ) from None
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite":
        return Database(_sqlite(parsed, make_folder), clock)
    if backend in ("postgresql", "postgres"):
        return Database(_postgresql(parsed), clock)
    raise FixConfiguration(f"CONNECTOR_STORE_URL starts with {backend}:; the store can be sqlite: or postgresql:.")


# ---- SQLite ------------------------------------------------------------------------------------------------------


def _sqlite(url: URL, make_folder: bool) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise FixConfiguration("CONNECTOR_STORE_URL must name a file: sqlite:////var/lib/idc-connector/store.db.")
    _make_file(Path(url.database), make_folder)
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


def _make_file(path: Path, make_folder: bool) -> None:
    """Make the file before SQLite does, so that nobody else can read it; its logs take over the mode."""
    try:
        if make_folder:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as fault:
        raise FixConfiguration(
            f"The store {path} (CONNECTOR_STORE_URL) cannot be made or written: {fault.strerror}. Its folder has to be "
            "there, and to be ours."
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
