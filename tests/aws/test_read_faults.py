"""Every read, under every fault: it fails within its deadline, or it is complete. Never short."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest

from connector.errors import AskPermission, AwsFailed, AwsThrottled, ConnectorError
from connector.model import Application

LISTS: dict[str, tuple[str, Callable[..., Any]]] = {
    "users": ("ListUsers", lambda d, w: d.users()),
    "groups": ("ListGroups", lambda d, w: d.groups()),
    "members": ("ListGroupMemberships", lambda d, w: d.members(w.group("aws_data_read"))),
    "memberships": ("ListGroupMembershipsForMember", lambda d, w: d.memberships(w.user("ada"))),
    "permission sets": ("ListPermissionSets", lambda d, w: d.permission_set_ids()),
    "AWS accounts": ("ListAccounts", lambda d, w: d.aws_accounts()),
    "AWS accounts of": (
        "ListAccountsForProvisionedPermissionSet",
        lambda d, w: d.aws_accounts_of(w.permission_set("Read")),
    ),
    "assignments of pair": ("ListAccountAssignments", lambda d, w: d.assignments_of_pair(w.pair())),
    "assignments of": ("ListAccountAssignmentsForPrincipal", lambda d, w: d.assignments_of(w.principal("ada"))),
    "applications": ("ListApplications", lambda d, w: d.applications()),
    "application assignments": ("ListApplicationAssignments", lambda d, w: d.application_assignments(_application(w))),
    "applications of": (
        "ListApplicationAssignmentsForPrincipal",
        lambda d, w: d.application_assignments_of(w.principal("grace")),
    ),
    "managed policies": (
        "ListManagedPoliciesInPermissionSet",
        lambda d, w: [d.policies(w.permission_set("Admin"))],
    ),
    "customer policies": (
        "ListCustomerManagedPolicyReferencesInPermissionSet",
        lambda d, w: [d.policies(w.permission_set("Admin"))],
    ),
    "instances": ("ListInstances", lambda d, w: [d.instance()]),
}
SINGLE: dict[str, tuple[str, Callable[..., Any]]] = {
    "user": ("DescribeUser", lambda d, w: [d.user(w.user("ada"))]),
    "group": ("DescribeGroup", lambda d, w: [d.group(w.group("aws_data_read"))]),
    "user id": ("GetUserId", lambda d, w: [d.user_id_of("userName", "ada")]),
    "permission set": ("DescribePermissionSet", lambda d, w: [d.permission_set(w.permission_set("Read"))]),
    "inline policy": ("GetInlinePolicyForPermissionSet", lambda d, w: [d.policies(w.permission_set("Admin"))]),
    "boundary": ("GetPermissionsBoundaryForPermissionSet", lambda d, w: [d.policies(w.permission_set("Admin"))]),
    "AWS account": ("DescribeAccount", lambda d, w: [d.aws_account(w.pair().aws_account_id)]),
    "assignment required": ("GetApplicationAssignmentConfiguration", lambda d, w: d.applications()),
    "in progress": ("ListAccountAssignmentCreationStatus", lambda d, w: d.tickets_in_progress(False)),
}
LASTING: dict[str, type[ConnectorError]] = {
    "denied": AskPermission,
    "throttled": AwsThrottled,
    "error500": AwsFailed,
    "reset": AwsFailed,
    "half": AwsFailed,
}


def _application(world: Any) -> Application:
    (found,) = [each for each in world.open().applications() if each.name == "Dashboards"]
    return found


@pytest.mark.parametrize("fault", LASTING)
@pytest.mark.parametrize("question", LISTS | SINGLE)
def test_a_lasting_fault_ends_a_read(world, question, fault):
    """Denied at once, everything else when the patience is at its end; the error names the operation."""
    operation, ask = (LISTS | SINGLE)[question]
    asked = ask(world.open(), world) if question == "application assignments" else None  # looks up its application
    world.fault(operation, fault)
    began = world.clock.monotonic()

    with pytest.raises(LASTING[fault]) as caught:
        list(asked if asked is not None else ask(world.open(), world))

    assert operation in caught.value.sentence
    assert world.clock.monotonic() - began < 12
    assert world.count(operation) > (0 if fault == "denied" else 2)


@pytest.mark.parametrize("fault", ["half", "throttled"])
@pytest.mark.parametrize("question", LISTS | SINGLE)
def test_a_passing_fault_is_outlasted(world, question, fault):
    """Two faults in a row change nothing in the answer."""
    operation, ask = (LISTS | SINGLE)[question]
    expected = list(ask(world.open(), world))
    world.forget()
    world.fault(operation, fault, times=2)

    assert list(ask(world.open(), world)) == expected


@pytest.mark.parametrize("question", LISTS)
def test_a_page_that_repeats_is_no_list(world, question):
    """The same NextToken again: the list fails after a few calls, without waiting."""
    operation, ask = LISTS[question]
    asked = ask(world.open(), world) if question == "application assignments" else None
    world.fault(operation, "loop")
    before = world.count(operation)

    with pytest.raises(AwsFailed, match=operation) as caught:
        list(asked if asked is not None else ask(world.open(), world))

    assert not caught.value.retryable
    assert world.count(operation) - before <= 4


@pytest.mark.parametrize("question", LISTS)
def test_empty_and_short_pages_are_followed(world, question):
    """An empty page, then pages of one member: all that the clean answer has, in order."""
    operation, ask = LISTS[question]
    expected = list(ask(world.open(), world))
    world.forget()
    world.sandbox.control("options", {"page_limit": 1})
    world.fault(operation, "empty", times=1)

    found = list(ask(world.open(), world))

    assert found == expected
    assert world.count(operation) >= len(expected)


def test_cut_anywhere_an_answer_is_no_list(world):
    """Wherever the body breaks off, also between two members or after the last one."""
    expected = list(world.open().groups())
    length = 6000
    for cut in itertools.chain(range(0, 40, 13), range(length // 4, length, length // 4)):
        world.heal()
        world.fault("ListGroups", "half", times=1, cut_at=cut)
        assert list(world.open().groups()) == expected


def test_silence_ends_within_the_deadline(world):
    """A server that accepts and says nothing costs the patience that is left, not the whole read time-out."""
    directory = world.open(deadline=0.5)
    directory.instance()
    world.fault("ListUsers", "slow", seconds=3.0)
    began = world.clock.monotonic()

    with pytest.raises(AwsFailed, match="ReadTimeoutError"):
        list(directory.users())

    assert world.clock.monotonic() - began < 1.5


def test_a_long_census_is_not_cut_off_by_the_deadline(world):
    """The deadline is time without progress: each page starts it anew."""
    world.sandbox.options.page_limit, world.sandbox.options.latency_ms = 2, 150.0

    assert len(list(world.open(deadline=0.6).users())) == 12
