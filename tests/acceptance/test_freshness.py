"""Lists and our own changes: what we changed shows in the next list, also when a census was running; and lists that are
asked for together share one census.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import DATA, small
from tests.acceptance.oracle import Truth, dump
from tests.running import Client, Running, change, key

SOURCES = """
[sources.default]

[sources.anew]
snapshot_max_age = 0
"""


@pytest.fixture
def service(tmp_path: Any) -> Iterator[Running]:
    """A service of which nothing has been asked yet."""
    with Sandbox(small(), Options(assignment_seconds=0.1)) as sandbox, Running(sandbox, tmp_path, SOURCES) as service:
        yield service


def _listed(client: Client) -> dict[str, Any]:
    return {each["identity"]: each for each in client.outputs("std:account:list")}


def _counted(service: Running) -> dict[str, int]:
    found: dict[str, int] = service.sandbox.control("state")["calls"]
    return found


def _ids(service: Running) -> tuple[str, str, str]:
    """A user, a group he is not in, and a pair he does not hold."""
    organisation = service.sandbox.organisation
    arn = organisation.instance.permission_sets_by_name["Read"].arn
    return (
        organisation.store.users_by_name["ada"].id,
        organisation.store.groups_by_name["aws_eng_read"].id,
        f"{DATA}:{arn.split('/')[-1]}",
    )


def _give(client: Client, user: str, group: str, pair: str) -> Any:
    changes = [change("Add", "groups", group), change("Add", "permissionSetAssignments", pair)]
    return client.one("std:account:update", key(user, changes=[*changes, change("Set", "title", "Changed")]))


def test_our_own_changes_are_in_the_next_list_without_a_census(service: Running) -> None:
    client = service.client()
    user, group, pair = _ids(service)
    before = _listed(client)
    service.sandbox.control("forget")

    account = _give(client, user, group, pair)
    assert _listed(client) == {**before, user: account}
    new = {"userName": "n", "givenName": "N", "familyName": "M", "groups": [group]}
    created = client.one("std:account:create", {"attributes": new})
    assert _listed(client) == {**before, user: account, created["identity"]: created}
    client.one("std:account:delete", key(created["identity"]))
    assert _listed(client) == {**before, user: account}
    assert "ListUsers" not in _counted(service), "a list read everything again"
    assert account == client.one("std:account:read", key(user))


def test_our_own_changes_count_in_the_next_list_of_entitlements(service: Running) -> None:
    client = service.client()
    user, group, pair = _ids(service)

    def counts() -> tuple[int, int]:
        groups = {each["identity"]: each for each in client.outputs("std:entitlement:list", {"type": "group"})}
        asked = {"type": "permissionSetAssignment"}
        pairs = {each["identity"]: each for each in client.outputs("std:entitlement:list", asked)}
        return groups[group]["attributes"]["userCount"], pairs[pair]["attributes"]["userCount"]

    members, holders = counts()
    _give(client, user, group, pair)
    assert counts() == (members + 1, holders + 1)


@pytest.mark.parametrize("during", ["ListUsers", "ListGroupMemberships", "ListAccountAssignments"])
def test_a_change_made_while_a_census_runs_is_in_what_it_publishes(service: Running, during: str) -> None:
    client = service.client("anew")
    user, group, pair = _ids(service)
    truth = Truth(dump(service.sandbox))
    gone = next(each for each in truth.users if each != user and truth.member_of[each])
    # The census has read, or is reading, what changes; it ends well after the changes do.
    service.sandbox.control("faults", {"operation": during, "fault": "slow", "seconds": 2.5, "times": 1})
    listed: list[dict[str, Any]] = []
    census = threading.Thread(target=lambda: listed.append(_listed(client)))
    census.start()
    deadline = time.monotonic() + 10
    while not service.sandbox.control("state")["faults"][0]["hits"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    account = _give(client, user, group, pair)
    new = {"userName": "n", "givenName": "N", "familyName": "M", "groups": [group]}
    created = client.one("std:account:create", {"attributes": new})
    client.one("std:account:delete", key(gone))
    assert census.is_alive(), "the census ended before the changes: make it slower"
    census.join()

    (found,) = listed
    assert found[user] == account
    assert found[created["identity"]] == created
    assert gone not in found
    truth = Truth(dump(service.sandbox))
    assert set(found) == set(truth.users)
    for identity, each in found.items():
        assert each["attributes"]["groups"] == truth.account(identity)["groups"]
        held = truth.account(identity)["permissionSetAssignments"]
        assert each["attributes"]["permissionSetAssignments"] == held


def test_lists_asked_for_together_share_one_census(service: Running) -> None:
    client = service.client()
    service.sandbox.control("options", {"latency_ms": 20})
    asked = [("std:account:list", {})] * 3 + [("std:entitlement:list", {"type": "group"})] * 2
    with ThreadPoolExecutor(len(asked)) as pool:
        found = list(pool.map(lambda each: client.outputs(*each), asked))
    assert found[0] == found[1] == found[2]
    assert found[3] == found[4]
    groups = len(service.sandbox.organisation.store.groups)
    counted = _counted(service)
    assert (counted["ListUsers"], counted["ListGroups"], counted["ListGroupMemberships"]) == (1, 1, groups)
    assert counted["ListAccountAssignments"] == len(service.sandbox.organisation.instance.pairs)
    assert len(service.events("census published")) == 1


def test_a_fresh_snapshot_answers_without_asking_aws(service: Running) -> None:
    client = service.client()
    first = _listed(client)
    service.sandbox.control("forget")
    assert _listed(client) == first
    assert _counted(service) == {}


def test_a_snapshot_outlives_a_restart(service: Running) -> None:
    first = _listed(service.client())
    assert service.stop() == 0
    service.start()
    service.sandbox.control("forget")
    assert _listed(service.client()) == first
    assert _counted(service) == {}


def test_a_client_that_leaves_does_not_end_the_census_of_the_others(service: Running) -> None:
    service.sandbox.control("options", {"latency_ms": 100})
    impatient = service.client(timeout=0.3)
    with pytest.raises(TimeoutError):
        impatient.post("std:account:list")
    assert len(_listed(service.client())) == len(service.sandbox.organisation.store.users)
    assert _counted(service)["ListUsers"] == 1
