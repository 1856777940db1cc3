"""Reads that go wrong on their way: a list is the truth or fails, and a role that cannot be had is nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from tests.faults.conftest import Way
from tests.faults.proxy import GATEWAY, TOO_MANY
from tests.running import key

READS = (
    "ListInstances",
    "ListUsers",
    "ListGroups",
    "ListGroupMemberships",
    "ListPermissionSets",
    "ListAccountsForProvisionedPermissionSet",
    "ListAccountAssignments",
    "ListAccounts",
)
FAULTS: dict[str, dict[str, Any]] = {
    "reset": {"kind": "reset"},
    "silence": {"kind": "blackhole", "seconds": 0.2},
    "gateway": {"kind": "instead", "answer": GATEWAY},
    "throttle": {"kind": "instead", "answer": TOO_MANY},
    "lost": {"kind": "lost"},
    "nothing": {"kind": "cut", "cut_at": 0},
    "headers": {"kind": "cut", "cut_at": 60},
    "body": {"kind": "cut", "cut_at": 190},
    "late": {"kind": "late", "seconds": 0.2},
}


def shown(way: Way, source: str) -> dict[str, set[str]]:
    """What a list that has to succeed shows."""
    return {
        each["attributes"]["userName"]: {*each["attributes"]["groups"], *each["attributes"]["permissionSetAssignments"]}
        for each in way.client(source).outputs("std:account:list")
    }


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_list_outlasts_what_passes(way: Way, fault: dict[str, Any]) -> None:
    """Every read goes wrong once: the list is the whole truth."""
    rules = [way.proxy.add(each, times=1, **fault) for each in READS]
    assert shown(way, "fresh") == {name: way.held(name) for name in shown(way, "fresh")}
    assert len(shown(way, "fresh")) == len(way.sandbox.organisation.store.users)
    assert sum(each.hits for each in rules) >= len(READS) - 1  # the instance is remembered for a while


@pytest.mark.parametrize("operation", ["ListUsers", "ListGroupMemberships", "ListAccountAssignments", "ListAccounts"])
@pytest.mark.parametrize("fault", [FAULTS[each] for each in FAULTS if each != "late"], ids=lambda each: str(each)[:40])
def test_a_list_fails_whole_for_what_lasts(way: Way, operation: str, fault: dict[str, Any]) -> None:
    """No frame, no snapshot, and an end within the source's read_deadline, give or take."""
    published = len(way.service.events("census published"))
    way.proxy.add(operation, **fault)
    answer = way.client("hasty").post("std:account:list")
    assert answer.status == 500, answer.text
    assert f":{operation}" in answer.text
    assert answer.frames == []
    assert answer.seconds < 20
    assert len(way.service.events("census published")) == published


def test_a_throttle_storm_ends_with_the_storm(way: Way) -> None:
    """A list fails while everything is throttled; the next one after it is whole."""
    way.proxy.add("*", "instead", answer=TOO_MANY)
    assert way.client("hasty").post("std:account:list").status == 500
    way.proxy.clear()
    assert len(shown(way, "fresh")) == len(way.sandbox.organisation.store.users)


def test_without_its_role_a_source_reads_nothing(way: Way) -> None:
    """STS is away: an error, and no call with the credentials underneath; when it is back, so is the source."""
    before = way.calls("ListUsers"), way.calls("DescribeUser")
    for fault in ({"kind": "reset"}, {"kind": "instead", "answer": GATEWAY}, {"kind": "cut", "cut_at": 30}):
        rule = way.proxy.add("AssumeRole", **fault)
        for command, asked in (("std:account:list", None), ("std:account:read", key(way.user("ada")))):
            said = way.client("role").failure(command, asked)
            assert said.startswith("generic error: "), said
        assert rule.hits
        way.proxy.clear()
    assert (way.calls("ListUsers"), way.calls("DescribeUser")) == before
    assert way.client("role").post("std:account:read", key(way.user("ada"))).complete
