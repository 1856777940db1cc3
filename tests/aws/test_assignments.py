"""Assignments and permission sets: asynchronous changes, and what a missing permission set may and may not mean."""

from __future__ import annotations

import threading
import time

import pytest

from connector.clock import SystemClock
from connector.errors import AskPermission, AwsFailed, FixConfiguration, NotFoundInAws
from connector.model import Assignment, Lane, Pair, Principal, Source
from connector.pace import Pace
from connector.patience import Patience
from connector.sandbox.small import DATA, LEGACY

SOURCE = Source("default")
GONE = "ps-0123456789abcdef"
NOBODY = "00000000-0000-4000-8000-000000000000"


def _assignment(world, permission_set="Write", user="ada"):
    return Assignment(world.pair(permission_set), world.principal(user))


def _finish(world, directory, ticket):
    assert ticket.status == "IN_PROGRESS"
    world.pass_time()
    return directory.ticket(ticket)


def test_assigned_and_unassigned(world):
    directory, wanted = world.open(), _assignment(world)

    ticket = directory.submit_assign(wanted)
    assert directory.tickets_in_progress(deleting=False) == {ticket.request_id}
    assert directory.tickets_in_progress(deleting=True) == frozenset()
    assert _finish(world, directory, ticket).status == "SUCCEEDED"
    assert wanted in list(directory.assignments_of_pair(wanted.pair))

    assert _finish(world, directory, directory.submit_unassign(wanted)).status == "SUCCEEDED"
    assert wanted not in list(directory.assignments_of_pair(wanted.pair))


def test_rows_of_groups_keep_their_principal(world):
    rows = list(world.open().assignments_of(world.principal("ada")))

    assert rows
    assert {row.principal.type for row in rows} == {"GROUP"}


def test_conflicts_and_a_lost_answer_of_a_grant_are_outlasted(world):
    """The first attempt acted unheard; until it is through, sso-admin answers ConflictException: "not yet"."""
    world.sandbox.options.assignment_seconds = 0.5
    world.fault("CreateAccountAssignment", "after", times=1)
    directory, wanted = world.directories.open(SOURCE, Lane.CHANGE, Patience(5, SystemClock())), _assignment(world)
    world.clock.sleep = time.sleep

    directory.submit_assign(wanted)

    assert world.count("CreateAccountAssignment") > 2
    assert list(directory.assignments_of_pair(wanted.pair)).count(wanted) == 1


def test_what_keeps_aws_at_work_goes_before_all_else(world):
    """Submissions and looks at them pass a queue of other calls of changes; what a change reads does not."""
    world.pace = Pace({"sso-admin": 4, "identitystore": 500, "organizations": 500}, SystemClock())
    world.forget()
    directory, wanted = world.directories.open(SOURCE, Lane.CHANGE, Patience(30, SystemClock())), _assignment(world)
    directory.instance()
    ends: dict[str, float] = {}

    def asks(name, ask):
        ask()
        ends[name] = time.monotonic()

    calls = [("read", lambda: list(directory.assignments_of(wanted.principal)))] * 6
    calls += [("submission", lambda: directory.submit_assign(wanted))]
    calls += [("look", lambda: directory.tickets_in_progress(deleting=False))]
    threads = [threading.Thread(target=asks, args=each) for each in calls]
    for each in threads:
        each.start()
        time.sleep(0.02)
    for each in threads:
        each.join(30)

    assert max(ends["submission"], ends["look"]) < ends["read"], "the last of the readings ended before"


@pytest.mark.parametrize("answer", ["not_found", "failed", "succeeded"])
def test_taking_away_what_is_not_there(world, answer):
    """However AWS puts it, the ticket says that there was nothing, or that it worked."""
    world.sandbox.options.missing_delete = answer
    directory = world.open()

    ticket = directory.submit_unassign(_assignment(world))
    if ticket.status == "IN_PROGRESS":
        ticket = _finish(world, directory, ticket)

    assert ticket.absent or ticket.status == "SUCCEEDED"
    assert ticket.deleting


def test_an_orphan_that_aws_will_not_delete_is_still_there(world):
    """FAILED with "assignee not found", but the row is listed: not absent, and AWS's reason is kept."""
    directory = world.open()
    pair = world.pair("Read")
    (orphan,) = [
        each
        for each in directory.assignments_of_pair(pair)
        if each.principal.type == "USER" and each.principal.id not in world.sandbox.organisation.store.users_by_id
    ]

    ticket = _finish(world, directory, directory.submit_unassign(orphan))

    assert ticket.status == "FAILED"
    assert not ticket.absent
    assert "not found" in ticket.reason


def test_a_grant_that_fails_keeps_its_reason(world):
    directory = world.open()
    wanted = Assignment(Pair(LEGACY, world.permission_set("Read")), world.principal("ada"))

    ticket = _finish(world, directory, directory.submit_assign(wanted))

    assert ticket.status == "FAILED"
    assert ticket.reason
    assert not ticket.absent


def test_a_deleted_permission_set_is_nothing(world):
    directory, pair = world.open(), Pair(DATA, GONE)

    assert directory.permission_set(GONE) is None
    assert directory.policies(GONE) is None
    assert list(directory.aws_accounts_of(GONE)) == []
    assert list(directory.assignments_of_pair(pair)) == []
    assert directory.submit_unassign(Assignment(pair, world.principal("ada"))).absent


def test_granting_a_deleted_permission_set(world):
    with pytest.raises(NotFoundInAws):
        world.open().submit_assign(Assignment(Pair(DATA, GONE), world.principal("ada")))


def test_a_lost_instance_is_never_no_access(world):
    """The same code as for a deleted permission set; the instance has to be seen before it may mean that."""
    directory = world.open()
    instance = directory.instance()
    pair, principal = world.pair(), world.principal("ada")
    del world.sandbox.organisation.instances[instance.arn]

    for ask in (
        lambda: list(directory.assignments_of_pair(pair)),
        lambda: list(directory.aws_accounts_of(pair.permission_set_id)),
        lambda: directory.permission_set(pair.permission_set_id),
        lambda: directory.policies(pair.permission_set_id),
        lambda: list(directory.permission_set_ids()),
        lambda: list(directory.assignments_of(principal)),
        lambda: directory.submit_unassign(Assignment(pair, principal)),
        lambda: list(directory.applications()),
    ):
        with pytest.raises((FixConfiguration, AskPermission, AwsFailed)):
            ask()


def test_policies(world):
    stored = world.sandbox.organisation.instance.permission_sets_by_name["Write"]
    stored.customer_policies[("Deploy", "/ci/")] = None
    stored.inline_policy = "{}"
    stored.boundary = {"CustomerManagedPolicyReference": {"Name": "Limit", "Path": "/"}}

    policies = world.open().policies(world.permission_set("Write"))

    assert policies.managed == ("arn:aws:iam::aws:policy/PowerUserAccess",)
    assert policies.customer_managed == ("/ci/Deploy",)
    assert policies.inline
    assert policies.boundary == "/Limit"


def test_applications(world):
    directory = world.open()
    dashboards, wiki = directory.applications()
    ada = world.principal("ada")

    assert (dashboards.assignment_required, wiki.assignment_required) == (True, False)
    assert len(list(directory.application_assignments(dashboards))) == 2
    world.fault("CreateApplicationAssignment", "after", times=1)
    directory.admit(dashboards.arn, ada)
    assert [each.application_id for each in directory.application_assignments_of(ada)] == [dashboards.id]
    directory.expel(dashboards.arn, ada)
    assert list(directory.application_assignments_of(ada)) == []
    assert not directory.expel(dashboards.arn[:-4] + "0000", ada)


def test_principals_of_a_malformed_id_are_not_asked_for(world):
    with pytest.raises(Exception, match="is not the id of a group"):
        world.open().assignments_of(Principal("GROUP", "x"))
