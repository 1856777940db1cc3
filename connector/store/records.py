"""The store as the core sees it: `ports.Records`, each question handed to the module that knows its noun.

Opened by the composition root with a URL; every fault of the database leaves through `faults`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import replace

from connector.clock import SystemClock
from connector.errors import RetryLater
from connector.model import Fact, Operation, Snapshot
from connector.ports import Census, Clock
from connector.store import names
from connector.store.audit import Audit
from connector.store.database import Database
from connector.store.differences import Differences
from connector.store.engines import connect
from connector.store.leases import Leases, lease_of
from connector.store.marks import Marks
from connector.store.notes import Notes
from connector.store.operations import Operations
from connector.store.owed import Owed
from connector.store.publications import Publications
from connector.store.schema import bring_up_to_date
from connector.store.snapshots import Snapshots
from connector.store.staging import Staging
from connector.store.stripped import Stripped
from connector.store.sweeper import Sweeper
from connector.store.tokens import Tokens


def open_store(
    url: str,
    clock: Clock | None = None,
    audit_key: bytes | None = None,
    audit_sink: Callable[[str], None] | None = None,
    make_folder: bool = False,
) -> Store:
    """The store behind a SQLAlchemy URL (`sqlite:///path`, `postgresql://…`), its tables brought up to date.

    `clock` times leases on SQLite; PostgreSQL has its own. `audit_key` makes the audit's hashes; `audit_sink` gets each
    of its lines before it is kept. `make_folder` makes the folder of an SQLite file. `FixConfiguration` when the URL is
    of no use or a newer version of the connector has been here; `RetryLater` when the database does not answer.
    """
    database = connect(url, clock or SystemClock(), make_folder)
    try:
        bring_up_to_date(database)
    except BaseException:
        database.dispose()
        raise
    return Store(database, audit_key, audit_sink)


class Store:
    """`ports.Records`, which says what each method does, and the four ports beside it. Thread-safe."""

    def __init__(
        self,
        database: Database,
        audit_key: bytes | None = None,
        audit_sink: Callable[[str], None] | None = None,
    ) -> None:
        sources, kinds = names.sources(database), names.kinds(database)
        self._database = database
        self._leases = Leases(database, sources)
        self._staging = Staging(database, kinds)
        self._publications = Publications(database, sources, kinds)
        self._snapshots = Snapshots(database, sources, kinds)
        self._differences = Differences(database, sources, kinds)
        self._marks = Marks(database, sources)
        self._notes = Notes(database, sources)
        self._owed = Owed(self._marks, self._publications)
        self._sweeper = Sweeper(database, self._staging)
        self.operations = Operations(database, sources)
        self.stripped = Stripped(database, sources)
        self.audit = Audit(database, audit_key, audit_sink)
        self.tokens = Tokens(database)

    def close(self) -> None:
        """Close all connections. A store that is used again opens new ones."""
        self._database.dispose()

    def latest(self, source: str) -> Snapshot | None:
        told = self._owed.tell(source)
        found = self._snapshots.latest(source)
        return found if told or found is None else replace(found, summary={**found.summary, "doubted": True})

    def snapshot(self, source: str, number: int) -> Snapshot | None:
        return self._snapshots.numbered(source, number)

    def snapshot_at(self, source: str, moment: float) -> Snapshot | None:
        return self._snapshots.newest_at(source, moment)

    # ---- a census ------------------------------------------------------------------------------------------------

    def begin_census(self, source: str, owner: str, lease: float) -> Census | None:
        begun = self._leases.begin(source, owner, lease)
        if begun is not None:
            self._tidy(begun.number, begun.fence - 1)
        return begun

    def renew(self, census: Census, lease: float) -> bool:
        return self._leases.renew(lease_of(census), lease)

    def stage(self, census: Census, facts: Iterable[Fact]) -> None:
        self._staging.add(lease_of(census), facts)

    def staged(self, census: Census, kind: str) -> Iterator[Fact]:
        return self._staging.read(lease_of(census), kind)

    def are_staged(self, census: Census, kind: str, ids: Iterable[str]) -> frozenset[str]:
        return self._staging.which(lease_of(census), kind, ids)

    def staged_about(self, census: Census, kind: str, subjects: Iterable[str]) -> Sequence[Fact]:
        return self._staging.about(lease_of(census), kind, subjects)

    def staged_among(self, census: Census, kind: str, ids: Iterable[str]) -> Sequence[Fact]:
        return self._staging.named(lease_of(census), kind, ids)

    def unstage(self, census: Census, kind: str, ids: Iterable[str]) -> None:
        self._staging.remove(lease_of(census), kind, ids)

    def restage(self, census: Census, subject: str, kinds: Sequence[str], facts: Iterable[Fact]) -> None:
        self._staging.replace(lease_of(census), subject, kinds, facts)

    def publish(
        self,
        census: Census,
        kinds: Sequence[str],
        summary: Mapping[str, object],
        seen_changes: int,
        despite_doubts: bool = False,
    ) -> Snapshot | None:
        lease = lease_of(census)
        published = self._publications.publish(lease, kinds, summary, seen_changes, despite_doubts)
        if published is not None:
            self._tidy(lease.number, lease.fence)
        return published

    def lay_out(self, census: Census, kinds: Sequence[str], summary: Mapping[str, object]) -> int:
        return self._publications.lay_out(lease_of(census), kinds, summary)

    def abandon(self, census: Census, reason: str) -> None:
        lease = lease_of(census)
        self._leases.abandon(lease, reason)
        self._tidy(lease.number, lease.fence)

    def census_running(self, source: str) -> bool:
        return self._leases.running(source)

    def last_failure(self, source: str) -> tuple[float, str] | None:
        return self._leases.last_failure(source)

    # ---- own changes ---------------------------------------------------------------------------------------------

    def mark_change(self, source: str, subject: str, kinds: Sequence[str]) -> int:
        return self._marks.make(source, subject, kinds)

    def marks(self, source: str, after: int) -> tuple[int, frozenset[str]]:
        return self._marks.after(source, after)

    def read_back(self, source: str, after: int) -> Mapping[str, Set[str]]:
        return self._marks.read_back(source, after)

    def amend(
        self,
        source: str,
        configuration: str,
        kinds: Sequence[str],
        about: Mapping[str, Iterable[Fact]],
        change: Operation | None = None,
        marked: bool = False,
    ) -> Snapshot | None:
        return self._publications.amend(source, configuration, kinds, about, change, marked)

    def doubt(self, source: str) -> None:
        self._publications.doubt(source)

    def owe_doubt(self, subject: str) -> None:
        self._owed.add(subject)

    # ---- reading a snapshot --------------------------------------------------------------------------------------

    def one(self, snapshot: Snapshot, kind: str, id: str) -> Fact | None:
        return self._snapshots.one(snapshot, kind, id)

    def page(self, snapshot: Snapshot, kind: str, after: str, limit: int) -> Sequence[Fact]:
        return self._snapshots.page(snapshot, kind, after, limit)

    def about(self, snapshot: Snapshot, kind: str, subjects: Sequence[str]) -> Sequence[Fact]:
        return self._snapshots.about(snapshot, kind, subjects)

    def held(
        self, snapshot: Snapshot, kind: str, subjects: Sequence[str], *, gapless: bool = False
    ) -> Sequence[tuple[str, str]]:
        return self._snapshots.held(snapshot, kind, subjects, gapless)

    def holding(self, snapshot: Snapshot, kind: str, held: str) -> Sequence[Fact]:
        return self._snapshots.holding(snapshot, kind, held)

    def tally(self, snapshot: Snapshot, kind: str) -> Mapping[str, int]:
        return self._snapshots.tally(snapshot, kind)

    def count(self, snapshot: Snapshot, kind: str) -> int:
        return self._snapshots.count(snapshot, kind)

    def changed(self, source: str, since: int, until: int, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
        return self._differences.changed(source, since, until, kinds)

    def touched(self, source: str, since: int, until: int, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
        return self._differences.touched(source, since, until, kinds)

    # ---- what else is kept ---------------------------------------------------------------------------------------

    def note(self, source: str, key: str) -> str | None:
        return self._notes.get(source, key)

    def put_note(self, source: str, key: str, value: str) -> None:
        self._notes.put(source, key, value)

    def change_note(self, source: str, key: str, change: Callable[[str | None], str]) -> None:
        self._notes.change(source, key, change)

    def keep_note(self, source: str, key: str, value: str) -> str:
        return self._notes.keep(source, key, value)

    def sweep(self, keep: float) -> None:
        self._sweeper.sweep(keep)

    def _tidy(self, number: int, fence: int) -> None:
        """Drop what censuses up to this fence had staged. Nobody sees it any more, so a fault here changes nothing.

        Before the answer: beside a list that is being sent, SQLite's log would grow to the size of what is dropped.
        """
        with suppress(RetryLater):
            self._staging.drop(number, before=fence + 1)
