"""Which snapshot answers a list: the newest while it is young and undoubted, else one census that everybody waits for.

Requests of one process share the census's thread; processes share it through the store's lease. Whoever waits can
leave at any time; the census goes on, for those who come next.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

import structlog

from connector.errors import AwsFailed, CallUs, ConnectorError, RetryLater
from connector.lease import LEASE
from connector.model import Fact, Instance, Operation, Pair, Snapshot, Source
from connector.ports import Census, Clock, Directories, Operations, Patience, Records, Stripped
from connector.reading import census, facts
from connector.reading.work import Work

log = structlog.get_logger(__name__)

POLL = 0.5
"""Seconds between looks at a census that another process makes."""
STOPPING = "at interpreter shutdown", "after interpreter shutdown"
"""Python's words, of no class of their own, for a thread that was to be begun while the process ends."""
SWEEP_EVERY = 24 * 3600.0
"""Seconds between two sweeps by pair of a source that is read by principal."""


@dataclass
class Freshness:
    """The snapshots of one source. Thread-safe."""

    source: Source
    directories: Directories
    records: Records
    operations: Operations
    stripped: Stripped
    clock: Clock
    patience: Callable[[], Patience]
    """Makes the patience of a census: nobody's leaving cancels it."""
    owner: str
    """Names this process at the lease."""
    fingerprint: str
    """Names the configuration: facts read with another one are not this source's."""
    others: Callable[[], Iterable[Freshness]] = tuple
    """Those of all other sources: some may serve the same instance."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _running: Future[Snapshot] | None = field(default=None, repr=False)

    def newest(self) -> Snapshot | None:
        """The newest snapshot of this configuration, however old."""
        return self._as_configured(self._latest())

    def fresh(self) -> Snapshot | None:
        """The newest snapshot if it may answer a list: young enough, and with all our own changes."""
        return self._if_fresh(self._latest())

    def _latest(self) -> Snapshot | None:
        return self.records.latest(self.source.name)

    def _as_configured(self, latest: Snapshot | None) -> Snapshot | None:
        return latest if latest is not None and latest.configuration == self.fingerprint else None

    def _if_fresh(self, latest: Snapshot | None) -> Snapshot | None:
        ours = self._as_configured(latest)
        if ours is None or ours.doubted:
            return None
        # One from the future is of no known age: the clock was put back since.
        return ours if abs(self.clock.now() - ours.completed_at) <= self.source.snapshot_max_age else None

    def amend(
        self,
        instance: Instance,
        kinds: Sequence[str],
        about: Mapping[str, Iterable[Fact]],
        change: Operation | None = None,
    ) -> None:
        """Put a change of ours to the instance, as we find it, into the newest snapshot of each source that serves it.

        Lists of those that may see more of it than we do ask AWS anew instead: what we did not read, they may have.
        """
        found = {subject: tuple(each) for subject, each in about.items()}
        self._amend(kinds, found, change)
        for each in self._beside(instance.arn):
            if self._sees_as_much(instance, each):
                each._amend(kinds, {subject: each._as_ours(some) for subject, some in found.items()}, change)
            else:
                for subject in found:
                    each._doubt(subject)

    def _sees_as_much(self, instance: Instance, other: Freshness) -> bool:
        """Whether AWS shows us all of the instance that it shows the other source.

        From a delegated administrator it may hide the management account's access (aws-behaviour 35).
        """
        if instance.caller == instance.owner or self.source.role_arn == other.source.role_arn:
            return True
        newest = other.newest()
        return newest is not None and newest.summary.get("owned") is False

    def _amend(self, kinds: Sequence[str], about: Mapping[str, Sequence[Fact]], change: Operation | None) -> None:
        """Put it into ours (`Records.amend`).

        It is marked, for a census under way. A snapshot of another configuration lacks the change from now on: it is no
        answer to a list, should its configuration come back.
        """
        reading = self.records.census_running(self.source.name)
        amended = self.records.amend(self.source.name, self.fingerprint, kinds, about, change, marked=True)
        if amended is None:
            self.records.doubt(self.source.name)
            return
        held = (Pair.parse(each.held) for some in about.values() for each in some if each.kind == facts.ASSIGNMENT)
        # A first assignment provisions its pair: it can be requested, and reviewed, from now on. A census under way may
        # have asked for pairs before.
        new = {
            each.id: (facts.of_pair(each),)
            for each in held
            if each is not None and (reading or self.records.one(amended, facts.PAIR, each.id) is None)
        }
        if new:
            self._amend((facts.PAIR,), new, None)

    def _as_ours(self, found: Iterable[Fact]) -> tuple[Fact, ...]:
        """What another source read of the same instance: whether a user is stripped is in our journal."""
        return tuple(
            facts.of_user(replace(facts.user(each), stripped=self.stripped.disabled(self.source.name, each.id)))
            if each.kind == facts.USER
            else each
            for each in found
        )

    def doubt(self, subject: str) -> None:
        """Say that what became of the subject could not be read back: until it is read again, lists ask AWS anew.

        So do those of other sources that serve the instance, or may. The subject is empty where a user may have been
        made that nobody knows yet.
        """
        newest = self.newest()
        self._doubt(subject)
        for each in self._beside(newest.instance if newest is not None else ""):
            each._doubt(subject)

    def _doubt(self, subject: str) -> None:
        # First: a census under way reads the subject again, or is doubted where nobody knows it, whether it is
        # published before or after the doubt.
        self.records.mark_change(self.source.name, subject, ())
        self.records.doubt(self.source.name)

    def _beside(self, instance: str) -> Iterator[Freshness]:
        """Those of other sources that serve the instance, or may do so: nothing says which one it is."""
        for each in self.others():
            newest = each.newest()
            if newest is None or not instance or newest.instance == instance:
                yield each

    def snapshot(self, patience: Patience) -> Snapshot:
        """A fresh snapshot, made now when there is none. Raises what ended the census."""
        arrived, first = self.clock.now(), self._latest()
        latest = first
        while (found := self._if_fresh(latest)) is None:
            running = self._join_or_start()
            if running is not None:
                made = self._wait(running, patience)
                # One that was published before we came lacks what was changed since: its census was only tidying up.
                if first is None or made.number > first.number:
                    return made
            else:
                failure = self.records.last_failure(self.source.name)
                if failure is not None and failure[0] >= arrived:
                    raise AwsFailed(failure[1])
                patience.check()
                self.clock.sleep(POLL)
            latest = self._latest()
        return found

    def sweep_if_due(self) -> bool:
        """Where lists are read by principal, begin a census by pair once a day: only so are orphans seen."""
        newest = self.newest()
        if newest is None or newest.summary.get("by_pair", True):
            return False
        due = abs(self.clock.now() - census.swept_at(newest)) >= SWEEP_EVERY
        return due and self._join_or_start(sweep=True) is not None

    def _recent(self, instance: str, seconds: float) -> list[Operation]:
        """What was done to the instance lately, through whichever source serves it, or may do so."""
        elsewhere = {each.source.name for each in self.others()} - {each.source.name for each in self._beside(instance)}
        return [each for each in self.operations.recent(None, seconds) if each.source not in elsewhere]

    def _stripped(self) -> frozenset[str]:
        return self.stripped.all(self.source.name)

    def _join_or_start(self, *, sweep: bool = False) -> Future[Snapshot] | None:
        """This process's census, begun if the lease is free; None while another process makes one."""
        with self._lock:
            if self._running is not None and not self._running.done():
                return self._running
            lease = self.records.begin_census(self.source.name, self.owner, LEASE)
            if lease is None:
                return None
            running: Future[Snapshot] = Future()
            # Between our look and our turn another census may have ended: nobody reads twice for one question.
            found = None if sweep else self.fresh()
            if found is not None:
                self.records.abandon(lease, "")
                running.set_result(found)
                return running
            self._running = running
        work = Work(
            self.source, self.directories, self.records, lease, self.patience, self._stripped, self._recent, sweep
        )
        threading.Thread(target=self._make, args=(work, running), name="census", daemon=True).start()
        return running

    def _make(self, work: Work, running: Future[Snapshot]) -> None:
        try:
            running.set_result(census.make(work, self.clock, self.fingerprint))
        except BaseException as failure:
            self._tell(work.census, running, failure)

    def _tell(self, lease: Census, running: Future[Snapshot], failure: BaseException) -> None:
        if isinstance(failure, RuntimeError) and str(failure).endswith(STOPPING):
            # Nothing failed: who waits in another process begins anew.
            self._end(lease, running, RetryLater("The service is stopping; ask again."), "")
            return
        known = isinstance(failure, ConnectorError)
        log.warning("census failed", source=self.source.name, reason=str(failure), exc_info=not known)
        told = failure if known else CallUs("the reading of the source ended in a defect of this service; see its log")
        self._end(lease, running, told, str(told))

    def _end(self, lease: Census, running: Future[Snapshot], told: BaseException, reason: str) -> None:
        try:
            self.records.abandon(lease, reason)
        except ConnectorError as second:
            # The lease runs out by itself; the first failure is the one to tell.
            log.warning("the lease could not be given back", source=self.source.name, reason=str(second))
        running.set_exception(told)

    def _wait(self, running: Future[Snapshot], patience: Patience) -> Snapshot:
        while True:
            try:
                return running.result(timeout=POLL)
            except TimeoutError:
                patience.check()
