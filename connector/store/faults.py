"""The one gate where faults of the database become ours. They come from the driver, by code; they go to the caller.

The database's own words, and the statement, stay behind as `__cause__`: a sentence here never quotes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.errors import Busy, CallUs, ConnectorError, FixConfiguration, RetryLater

AFTER: Final = 5.0
"""Seconds: a database that restarts or fails over is usually back by then."""

BUSY: Final = "The store is busy; try again."
FULL: Final = "The store's disk is full or fails; free space for it, then try again."
GONE: Final = "The store does not answer; try again when its database is back, or check CONNECTOR_STORE_URL."
REFUSED: Final = "The store's database refuses us; check CONNECTOR_STORE_URL and what its user may do."
DAMAGED: Final = "CONNECTOR_STORE_URL names a file that is no database, or a damaged one."
READ_ONLY: Final = "The store cannot be written; check CONNECTOR_STORE_URL and who owns what it names."
DEFECT: Final = "The store was used wrongly; this is a defect of the connector."

# Primary result codes, https://www.sqlite.org/rescode.html
_SQLITE: Final = {
    3: (FixConfiguration, READ_ONLY),  # PERM
    5: (RetryLater, BUSY),  # BUSY
    6: (RetryLater, BUSY),  # LOCKED
    7: (RetryLater, BUSY),  # NOMEM
    8: (FixConfiguration, READ_ONLY),  # READONLY
    10: (RetryLater, FULL),  # IOERR
    11: (FixConfiguration, DAMAGED),  # CORRUPT
    13: (RetryLater, FULL),  # FULL
    14: (RetryLater, GONE),  # CANTOPEN
    26: (FixConfiguration, DAMAGED),  # NOTADB
}

# SQLSTATEs and their classes, https://www.postgresql.org/docs/current/errcodes-appendix.html; the longer one wins
_POSTGRESQL: Final = {
    "08": (RetryLater, GONE),  # connection exception
    "25006": (RetryLater, GONE),  # read-only: a standby that is about to take over
    "25P03": (RetryLater, GONE),  # ended by the server: we stood still in a transaction
    "28": (FixConfiguration, REFUSED),  # wrong user or password
    "3D": (FixConfiguration, REFUSED),  # no such database
    "40": (RetryLater, BUSY),  # deadlock, serialization
    "42501": (FixConfiguration, REFUSED),  # insufficient privilege
    "53": (RetryLater, BUSY),  # too many connections, out of memory
    "53100": (RetryLater, FULL),  # disk full
    "55P03": (RetryLater, BUSY),  # lock not available
    "57": (RetryLater, GONE),  # shut down, starting up, cancelled
    "58": (RetryLater, FULL),  # system error
}


@contextmanager
def store_faults() -> Iterator[None]:
    """Let only `ConnectorError`s out."""
    try:
        yield
    except PoolTimeout as fault:
        raise Busy(BUSY, after=AFTER) from fault
    except DBAPIError as fault:
        raise _ours(fault) from fault
    except SQLAlchemyError as fault:
        raise CallUs(DEFECT) from fault


def _ours(fault: DBAPIError) -> ConnectorError:
    sqlite_code = getattr(fault.orig, "sqlite_errorcode", None)
    sqlstate = getattr(fault.orig, "sqlstate", None)
    found = None
    if sqlite_code is not None:
        found = _SQLITE.get(sqlite_code & 0xFF)
    elif sqlstate is not None:
        found = _POSTGRESQL.get(sqlstate) or _POSTGRESQL.get(sqlstate[:2])
    elif isinstance(fault, OperationalError | InterfaceError):
        # No code reaches us when there is nobody to send one.
        found = (RetryLater, GONE)
    if found is None and fault.connection_invalidated:
        found = (RetryLater, GONE)
    if found is None:
        return CallUs(DEFECT)
    kind, sentence = found
    return RetryLater(sentence, after=AFTER) if kind is RetryLater else kind(sentence)
