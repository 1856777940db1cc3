"""Keeping an operation while it is worked on: its lease is renewed by a thread, and who lost it is told."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from connector.errors import ConnectorError
from connector.model import Operation
from connector.ports import Operations

log = structlog.get_logger(__name__)

LEASE: Final = 10.0
"""Seconds an operation stays with an owner that shows no sign of life: short, because somebody waits for its answer."""


@contextmanager
def kept(operations: Operations, operation: Operation) -> Iterator[None]:
    """Renew the lease until the block ends. A lost lease shows when something is recorded: the store refuses it."""
    ended = threading.Event()

    def renew() -> None:
        while not ended.wait(LEASE / 3):
            try:
                if not operations.renew(operation, LEASE):
                    log.warning("an operation was taken over", operation=operation.id)
                    return
            except ConnectorError as failure:
                log.warning("the lease of an operation could not be renewed", why=str(failure))

    thread = threading.Thread(target=renew, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
