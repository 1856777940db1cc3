"""The service's store, opened for one command of an operator.

The settings say which store; nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from connector.settings import Settings, read_settings
from connector.store import Store, open_store


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Store]:
    """The store of the settings, closed at the end. Nothing is announced to the audit's sink from here."""
    settings = settings or read_settings()
    store = open_store(settings.store_url, audit_key=settings.audit_key, make_folder=settings.store_in_default_place)
    try:
        yield store
    finally:
        store.close()
