"""Giving and taking pairs: submitted to AWS, waited for, at most ten in flight, one at a time in an AWS account.

AWS answers a submission before it has done anything, limits the organisation to ten outstanding (aws-behaviour 27) and
updates one AWS account at a time. All sources of one instance keep their changes within that together; the status of
everything a source has in flight is asked for in bulk.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from connector.changing import looks
from connector.changing.looks import Durations
from connector.changing.places import IN_FLIGHT, Places
from connector.errors import AwsFailed, ConnectorError
from connector.model import Assignment, Lane, Principal, Source, Ticket
from connector.ports import Clock, Directories, Directory, Patience

log = structlog.get_logger(__name__)

PATIENCE = 600.0
"""Seconds an assignment change may stay IN_PROGRESS before we stop waiting and say so."""


@dataclass(frozen=True, slots=True)
class Job:
    """One assignment to give or to take."""

    assignment: Assignment
    deleting: bool


class Room:
    """AWS's places for changes of each instance, whichever sources serve it. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._places: dict[str, Places] = defaultdict(Places)

    def of(self, instance_arn: str) -> Places:
        """The instance's."""
        with self._guard:
            return self._places[instance_arn]


@dataclass
class AssignmentWriter:
    """Assignment changes of one source. Thread-safe."""

    source: Source
    directories: Directories
    clock: Clock
    patience: Callable[[], Patience]
    room: Room = field(default_factory=Room)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _waiting: dict[str, _Waiting] = field(default_factory=dict, repr=False)
    _watching: bool = field(default=False, repr=False)
    _durations: Durations = field(default_factory=Durations, repr=False)

    def run(self, jobs: Sequence[Job], directory: Directory) -> list[Ticket | ConnectorError]:
        """Do every job and wait for all; the answers are in the order of the jobs. One failure stops no other.

        `directory` is the change's own: when its turn has come, each is submitted only if the change is still ours.
        An error of what AWS has taken up is `unknown`.
        """
        if not jobs:
            return []
        with ThreadPoolExecutor(min(len(jobs), IN_FLIGHT), thread_name_prefix="assignment") as pool:
            return list(pool.map(lambda job: self._one(job, directory), jobs))

    def wait_for(self, principal: Principal, deleting: bool) -> frozenset[str]:
        """Return when AWS is giving (`deleting`: taking) the principal nothing any more; ids of the pairs it was.

        Empty when it was none, so that a reading made before is still good; an id is empty where AWS did not say which.
        An assignment that is still being made is in no list yet, nor for a while after, and one that is being deleted
        is still in all of them.
        Whoever else asked for it, or a process of ours that is gone, it comes, or goes, in a moment: what takes access
        away looks at the first, and what says that access is there already at the second.
        """
        if not self._directory().instance().multi_account:
            return frozenset()
        began, pause = self.clock.monotonic(), looks.UNKNOWN
        others: set[str] = set()
        found: set[str] = set()
        while True:
            directory = self._directory()
            waiting = []
            for request_id in sorted(directory.tickets_in_progress(deleting) - others):
                ticket = directory.ticket(Ticket(request_id, deleting, status="IN_PROGRESS"))
                if ticket.assignment is not None and ticket.assignment.principal != principal:
                    others.add(request_id)
                else:
                    waiting.append(ticket)
            if not waiting:
                return frozenset(found)
            found |= {each.assignment.pair.id if each.assignment is not None else "" for each in waiting}
            if self.clock.monotonic() - began > PATIENCE:
                raise AwsFailed(
                    f"AWS is still {'taking' if deleting else 'giving'} {principal.type.lower()} {principal.id} "
                    f"something after {PATIENCE:.0f} s (request {waiting[0].request_id}): it cannot be "
                    f"{'given again' if deleting else 'taken away'} yet; try again"
                )
            self.clock.sleep(pause)
            pause = min(pause * looks.GROWTH, looks.LONGEST)

    def _one(self, job: Job, directory: Directory) -> Ticket | ConnectorError:
        ticket: Ticket | None = None
        try:
            places = self.room.of(self._directory().instance().arn)
            with places.take(job.assignment.pair.aws_account_id):
                ticket = self._submit(job, directory)
                if ticket.status == "IN_PROGRESS":
                    ticket = self._watch(ticket).result()
            # The place is free for the next one; only Describe tells how this one ended.
            while ticket.status == "IN_PROGRESS":
                ticket = self._directory().ticket(ticket)
                if ticket.status == "IN_PROGRESS":
                    ticket = self._watch(ticket).result()
            return ticket
        except ConnectorError as failure:
            failure.unknown |= ticket is not None
            return failure

    def _submit(self, job: Job, directory: Directory) -> Ticket:
        ticket = (directory.submit_unassign if job.deleting else directory.submit_assign)(job.assignment)
        log.info("assignment change submitted", source=self.source.name, request=ticket.request_id)
        return ticket

    def _watch(self, ticket: Ticket) -> Future[Ticket]:
        """Have one thread, which looks at all of them, tell when the ticket has ended; it may not know how."""
        now = self.clock.monotonic()
        waiting = _Waiting(ticket, now, now + self._durations.first())
        with self._guard:
            if not self._watching:
                # It has to wait for the guard first, and finds this one waiting then.
                try:
                    threading.Thread(target=self._look, name="assignments", daemon=True).start()
                except RuntimeError as failure:
                    raise AwsFailed(f"how an assignment change ended could not be seen: {failure}") from failure
                self._watching = True
            self._waiting[ticket.request_id] = waiting
        return waiting.ended

    def _look(self) -> None:
        """Look at what is in flight until nothing is. However this ends, the next change finds somebody who looks."""
        try:
            self._look_on()
        except BaseException as failure:
            log.exception("nobody looks at assignment changes any more")
            with self._guard:
                self._watching = False
                left = list(self._waiting.values())
            self._fail(left, failure)
            raise

    def _look_on(self) -> None:
        while True:
            now = self.clock.monotonic()
            with self._guard:
                if not self._waiting:
                    self._watching = False
                    return
                waiting = list(self._waiting.values())
            soonest = min(each.due for each in waiting)
            if soonest > now:
                self.clock.sleep(min(0.1, soonest - now))
                continue
            try:
                self._look_at(waiting)
            except Exception as failure:
                # The change itself may well go on; whoever waits is told that we could not see how it ended. A defect
                # of ours must not leave them waiting either.
                self._fail(waiting, failure)

    def _fail(self, waiting: list[_Waiting], failure: BaseException) -> None:
        known = isinstance(failure, ConnectorError)
        log.warning("assignment changes could not be looked at", reason=str(failure), exc_info=not known)
        why = str(failure) if known else "a defect of this service, see its log"
        for each in waiting:
            self._end(each, AwsFailed(f"how an assignment change ended could not be seen: {why}"))

    def _look_at(self, waiting: list[_Waiting]) -> None:
        """One call tells of all that are still going on, so all are looked at when one is due."""
        directory = self._directory()
        for deleting in (False, True):
            some = [each for each in waiting if each.ticket.deleting is deleting]
            if len(some) == 1:
                self._told(some[0], directory.ticket(some[0].ticket))
            elif some:
                running = directory.tickets_in_progress(deleting)
                for each in some:
                    if each.ticket.request_id in running:
                        self._still_running(each)
                    else:
                        self._ended(each, each.ticket)

    def _told(self, waiting: _Waiting, ticket: Ticket) -> None:
        if ticket.status == "IN_PROGRESS":
            self._still_running(waiting)
        else:
            self._ended(waiting, ticket)

    def _ended(self, waiting: _Waiting, ticket: Ticket) -> None:
        self._durations.learn(waiting.running - waiting.since, self.clock.monotonic() - waiting.since)
        self._end(waiting, ticket)

    def _still_running(self, waiting: _Waiting) -> None:
        now = waiting.running = self.clock.monotonic()
        if now - waiting.since > PATIENCE:
            self._end(
                waiting,
                AwsFailed(
                    f"AWS has not ended an assignment change after {PATIENCE:.0f} s; it may still do so "
                    f"(request {waiting.ticket.request_id})"
                ),
            )
            return
        if waiting.due <= now:
            waiting.due = now + self._durations.pause(waiting.looks)
            waiting.looks += 1

    def _end(self, waiting: _Waiting, answer: Ticket | ConnectorError) -> None:
        """Tell whoever waits, once: a look that fails may have ended some of them before."""
        with self._guard:
            if self._waiting.get(waiting.ticket.request_id) is not waiting:
                return
            del self._waiting[waiting.ticket.request_id]
        if isinstance(answer, ConnectorError):
            waiting.ended.set_exception(answer)
        else:
            waiting.ended.set_result(answer)

    def _directory(self) -> Directory:
        return self.directories.open(self.source, Lane.CHANGE, self.patience())


class _Waiting:
    """A ticket that somebody waits for."""

    def __init__(self, ticket: Ticket, now: float, due: float) -> None:
        self.ticket = ticket
        self.since = now
        self.running = now
        """When it was last seen not to have ended."""
        self.due = due
        self.looks = 0
        self.ended: Future[Ticket] = Future()
