"""The service's store, opened for one command of an operator. Faults become a sentence and exit code 1.

The settings say which store; nothing is decided here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from connector.errors import ConnectorError
from connector.settings import Settings, read_settings
from connector.store import Store, open_store


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong inside is told, without a trace of where."""
    try:
        yield
    except ConnectorError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


@contextmanager
def opened(settings: Settings | None = None) -> Iterator[Store]:
    """The store of the settings, closed at the end. Nothing is announced to the audit's sink from here."""
    settings = settings or read_settings()
    store = open_store(settings.store_url, audit_key=settings.audit_key)
    try:
        yield store
    finally:
        store.close()
