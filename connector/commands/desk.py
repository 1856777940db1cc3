"""What a command works with: one source, the outside behind ports, and the patience of one request.

A desk is made for each request by the composition root and handed to a command; nothing is looked up globally.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from connector.changing.assignments import AssignmentWriter
from connector.changing.turns import Turns
from connector.model import Event, Lane, Source
from connector.ports import Clock, Directories, Directory, Patience, Records
from connector.reading.freshness import Freshness

Scope = Literal["read", "provision", "admin"]


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
    turns: Turns
    """One change at a time for an account."""
    patience: Patience
    clock: Clock

    def directory(self, lane: Lane) -> Directory:
        """AWS for this source at the given place in the queue."""
        return self.directories.open(self.source, lane, self.patience)


@dataclass(frozen=True, slots=True)
class Command:
    """One of SailPoint's standard commands."""

    run: Callable[[Desk, Any], Iterator[Event]]
    """Generator of events. Its input is the dataclass that `wire.inputs` loads for the command."""
    scope: Scope
    lists: bool = False
    """Any number of frames: a cut-off answer looks like a shorter list, so HTTP/1.0 cannot have it."""
    changes: bool = False
    """Runs to its end even when the client leaves."""
