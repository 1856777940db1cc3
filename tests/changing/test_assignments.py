"""One look that fails strands nobody: neither those it was about, nor those that come later."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from connector.changing.assignments import AssignmentWriter, Job
from connector.clock import SystemClock
from connector.errors import AwsFailed
from connector.model import Assignment, Instance, Pair, Principal, Source, Ticket
from connector.patience import Patience

FIRST, SECOND = Pair("111111111111", "ps-000000000000000a"), Pair("222222222222", "ps-000000000000000a")


class Aws:
    """A grant ends at the first look; the status of a revoke cannot be asked for while `broken`.

    Stubbed, because both must fall into one look, which no real timing promises.
    """

    def __init__(self) -> None:
        self.broken = True
        self.both = threading.Barrier(2)
        self._count = 0

    def open(self, *_: Any) -> Aws:
        return self

    def instance(self) -> Instance:
        return Instance(
            "arn:aws:sso:::instance/ssoins-0000000000000001",
            "d-0000000001",
            "eu-west-1",
            owner=None,
            name=None,
            multi_account=True,
            caller="111111111111",
            caller_arn="arn:aws:iam::111111111111:role/connector",
            management=None,
        )

    def _submit(self, deleting: bool) -> Ticket:
        self._count += 1
        number = self._count
        if self.broken:
            self.both.wait(5)
        return Ticket(f"request {number}", deleting, "IN_PROGRESS")

    def submit_assign(self, assignment: Assignment) -> Ticket:
        return self._submit(False)

    def submit_unassign(self, assignment: Assignment) -> Ticket:
        return self._submit(True)

    def ticket(self, ticket: Ticket) -> Ticket:
        if ticket.deleting and self.broken:
            raise AwsFailed("the status cannot be had")
        return replace(ticket, status="SUCCEEDED")


def test_a_look_that_fails_leaves_the_next_changes_working() -> None:
    aws, clock = Aws(), SystemClock()
    writer = AssignmentWriter(Source("default"), aws, clock, lambda: Patience(5, clock))  # type: ignore[arg-type]
    grant = Job(Assignment(FIRST, Principal("USER", "u1")), deleting=False)
    revoke = Job(Assignment(SECOND, Principal("USER", "u1")), deleting=True)

    with ThreadPoolExecutor(1) as pool:
        given, taken = pool.submit(writer.run, [grant, revoke], aws).result(15)
    assert isinstance(given, Ticket)
    assert given.status == "SUCCEEDED", "the grant had ended before the look failed"
    assert isinstance(taken, AwsFailed)

    aws.broken = False
    later = threading.Thread(target=writer.run, args=([grant, revoke], aws), daemon=True)
    later.start()
    later.join(10)
    assert not later.is_alive(), "later changes hang"


def test_a_look_that_cannot_begin_leaves_the_next_changes_working(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has no thread to give: AWS goes on all the same, and nobody sees how it ends."""
    aws, clock = Aws(), SystemClock()
    aws.broken = False
    writer = AssignmentWriter(Source("default"), aws, clock, lambda: Patience(5, clock))  # type: ignore[arg-type]
    revoke = Job(Assignment(FIRST, Principal("USER", "u1")), deleting=True)
    start = threading.Thread.start

    def refused(self: threading.Thread) -> None:
        if self.name == "assignments":
            raise RuntimeError("can't start new thread")
        start(self)

    monkeypatch.setattr(threading.Thread, "start", refused)
    (unseen,) = writer.run([revoke], aws)  # type: ignore[arg-type]
    assert isinstance(unseen, AwsFailed)
    assert unseen.unknown
    monkeypatch.undo()

    found: list[Any] = []
    later = threading.Thread(target=lambda: found.extend(writer.run([revoke], aws)), daemon=True)  # type: ignore[arg-type]
    later.start()
    later.join(10)
    assert [each.status for each in found] == ["SUCCEEDED"], "later changes hang"
