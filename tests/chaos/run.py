"""One run: an organisation, a service, clients and a nemesis; then quiet, the truth, and the history.

outcome = run(Plan(seconds=60, seed=7), directory)
assert outcome.violations == []
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import pair_id
from tests.chaos.checker import Violation, violations
from tests.chaos.clients import Known, Worker
from tests.chaos.nemesis import Nemesis
from tests.chaos.recording import Recording, world
from tests.faults.proxy import Proxy
from tests.operations.killing import ended
from tests.running import Running

CLIENTS: Final = 24
SHARED: Final = 3
FRESH: Final = 6.0
"""snapshot_max_age, seconds: often read anew, and often shown as the last census and our changes since have it."""
SOURCES: Final = f'[sources.default]\ndisable_by = "strip"\nsnapshot_max_age = {FRESH:.0f}\nread_deadline = 8\n'


@dataclass(frozen=True)
class Plan:
    """What a run is to be."""

    seconds: float = 60.0
    seed: int = 1
    kills: int = 5


@dataclass(frozen=True)
class Outcome:
    """What it was."""

    plan: Plan
    calls: int
    changes: int
    answers: Counter[str]
    faults: Counter[str]
    kills: int
    operations: int
    settled_within: float
    """Seconds from the end of the load until no operation was unfinished."""
    violations: list[Violation | str]

    @property
    def summary(self) -> str:
        """One line."""
        said = {word: sum(n for name, n in self.answers.items() if name.endswith(word)) for word in (" yes", " no")}
        lost = self.calls - sum(said.values())
        return (
            f"seed {self.plan.seed}, {self.plan.seconds:.0f} s: {self.calls} calls ({said[' yes']} acknowledged, "
            f"{said[' no']} failed, {lost} unanswered), {self.changes} changes in {self.operations} operations, "
            f"{sum(self.faults.values())} faults, {self.kills} kills, settled after {self.settled_within:.1f} s: "
            f"{len(self.violations)} violations"
        )


def run(plan: Plan, directory: Path) -> Outcome:
    """Do it. Raises `AssertionError` when the service does not come to rest."""
    organisation = _organisation(plan.seed)
    with Sandbox(organisation, Options(assignment_seconds=0.2, page_limit=12)) as sandbox, Proxy(sandbox) as proxy:
        service = Running(sandbox, directory, SOURCES, environment=proxy.environment()).start()
        try:
            return _run(plan, directory, sandbox, proxy, service)
        finally:
            if service._process is not None:
                service.stop()


def _run(plan: Plan, directory: Path, sandbox: Sandbox, proxy: Proxy, service: Running) -> Outcome:
    service.client().outputs("std:account:list")  # governance reads everything before it changes anything
    instance = sandbox.control("organisation")["instances"][0]
    groups = sorted(each["id"] for each in instance["groups"])
    pairs = sorted(pair_id(each) for each in instance["pairs"])
    names = {each["id"]: each["user_name"] for each in instance["users"]}
    flaky = pairs[0].partition(":")[0]
    recording = Recording({*groups, *pairs}, world(sandbox), dict(names))
    stop = threading.Event()
    nemesis = Nemesis(sandbox, proxy, service, flaky, random.Random(f"{plan.seed} nemesis"), stop)
    everybody = [Known(name, id_, set(recording.before.accounts[name])) for id_, name in sorted(names.items())]
    shared, owned = everybody[:SHARED], everybody[SHARED:]
    workers = [
        Worker(
            service.client(timeout=15),
            recording,
            groups,
            pairs,
            flaky,
            owned[number::CLIENTS],
            shared,
            random.Random(f"{plan.seed} client {number}"),
            stop,
            f"new{number}",
        )
        for number in range(CLIENTS)
    ]
    threads = [threading.Thread(target=each.run, name=each.prefix) for each in workers]
    threads.append(threading.Thread(target=nemesis.spoil, name="faults"))
    killing = threading.Thread(target=nemesis.kill_within, args=(plan.seconds, plan.kills), name="kills")
    for each in (*threads, killing):
        each.start()
    time.sleep(plan.seconds)
    stop.set()
    for each in (killing, *threads):
        each.join()
    nemesis.clear()
    quiet = time.monotonic()
    operations = ended(directory)
    settled = time.monotonic() - quiet
    _at_rest(sandbox)
    time.sleep(FRESH + 0.2)
    last: list[dict[str, Any]] = service.client().outputs("std:account:list")
    found = violations(recording.history(world(sandbox), operations, last))
    crashes: list[str] = [*sandbox.control("state")["crashes"], *recording.short]
    return Outcome(
        plan=plan,
        calls=recording.calls,
        changes=recording.changes,
        answers=recording.answers,
        faults=nemesis.faults,
        kills=nemesis.kills,
        operations=len(operations),
        settled_within=settled,
        violations=[*found, *crashes],
    )


def _organisation(seed: int) -> Organisation:
    size = Size(users=75, groups=8, permission_sets=3, aws_accounts=9, applications=0, pairs=16)
    organisation = generated(size, seed)
    for place in organisation.accounts:
        place.state = "ACTIVE"  # the nemesis suspends one of them now and then
    for each in organisation.store.users:
        each.enabled = True  # whoever AWS shows as disabled cannot be enabled by giving access back
    return organisation


def _at_rest(sandbox: Sandbox) -> None:
    """AWS works on nothing any more."""
    while sandbox.control("organisation")["instances"][0]["requests_in_flight"]:
        time.sleep(0.1)
