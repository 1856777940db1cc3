"""The connections through which several processes share one pace: a small psycopg pool to the store's database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit, urlunsplit

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

CONNECTIONS: Final = 8
"""Connections kept at most. Nobody holds one while waiting for a turn."""


def shared_pool(store_url: str) -> ConnectionPool | None:
    """A pool to the database of a SQLAlchemy URL; None for SQLite, which one process has for itself."""
    parts = urlsplit(store_url)
    if not parts.scheme.startswith("postgresql"):
        return None
    from psycopg_pool import ConnectionPool

    # SQLAlchemy names the driver in the scheme; libpq knows the scheme alone.
    conninfo = urlunsplit(("postgresql", *parts[1:]))
    return ConnectionPool(
        conninfo,
        min_size=1,
        max_size=CONNECTIONS,
        open=True,
        kwargs={"autocommit": True},
        # Some that a restart of the database cut are among them, and whoever gets one has done nothing wrong.
        check=ConnectionPool.check_connection,
        name="pace",
    )
