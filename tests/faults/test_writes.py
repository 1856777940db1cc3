"""Every write of an account's life goes wrong on its way once, in one way: AWS ends up as if nothing had happened."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from connector.sandbox.small import ENG
from tests.faults.conftest import Way
from tests.faults.proxy import GATEWAY, TOO_MANY
from tests.running import change, key

FAULTS: dict[str, dict[str, Any]] = {
    "reset before AWS hears of it": {"kind": "reset"},
    "silence, then a reset": {"kind": "blackhole", "seconds": 0.3},
    "a gateway's own answer": {"kind": "instead", "answer": GATEWAY},
    "a throttle without a word": {"kind": "instead", "answer": TOO_MANY},
    "no answer after AWS acted": {"kind": "lost"},
    "an answer cut in its first line": {"kind": "cut", "cut_at": 9},
    "an answer cut in its headers": {"kind": "cut", "cut_at": 40},
    "an answer cut in its body": {"kind": "cut", "cut_at": 160},
    "a late answer": {"kind": "late", "seconds": 0.5},
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_what_goes_wrong_on_the_way_happens_once_and_is_answered(way: Way, fault: dict[str, Any]) -> None:
    client, name = way.client(), f"life.{fault['kind']}.{len(fault.get('answer', b''))}.{fault.get('cut_at', 0)}"
    group, pair = way.group("aws_eng_security"), way.pair("Write", ENG)

    def asked(command: str, asked: Any, *operations: str) -> Any:
        rules = [way.proxy.add(each, times=1, **fault) for each in operations]
        answer = client.one(command, asked)
        assert [each.hits for each in rules] == [1] * len(rules)
        assert "results" not in answer, answer
        way.proxy.clear()
        return answer

    new = {"attributes": {"userName": name, "givenName": "Ada", "familyName": "Way"}}
    user = asked("std:account:create", new, "CreateUser")["identity"]
    assert way.held(name) == set()
    asked("std:account:update", key(user, changes=[change("Set", "title", "Dr")]), "UpdateUser")
    assert client.one("std:account:read", key(user))["attributes"]["title"] == "Dr"
    gifts = [change("Add", "groups", group), change("Add", "permissionSetAssignments", pair)]
    asked("std:account:update", key(user, changes=gifts), "CreateGroupMembership", "CreateAccountAssignment")
    assert way.held(name) == {group, pair}
    instance = way.sandbox.control("organisation")["instances"][0]
    assert [each["user_id"] for each in instance["memberships"]].count(user) == 1
    assert [each["principal_id"] for each in instance["assignments"]].count(user) == 1
    taken = [{**each, "op": "Remove"} for each in gifts]
    asked("std:account:update", key(user, changes=taken), "DeleteGroupMembership", "DeleteAccountAssignment")
    assert way.held(name) == set()
    asked("std:account:delete", key(user), "DeleteUser")
    assert way.held(name) is None


def test_the_same_grant_sent_many_times_at_once_is_one_assignment(way: Way) -> None:
    """Delivered again while AWS is slow: one operation, one submission, one answer for all."""
    user, pair = way.user("grace"), way.pair("Write", ENG)
    asked = key(user, changes=[change("Add", "permissionSetAssignments", pair)])
    before = way.calls("CreateAccountAssignment")
    way.proxy.add("CreateAccountAssignment", "latency", seconds=1.0, times=1)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: way.client().one("std:account:update", asked), range(6)))
    assert way.calls("CreateAccountAssignment") == before + 1
    assert [each for each in answers if each and each != answers[0]] == []
    assert pair in (way.held("grace") or ())


def test_a_grant_and_its_revoke_at_once_come_in_the_order_in_which_they_were_accepted(way: Way) -> None:
    user, group = way.user("linus"), way.group("aws_data_write")
    rule = way.proxy.add("CreateGroupMembership", "late", seconds=1.5, times=1)
    add, remove = (key(user, changes=[change(op, "groups", group)]) for op in ("Add", "Remove"))
    giving = threading.Thread(target=way.client().one, args=("std:account:update", add))
    giving.start()
    assert rule.struck.wait(10)
    way.client().one("std:account:update", remove)
    giving.join()
    assert group not in (way.held("linus") or ())


def test_what_aws_works_on_while_its_answers_are_lost_is_known_in_the_end(way: Way) -> None:
    """An assignment is IN_PROGRESS for long, and nobody hears how it is."""
    user, pair = way.user("tim"), way.pair("Write", ENG)
    way.sandbox.control("options", {"assignment_seconds": 2.0})
    try:
        way.proxy.add("DescribeAccountAssignmentCreationStatus", "lost", times=3)
        account = way.client().one(
            "std:account:update", key(user, changes=[change("Add", "permissionSetAssignments", pair)])
        )
    finally:
        way.sandbox.control("options", {"assignment_seconds": 0.1})
    assert pair in account["attributes"]["permissionSetAssignments"]
    assert pair in (way.held("tim") or ())


def test_an_assignment_that_fails_late_is_told_with_its_reason(way: Way) -> None:
    user, pair = way.user("alan"), way.pair("Security", ENG)
    way.sandbox.control("options", {"assignment_seconds": 1.0})
    rule = way.proxy.add("CreateAccountAssignment", "late", seconds=0.3, times=1)

    def suspend() -> None:
        assert rule.struck.wait(10)
        suspended = {"action": "set_account_state", "account_id": ENG, "state": "SUSPENDED"}
        way.sandbox.control("mutate", suspended)

    threading.Thread(target=suspend).start()
    try:
        account = way.client().one(
            "std:account:update", key(user, changes=[change("Add", "permissionSetAssignments", pair)])
        )
    finally:
        way.sandbox.control("mutate", {"action": "set_account_state", "account_id": ENG, "state": "ACTIVE"})
        way.sandbox.control("options", {"assignment_seconds": 0.1})
    assert "403 status error" in str(account["results"])
    assert pair not in (way.held("alan") or ())
