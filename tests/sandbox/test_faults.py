"""Faults by rule and by chance, seen from a client's side of the socket."""

import http.client
import json
import socket
import time

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from connector.sandbox.faults import KINDS, Faults


def rule(world, operation, fault, **more):
    world.sandbox.control("faults", {"operation": operation, "fault": fault, **more})


def list_users(world):
    return world.users.list_users(IdentityStoreId=world.store)["Users"]


def request_headers(world):
    return {
        "X-Amz-Target": "AWSIdentityStore.ListUsers",
        "Authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-west-1/identitystore/aws4_request",
    }


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("denied", 400, "AccessDeniedException"),
        ("throttled", 400, "ThrottlingException"),
        ("error500", 500, "InternalServerException"),
    ],
)
def test_aws_answers_with_an_error(world, fault, status, code):
    rule(world, "ListUsers", fault)

    error = world.error(lambda: list_users(world))

    assert (error["Code"], error["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert world.users.list_groups(IdentityStoreId=world.store)["Groups"]


def test_a_denied_operation_is_named_by_its_iam_action(world):
    """By option, by operation or by action; sso-admin's prefix is `sso` (aws-behaviour 12)."""
    world.options.deny = ["ListPermissionSets", "identitystore:ListUsers"]

    sso = world.error(world.sso.list_permission_sets, InstanceArn=world.instance)
    users = world.error(lambda: list_users(world))

    assert sso["Code"] == users["Code"] == "AccessDeniedException"
    assert sso["Error"]["Message"] == (
        "User: arn:aws:iam::111122223333:user/sandbox is not authorized to perform: sso:ListPermissionSets "
        "because no identity-based policy allows the sso:ListPermissionSets action"
    )


def test_a_rule_strikes_after_so_many_calls_so_many_times(world):
    rule(world, "ListUsers", "denied", after=2, times=1)

    outcomes = []
    for _ in range(5):
        try:
            outcomes.append(len(list_users(world)))
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    assert outcomes == [12, 12, "AccessDeniedException", 12, 12]


def test_a_rule_can_be_for_one_user_agent(world):
    rule(world, "*", "denied", user_agent="somebody-else")

    assert len(list_users(world)) == 12
    status, body = world.raw(
        "AWSIdentityStore.ListUsers", {"IdentityStoreId": world.store}, **{"User-Agent": "somebody-else/1.0"}
    )
    assert (status, body["__type"]) == (400, "AccessDeniedException")


@pytest.mark.parametrize("fault", ["reset", "before"])
def test_a_reset_before_means_that_aws_did_nothing(world, fault):
    rule(world, "CreateGroup", fault)

    with pytest.raises(ConnectionClosedError):
        world.users.create_group(IdentityStoreId=world.store, DisplayName="new")

    assert "new" not in world.organisation.store.groups_by_name


def test_a_reset_after_means_that_aws_acted_and_the_answer_is_lost(world):
    rule(world, "CreateGroup", "after")

    with pytest.raises(ConnectionClosedError):
        world.users.create_group(IdentityStoreId=world.store, DisplayName="new")

    assert "new" in world.organisation.store.groups_by_name


def test_a_reset_is_a_reset_on_the_socket(world):
    """RST, not an orderly end."""
    rule(world, "ListUsers", "reset")
    host, port = world.sandbox.url.removeprefix("http://").split(":")
    body = json.dumps({"IdentityStoreId": world.store})
    head = [f"{name}: {value}" for name, value in request_headers(world).items()]
    message = "\r\n".join(["POST / HTTP/1.1", *head, f"Content-Length: {len(body)}", "", body])
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(message.encode())
        with pytest.raises(ConnectionResetError):
            connection.recv(1)


@pytest.mark.parametrize(("cut_at", "arrives"), [(None, None), (10, 10)])
def test_a_half_answer_announces_more_than_it_brings(world, cut_at, arrives):
    """200 with the full Content-Length, then the end: botocore makes an empty page of it (aws-behaviour 38)."""
    rule(world, "ListUsers", "half", cut_at=cut_at)
    host, port = world.sandbox.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    connection.request("POST", "/", json.dumps({"IdentityStoreId": world.store}), request_headers(world))
    answer = connection.getresponse()
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    connection.close()

    announced = int(answer.headers["Content-Length"])
    assert answer.status == 200
    assert len(caught.value.partial) == (announced // 2 if arrives is None else arrives)
    assert caught.value.partial.startswith(b'{"Users":')


def test_a_slow_answer_takes_its_time_and_others_do_not(world):
    rule(world, "ListUsers", "slow", seconds=0.3)
    started = time.monotonic()
    list_users(world)

    assert time.monotonic() - started >= 0.3


def test_latency_is_added_to_every_answer(world):
    world.options.latency_ms = 100.0
    started = time.monotonic()
    for _ in range(3):
        list_users(world)

    assert time.monotonic() - started >= 0.3


def test_faults_by_chance_strike_about_as_often_as_asked(world):
    world.options.fault_rate = 0.5

    outcomes = []
    for _ in range(100):
        try:
            list_users(world)
            outcomes.append("ok")
        except ClientError:
            outcomes.append("error")
        except ConnectionClosedError:
            outcomes.append("reset")

    assert 30 <= outcomes.count("ok") <= 70
    assert {"error", "reset"} <= set(outcomes)


def test_rules_are_checked_counted_and_cleared(world):
    for wrong in ({"operation": "ListUsers"}, {"operation": "ListUsers", "fault": "weird"}, {"fault": "half", "x": 1}):
        with pytest.raises(ValueError, match="fault"):
            world.sandbox.control("faults", wrong)

    rule(world, "ListUsers", "denied", times=1)
    world.error(lambda: list_users(world))
    list_users(world)
    [counted] = world.sandbox.control("state")["faults"]
    assert (counted["seen"], counted["hits"]) == (2, 1)

    assert world.sandbox.control("faults", {"clear": True})["faults"] == []


def test_every_kind_of_fault_is_described_where_it_is_defined():
    from connector.sandbox import faults

    rules = Faults()
    for kind in KINDS:
        rules.add({"operation": "*", "fault": kind})
        assert kind in str(faults.__doc__)
    assert set(rules.striking("ListUsers", "")) == set(KINDS)
