"""Brings the tables of a database up to date when the store is opened. Migrations come from this room's own folder.

Processes that start together take turns; a database that a newer version has changed is left alone, also
by a process that had opened it before: what its tables mean by now is not known here.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from connector.errors import FixConfiguration, RetryLater
from connector.store.database import Database
from connector.store.faults import AFTER

_FOLDER: Final = Path(__file__).parent / "migrations"
_TURN: Final = threading.Lock()
"""Alembic keeps what it works on in globals of its modules."""
_LOCK: Final = 0x1DC0_57E0
"""Any number, the same in every version; PostgreSQL keeps it apart by database."""
_VERSION: Final = text("SELECT version_num FROM alembic_version")
CHANGED: Final = "Another version of the connector has changed the store meanwhile; ask one that runs that version."


def configuration() -> Config:
    """Alembic's settings, without a file: where the migrations are."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    return config


def bring_up_to_date(database: Database) -> None:
    """Migrate to the newest version. `FixConfiguration` when a newer one than ours has been here."""
    with _TURN:
        config = configuration()
        script = ScriptDirectory.from_config(config)
        with database.reading() as connection:
            current = _is_current(connection, script)
        if not current:
            with database.writing() as connection:
                # On SQLite a writing transaction has the whole file to itself.
                if connection.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
                if not _is_current(connection, script):
                    config.attributes["connection"] = connection
                    command.upgrade(config, "head")
        head = script.get_current_head()

    def unchanged(connection: Connection) -> None:
        if connection.execute(_VERSION).scalar() != head:
            raise RetryLater(CHANGED, after=AFTER)

    database.guard(unchanged)


def _is_current(connection: Connection, script: ScriptDirectory) -> bool:
    found = MigrationContext.configure(connection).get_current_revision()
    ours = {revision.revision for revision in script.walk_revisions()}
    if found is not None and found not in ours:
        raise FixConfiguration(
            "CONNECTOR_STORE_URL names a store that a newer version of the connector has changed; run that version."
        )
    return found == script.get_current_head()
