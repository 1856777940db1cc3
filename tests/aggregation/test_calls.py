"""What an aggregation asks AWS, as counts (issue 3, acceptance 1): never timed, so it holds on any machine.

The bound comes from an oracle that knows the organisation's true numbers and nothing of how the connector walks; the
oracle itself is held to the formula of aws-behaviour 21 first.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import dump
from tests.aggregation.truth import are_true, counted, shown
from tests.bench.oracle import cheapest, pages
from tests.running import Running

SHAPES = {
    "S": Size(500, 60, 25, 40),
    "M": Size(10_000, 500, 50, 100, pairs=1_500),
    "W": Size(300, 40, 40, 1_000, pairs=1_200),
    "W-wider": Size(300, 40, 40, 1_000, pairs=6_000),
}
BY_PRINCIPAL = ("W", "W-wider")
SOURCES = """
[sources.default]
snapshot_max_age = 3600

[sources.anew]
snapshot_max_age = 0

[sources.all]
entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]
"""
POLICIES = (
    "DescribePermissionSet",
    "GetInlinePolicyForPermissionSet",
    "GetPermissionsBoundaryForPermissionSet",
    "ListCustomerManagedPolicyReferencesInPermissionSet",
    "ListManagedPoliciesInPermissionSet",
)
"""What an entitlement list asks about each permission set beyond what an account list knows."""

INSTANCE = ("ListInstances", "DescribeInstance", "GetCallerIdentity", "DescribeOrganization")
"""What tells which instance a source means; known for some minutes."""


@dataclass
class Cold:
    """A service on an organisation, and what its first lists asked AWS."""

    name: str
    size: Size
    sandbox: Sandbox
    service: Running
    dump: dict[str, Any]
    accounts: list[dict[str, Any]] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    """Of the first account list."""
    families: Counter[str] = field(default_factory=Counter)


@pytest.fixture(scope="module", params=["S", "M", "W", pytest.param("W-wider", marks=pytest.mark.slow)])
def cold(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cold]:
    """One shape after its first list."""
    size = SHAPES[request.param]
    sandbox = Sandbox(generated(size), Options())
    with sandbox, Running(sandbox, tmp_path_factory.mktemp("cold"), SOURCES) as service:
        found = Cold(request.param, size, sandbox, service, dump(sandbox))
        found.accounts = service.client().outputs("std:account:list")
        state = sandbox.control("state")
        found.calls, found.families = Counter(state["calls"]), Counter(state["families"])
        yield found


def test_a_cold_list_takes_hardly_more_than_the_cheapest_walk(cold: Cold) -> None:
    least = cheapest(cold.dump)
    ours = {family: cold.families[family] for family in least}
    assert sum(ours.values()) <= 1.05 * sum(least.values()), (ours, least)
    # sso-admin's quota is what an aggregation waits for; it has to hold there by itself.
    assert ours["sso-admin"] <= 1.05 * least["sso-admin"]
    assert cold.calls["DescribePermissionSet"] == cold.size.permission_sets


def test_the_cold_list_is_the_truth(cold: Cold) -> None:
    are_true(shown(cold.accounts), cold.sandbox)


def test_the_walk_is_the_cheaper_one(cold: Cold) -> None:
    by_principal = "ListAccountAssignmentsForPrincipal" in cold.calls
    assert by_principal is (cold.name in BY_PRINCIPAL)
    assert ("ListAccountAssignments" in cold.calls) is not by_principal


def test_a_second_list_asks_aws_nothing(cold: Cold) -> None:
    cold.sandbox.control("forget")
    assert cold.service.client().outputs("std:account:list") == cold.accounts
    assert counted(cold.sandbox) == {}


def test_entitlement_lists_add_only_what_permission_sets_allow(cold: Cold) -> None:
    client = cold.service.client()
    cold.sandbox.control("forget")
    assert len(client.outputs("std:entitlement:list", {"type": "group"})) == cold.size.groups
    assert counted(cold.sandbox) == {}
    pairs = client.outputs("std:entitlement:list", {"type": "permissionSetAssignment"})
    assert len(pairs) == cold.size.pairs_wanted
    assert counted(cold.sandbox) == dict.fromkeys(POLICIES, cold.size.permission_sets)
    cold.sandbox.control("forget")
    client.outputs("std:entitlement:list", {"type": "permissionSetAssignment"})
    client.outputs("std:account:list")
    assert counted(cold.sandbox) == {}


def test_idc_connector_walk_predicts_the_calls(cold: Cold) -> None:
    """But for what only asking tells: pages of members and assignments beyond the first, principals that are gone."""
    ran = cold.service.command("walk", "--json")
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    beyond, gone = _beyond_first_pages(cold)
    assert told["calls"]["organizations"] == cold.families["organizations"]
    assert told["calls"]["sso-admin"] + beyond["sso-admin"] == cold.families["sso-admin"]
    assert told["calls"]["identitystore"] + beyond["identitystore"] + gone == cold.families["identitystore"]
    assert told["total"] == sum(told["calls"].values())


def _beyond_first_pages(cold: Cold) -> tuple[Counter[str], int]:
    """Pages after the first of every answer that the shape's walk gets, and how many principals are described."""
    instance = cold.dump["instances"][0]
    members = Counter(each["group_id"] for each in instance["memberships"])
    beyond = Counter({"identitystore": sum(pages(members[each["id"]]) - 1 for each in instance["groups"])})
    sets = Counter(each["permission_set_arn"] for each in instance["pairs"])
    beyond["sso-admin"] = sum(pages(rows) - 1 for rows in sets.values())
    held = Counter(each["principal_id"] for each in instance["assignments"])
    users, groups = ({each["id"] for each in instance[kind]} for kind in ("users", "groups"))
    if cold.name in BY_PRINCIPAL:
        effective = Counter({user: held[user] for user in users})
        for each in instance["memberships"]:
            effective[each["user_id"]] += held[each["group_id"]]
        asked = [*(effective[each] for each in users), *(held[each] for each in groups)]
        beyond["sso-admin"] += sum(pages(rows) - 1 for rows in asked)
        return beyond, 0
    pairs = Counter((each["permission_set_arn"], each["account_id"]) for each in instance["assignments"])
    beyond["sso-admin"] += sum(pages(rows) - 1 for rows in pairs.values())
    return beyond, len({each["principal_id"] for each in instance["assignments"]} - users - groups)


@pytest.mark.parametrize("shape", ["S"])
def test_a_second_census_asks_no_name_of_a_permission_set_again(shape: str, tmp_path: Any) -> None:
    sandbox = Sandbox(generated(SHAPES[shape]), Options())
    with sandbox, Running(sandbox, tmp_path, SOURCES) as service:
        client = service.client("anew")
        client.outputs("std:account:list")
        first = counted(sandbox)
        sandbox.control("forget")
        are_true(shown(client.outputs("std:account:list")), sandbox)
        second = counted(sandbox)
        # The instance is known for some minutes, names of permission sets for ever; everything else is read again.
        kept = {
            "DescribePermissionSet",
            "ListInstances",
            "DescribeInstance",
            "GetCallerIdentity",
            "DescribeOrganization",
        }
        assert second == {name: count for name, count in first.items() if name not in kept}


def test_applications_are_read_only_where_they_are_enabled_and_only_once(tmp_path: Any) -> None:
    sandbox = Sandbox(generated(Size(60, 8, 6, 5, applications=7)), Options())
    with sandbox, Running(sandbox, tmp_path, SOURCES) as service:
        service.client().outputs("std:account:list")
        plain = counted(sandbox)
        assert not [each for each in plain if "Application" in each]
        sandbox.control("forget")
        client = service.client("all")
        client.outputs("std:account:list")
        more = Counter(counted(sandbox))
        assert {each for each in more if more[each] != plain.get(each, 0)} - {*INSTANCE} == {
            "ListApplications",
            "ListApplicationAssignments",
            "GetApplicationAssignmentConfiguration",
        }
        assert more["ListApplicationAssignments"] == 7
        sandbox.control("forget")
        for type_ in ("group", "permissionSetAssignment", "applicationAssignment"):
            client.outputs("std:entitlement:list", {"type": type_})
        assert counted(sandbox) == dict.fromkeys(POLICIES, 6)


# ---- the oracle --------------------------------------------------------------------------------------------------


def organisation(users: int, groups: int, sets: int, accounts: int) -> dict[str, Any]:
    """A dump without access."""
    return {
        "accounts": [{"id": f"a{number}"} for number in range(accounts)],
        "instances": [
            {
                "users": [{"id": f"u{number}"} for number in range(users)],
                "groups": [{"id": f"g{number}"} for number in range(groups)],
                "permission_sets": [{"arn": f"p{number}"} for number in range(sets)],
                "memberships": [],
                "pairs": [],
                "assignments": [],
            }
        ],
    }


def test_the_oracle_counts_an_empty_organisation_as_the_reference_does() -> None:
    """B₀ + memberships by group + pairs from the smaller side, every empty answer a call."""
    assert cheapest(organisation(0, 0, 0, 0)) == {"identitystore": 2, "sso-admin": 2, "organizations": 1}
    assert cheapest(organisation(250, 3, 7, 41)) == {
        "identitystore": 3 + 1 + 3,
        "sso-admin": 1 + 1 + 7 + 7 + 0,
        "organizations": 3,
    }


def test_the_oracle_counts_pages_of_every_answer() -> None:
    world = organisation(300, 2, 3, 150)
    instance = world["instances"][0]
    instance["memberships"] = [{"group_id": "g0", "user_id": f"u{number}"} for number in range(250)]
    instance["pairs"] = [{"permission_set_arn": "p0", "account_id": f"a{number}"} for number in range(120)]
    instance["assignments"] = [
        {"permission_set_arn": "p0", "account_id": "a0", "principal_id": f"u{number}"} for number in range(130)
    ]
    assert cheapest(world) == {
        "identitystore": 3 + 1 + (3 + 1),  # users, groups, members of g0 and g1
        "sso-admin": 1 + 1 + 3 + (2 + 1 + 1) + (119 + 2),
        "organizations": 8,
    }


def test_the_oracle_takes_principals_where_pairs_are_more() -> None:
    """Users, and the groups that no user's rows show; a user's rows repeat those of its groups."""
    world = organisation(3, 2, 2, 100)
    instance = world["instances"][0]
    instance["memberships"] = [{"group_id": "g0", "user_id": "u0"}]
    instance["pairs"] = [
        {"permission_set_arn": f"p{number % 2}", "account_id": f"a{number // 2}"} for number in range(150)
    ]
    instance["assignments"] = [{**each, "principal_id": "g0"} for each in instance["pairs"]]
    assert cheapest(world)["sso-admin"] == 1 + 1 + 2 + 2 + (2 + 1 + 1) + 1


@pytest.mark.parametrize("shape", ["S", "M", "W", "W-wider"])
def test_the_oracle_is_no_cheaper_than_the_lower_bound(shape: str) -> None:
    """L = B₀ + min(P,A) + max(min(U,K), ⌈N/100⌉) + max(min(U,G), ⌈M/100⌉): nothing cheaper proves the answer."""
    size = SHAPES[shape]
    with Sandbox(generated(size)) as sandbox:
        world = dump(sandbox)
    instance = world["instances"][0]
    users, groups, sets, accounts = size.users, size.groups, size.permission_sets, size.aws_accounts
    base = 1 + pages(users) + pages(groups) + pages(sets) + sets + pages(accounts, 20)
    given = max(min(users, len(instance["pairs"])), pages(len(instance["assignments"])))
    bound = base + min(sets, accounts) + given + max(min(users, groups), pages(len(instance["memberships"])))
    least = sum(cheapest(world).values())
    assert least >= bound
    if shape in ("S", "M"):
        assert least <= 1.25 * bound, "by pair and by group it is within rounding of the bound"
