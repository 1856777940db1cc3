"""The whole truth (acceptance 2): lists and reads show exactly the access that the organisation has.

An oracle of its own computes the access from the sandbox's dump. The organisation has everything that goes wrong in
real ones: orphans, disabled users, suspended AWS accounts, empty groups, pairs that nobody holds.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import Truth, dump
from tests.running import Client, Running, key

BIG = Size(users=1_000, groups=60, permission_sets=25, aws_accounts=40, applications=12)
WIDE = Size(users=8, groups=14, permission_sets=9, aws_accounts=6, pairs=45, applications=3)
"""Few users, many groups, pairs and permission sets: the census has to take every other walk than in the big one."""

ALL_TYPES = '["group", "permissionSetAssignment", "applicationAssignment"]'
SOURCES = f"""
[sources.default]

[sources.all]
entitlement_types = {ALL_TYPES}
entitlement_scope = "all"

[sources.none]
entitlement_types = {ALL_TYPES}
inherited = "none"

[sources.groups]
entitlement_types = ["group"]

[sources.groups-only]
entitlement_types = ["group"]
inherited = "none"

[sources.assignments]
entitlement_types = ["permissionSetAssignment"]

[sources.bare]
entitlement_types = ["applicationAssignment"]
inherited = "none"
"""
PAIRS = {"permissionSetAssignments", "inheritedPermissionSetAssignments"}
APPLICATIONS = {"applicationAssignments", "inheritedApplicationAssignments"}
PASSED_ON = {"grants", "permissionSetAssignments"}
LISTS = {"groups", "inheritedAccess"} | PAIRS | APPLICATIONS
SHOWN = {
    "default": {"groups", "inheritedAccess"} | PAIRS,
    "all": LISTS,
    "none": {"groups", "permissionSetAssignments", "applicationAssignments"},
    "groups": {"groups"},
    "groups-only": {"groups"},
    "assignments": {"inheritedAccess"} | PAIRS,
    "bare": {"applicationAssignments"},
}
"""List attributes of each source; every other one is absent."""
TYPES = {
    "default": ["group", "permissionSetAssignment"],
    "all": ["group", "permissionSetAssignment", "applicationAssignment"],
    "none": ["group", "permissionSetAssignment", "applicationAssignment"],
    "groups": ["group"],
    "groups-only": ["group"],
    "assignments": ["permissionSetAssignment"],
    "bare": ["applicationAssignment"],
}


@dataclass
class World:
    """One organisation, the service on it, and what is true."""

    sandbox: Sandbox
    service: Running
    truth: Truth

    def client(self, source: str) -> Client:
        return self.service.client(source)

    def expected(self, source: str, user: str) -> dict[str, Any]:
        """The list attributes an account has in that source."""
        account = self.truth.account(user)
        account["inheritedAccess"] = self.truth.readable(
            user,
            pairs="permissionSetAssignment" in TYPES[source],
            applications="applicationAssignment" in TYPES[source],
        )
        return {name: value for name, value in account.items() if name in SHOWN[source]}


def _world(size: Size, group_rows: bool, directory: Any) -> Iterator[World]:
    sandbox = Sandbox(generated(size, seed=11), Options(group_rows=group_rows, empty_pages=0.1))
    with sandbox, Running(sandbox, directory, SOURCES) as service:
        yield World(sandbox, service, Truth(dump(sandbox)))


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The organisation of the acceptance; AWS mixes group rows into a user's assignments."""
    yield from _world(BIG, True, tmp_path_factory.mktemp("big"))


@pytest.fixture(scope="module")
def big_without_group_rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The same where AWS does not do so, which only reading one account depends on."""
    yield from _world(BIG, False, tmp_path_factory.mktemp("plain"))


@pytest.fixture(scope="module", params=[True, False], ids=["group-rows", "no-group-rows"])
def wide(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The organisation that is read by principal and by user."""
    yield from _world(WIDE, request.param, tmp_path_factory.mktemp("wide"))


def test_the_organisation_has_what_can_go_wrong(big: World) -> None:
    truth = big.truth
    assert (len(truth.users), len(truth.groups), len(truth.sets), len(truth.names)) == (1_000, 60, 25, 40)
    assert truth.orphans()
    assert not all(row["enabled"] for row in truth.users.values())
    assert "SUSPENDED" in truth.states.values()
    assert any(truth.holds["USER", user] for user in truth.users)
    assert set(truth.groups) - set().union(*truth.member_of.values()), "no group without members"
    assert truth.pairs - set().union(*truth.holds.values()), "no pair that nobody holds"


@pytest.mark.parametrize("source", SHOWN)
def test_every_account_has_exactly_the_access_that_the_organisation_has(big: World, source: str) -> None:
    _accounts_are_true(big, source)


@pytest.mark.parametrize("source", ["default", "all", "none"])
def test_the_same_holds_for_every_other_walk(wide: World, source: str) -> None:
    _accounts_are_true(wide, source)
    calls = wide.sandbox.control("state")["calls"]
    for operation in ("ListAccountAssignmentsForPrincipal", "ListGroupMembershipsForMember"):
        assert calls.get(operation), f"this organisation was to be read by {operation}: {calls}"


def _accounts_are_true(world: World, source: str) -> None:
    accounts = world.client(source).outputs("std:account:list")
    assert sorted(each["identity"] for each in accounts) == sorted(world.truth.users)
    for each in accounts:
        user, shown = each["identity"], each["attributes"]
        assert {name: shown[name] for name in LISTS & shown.keys()} == world.expected(source, user)
        scalars = world.truth.scalars(user)
        assert {name: shown.get(name) for name in scalars} == scalars
        assert each["disabled"] is not world.truth.users[user]["enabled"]
        assert each["key"] == {"simple": {"id": user}}


@pytest.mark.parametrize("source", SHOWN)
def test_reading_any_account_gives_its_list_frame(big: World, source: str) -> None:
    _reads_are_as_listed(big, source, 200 if source == "all" else 20)


@pytest.mark.parametrize("source", ["default", "all"])
def test_reading_gives_the_list_frame_where_aws_lists_no_group_rows(big_without_group_rows: World, source: str) -> None:
    _reads_are_as_listed(big_without_group_rows, source, 15)


@pytest.mark.parametrize("source", ["default", "all", "none"])
def test_reading_gives_the_list_frame_for_every_other_walk(wide: World, source: str) -> None:
    _reads_are_as_listed(wide, source, 8)


def test_reading_any_account_gives_its_list_frame_where_asking_by_principal_is_denied(big: World) -> None:
    accounts = {each["identity"]: each for each in big.client("default").outputs("std:account:list")}
    big.sandbox.control("options", {"deny": ["ListAccountAssignmentsForPrincipal"]})
    try:
        for user in [*_special(big.truth)[:3], *random.Random(1).sample(sorted(accounts), 3)]:
            assert big.client("default").one("std:account:read", key(user)) == accounts[user]
        assert big.sandbox.control("state")["errors"]["ListAccountAssignmentsForPrincipal:AccessDeniedException"] > 0
    finally:
        big.sandbox.control("options", {"deny": []})


def _reads_are_as_listed(world: World, source: str, sample: int) -> None:
    client = world.client(source)
    accounts = {each["identity"]: each for each in client.outputs("std:account:list")}
    asked = {*_special(world.truth)[:sample], *random.Random(0).sample(sorted(accounts), sample)}
    with ThreadPoolExecutor(8) as pool:
        for user, found in pool.map(lambda user: (user, client.one("std:account:read", key(user))), asked):
            assert found == accounts[user]


def _special(truth: Truth) -> list[str]:
    """Users whose access is unusual: none at all, the most, direct and inherited at once, disabled with access."""
    by_weight = sorted(truth.users, key=lambda user: len(truth.readable(user, pairs=True, applications=True)))
    both = [user for user in by_weight if truth.holds["USER", user] and truth.member_of[user]]
    twice = [user for user in both if truth.holds["USER", user] & set(_inherited(truth, user))]
    disabled = [user for user in by_weight if not truth.users[user]["enabled"]]
    return [by_weight[0], by_weight[-1], *twice, *both[:5], *both[-5:], *disabled]


def _inherited(truth: Truth, user: str) -> list[str]:
    found: list[str] = truth.account(user)["inheritedPermissionSetAssignments"]
    return found


# ---- entitlements


@pytest.mark.parametrize("source", ["default", "all", "none", "assignments", "groups", "bare"])
def test_entitlements_are_exactly_those_of_the_organisation(big: World, source: str) -> None:
    _entitlements_are_true(big, source)


@pytest.mark.parametrize("source", ["default", "all"])
def test_entitlements_are_true_for_every_other_walk(wide: World, source: str) -> None:
    _entitlements_are_true(wide, source)


def _entitlements_are_true(world: World, source: str) -> None:
    truth = world.truth
    offered = {
        "group": (set(truth.groups), truth.group),
        "permissionSetAssignment": (truth.all_pairs() if source == "all" else truth.pairs, truth.pair),
        "applicationAssignment": (set(truth.applications), truth.application),
    }
    for type_ in TYPES[source]:
        wanted, expected = offered[type_]
        listed = world.client(source).outputs("std:entitlement:list", {"type": type_})
        assert sorted(each["identity"] for each in listed) == sorted(wanted)
        # Which pairs orphans hold is found by asking pairs; read by principal, nobody sees them.
        for each in listed:
            shown = each["attributes"]
            right = expected(each["identity"])
            if "permissionSetAssignment" not in TYPES[source]:  # not read, so not known: absent, never empty
                right = {name: value for name, value in right.items() if name not in PASSED_ON}
            assert {name: shown[name] for name in right if name in shown} == right
            assert shown.keys() - right.keys() <= {"notRequestableReason", "description"}
            assert bool(shown["notRequestableReason"]) is not shown["requestable"]
            assert each["type"] == type_
            assert each["key"] == {"simple": {"id": each["identity"]}}


@pytest.mark.parametrize("source", ["default", "all"])
def test_reading_any_entitlement_gives_its_list_frame(big: World, source: str) -> None:
    client = big.client(source)
    for type_ in TYPES[source]:
        listed = client.outputs("std:entitlement:list", {"type": type_})
        for each in random.Random(2).sample(listed, min(25, len(listed))):
            assert client.one("std:entitlement:read", key(each["identity"], type=type_)) == each


def test_suspended_aws_accounts_cannot_be_requested_and_say_why(big: World) -> None:
    suspended = {account for account, state in big.truth.states.items() if state == "SUSPENDED"}
    listed = big.client("all").outputs("std:entitlement:list", {"type": "permissionSetAssignment"})
    reasons = {
        each["attributes"]["notRequestableReason"] for each in listed if each["attributes"]["awsAccountId"] in suspended
    }
    assert reasons
    assert all("SUSPENDED" in reason for reason in reasons)


# ---- what is not enabled is absent


@pytest.mark.parametrize("source", SHOWN)
def test_schema_and_spec_name_the_enabled_types_and_no_others(wide: World, source: str) -> None:
    client = wide.client(source)
    spec = client.one("std:spec:read")["specification"]
    schema = client.one("std:account:discover-schema")
    assert spec["accountSchema"] == schema
    assert {each["name"] for each in schema["attributes"] if each.get("multi")} == SHOWN[source]
    assert [each["type"] for each in spec["entitlementSchemas"]] == TYPES[source]
    for type_ in spec["entitlementSchemas"]:
        for each in client.outputs("std:entitlement:list", {"type": type_["type"]}):
            assert {row["name"] for row in type_["attributes"]} == each["attributes"].keys()


def test_a_type_that_is_not_enabled_is_refused_and_names_the_setting(wide: World) -> None:
    said = wide.client("groups").failure("std:entitlement:list", {"type": "permissionSetAssignment"})
    assert "entitlement_types" in said
    assert "permissionSetAssignment" in said
