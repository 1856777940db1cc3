"""The store: snapshots and what belongs to them, in SQLite or PostgreSQL. SQLAlchemy and Alembic live only here."""

from connector.store.engines import shown
from connector.store.records import Store, open_store

__all__ = ["Store", "open_store", "shown"]
