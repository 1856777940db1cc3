"""The composition root: settings become the implementations of the ports, and these become the faces.

Called once in each process that serves, after the fork. The only place, with `cli`, that knows both what the core
asks for and who answers it.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

import structlog
from werkzeug.middleware.proxy_fix import ProxyFix

from connector import ports
from connector.audit_sink import open_sink
from connector.aws import Directories
from connector.changing.assignments import AssignmentWriter, Room
from connector.clock import SystemClock
from connector.commands import CHANGES, COMMANDS
from connector.commands.acceptance import Acceptance
from connector.commands.asked import answer_of_error
from connector.commands.desk import NOBODY, Desk
from connector.commands.durable import Run, resume
from connector.errors import ConnectorError, SourceNotFound
from connector.lease import LEASE
from connector.model import Asker, Operation, Source
from connector.pace import Pace, shared_pool
from connector.patience import Patience
from connector.ports import Clock, Records
from connector.provider.tokens import provider_of
from connector.reading.freshness import Freshness
from connector.settings import Settings
from connector.store import open_store
from connector.web.auth import Callers
from connector.web.dispatch import Faces
from connector.web.kept_tokens import KeptTokens
from connector.web.logs import configure_logs
from connector.web.rest import create_rest
from connector.web.rest.face import Face
from connector.web.service import Limits, Service

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

KEEP: Final = 7 * 24 * 3600.0
"""Seconds a replaced snapshot stays: cursors live at least an hour, and a weekly delta still finds its base."""
RECOVERY: Final = 3.0
"""Seconds between looks for operations whose owner is gone; their leases are 10."""
KNOWN_ELSEWHERE: Final = 60.0
"""Seconds in which a process that knows the source, as those do that are started with a new sources file, may finish an
operation before one that does not know it says that it cannot be done. Others on the account wait for that."""
MOST_UNFINISHED: Final = 10_000
"""Operations of others that are looked at when a process begins: far more than run at once."""
UPKEEP: Final = 600.0
"""Seconds between two rounds of upkeep."""
_WHAT_IS_READ: Final = ("region", "role_arn", "instance_arn", "entitlement_types", "inherited")
"""Source options on which it depends what a census finds."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Shared:
    """What all requests of one source share."""

    freshness: Freshness
    writer: AssignmentWriter
    details: threading.Lock = field(default_factory=threading.Lock)


class Core:
    """The implementations of the ports, and a desk for each request.

    `clock` and `directories` are for whoever brings others than this machine's and AWS's.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock | None = None,
        directories: Callable[[ports.Pace, Clock], ports.Directories] = Directories,
    ) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self.store = open_store(
            settings.store_url,
            self.clock,
            settings.audit_key,
            open_sink(settings.audit_log) if settings.audit_log is not None else None,
            settings.store_in_default_place,
        )
        self.records: Records = self.store
        self.directories = directories(_pace(settings, self.clock), self.clock)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
        self._room = Room()
        self._doubted: set[str] = set()
        """Ids of unfinished operations about which lists were doubted: when this process began, or when it met them."""
        self._shared = {name: self._share(source) for name, source in settings.sources.items()}

    def desk(
        self,
        source: Source,
        cancelled: threading.Event,
        asker: Asker = NOBODY,
        acceptance: Acceptance | None = None,
    ) -> Desk:
        """What one request works with.

        `cancelled` is set when its client has left; `acceptance` is what the store's taking of a change is told to.
        """
        shared = self._shared[source.name]
        return Desk(
            source=source,
            directories=self.directories,
            records=self.records,
            freshness=shared.freshness,
            writer=shared.writer,
            details=shared.details,
            patience=Patience(source.read_deadline, self.clock, cancelled),
            clock=self.clock,
            operations=self.store.operations,
            stripped=self.store.stripped,
            audit=self.store.audit,
            owner=self.owner,
            others=frozenset(self.settings.sources) - {source.name},
            asker=asker,
            acceptance=acceptance or Acceptance(),
        )

    def look_back(self) -> None:
        """Before anything is served: doubt lists about whatever others have begun and not ended.

        Those others may be gone, with AWS changed and no list told; they are known to be when their leases run out.
        """
        for operation in self.store.operations.listed(None, True, MOST_UNFINISHED):
            self._doubt(operation)
            self._doubted.add(operation.id)

    def recover(self) -> None:
        """Take up every operation whose owner is gone."""
        while (operation := self.store.operations.take_abandoned(self.owner, LEASE)) is not None:
            source = self.settings.sources.get(operation.source)
            elsewhere = source is None and self.clock.now() - operation.accepted_at < KNOWN_ELSEWHERE
            if operation.id not in self._doubted or (source is None and not elsewhere):
                self._doubt(operation)
                self._doubted.add(operation.id)
            if elsewhere:
                continue  # its lease runs out, and whoever looks then may know the source
            if source is None:
                gone = SourceNotFound(f"source {operation.source} is not configured any more")
                self.store.operations.end(operation, "failed", answer_of_error(gone))
                continue
            desk = self.desk(source, threading.Event(), Asker(operation.caller))
            threading.Thread(
                target=_resume, args=(desk, operation, CHANGES.get(operation.command)), name="recovery", daemon=True
            ).start()

    def aws_calls(self) -> dict[tuple[str, str], int]:
        """Calls to AWS so far, by source and operation."""
        return {
            (name, operation): count
            for name, source in self.settings.sources.items()
            for operation, count in self.directories.calls(source).items()
        }

    def ready(self) -> None:
        """Ask the store something."""
        self.records.latest(self.settings.default_source.name)

    def upkeep(self) -> None:
        """One round."""
        self.records.sweep(KEEP)
        for shared in self._shared.values():
            if shared.freshness.sweep_if_due():
                log.info("sweeping by pair for orphans", source=shared.freshness.source.name)

    def _doubt(self, operation: Operation) -> None:
        """In the source's lists and those beside it; in all, when the source is gone: nothing says what it served."""
        shared = self._shared.get(operation.source)
        for each in self._shared.values() if shared is None else (shared,):
            each.freshness.doubt(operation.account)

    def _share(self, source: Source) -> _Shared:
        def patience() -> Patience:
            return Patience(source.read_deadline, self.clock)

        return _Shared(
            Freshness(
                source=source,
                directories=self.directories,
                records=self.records,
                operations=self.store.operations,
                stripped=self.store.stripped,
                clock=self.clock,
                patience=patience,
                owner=self.owner,
                fingerprint=fingerprint(source, self.settings.aws_surroundings),
                others=lambda: [each.freshness for name, each in self._shared.items() if name != source.name],
            ),
            AssignmentWriter(
                source=source,
                directories=self.directories,
                clock=self.clock,
                patience=patience,
                room=self._room,
            ),
        )


def build(settings: Settings, *, proxy_hops: int = 0, limits: Limits | None = None) -> WSGIApplication:
    """The whole service as a WSGI application, with its upkeep running."""
    configure_logs(settings.log_level)
    core = Core(settings)
    core.look_back()
    service = Service(
        commands=COMMANDS,
        sources=settings.sources,
        default_source=settings.default_source,
        callers=_callers(core),
        record=core.store.audit.append,
        desk=core.desk,
        ready=core.ready,
        limits=limits or Limits(),
    )
    service.metrics.show_aws_calls(core.aws_calls)
    threading.Thread(target=_recovery, args=(core,), name="recovery", daemon=True).start()
    threading.Thread(target=_upkeep, args=(core,), name="upkeep", daemon=True).start()
    rest = create_rest(Face(service, core.store.operations, settings.public_url))
    faces = Faces(service, rest)
    if not proxy_hops:
        return faces
    return ProxyFix(faces, x_for=proxy_hops, x_proto=proxy_hops, x_host=proxy_hops, x_port=0, x_prefix=0)


def _callers(core: Core) -> Callers:
    settings, clock = core.settings, core.clock
    provider = provider_of(
        settings.oidc_issuer,
        settings.oidc_audience,
        settings.oidc_clients,
        (settings.oidc_jwks_url, settings.oidc_jwks),
        (clock.now, clock.monotonic),
    )
    return Callers(settings.tokens, clock.now, KeptTokens(core.store.tokens, clock.now), provider)


def fingerprint(source: Source, surroundings: object) -> str:
    """Names what a census of the source reads, and from where: a snapshot with another name is somebody else's."""
    options = asdict(source)
    read = [surroundings, *(options[name] for name in _WHAT_IS_READ)]
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:16]


def _pace(settings: Settings, clock: Clock) -> Pace:
    return Pace(
        {
            "sso-admin": settings.aws_tps,
            "identitystore": settings.identitystore_tps,
            "organizations": settings.organizations_tps,
        },
        clock,
        shared_pool(settings.store_url),
    )


def _resume(desk: Desk, operation: Operation, run: Run | None) -> None:
    try:
        resume(desk, operation, run)
    except ConnectorError as error:
        # Its lease runs out; the next round takes it up again.
        log.warning("an operation could not be finished", operation=operation.id, why=str(error))


def _recovery(core: Core) -> None:
    """For ever: finish what a process that is gone has left."""
    while True:
        try:
            core.recover()
        except ConnectorError as error:
            log.warning("recovery failed", why=str(error))
        core.clock.sleep(RECOVERY)


def _upkeep(core: Core) -> None:
    """For ever: forget old snapshots, and look for orphans where lists cannot see them."""
    while True:
        core.clock.sleep(UPKEEP)
        try:
            core.upkeep()
        except ConnectorError as error:
            log.warning("upkeep failed", why=str(error))
