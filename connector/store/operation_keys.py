"""Keys that callers gave their changes, each standing for one operation for a day.

Several may stand for one: whoever asks what is already going on joins it under a key of its own. Called inside the
transactions of `operations`, which accept one at a time.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, select

from connector.store.database import Database
from connector.store.ledgers import operation_key

DAY: Final = 24 * 3600.0
"""Seconds a key, or the content of a create, stands for its operation."""


class Keys:
    """Keys of all callers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operation(self, connection: Connection, source: int, caller: str, key: str, now: float) -> str | None:
        """The id that the key stands for, None when the caller did not use it here within the day."""
        return connection.execute(
            select(operation_key.c.operation).where(
                operation_key.c.source == source,
                operation_key.c.caller == caller,
                operation_key.c.key == key,
                operation_key.c.at >= now - DAY,
            )
        ).scalar_one_or_none()

    def put(self, connection: Connection, source: int, caller: str, key: str, operation: str, now: float) -> None:
        """From now on the key stands for this operation."""
        row = {"source": source, "caller": caller, "key": key, "operation": operation, "at": now}
        connection.execute(
            self._database.insert(operation_key)
            .values(row)
            .on_conflict_do_update(
                index_elements=list(operation_key.primary_key), set_={"operation": operation, "at": now}
            )
        )
