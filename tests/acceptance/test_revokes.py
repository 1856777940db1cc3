"""No revoke is lost: what is named is taken away, also where our own reading did not show it.

Somebody outside grants in ways that no list of ours shows: after the last census where asking by principal is denied,
through an assignment that AWS is still making, in a list that lags behind. Then access is taken through the connector,
and what counts is what AWS holds afterwards.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from connector.model import Operation
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, ENG, small
from connector.store import open_store
from tests.named import Named
from tests.running import Answer, Client, Running, change, key

SOURCES = """
[sources.default]
[sources.groups]
entitlement_types = ["group"]
[sources.all]
entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]
[sources.strip]
disable_by = "strip"
"""
TAKE_ALL = {"op": "Set", "attribute": "permissionSetAssignments", "value": []}


@dataclass
class Outside(Named):
    """The small organisation, a service on it, and somebody who grants without telling it."""

    sandbox: Sandbox
    service: Running

    def client(self, source: str = "default") -> Client:
        return self.service.client(source)

    def grants(self, user: str, permission_set: str, account: str) -> str:
        """At once; the pair's id."""
        self.sandbox.control(
            "mutate",
            {
                "action": "add_assignment",
                "permission_set": permission_set,
                "account_id": account,
                "principal_type": "USER",
                "principal_id": user,
            },
        )
        return self.pair(permission_set, account)

    def begins_to_grant(self, user: str, permission_set: str, account: str, seconds: float) -> str:
        """As any tool does; AWS ends it after so many seconds."""
        self.sandbox.control("options", {"assignment_seconds": seconds})
        instance = self.sandbox.organisation.instance
        environment = self.sandbox.environment()
        aws = boto3.client(
            "sso-admin",
            environment["AWS_REGION"],
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id=environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=environment["AWS_SECRET_ACCESS_KEY"],
        )
        answer = aws.create_account_assignment(
            InstanceArn=instance.arn,
            PermissionSetArn=instance.permission_sets_by_name[permission_set].arn,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PrincipalType="USER",
            PrincipalId=user,
        )
        assert answer["AccountAssignmentCreationStatus"]["Status"] == "IN_PROGRESS"
        self.sandbox.control("options", {"assignment_seconds": 0.1})
        return self.pair(permission_set, account)

    def operations(self, source: str) -> Sequence[Operation]:
        """All that were accepted, the newest first."""
        store = open_store(f"sqlite:///{self.service.directory / 'connector.db'}")
        try:
            return store.operations.listed(source, False, 100)
        finally:
            store.close()

    def held(self, user: str) -> set[str]:
        """Ids of the pairs AWS holds for the user, when nothing is in flight any more."""
        self.sandbox.control("advance", {"seconds": 60})
        self.sandbox.control("organisation")
        found = self.sandbox.organisation.instance.assignments
        return {f"{account}:{arn.rsplit('/', 1)[-1]}" for arn, account, who in found if who == ("USER", user)}


@contextmanager
def _stage(directory: Path, sources: str = SOURCES, **environment: str) -> Iterator[Outside]:
    with (
        Sandbox(small(), Options(assignment_seconds=0.1)) as sandbox,
        Running(sandbox, directory, sources, environment) as service,
    ):
        yield Outside(sandbox, service)


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    with _stage(tmp_path) as stage:
        yield stage


def _removes(pair: str) -> dict[str, Any]:
    return change("Remove", "permissionSetAssignments", pair)


def test_where_asking_by_principal_is_denied_a_pair_that_no_census_saw_is_read_and_revoked(outside: Outside) -> None:
    outside.sandbox.control("options", {"deny": ["ListAccountAssignmentsForPrincipal"]})
    client, user = outside.client(), outside.user("tim")
    client.outputs("std:account:list")
    pair = outside.grants(user, "Write", CORE)

    assert pair in client.one("std:account:read", key(user))["attributes"]["permissionSetAssignments"]
    client.one("std:account:update", key(user, changes=[_removes(pair)]))
    assert pair not in outside.held(user)


def test_where_asking_by_principal_is_denied_a_deleted_user_leaves_no_assignment(outside: Outside) -> None:
    outside.sandbox.control("options", {"deny": ["ListAccountAssignmentsForPrincipal"]})
    for source in ("default", "groups"):
        client, user = outside.client(source), outside.user({"default": "tim", "groups": "barbara"}[source])
        client.outputs("std:account:list")
        outside.grants(user, "Write", CORE)
        client.one("std:account:delete", key(user))
        assert outside.held(user) == set(), source


@pytest.mark.parametrize("how", ["Remove", "Set", "delete", "disable"])
def test_what_aws_is_still_giving_is_waited_for_and_taken(outside: Outside, how: str) -> None:
    client, user = outside.client("strip"), outside.user("edgar")
    pair = outside.begins_to_grant(user, "Security", ENG, seconds=3)
    if how in ("Remove", "Set"):
        client.one("std:account:update", key(user, changes=[_removes(pair) if how == "Remove" else TAKE_ALL]))
    else:
        client.one(f"std:account:{how}", key(user))
    assert pair not in outside.held(user)


def test_what_another_source_of_the_instance_is_giving_is_waited_for(outside: Outside) -> None:
    user = outside.user("edgar")
    pair = outside.begins_to_grant(user, "Security", ENG, seconds=2)
    assert outside.client("all").one("std:account:update", key(user, changes=[_removes(pair)])) != {}
    assert outside.held(user) == set()


def test_a_grant_to_somebody_else_is_not_waited_for(outside: Outside) -> None:
    outside.begins_to_grant(outside.user("alan"), "Security", ENG, seconds=60)
    user = outside.user("edgar")
    answer = outside.client().post("std:account:update", key(user, changes=[_removes(outside.pair("Read", CORE))]))
    assert answer.complete
    assert answer.seconds < 20


def test_what_lags_behind_in_lists_is_taken_when_it_is_named(outside: Outside) -> None:
    client, user = outside.client(), outside.user("edgar")
    outside.sandbox.control("options", {"lag_seconds": 30.0})
    pair = outside.begins_to_grant(user, "Security", ENG, seconds=0.1)
    outside.sandbox.control("advance", {"seconds": 1})
    assert pair not in client.one("std:account:read", key(user))["attributes"]["permissionSetAssignments"]

    client.one("std:account:update", key(user, changes=[_removes(pair)]))
    assert pair not in outside.held(user)


def test_an_application_made_since_the_last_census_can_be_given_and_taken_and_keeps_nobody(outside: Outside) -> None:
    client, user = outside.client("all"), outside.user("tim")
    client.outputs("std:account:list")
    outside.sandbox.control("mutate", {"action": "add_application", "name": "Brand new"})
    made = list(outside.sandbox.organisation.instance.applications_by_arn.values())[-1]
    assert made.name == "Brand new"

    def holders() -> set[tuple[str, str]]:
        return set(made.by_principal)

    named = {"attribute": "applicationAssignments", "value": made.arn.rsplit("/", 1)[-1]}
    client.one("std:account:update", key(user, changes=[{"op": "Add", **named}]))
    assert holders() == {("USER", user)}
    client.one("std:account:update", key(user, changes=[{"op": "Remove", **named}]))
    assert holders() == set()
    client.one("std:account:update", key(user, changes=[{"op": "Add", **named}]))
    client.one("std:account:delete", key(user))
    assert holders() == set()


def test_the_last_of_several_changes_wins_also_where_an_equal_one_is_still_going_on(outside: Outside) -> None:
    """Taken, given back, taken again, each asked while AWS works on those before: none is told an earlier one's end."""
    client, pair = outside.client("strip"), outside.pair("Read", CORE)
    updated, disabled = outside.user("edgar"), outside.user("barbara")
    for user in (updated, disabled):
        outside.grants(user, "Read", CORE)

    def update(op: str) -> tuple[str, Any]:
        return "std:account:update", key(updated, changes=[change(op, "permissionSetAssignments", pair)])

    take = [update("Remove"), ("std:account:disable", key(disabled))]
    give = [update("Add"), ("std:account:enable", key(disabled))]
    outside.sandbox.control("options", {"assignment_seconds": 0.5})
    with ThreadPoolExecutor(6) as pool:
        asked = []
        for number, wishes in enumerate([take, give, take], 1):
            asked += [pool.submit(client.post, *each) for each in wishes]
            deadline = time.monotonic() + 10
            while len(outside.operations("strip")) < 2 * number and time.monotonic() < deadline:
                time.sleep(0.01)
    assert [each.result().text for each in asked if not each.result().complete] == []
    assert outside.held(updated) == outside.held(disabled) == set()

    outside.sandbox.control("options", {"assignment_seconds": 0.1})
    for wishes in (give, take):
        assert client.one(*wishes[0]) != {}, "what ended a moment ago is done again when it was undone since"
    assert outside.held(updated) == set()


def test_a_remove_of_what_is_not_there_is_done_and_says_nothing(outside: Outside) -> None:
    client, user = outside.client("all"), outside.user("edgar")
    for attribute, value in {
        "groups": outside.group("aws_core_admin"),
        "permissionSetAssignments": outside.pair("Admin", DATA),
        "applicationAssignments": "apl-0123456789abcdef",
    }.items():
        assert client.one("std:account:update", key(user, changes=[change("Remove", attribute, value)])) == {}


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("groups", "aws_data_read"),
        ("groups", " 9067642ac7-00000000-0000-4000-8000-000000000000 "),
        ("groups", "9067642ac7-00000000-0000-4000-8000-000000000000,9067642ac7-00000000-0000-4000-8000-000000000001"),
        ("permissionSetAssignments", "Read on Data"),
        ("permissionSetAssignments", "111111111111"),
        ("applicationAssignments", "garbage"),
    ],
)
def test_a_remove_of_what_cannot_be_an_id_is_refused_and_nothing_else_is_done(
    outside: Outside, attribute: str, value: str
) -> None:
    client, user = outside.client("all"), outside.user("edgar")
    before = client.one("std:account:read", key(user))
    held = before["attributes"]["groups"][0]
    said = client.failure(
        "std:account:update", key(user, changes=[change("Remove", "groups", held), change("Remove", attribute, value)])
    )
    assert repr(value) in said
    assert "id" in said
    assert client.one("std:account:read", key(user)) == before


def test_a_group_id_in_capital_letters_is_the_same_group(outside: Outside) -> None:
    client, user = outside.client(), outside.user("edgar")
    held = client.one("std:account:read", key(user))["attributes"]["groups"][0]
    prefix, _, rest = held.partition("-")
    client.one("std:account:update", key(user, changes=[change("Remove", "groups", f"{prefix}-{rest.upper()}")]))
    assert held not in client.one("std:account:read", key(user))["attributes"]["groups"]


def test_a_user_that_others_delete_while_it_is_deleted_is_gone_with_all_it_held(outside: Outside) -> None:
    client, user = outside.client(), outside.user("barbara")
    assert outside.held(user)
    outside.sandbox.control("options", {"assignment_seconds": 1.0})
    answers: list[Answer] = []
    command = threading.Thread(target=lambda: answers.append(client.post("std:account:delete", key(user))))
    command.start()
    while not outside.sandbox.control("state")["in_flight"]:
        time.sleep(0.01)
    outside.sandbox.control("mutate", {"action": "delete_user", "user": user})
    command.join()
    assert answers[0].complete, answers[0].text
    named = str(outside.service.events("user deleted, assignments left behind by AWS"))
    assert [pair for pair in outside.held(user) if pair not in named] == [], "what AWS keeps is named"


def test_a_user_that_aws_does_not_show_at_once_is_not_called_missing(outside: Outside) -> None:
    outside.sandbox.control("options", {"user_lag_seconds": 1.0})
    names = {"userName": "ada.new", "givenName": "Ada", "familyName": "New", "groups": outside.group("aws_data_read")}
    account = outside.client().one("std:account:create", {"attributes": names})
    assert account["attributes"]["groups"] == [names["groups"]]

    outside.sandbox.control("options", {"user_lag_seconds": 600.0})
    said = outside.client().failure("std:account:create", {"attributes": {**names, "userName": "ada.newer"}})
    assert "notFound" not in said
    assert outside.user("ada.newer") in said
