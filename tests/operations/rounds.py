"""Rounds of changes that one SIGKILL meets at known places.

A round is a service and a kill. Each of its points is an account of its own with a change that the fault proxy holds at
one call; when all are held, the service is killed and started again. AWS never hears of the call that was held, or
hears of it after the kill, or has done it before: the seed says which, and how long AWS works on assignments. Pairs lie
in AWS accounts of their own, so that no point waits for another.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

from connector.model import Operation
from connector.sandbox import building
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.server import Sandbox
from tests.faults.proxy import Proxy
from tests.operations.killing import ended, operations, truth
from tests.running import Client, Running, change, key

SOURCES: Final = '[sources.default]\ndisable_by = "strip"\n'
GUARD: Final = 30.0
"""Seconds until a change has come to its point."""
MANNERS: Final = ("blackhole", "latency", "late")
"""AWS never hears of the call; hears of it after the kill; has done it before."""
WORKS_FOR: Final = (3.0, 15.0)
"""Seconds AWS works on an assignment: done before the restarted service looks, or outlasting restart and lease."""
NAMES: Final = {"givenName": "Ada", "familyName": "New"}


@dataclass(frozen=True)
class Point:
    """Where a change of one account is when the service is killed."""

    command: str
    operation: str
    """The call that is held; `status`: AWS works on an assignment; `turn`: it works on a grant, and a change that takes
    it away again waits for its turn."""
    pairs: bool = True
    """Whether pairs are given or taken: without, the change comes past them."""

    @property
    def name(self) -> str:
        return f"{self.command}-{self.operation}"


TAKING: Final = ("DeleteGroupMembership", "DeleteAccountAssignment", "status", "turn")
ROUNDS: Final[dict[str, list[Point]]] = {
    "create": [
        Point("create", each)
        for each in ("CreateUser", "DescribeUser", "CreateGroupMembership", "CreateAccountAssignment", "status")
    ],
    "update": [
        *(Point("update", each) for each in ("DescribeUser", "UpdateUser", *TAKING)),
        Point("update", "CreateGroupMembership", pairs=False),
    ],
    "delete": [
        *(Point("delete", each) for each in ("ListGroupMembershipsForMember", *TAKING)),
        Point("delete", "DeleteUser", pairs=False),
    ],
    "disable": [Point("disable", each) for each in ("ListAccountAssignmentsForPrincipal", *TAKING)],
    "enable": [Point("enable", each) for each in ("CreateGroupMembership", "CreateAccountAssignment", "status")],
}


@dataclass
class Case:
    """A point's account: what it may hold and what becomes of it."""

    point: Point
    user: str
    """UserId; empty before a create."""
    name: str
    groups: tuple[str, str]
    pairs: tuple[str, str]
    """Ids of what it has, and of what it is to get."""

    @property
    def had(self) -> set[str]:
        """What it holds before."""
        return {self.groups[0], *self.pairs[: self.point.pairs]} if self.user else set()

    @property
    def wanted(self) -> set[str] | None:
        """What it is to hold at the end; None: the user is to be gone."""
        if self.point.command == "update" and self.point.operation == "turn":
            return self.had
        new = {self.groups[1], *self.pairs[1 : 1 + self.point.pairs]}
        return {"create": new, "update": new, "delete": None, "disable": set[str](), "enable": self.had}[
            self.point.command
        ]

    @property
    def grant(self) -> tuple[str, Any]:
        """What AWS works on while the change waits for its turn."""
        return "std:account:update", key(self.user, changes=[change("Add", "permissionSetAssignments", self.pairs[1])])

    @property
    def asked(self) -> tuple[str, Any]:
        """The change."""
        command = f"std:account:{self.point.command}"
        group, pair = self.groups[1], self.pairs[1]
        if self.point.command == "create":
            attributes = {"userName": self.name, **NAMES, "groups": group, "permissionSetAssignments": [pair]}
            return command, {"attributes": attributes}
        if self.point.command != "update":
            return command, key(self.user)
        if self.point.operation == "turn":
            return command, key(self.user, changes=[change("Remove", "permissionSetAssignments", pair)])
        changes = [change("Set", "title", "Dr"), change("Set", "groups", [group])]
        if self.point.pairs:
            changes.append(change("Set", "permissionSetAssignments", [pair]))
        return command, key(self.user, changes=changes)

    @property
    def about(self) -> str:
        """What the call that is held names; nothing where it has only an id that nobody knows yet."""
        taking = self.point.operation.startswith("Delete")
        if self.point.operation in ("CreateAccountAssignment", "DeleteAccountAssignment"):
            return self.pairs[0 if taking or self.point.command == "enable" else 1].partition(":")[0]
        if self.point.operation == "CreateGroupMembership":
            return self.groups[0 if self.point.command == "enable" else 1]
        if self.point.operation == "DeleteGroupMembership":
            return ""
        return self.name if self.point.operation == "CreateUser" else self.user


@dataclass
class Round:
    """A round, and what came of it."""

    kind: str
    seed: int
    directory: Path
    luck: random.Random = field(init=False, repr=False)
    cases: dict[Point, Case] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    ended: list[Operation] = field(default_factory=list)
    again: dict[str, Any] = field(default_factory=dict)
    """Names of users whose create was asked again because its answer was lost, and the ids that were answered."""
    after_again: dict[str, Any] = field(default_factory=dict)
    orphans: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.luck = random.Random(f"{self.kind} {self.seed}")

    def play(self) -> Round:
        """From the organisation to what is left."""
        options = Options(assignment_seconds=self.luck.choice(WORKS_FOR))
        sandbox = Sandbox(self._organisation(), options)
        with sandbox, Proxy(sandbox) as proxy:
            service = Running(sandbox, self.directory, SOURCES, environment=proxy.environment())
            service.start()
            try:
                self._prepare(sandbox, service.client())
                self.before = truth(sandbox)
                for case in self.cases.values():
                    self._hold(case, sandbox, proxy, service.client())
                service.kill()
                proxy.clear()
                service.start()
                self.ended = ended(self.directory)
                self._look(sandbox, service.client())
            finally:
                if service._process is not None:
                    service.stop()
        return self

    def _organisation(self) -> Organisation:
        organisation = building.new_organisation(self.seed, "100000000000")
        building.add_account(organisation, "100000000000", "Core")
        instance = building.add_instance(organisation, "eu-west-1", "Core")
        allowed = building.add_permission_set(organisation, instance, "Read", "Reads", "ReadOnlyAccess")
        for number, point in enumerate(ROUNDS[self.kind]):
            places = [f"{200000000000 + 2 * number + each}" for each in (0, 1)]
            for place in places:
                building.add_account(organisation, place, f"Place {place}")
            groups = [building.add_group(organisation, instance.store, f"{point.name} {each}") for each in (0, 1)]
            pairs = [f"{place}:{allowed.arn.rpartition('/')[2]}" for place in places]
            user = None
            if point.command != "create":
                user = building.add_user(organisation, instance.store, point.name, "Ada", "Here")
                building.join(organisation, instance.store, groups[0], user)
                if point.pairs:
                    building.assign(organisation, instance, allowed, places[0], ("USER", user.id))
            self.cases[point] = Case(
                point,
                user.id if user else "",
                point.name,
                (groups[0].id, groups[1].id),
                (pairs[0], pairs[1]),
            )
        return organisation

    def _prepare(self, sandbox: Sandbox, client: Client) -> None:
        """What has to be done before anything is held: who is to be enabled is disabled."""
        works_for = sandbox.options.assignment_seconds
        sandbox.options.assignment_seconds = 0.1
        for case in self.cases.values():
            if case.point.command == "enable":
                client.one("std:account:disable", key(case.user))
        sandbox.options.assignment_seconds = works_for

    def _hold(self, case: Case, sandbox: Sandbox, proxy: Proxy, client: Client) -> None:
        """Send the case's change, and come back when it is at its point."""
        manner = self.luck.choice(MANNERS)
        point = case.point.operation
        if point in ("status", "turn"):
            requests = sandbox.organisation.instance.requests
            known = len(requests)
            self._send(client, *(case.grant if point == "turn" else case.asked))
            self._until(lambda: len(requests) > known, case)
            if point == "turn":
                self._send(client, *case.asked)
                self._until(lambda: len(self._unfinished(case)) == 2, case)
            return
        rule = proxy.add(point, manner, times=1, seconds=GUARD, about=case.about)
        self._send(client, *case.asked)
        self._until(rule.struck.is_set, case)

    def _unfinished(self, case: Case) -> list[Operation]:
        return [each for each in operations(self.directory, unfinished=True) if each.account == case.user]

    def _until(self, there: Any, case: Case) -> None:
        deadline = time.monotonic() + GUARD
        while not there():
            assert time.monotonic() < deadline, f"{case.point.name} was never reached"
            time.sleep(0.02)

    @staticmethod
    def _send(client: Client, command: str, asked: Any) -> None:
        def send() -> None:
            with suppress(OSError, HTTPException):  # the answer is lost, as it should be
                client.post(command, asked)

        threading.Thread(target=send, daemon=True).start()

    def _look(self, sandbox: Sandbox, client: Client) -> None:
        self._until(lambda: not sandbox.control("organisation")["instances"][0]["requests_in_flight"], self._first)
        self.after = truth(sandbox)
        instance = sandbox.control("organisation")["instances"][0]
        known = {each["id"] for each in (*instance["users"], *instance["groups"])}
        self.orphans = {each["principal_id"] for each in instance["assignments"]} - known
        for case in self.cases.values():
            if case.point.command == "create":
                self.again[case.name] = client.one(*case.asked)["identity"]
        self.after_again = truth(sandbox)

    @property
    def _first(self) -> Case:
        return next(iter(self.cases.values()))
