"""What a command works with: one source, the outside behind ports, and the patience of one request.

A desk is made for each request by the composition root and handed to a command; nothing is looked up globally.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from connector.changing.assignments import AssignmentWriter
from connector.changing.journal import Journal
from connector.commands.acceptance import Acceptance
from connector.errors import CallUs
from connector.model import Asker, Event, Lane, Source
from connector.ports import Audit, Clock, Directories, Directory, Operations, Patience, Records, Stripped
from connector.reading.freshness import Freshness

NOBODY: Final = Asker()
"""Who reads, or looks from the command line."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One request's view of one source."""

    source: Source
    directories: Directories
    records: Records
    freshness: Freshness
    """Snapshots of the source, made when needed."""
    writer: AssignmentWriter
    """Assignment changes of the source, ten in flight."""
    details: threading.Lock
    """Held by the one request of the source that reads what permission sets allow."""
    patience: Patience
    clock: Clock
    operations: Operations
    stripped: Stripped
    audit: Audit
    owner: str
    """Names this process at leases."""
    asker: Asker = NOBODY
    others: frozenset[str] = frozenset()
    """Names of the other sources, which may serve the same instance."""
    acceptance: Acceptance = field(default_factory=Acceptance)
    """Of the change that is asked for."""
    journal: Journal | None = None
    """Of the change that runs; None for what only reads."""

    @property
    def noted(self) -> Journal:
        """The journal of the running change."""
        if self.journal is None:
            raise CallUs("a change was run outside an operation")
        return self.journal

    def directory(self, lane: Lane) -> Directory:
        """AWS for this source at the given place in the queue."""
        return self.directories.open(self.source, lane, self.patience)


@dataclass(frozen=True, slots=True)
class Command:
    """One of SailPoint's standard commands."""

    run: Callable[[Desk, Any], Iterator[Event]]
    """Generator of events. Its input is the dataclass that `wire.inputs` loads for the command."""
    lists: bool = False
    """Any number of frames: a cut-off answer looks like a shorter list, so HTTP/1.0 cannot have it."""
    changes: bool = False
    """Runs to its end even when the client leaves."""
