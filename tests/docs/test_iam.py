"""The policies in `spec/iam/` allow exactly what the code calls: read from its source, not from a list kept by hand."""

import ast
import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import botocore.session
import pytest
import requests

from connector.aws.sentences import ACTION_PREFIX
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from tests.running import TOKEN, Client, Running, change, key

ROOT = Path(__file__).parents[2]
POLICIES = ROOT / "spec" / "iam"

NO_PERMISSION_NEEDED = {"sts:GetCallerIdentity"}
WRITING = ("Create", "Update", "Delete", "Put", "Attach", "Detach", "Add", "Remove", "Tag", "Untag", "Provision")

# Operation of the Identity Store -> actions of `sso-directory`, which guard the same data
# (Service Authorization Reference, "API operations defined by AWS Identity Store").
OTHER_NAMESPACE = {
    "ListUsers": {"ListUsers", "SearchUsers"},
    "DescribeUser": {"DescribeUser", "DescribeUsers"},
    "GetUserId": {"GetUserId"},
    "ListGroups": {"ListGroups", "SearchGroups"},
    "DescribeGroup": {"DescribeGroup", "DescribeGroups"},
    "ListGroupMemberships": {"ListMembersInGroup"},
    "ListGroupMembershipsForMember": {"ListGroupsForMember", "ListGroupsForUser"},
    "GetGroupMembershipId": {"ListGroupsForMember", "ListGroupsForUser"},
    "CreateGroupMembership": {"AddMemberToGroup"},
    "DeleteGroupMembership": {"RemoveMemberFromGroup"},
    "CreateUser": {"CreateUser"},
    "UpdateUser": {"UpdateUser", "UpdateUserName"},
    "DeleteUser": {"DeleteUser"},
}


def operations_called() -> set[tuple[str, str]]:
    """(service, operation) of every `line.call(…)` and `listed(line, …)` in `connector/aws`."""
    found = set()
    for path in sorted((ROOT / "connector" / "aws").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            # Called here, or handed to a thread that calls it: `pool.submit(line.call, …)`.
            if isinstance(node, ast.Call) and any(
                _name(each) in ("call", "listed") for each in (node.func, *node.args)
            ):
                found |= set(_operations(node.args))
    return found


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _operations(arguments: list[ast.expr]) -> Iterator[tuple[str, str]]:
    for service, operation in pairwise(arguments):
        if isinstance(service, ast.Constant) and service.value in ACTION_PREFIX:
            for name in _texts(operation):
                yield service.value, name


def _texts(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Constant):
        return [node.value]
    if isinstance(node, ast.JoinedStr):  # f"DescribeAccountAssignment{word}Status"
        return [
            "".join(part.value if isinstance(part, ast.Constant) else word for part in node.values)
            for word in ("Creation", "Deletion")
        ]
    return []


def statements(name: str) -> list[dict]:
    document = json.loads((POLICIES / name).read_text(encoding="utf-8"))
    assert document["Version"] == "2012-10-17"
    return document["Statement"]


def actions(name: str) -> set[str]:
    listed = [action for statement in statements(name) for action in statement["Action"]]
    assert len(listed) == len(set(listed)), f"{name} names an action twice"
    return set(listed)


def needed() -> set[str]:
    """IAM actions of everything that is called."""
    called = operations_called()
    named = {f"{ACTION_PREFIX[service]}:{operation}" for service, operation in called}
    twins = {
        f"sso-directory:{twin}"
        for service, operation in called
        if service == "identitystore"
        for twin in OTHER_NAMESPACE[operation]
    }
    return (named | twins) - NO_PERMISSION_NEEDED


def test_operations_are_found_and_exist_in_aws_models():
    """The walk over the source sees calls of every service, and each is an operation AWS has."""
    called = operations_called()

    assert {service for service, _ in called} == {"sso-admin", "identitystore", "organizations", "sts"}
    assert len(called) > 35
    session = botocore.session.Session()
    for service in ACTION_PREFIX:
        known = session.get_service_model(service).operation_names
        assert {operation for at, operation in called if at == service} <= set(known)


def test_provisioning_allows_exactly_what_is_called():
    """Nothing is missing, and nothing is allowed that no code uses."""
    assert actions("provisioning.json") == needed()


def test_read_only_has_nothing_that_changes_anything():
    """Read-only is a part of provisioning without any write."""
    allowed = actions("read-only.json")

    assert allowed < actions("provisioning.json")
    assert [each for each in sorted(allowed) if each.split(":")[1].startswith(WRITING)] == []


def test_read_only_lacks_only_what_changes_need():
    """What provisioning adds: the writes, and the questions that only a change asks."""
    added = actions("provisioning.json") - actions("read-only.json")
    reads = {each for each in added if not each.split(":")[1].startswith(WRITING)}

    assert reads == {
        "identitystore:GetGroupMembershipId",
        "identitystore:GetUserId",
        "sso-directory:GetUserId",
        "sso:DescribeAccountAssignmentCreationStatus",
        "sso:DescribeAccountAssignmentDeletionStatus",
        "sso:DescribeApplicationAssignment",
        "sso:ListAccountAssignmentCreationStatus",
        "sso:ListAccountAssignmentDeletionStatus",
    }


@pytest.mark.parametrize("path", sorted(POLICIES.glob("*.json")), ids=lambda path: path.name)
def test_every_policy_only_allows_and_names_its_statements(path):
    """A policy has a Sid for each statement, no wildcard action and no Deny, and fits into a managed policy."""
    found = statements(path.name)

    assert len({each["Sid"] for each in found}) == len(found)
    assert all(each["Sid"].isalnum() for each in found), "IAM takes letters and digits in a Sid"
    assert {each["Effect"] for each in found} == {"Allow"}
    assert "*" not in json.dumps([each["Action"] for each in found])
    assert len("".join(path.read_text(encoding="utf-8").split())) <= 6144


def test_the_trust_policy_demands_an_external_id():
    """Nobody can assume the role without it."""
    (statement,) = statements("trust-policy.json")

    assert statement["Action"] == "sts:AssumeRole"
    assert "sts:ExternalId" in statement["Condition"]["StringEquals"]


def test_management_account_policy_reaches_only_what_identity_center_makes():
    """Only the list of providers has no resource of its own."""
    wide = [each["Action"] for each in statements("management-account.json") if each["Resource"] == "*"]

    assert wide == [["iam:ListSAMLProviders"]]


# ---- the same, proved on the running service ---------------------------------------------------------------------

EVERYTHING = '[sources.default]\nentitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]\n'
TYPES = ("group", "permissionSetAssignment", "applicationAssignment")


@pytest.fixture
def allowed_only(tmp_path):
    """Start the service on an AWS that denies whatever a policy does not allow."""
    with ExitStack() as running:

        def start(policy: str) -> Client:
            session = botocore.session.Session()
            every = {
                f"{prefix}:{operation}"
                for service, prefix in ACTION_PREFIX.items()
                for operation in session.get_service_model(service).operation_names
            }
            denied = sorted(every - actions(policy) - NO_PERMISSION_NEEDED)
            sandbox = running.enter_context(Sandbox(options=Options(deny=denied, assignment_seconds=0.05)))
            return running.enter_context(Running(sandbox, tmp_path, EVERYTHING)).client()

        yield start


def test_read_only_is_enough_for_every_command_that_reads(allowed_only):
    """With nothing else allowed, all of them answer, and test-connection has no permission to complain of."""
    client = allowed_only("read-only.json")

    found = requests.get(
        f"http://127.0.0.1:{client.port}/v1/sources/default", headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30
    ).json()
    assert [each for each in found["warnings"] if "denied" in each] == []
    client.one("std:test-connection")
    accounts = client.outputs("std:account:list")
    assert [client.one("std:account:read", key(each["identity"])) for each in accounts] == accounts
    for type_ in TYPES:
        listed = client.outputs("std:entitlement:list", {"type": type_})
        assert listed
        assert client.one("std:entitlement:read", key(listed[0]["identity"], type=type_)) == listed[0]


def test_provisioning_is_enough_for_every_command_that_changes(allowed_only):
    """With nothing else allowed, an account goes through its whole life."""
    client = allowed_only("provisioning.json")
    held = {}
    for type_, attribute in zip(TYPES, ("groups", "permissionSetAssignments", "applicationAssignments"), strict=True):
        offered = client.outputs("std:entitlement:list", {"type": type_})
        held[attribute] = next(each["identity"] for each in offered if each["attributes"]["requestable"])

    names = {"userName": "joan", "givenName": "Joan", "familyName": "Clarke"}
    account = client.one("std:account:create", {"attributes": {**names, **held}})
    assert "results" not in account
    assert {name: account["attributes"][name] for name in held} == {name: [value] for name, value in held.items()}
    changes = [change("Remove", *each) for each in held.items()] + [change("Set", "title", "Engineer")]
    account = client.one("std:account:update", key(account["identity"], changes=changes))
    assert "results" not in account
    assert account["attributes"]["title"] == "Engineer"
    client.one("std:account:delete", key(account["identity"]))
    taken = client.failure("std:account:create", {"attributes": {**names, "userName": "barbara"}})
    assert "exists already" in taken


def test_the_lines_that_make_sure_of_it_run_as_printed(allowed_only, tmp_path):
    """docs/aws.md, step 6: a user's short life over REST, with nothing allowed but the policy."""
    guide = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"^```sh\n(.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    client = allowed_only("provisioning.json")
    group, pair = (
        next(each["identity"] for each in offered if each["attributes"]["requestable"])
        for offered in (client.outputs("std:entitlement:list", {"type": type_}) for type_ in TYPES[:2])
    )
    before = client.outputs("std:account:list")

    def run(group: str, pair: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "NO_PROXY": "127.0.0.1",
                "BASE": f"http://127.0.0.1:{client.port}",
                "TOKEN": TOKEN,
                "GROUP": group,
                "PAIR": pair,
            },
            capture_output=True,
            text=True,
            timeout=60,
        )

    there = sorted(tmp_path.iterdir())
    ran = run(group, pair)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    created, titled, given, taken, left = (json.loads(line) for line in ran.stdout.splitlines() if line)
    assert created["groups"] == [group]
    assert titled["title"] == "Test"
    assert (given["permissionSetAssignments"], taken["permissionSetAssignments"]) == ([pair], [])
    assert left["groups"] == []
    assert client.outputs("std:account:list") == before

    said = [json.loads(line) for line in run("unknown", pair).stdout.splitlines() if line]
    assert [each["type"] for each in said] == ["/problems/not-grantable"], "nothing was made: nothing else is sent"
    said = [json.loads(line) for line in run(group, "123456789012:ps-0000000000000000").stdout.splitlines() if line]
    assert said[0]["groups"] == [group]
    assert said[2]["type"] == "/problems/not-grantable"
    assert len(said) == 3, "and then the last line"
    assert client.outputs("std:account:list") == before
    assert sorted(tmp_path.iterdir()) == there, "names and ids stay nowhere"
