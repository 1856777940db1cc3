"""Giving and taking pairs: submitted to AWS, waited for, at most ten in flight, one at a time in an AWS account.

AWS answers a submission before it has done anything, limits the organisation to ten outstanding (reference aws §4) and
updates one AWS account at a time. One writer per source keeps all of its process's changes within that; the status of
everything in flight is asked for in bulk.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import structlog

from connector.errors import AwsFailed, ConnectorError, NotFoundInAws
from connector.model import Assignment, Lane, Source, Ticket
from connector.ports import Clock, Directories, Directory, Patience

log = structlog.get_logger(__name__)

IN_FLIGHT = 10
"""Outstanding assignment changes AWS accepts, not adjustable."""
FIRST_LOOK = 0.25
"""Seconds from a submission to the first look at it."""
LONGEST_PAUSE = 4.0
"""Seconds between looks, at most."""
PATIENCE = 600.0
"""Seconds an assignment change may stay IN_PROGRESS before we stop waiting and say so."""


@dataclass(frozen=True, slots=True)
class Job:
    """One assignment to give or to take."""

    assignment: Assignment
    deleting: bool


@dataclass
class AssignmentWriter:
    """Assignment changes of one source. Thread-safe."""

    source: Source
    directories: Directories
    clock: Clock
    patience: Callable[[], Patience]
    _slots: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(IN_FLIGHT), repr=False)
    _turns: dict[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock), repr=False)
    _guard: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _waiting: dict[str, _Waiting] = field(default_factory=dict, repr=False)
    _watching: bool = field(default=False, repr=False)

    def run(self, jobs: Sequence[Job]) -> list[Ticket | ConnectorError]:
        """Do every job and wait for all; the answers are in the order of the jobs. One failure stops no other."""
        if not jobs:
            return []
        with ThreadPoolExecutor(min(len(jobs), IN_FLIGHT), thread_name_prefix="assignment") as pool:
            return list(pool.map(self._one, jobs))

    def _one(self, job: Job) -> Ticket | ConnectorError:
        account = job.assignment.pair.aws_account_id
        with self._guard:
            turn = self._turns[account]
        try:
            with turn, self._slots:
                return self._submit_and_wait(job)
        except ConnectorError as failure:
            return failure

    def _submit_and_wait(self, job: Job) -> Ticket:
        directory = self._directory()
        try:
            submit = directory.submit_unassign if job.deleting else directory.submit_assign
            ticket = submit(job.assignment)
        except NotFoundInAws as gone:
            if not job.deleting:
                raise
            return Ticket("", deleting=True, status="SUCCEEDED", reason=str(gone), absent=True)
        if ticket.status != "IN_PROGRESS":
            return ticket
        log.info("assignment change submitted", source=self.source.name, request=ticket.request_id)
        return self._watch(ticket).result()

    def _watch(self, ticket: Ticket) -> Future[Ticket]:
        """Have the ticket's end told, by the one thread that looks at all of them."""
        waiting = _Waiting(ticket, self.clock.monotonic())
        with self._guard:
            self._waiting[ticket.request_id] = waiting
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._look, name="assignments", daemon=True).start()
        return waiting.ended

    def _look(self) -> None:
        """Look at what is in flight until nothing is."""
        while True:
            now = self.clock.monotonic()
            with self._guard:
                if not self._waiting:
                    self._watching = False
                    return
                waiting = list(self._waiting.values())
            due = [each for each in waiting if each.due <= now]
            if not due:
                self.clock.sleep(min(0.1, min(each.due for each in waiting) - now))
                continue
            try:
                self._look_at(due)
            except Exception as failure:
                # The change itself may well go on; whoever waits is told that we could not see how it ended. A defect
                # of ours must not leave them waiting either.
                known = isinstance(failure, ConnectorError)
                log.warning("assignment changes could not be looked at", reason=str(failure), exc_info=not known)
                why = str(failure) if known else "a defect of this service, see its log"
                for each in due:
                    self._end(each, AwsFailed(f"how an assignment change ended could not be seen: {why}"))

    def _look_at(self, due: list[_Waiting]) -> None:
        directory = self._directory()
        for deleting in (False, True):
            some = [each for each in due if each.ticket.deleting is deleting]
            if not some:
                continue
            # One call tells of all that are still going on; those that are not are asked for one by one, because
            # only Describe gives the reason of a failure.
            running = directory.tickets_in_progress(deleting) if len(some) > 1 else frozenset[str]()
            for each in some:
                if each.ticket.request_id in running:
                    self._still_running(each)
                    continue
                ticket = directory.ticket(each.ticket)
                if ticket.status == "IN_PROGRESS":
                    self._still_running(each)
                else:
                    self._end(each, ticket)

    def _still_running(self, waiting: _Waiting) -> None:
        now = self.clock.monotonic()
        if now - waiting.since > PATIENCE:
            self._end(
                waiting,
                AwsFailed(
                    f"AWS has not ended an assignment change after {PATIENCE:.0f} s; it may still do so "
                    f"(request {waiting.ticket.request_id})"
                ),
            )
            return
        waiting.pause = min(waiting.pause * 1.5, LONGEST_PAUSE)
        waiting.due = now + waiting.pause

    def _end(self, waiting: _Waiting, answer: Ticket | ConnectorError) -> None:
        with self._guard:
            self._waiting.pop(waiting.ticket.request_id, None)
        if isinstance(answer, ConnectorError):
            waiting.ended.set_exception(answer)
        else:
            waiting.ended.set_result(answer)

    def _directory(self) -> Directory:
        return self.directories.open(self.source, Lane.CHANGE, self.patience())


class _Waiting:
    """A ticket that somebody waits for."""

    def __init__(self, ticket: Ticket, now: float) -> None:
        self.ticket = ticket
        self.since = now
        self.pause = FIRST_LOOK
        self.due = now + FIRST_LOOK
        self.ended: Future[Ticket] = Future()
