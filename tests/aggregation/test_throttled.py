"""At the quota (issue 3, acceptance 2), as counts: alone we are hardly ever throttled; with somebody else who takes
half of the quota we slow down, and the list is the truth all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.truth import are_true, shown
from tests.bench.cold import rival
from tests.running import Running

SIZE = Size(users=500, groups=60, permission_sets=25, aws_accounts=40)
QUOTA = 60
PACE = {"CONNECTOR_AWS_TPS": str(QUOTA * 0.9), "CONNECTOR_ORGANIZATIONS_TPS": "4"}


@contextmanager
def _at_the_quota(folder: Path) -> Iterator[tuple[Sandbox, Running]]:
    options = Options(tps=QUOTA, organizations_tps=5, latency_ms=20)
    with Sandbox(generated(SIZE), options) as sandbox, Running(sandbox, folder, environment=PACE) as service:
        yield sandbox, service


def test_alone_hardly_any_call_is_throttled(tmp_path: Path) -> None:
    with _at_the_quota(tmp_path) as (sandbox, service):
        are_true(shown(service.client().outputs("std:account:list")), sandbox)
        state = sandbox.control("state")
        assert sum(state["throttles"].values()) <= 0.01 * state["calls_total"]


def test_with_another_client_the_list_completes_and_is_the_truth(tmp_path: Path) -> None:
    with _at_the_quota(tmp_path) as (sandbox, service):
        with rival(sandbox.environment(), QUOTA / 2) as made:
            found = service.client(timeout=100).outputs("std:account:list")
            assert made[0] > QUOTA, "the other client was not there"
        are_true(shown(found), sandbox)
        state = sandbox.control("state")
        ours = state["calls_total"] - made[0]
        assert sum(state["throttles"].values()) <= 0.2 * ours, "we did not slow down"


def test_a_lasting_throttle_ends_the_list_and_the_next_one_is_whole(tmp_path: Path) -> None:
    sources = "[sources.default]\nread_deadline = 2\n"
    with Sandbox(generated(Size(30, 5, 4, 4)), Options()) as sandbox, Running(sandbox, tmp_path, sources) as service:
        sandbox.control("faults", {"operation": "ListAccountAssignments", "fault": "throttled", "after": 3})
        failed = service.client().failure("std:account:list")
        assert "throttl" in failed.lower()
        sandbox.control("faults", {"clear": True})
        are_true(shown(service.client().outputs("std:account:list")), sandbox)
        assert not [each for each in threading.enumerate() if each.name == "census"]
