"""What goes wrong while a run goes on: faults of AWS, faults on the way to it, a suspended AWS account, and kills.

All by chance, from one seed. Faults are counted where they happen, not where they are ordered.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

from connector.sandbox.server import Sandbox
from tests.faults.proxy import GATEWAY, KINDS, TOO_MANY, Proxy
from tests.running import Running

READS: Final = (
    "ListUsers",
    "ListGroups",
    "ListGroupMemberships",
    "ListGroupMembershipsForMember",
    "ListAccountAssignments",
    "ListAccountAssignmentsForPrincipal",
    "ListPermissionSets",
    "ListAccountsForProvisionedPermissionSet",
    "DescribeUser",
    "DescribeAccountAssignmentCreationStatus",
    "DescribeAccountAssignmentDeletionStatus",
    "ListAccounts",
)
WRITES: Final = (
    "CreateUser",
    "UpdateUser",
    "DeleteUser",
    "CreateGroupMembership",
    "DeleteGroupMembership",
    "CreateAccountAssignment",
    "DeleteAccountAssignment",
)
AWS_FAULTS: Final = ("throttled", "error500", "reset", "after", "half", "slow", "denied")
PAGE_FAULTS: Final = ("empty", "short", "loop")
PAUSE: Final = (0.2, 0.6)
"""Seconds between two faults, at least and at most."""


@dataclass
class Nemesis:
    """Faults and kills of one run."""

    sandbox: Sandbox
    proxy: Proxy
    service: Running
    flaky: str
    """An AWS account that is suspended now and then, so that assignments in it FAIL."""
    luck: random.Random
    stop: threading.Event
    kills: int = 0
    suspended: int = 0
    _kept: Counter[str] = field(default_factory=Counter)

    def spoil(self) -> None:
        """Faults, until told to stop."""
        while not self.stop.wait(self.luck.uniform(*PAUSE)):
            operation = self.luck.choice(READS + WRITES)
            chance = self.luck.random()
            if chance < 0.05:
                self._suspend()
            elif chance < 0.5:
                self.proxy.add(operation, **self._on_the_way())
            else:
                faults = AWS_FAULTS + (PAGE_FAULTS if operation.startswith("List") else ())
                rule = {"operation": operation, "fault": self.luck.choice(faults), "times": self.luck.randint(1, 2)}
                self.sandbox.control("faults", {**rule, "seconds": 0.3})

    def kill_within(self, seconds: float, times: int) -> None:
        """Kill and start again, so often, at about equal distances."""
        began = time.monotonic()
        for number in range(times):
            at = began + seconds * (number + self.luck.uniform(0.4, 0.8)) / times
            if self.stop.wait(max(0.0, at - time.monotonic())):
                return
            self.service.kill()
            self.kills += 1
            self.service.start()

    def clear(self) -> None:
        """All is well from now on."""
        for rule in self.sandbox.control("state")["faults"]:
            self._kept[rule["fault"]] += rule["hits"]
        self.sandbox.control("faults", {"clear": True})
        self.proxy.clear()

    @property
    def faults(self) -> Counter[str]:
        """What has happened, by kind; known once all is clear."""
        found = Counter({f"on the way: {kind}": self.proxy.hits[kind] for kind in KINDS})
        found.update({f"AWS: {kind}": hits for kind, hits in self._kept.items()})
        found["AWS: account suspended"] = self.suspended
        return +found

    def _suspend(self) -> None:
        self.suspended += 1
        for state in ("SUSPENDED", "ACTIVE"):
            self.sandbox.control("mutate", {"action": "set_account_state", "account_id": self.flaky, "state": state})
            if state == "SUSPENDED":
                self.stop.wait(0.5)

    def _on_the_way(self) -> dict[str, Any]:
        kind = self.luck.choice(KINDS)
        seconds = {"latency": (0.05, 0.6), "late": (0.05, 0.6), "blackhole": (0.2, 1.5)}.get(kind, (0.0, 0.0))
        return {
            "kind": kind,
            "times": self.luck.randint(1, 2),
            "seconds": self.luck.uniform(*seconds),
            "cut_at": self.luck.choice((0, 1, 20, 100, 250)),
            "answer": self.luck.choice((GATEWAY, TOO_MANY)),
        }
