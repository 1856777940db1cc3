"""A census keeps its source to the end of its work, and for a short time only once it has died."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from connector import lease
from connector.errors import RetryLater
from connector.reading import freshness
from connector.sandbox.call import Answer, Call
from connector.sandbox.identitystore import OPERATIONS
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Configured, Restarting

SIZE = Size(users=6, groups=4, permission_sets=3, aws_accounts=4, applications=0, pairs=5)
LEASE = 0.9


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generated(SIZE, seed=3), Options()) as sandbox:
        yield sandbox


@pytest.fixture
def reading(connector: Restarting, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Configured:
    monkeypatch.setattr(lease, "LEASE", LEASE)
    monkeypatch.setattr(freshness, "LEASE", LEASE)
    return connector.on(sandbox)


def test_nobody_takes_a_census_over_while_it_proves_orphans(
    reading: Configured, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Which comes after everything else was read, and may take long."""
    holder = next(user for user in reading.truth.users if reading.truth.holds["USER", user])
    sandbox.control("mutate", {"action": "delete_user", "user": holder})
    truly = OPERATIONS["DescribeUser"]
    taken: list[bool] = []

    def describe_user(call: Call) -> Answer:
        time.sleep(1.3 * LEASE)
        taken.append(reading.core.records.begin_census("default", "another", 30) is not None)
        return truly(call)

    monkeypatch.setitem(OPERATIONS, "DescribeUser", describe_user)
    assert holder not in reading.accounts()
    assert taken
    assert not any(taken)


def test_one_that_lost_its_source_says_so(reading: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading.core.records, "renew", lambda *_: False)
    truly = OPERATIONS["ListGroups"]

    def list_groups(call: Call) -> Answer:
        time.sleep(LEASE)
        return truly(call)

    monkeypatch.setitem(OPERATIONS, "ListGroups", list_groups)
    with pytest.raises(RetryLater, match="took over"):
        reading.accounts()
