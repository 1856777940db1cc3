"""What the views of the REST face share: the service, what pages are read from, operations, the running of commands.

Made once by `create_rest`, found by every view through the application it runs in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar, cast

from flask import current_app, g, request

from connector.commands.acceptance import Acceptance
from connector.commands.desk import Desk
from connector.errors import FixRequest
from connector.model import Event, Source
from connector.ports import Operations
from connector.reading.lists import Lists
from connector.web.peer import Peer
from connector.web.rest.job import Job
from connector.web.service import Service
from connector.wire.inputs import Input

EXTENSION: Final = "connector.rest"
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Face:
    """One REST face."""

    service: Service
    operations: Operations
    public_url: str | None = None
    """Where callers reach us; without it the request says so."""
    lists: Lists = field(default_factory=Lists)

    def run(self, desk: Desk, command: str, asked: Input) -> list[Event]:
        """Every event of a command."""
        return list(self.service.command(command).run(desk, asked))

    def job(self, command: str, call: Callable[[Desk], Result]) -> Job[Result]:
        """A call under way, with a desk of this request's source; a change goes on whoever leaves."""
        cancelled = threading.Event()
        source = asked_source()
        acceptance = Acceptance()
        desk = self.service.desk(source, cancelled, g.asker, acceptance)
        changes = self.service.command(command).changes
        job = Job(self.service, command, source.name, lambda: call(desk), None if changes else cancelled, acceptance)
        job.start()
        return job

    def address(self) -> str:
        """Where callers reach us, without a slash at the end; `FixRequest` when the request names no host."""
        if self.public_url:
            return self.public_url
        if not request.host:
            raise FixRequest("The Host header names no host, so that no address of a next page can be made of it.")
        return request.root_url.rstrip("/")


def face() -> Face:
    """The face of the application that answers."""
    return cast(Face, current_app.extensions[EXTENSION])


def asked_source() -> Source:
    """The source the request names, admitted at the door."""
    return cast(Source, g.source)


def peer() -> Peer:
    """The client."""
    return Peer(request.environ)
