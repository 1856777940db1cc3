"""What both faces serve: the commands, the sources, who may call, and the desk of each request.

Made by `app`, read by the faces. Knows nothing of HTTP, of AWS or of the store.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from connector.commands.acceptance import Acceptance
from connector.commands.desk import Command, Desk
from connector.errors import FixRequest, SourceNotFound, UnsupportedCommand
from connector.model import Asker, Source
from connector.web.auth import Callers
from connector.web.metrics import Metrics
from connector.web.slots import Slots

WITHOUT_SOURCE = frozenset({"std:spec:read"})
"""Commands that answer for the default source when none is named."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much the faces take and how long they are silent."""

    body: int = 2 * 1024 * 1024
    """Bytes of a request's body."""
    commands: int = 40
    """Commands at once; fewer than the server has threads, so that health checks are always answered."""
    keep_alive: float = 20.0
    """Seconds of silence after which a frame shows that the command goes on; SailPoint gives up after 180."""
    silence: float = 10.0
    """Seconds of silence after which a blank shows a REST client that its answer is still being made: HTTP clients give
    up after some tens."""
    unread: float = 30.0
    """Seconds a client may leave an answer unread before it is given up."""
    attention: float = 1.0
    """Seconds between looks whether the client is still there."""


class Desks(Protocol):
    """Makes the desk of one request."""

    def __call__(
        self,
        source: Source,
        cancelled: threading.Event,
        asker: Asker = ...,
        acceptance: Acceptance | None = ...,
    ) -> Desk:
        """`cancelled` says that the client left; `acceptance` is told what becomes of a change."""


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a face needs to answer."""

    commands: Mapping[str, Command]
    sources: Mapping[str, Source]
    default_source: Source
    callers: Callers
    desk: Desks
    ready: Callable[[], None]
    """Asks the store something; raises when it does not answer."""
    record: Callable[[Mapping[str, object]], None] = lambda record: None
    """Keeps what is to be known of a refused caller."""
    aws_calls: Callable[[], Mapping[tuple[str, str], int]] = dict
    """Calls to AWS so far by source and operation."""
    metrics: Metrics = field(default_factory=Metrics)
    limits: Limits = field(default_factory=Limits)
    slots: Slots = field(init=False)
    """One for each command that may run at once, on all faces together."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", Slots(self.limits.commands))

    def command(self, type_: str) -> Command:
        """The command of that type."""
        if type_ not in self.commands:
            raise UnsupportedCommand(f"unsupported command: {type_}")
        return self.commands[type_]

    def source(self, name: str | None, command: str) -> Source:
        """The source of that name; for a command that needs none, the default one."""
        if name is None and command in WITHOUT_SOURCE:
            return self.default_source
        if name is None:
            raise FixRequest('config.source is missing: name the source that is meant, such as "default".')
        if name not in self.sources:
            raise SourceNotFound(f"There is no source {name[:100]!r} here; config.source names one that is configured.")
        return self.sources[name]
