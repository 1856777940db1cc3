"""The server under load and under stress: many clients, clients that do not speak HTTP, and work that does not grow."""

import json
import socket
import sys
import threading
import time

import pytest

from connector.sandbox.connection import HttpRequest
from connector.sandbox.dispatch import EmulatedAws
from connector.sandbox.faults import FaultRule
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox


def request(target, body, region="eu-west-1"):
    authorization = f"AWS4-HMAC-SHA256 Credential=AKIA/20260101/{region}/sso/aws4_request"
    headers = {"x-amz-target": target, "authorization": authorization}
    return HttpRequest("POST", "/", "", headers, json.dumps(body).encode(), "127.0.0.1")


def test_parallel_writers_lose_nothing(world):
    """moto breaks under eight parallel creators."""
    clients = [world.client("identitystore", key=f"AKIA{number}") for number in range(8)]
    problems = []

    def write(number):
        try:
            for step in range(20):
                group = clients[number].create_group(IdentityStoreId=world.store, DisplayName=f"g{number}-{step}")
                clients[number].create_group_membership(
                    IdentityStoreId=world.store, GroupId=group["GroupId"], MemberId={"UserId": world.user("ada")}
                )
                clients[number].list_groups(IdentityStoreId=world.store)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert len(world.organisation.store.groups) == 11 + 160
    assert len(world.organisation.store.users_by_name["ada"].memberships) == 3 + 160
    assert len({group.id for group in world.organisation.store.groups}) == 171


@pytest.mark.parametrize(
    "said",
    [
        b"nonsense\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nshort",
    ],
)
def test_a_client_that_does_not_speak_http_is_left(world, said):
    """The connection ends; the server goes on."""
    host, port = world.sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""

    assert world.users.list_users(IdentityStoreId=world.store)["Users"]


def test_our_own_fault_is_kept_and_answered_as_an_internal_failure(world, monkeypatch):
    """A crash never looks like an error of AWS, and a test sees it."""
    monkeypatch.setattr(EmulatedAws, "wait", lambda self, strikes: 1 / 0)

    error = world.error(world.users.list_users, IdentityStoreId=world.store)

    assert error["Code"] == "InternalFailure"
    assert "ZeroDivisionError" in world.sandbox.aws.journal.crashes.pop()


def test_stopping_does_not_wait_for_slow_answers():
    with Sandbox() as sandbox:
        sandbox.control("faults", {"operation": "*", "fault": "slow", "seconds": 60})
        started = time.monotonic()
        host, port = sandbox.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=5)
        connection.sendall(b"POST / HTTP/1.1\r\nX-Amz-Target: AWSIdentityStore.ListUsers\r\n\r\n")
        while not sandbox.control("state")["requests_now"]:
            assert time.monotonic() - started < 5
    connection.close()

    assert time.monotonic() - started < 4


def lines_run(aws, asked):
    """How many lines of Python one request takes: a measure of work that no busy machine disturbs."""
    count = 0

    def trace(_frame, event, _argument):
        nonlocal count
        count += event == "line"
        return trace

    sys.settrace(trace)
    try:
        answer = aws.handle(asked)
    finally:
        sys.settrace(None)
    assert answer.status == 200, answer.body
    return count


def test_the_work_for_a_page_does_not_grow_with_the_organisation():
    """No list is scanned for a page: ten times as many users, groups' members and assignments cost no more."""
    work = []
    for users in (500, 5_000):
        size = Size(users=users, groups=30, permission_sets=5, aws_accounts=20, pairs=5)
        aws = EmulatedAws(generated(size), Options())
        instance, store = aws.organisation.instance, aws.organisation.store
        group = max(store.groups, key=lambda row: len(row.members))
        pair = max(instance.pairs.values(), key=lambda row: len(row.assignments))
        everybody = {"IdentityStoreId": store.id}
        asked = [
            request("AWSIdentityStore.ListUsers", {**everybody, "MaxResults": 10}),
            request("AWSIdentityStore.ListGroupMemberships", {**everybody, "GroupId": group.id, "MaxResults": 10}),
            request(
                "SWBExternalService.ListAccountAssignments",
                {
                    "InstanceArn": instance.arn,
                    "AccountId": pair.account_id,
                    "PermissionSetArn": pair.permission_set_arn,
                    "MaxResults": 5,
                },
            ),
            request("AWSIdentityStore.DescribeUser", {**everybody, "UserId": next(iter(store.users)).id}),
        ]
        for one in asked:
            aws.handle(one)  # what is rendered or compiled once is not counted
        work.append([lines_run(aws, one) for one in asked])

    for small, big in zip(*work, strict=True):
        assert big <= small * 1.2 + 20


def test_a_rule_is_not_shared_between_threads_unguarded():
    """Counting strikes is exact under concurrency: a rule for ten calls strikes ten."""
    from connector.sandbox.faults import Faults

    faults = Faults()
    faults.add({"operation": "*", "fault": "denied", "times": 10})
    hits = []

    def strike():
        hits.extend(1 for _ in range(500) if faults.striking("ListUsers", ""))

    threads = [threading.Thread(target=strike) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(hits) == 10
    assert FaultRule("*", "denied").strikes("ListUsers", "")
