"""Changes over REST: each leaves AWS as asked, can be repeated, and answers the account as it is afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connector.clock import SystemClock
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small
from connector.store.engines import connect
from connector.store.ledgers import operation_head
from tests.databases import postgresql, store_url
from tests.named import Named
from tests.rest.conftest import SOURCE, Caller, World, kind_of
from tests.running import Running

__all__ = ["postgresql", "store_url"]

ACCOUNTS = f"{SOURCE}/accounts"
NEW = {"userName": "grown", "givenName": "Gro", "familyName": "Wn"}


def held(world: World, user: str) -> tuple[set[str], set[str]]:
    """Groups and pairs the emulated AWS says the user holds itself."""
    organisation = world.sandbox.control("organisation")
    instance = organisation["instances"][0]
    groups = {row["group_id"] for row in instance["memberships"] if row["user_id"] == user}
    pairs = {
        f"{row['account_id']}:{row['permission_set_arn'].rsplit('/', 1)[-1]}"
        for row in instance["assignments"]
        if row["principal_id"] == user
    }
    return groups, pairs


def test_the_base_says_what_was_found(world: World) -> None:
    found = world.caller().ok(SOURCE)

    assert found["source"] == "default"
    assert found["instance"] == world.sandbox.organisation.instance.arn
    assert found["identityStore"] == world.sandbox.organisation.store.id
    assert found["region"] == world.sandbox.region
    assert "identitystore:ListUsers" in found["permissions"]
    assert any("disable_by" in each for each in found["warnings"])


# ---- created


def test_a_joiner_with_entitlements(world: World) -> None:
    """201, and the account flat, the same as a read shows it."""
    group, pair = world.group("aws_data_read"), world.grantable[1]
    sent = {**NEW, "email": "grown@example.com", "employeeNumber": 4711, "title": None, "nickName": ""}
    made = world.caller().post(ACCOUNTS, {**sent, "groups": [group], "permissionSetAssignments": [pair]})
    account = made.json()

    assert made.status_code == 201
    assert (account["id"], account["disabled"]) == (account["userId"], False)
    assert (account["displayName"], account["employeeNumber"]) == ("Gro Wn", "4711")
    assert not {"title", "nickName"} & set(account)
    assert (account["groups"], account["permissionSetAssignments"]) == ([group], [pair])
    assert held(world, account["id"]) == ({group}, {pair})
    assert world.caller().ok(f"{ACCOUNTS}/{account['id']}") == account
    assert account in world.caller().ok(f"{ACCOUNTS}?limit=1000")["items"]

    assert world.caller().delete(f"{ACCOUNTS}/{account['id']}").status_code == 204
    assert held(world, account["id"]) == (set(), set())
    again = world.caller().delete(f"{ACCOUNTS}/{account['id']}")
    assert (again.status_code, again.content, again.headers.get("Content-Type")) == (204, b"", None)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ({}, 422, "invalid-attribute"),
        ({"userName": "x"}, 422, "invalid-attribute"),
        ({**NEW, "shoeSize": "44"}, 422, "invalid-attribute"),
        ({**NEW, "shoeSize": None}, 422, "invalid-attribute"),
        ({**NEW, "title": ["a"]}, 422, "invalid-attribute"),
        ({**NEW, "title": {"a": 1}}, 422, "invalid-attribute"),
        ({**NEW, "title": True}, 422, "invalid-attribute"),
        ({**NEW, "title": "x" * 1025}, 422, "invalid-attribute"),
        ({**NEW, "createdAt": "2020-01-01"}, 422, "invalid-attribute"),
        ({**NEW, "applicationAssignments": ["apl-1"]}, 422, "invalid-attribute"),
        ({**NEW, "groups": ["no-group"]}, 422, "not-grantable"),
        ([NEW], 400, "malformed"),
        ("text", 400, "malformed"),
    ],
)
def test_what_cannot_be_created_changes_nothing(world: World, body: Any, status: int, kind: str) -> None:
    before = len(world.sandbox.organisation.store.users)
    answer = world.caller().post(ACCOUNTS, body)

    assert (answer.status_code, kind_of(answer)) == (status, kind)
    assert len(world.sandbox.organisation.store.users) == before


@pytest.mark.parametrize("body", [b"", b"{", b'{"title":NaN}', b"\xff", b"[" * 100_000, b'{"title":1e999}'])
def test_what_is_no_json_is_refused(caller: Caller, joiner: str, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = caller("PATCH", f"{ACCOUNTS}/{joiner}", data=body, headers=headers)

    assert answer.status_code == (422 if b"1e999" in body else 400)


# ---- changed


def test_a_user_name_of_somebody_else_is_a_conflict_that_names_him(caller: Caller, joiner: str) -> None:
    account = caller.ok(f"{ACCOUNTS}/{joiner}")
    other = caller.post(ACCOUNTS, {**NEW, "userName": "other.one", "email": "other.one@example.com"}).json()
    answer = caller.patch(f"{ACCOUNTS}/{joiner}", {"title": "Chief", "userName": "other.one"})

    assert (answer.status_code, kind_of(answer)) == (409, "conflict")
    assert answer.json()["existing"] == other["id"]
    assert caller.ok(f"{ACCOUNTS}/{joiner}") == account
    assert caller.delete(f"{ACCOUNTS}/{other['id']}").status_code == 204


def test_a_denied_step_says_what_to_allow_and_what_aws_called_it(world: World, joiner: str) -> None:
    path = f"{ACCOUNTS}/{joiner}/entitlements/permissionSetAssignment"
    with world.options(deny=["CreateAccountAssignment"]):
        answer = world.caller().post(path, {"value": world.grantable[0]})

    assert (answer.status_code, kind_of(answer)) == (502, "aws-permission-missing")
    assert answer.json()["action"] == "sso:CreateAccountAssignment"
    assert answer.json()["awsRequestId"]


def test_attributes_are_merged(caller: Caller, joiner: str) -> None:
    """What is named is set; null and the empty text clear; what is not named stays."""
    path = f"{ACCOUNTS}/{joiner}"
    first = caller.patch(path, {"title": "Engineer", "department": "Data", "nickName": "Newt", "costCenter": 17})
    second = caller.patch(path, {"title": None, "nickName": "", "department": "Engineering"})

    assert first.status_code == second.status_code == 200
    assert (first.json()["title"], first.json()["costCenter"]) == ("Engineer", "17")
    assert not {"title", "nickName"} & set(second.json())
    assert (second.json()["department"], second.json()["costCenter"]) == ("Engineering", "17")
    assert caller.ok(path) == second.json()


def test_a_change_can_be_repeated(caller: Caller, joiner: str) -> None:
    """Nothing has to change, and the account is answered all the same."""
    answers = [caller.patch(f"{ACCOUNTS}/{joiner}", {"title": "Engineer"}) for _ in range(3)]

    assert [each.status_code for each in answers] == [200] * 3
    assert answers[0].json() == answers[1].json() == answers[2].json()


def test_read_only_attributes_may_come_back_unchanged(caller: Caller, joiner: str) -> None:
    """Provisioning forms send them; null or unchanged they are ignored, also beside a change."""
    account = caller.ok(f"{ACCOUNTS}/{joiner}")
    unchanged = {name: account[name] for name in ("id", "userId", "createdAt", "userStatus", "inheritedAccess")}
    answer = caller.patch(f"{ACCOUNTS}/{joiner}", {**unchanged, "externalId": None, "disabled": None, "title": "Boss"})

    assert (answer.status_code, answer.json()["title"]) == (200, "Boss")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"groups": []}, 422),
        ({"permissionSetAssignments": None}, 422),
        ({"userId": "another"}, 422),
        ({"id": "another"}, 422),
        ({"disabled": True}, 422),
        ({"inheritedAccess": ["everything"]}, 422),
        ({"userName": ""}, 422),
        ({"userName": None}, 422),
        ({"shoeSize": "44"}, 422),
        ({"title": ["a", "b"]}, 422),
    ],
)
def test_what_cannot_be_changed_changes_nothing(caller: Caller, joiner: str, body: dict[str, Any], status: int) -> None:
    before = caller.ok(f"{ACCOUNTS}/{joiner}")

    assert caller.patch(f"{ACCOUNTS}/{joiner}", {"title": "Boss", **body} if body else body).status_code == status
    assert caller.ok(f"{ACCOUNTS}/{joiner}") == before


# ---- entitlements


def test_entitlements_are_given_and_taken(world: World, joiner: str) -> None:
    """One id or several, again and again; AWS is asked only when there is something to do."""
    caller, path = world.caller(), f"{ACCOUNTS}/{joiner}/entitlements"
    one, two, three = world.grantable
    group = world.group("aws_data_read")

    assert caller.post(f"{path}/group", {"value": group}).json()["groups"] == [group]
    for value in (one, [one], [one, two], [one, two, two]):
        given = caller.post(f"{path}/permissionSetAssignment", {"value": value})
        assert given.status_code == 200
    assert set(given.json()["permissionSetAssignments"]) == {one, two}
    assert held(world, joiner) == ({group}, {one, two})
    for value in (one, one, three, one.replace("ps-", "ps-0")[: len(one)]):
        taken = caller.delete(f"{path}/permissionSetAssignment/{value}")
        assert taken.status_code == 200
    for value in ("nothing", "x%20y", "a%2Fb"):  # what can be no id was meant for another: it must not look taken
        assert kind_of(caller.delete(f"{path}/permissionSetAssignment/{value}")) == "malformed"
    assert taken.json()["permissionSetAssignments"] == [two]
    assert held(world, joiner) == ({group}, {two})


NO_VALUES: tuple[Any, ...] = (
    *({}, {"value": None}, {"value": ""}, {"value": []}, {"value": [""]}, {"value": 1}, {"value": ["a", 1]}),
    *({"value": {"id": "a"}}, {"value": "a", "more": 1}, {"values": ["a"]}, []),
)


@pytest.mark.parametrize("body", NO_VALUES)
def test_what_is_no_entitlement_is_refused(caller: Caller, joiner: str, body: Any) -> None:
    answer = caller.post(f"{ACCOUNTS}/{joiner}/entitlements/group", body)

    assert (answer.status_code, kind_of(answer)) == (400, "malformed")


def test_a_type_that_the_source_does_not_have_is_absent(world: World, joiner: str) -> None:
    """Whatever is asked of it."""
    caller = world.caller()
    for type_ in ("applicationAssignment", "roleGrant", "groups"):
        path = f"{ACCOUNTS}/{joiner}/entitlements/{type_}"
        asked = [caller.post(path, {"value": "x"}), caller.delete(f"{path}/x")]
        asked += [caller.get(f"{SOURCE}/entitlements/{type_}"), caller.get(f"{SOURCE}/entitlements/{type_}/x")]
        assert {kind_of(each) for each in asked} == {"entitlement-not-found"}


@pytest.mark.parametrize(
    ("member", "says"),
    [
        ({"disabled": True}, "disabled cannot be given to a new account: it is enabled"),
        ({"id": ""}, "id is read-only: Identity Center sets it itself; leave it out"),
        ({"userId": "chosen"}, "userId is read-only"),
        ({"inheritedAccess": []}, "inheritedAccess is read-only: it comes through groups"),
        ({"nick": "Tim"}, "there is no attribute 'nick'; did you mean nickName?"),
        ({"inheritedPermissionSetAssignments": ["x"]}, "inheritedPermissionSetAssignments is read-only"),
        ({"userStatus": "DISABLED"}, "userStatus is read-only"),
    ],
)
def test_what_a_new_account_cannot_be_given_is_called_what_it_is(
    caller: Caller, member: dict[str, Any], says: str
) -> None:
    """An attribute that accounts show is not denied to exist."""
    answer = caller.post(ACCOUNTS, {"userName": "nobody", "givenName": "No", "familyName": "Body", **member})

    assert (answer.status_code, kind_of(answer)) == (422, "invalid-attribute")
    assert says in answer.json()["detail"]


# ---- enabled and disabled


def test_disabling_and_enabling(world: World) -> None:
    """Through SCIM, and repeated."""
    caller, path = world.caller(), f"/v1/sources/scim/accounts/{world.user('margaret')}"
    for word, disabled in (("disable", True), ("disable", True), ("enable", False), ("enable", False)):
        answer = caller.post(f"{path}/{word}")
        assert (answer.status_code, answer.json()["disabled"]) == (200, disabled)
        assert caller.ok(path)["disabled"] is disabled


def test_what_an_identity_provider_owns_is_changed_there(world: World) -> None:
    """Its users; direct assignments stay changeable."""
    caller, path = world.caller(), f"/v1/sources/external/accounts/{world.user('katherine')}"
    refused = [caller.delete(path), caller.patch(path, {"title": "x"})]
    assert {kind_of(each) for each in refused} == {"managed-elsewhere"}

    given = caller.post(f"{path}/entitlements/permissionSetAssignment", {"value": world.grantable[0]})
    assert world.grantable[0] in given.json()["permissionSetAssignments"]
    assert caller.delete(f"{path}/entitlements/permissionSetAssignment/{world.grantable[0]}").status_code == 200


# ---- absent accounts


def test_changes_of_an_absent_account(world: World) -> None:
    """404, but for taking it away: it is away."""
    caller, path = world.caller(), f"{ACCOUNTS}/00000000-0000-4000-8000-000000000000"
    absent = [
        caller.get(path),
        caller.patch(path, {"title": "x"}),
        caller.post(f"{path}/entitlements/group", {"value": world.group("aws_data_read")}),
        caller.delete(f"{path}/entitlements/group/{world.group('aws_data_read')}"),
    ]
    scim = path.replace("default", "scim")
    absent += [caller.post(f"{scim}/enable"), caller.post(f"{scim}/disable")]

    assert {kind_of(each) for each in absent} == {"account-not-found"}
    assert caller.delete(path).status_code == 204


# ---- what outlasts its request


def outlast(world: World, user: str, values: Any) -> dict[str, Any]:
    """The operation of a grant that takes longer than the source waits, when it has ended."""
    caller = world.caller()
    path = f"/v1/sources/hasty/accounts/{user}/entitlements/permissionSetAssignment"
    answer = caller.post(path, {"value": values})
    assert (answer.status_code, kind_of(answer)) == (504, "still-running")
    assert answer.json()["retryable"] is True
    address = f"/v1/operations/{answer.json()['operation']}"
    shown = caller.ok(address)
    assert (shown["state"], shown["source"], shown["account"], shown["problem"]) == ("accepted", "hasty", None, None)
    deadline = time.monotonic() + 15
    while shown["state"] == "accepted":
        assert time.monotonic() < deadline
        time.sleep(0.05)
        shown = caller.ok(address)
    return dict(shown)


def test_a_change_that_outlasts_its_request_goes_on(world: World, joiner: str) -> None:
    with world.options(assignment_seconds=0.8):
        ended = outlast(world, joiner, world.grantable[2])

    assert ended["state"] == "succeeded"
    assert ended["account"] == world.caller().ok(f"/v1/sources/hasty/accounts/{joiner}")
    assert ended["account"]["permissionSetAssignments"] == [world.grantable[2]]
    assert [each["value"] for each in ended["steps"]] == [world.grantable[2]]
    assert [(each["value"], each["result"]) for each in ended["outcomes"]] == [(world.grantable[2], "done")]


@contextmanager
def locked(store_url: str, seconds: float) -> Iterator[None]:
    """For so long nobody accepts a change."""
    database = connect(store_url, SystemClock())
    free = threading.Event()

    def lock() -> None:
        with database.writing() as connection:
            connection.execute(select(operation_head).with_for_update()).one()
            held.set()
            free.wait(seconds)

    held = threading.Event()
    thread = threading.Thread(target=lock)
    thread.start()
    assert held.wait(10)
    try:
        yield
    finally:
        free.set()
        thread.join()
        database.dispose()


def test_what_the_store_did_not_take_in_time_is_not_done_later(store_url: str, tmp_path: Path) -> None:
    """Who was told that nothing was done gave nobody access by asking; asked again, it is done."""
    environment = {"CONNECTOR_STORE_URL": store_url}
    with (
        Sandbox(small()) as sandbox,
        Running(sandbox, tmp_path, "[sources.default]\nchange_deadline = 0.5\n", environment) as service,
    ):
        world = Named()
        world.sandbox = sandbox
        user, group = world.user("grace"), world.group("aws_data_read")
        path = f"{ACCOUNTS}/{user}/entitlements/group"
        caller = Caller(service.url)
        with locked(store_url, 20):
            answer = caller.post(path, {"value": group})
        assert (answer.status_code, kind_of(answer)) == (503, "retry-later")
        assert "nothing was done" in answer.json()["detail"]
        deadline = time.monotonic() + 10
        while not service.events("command stopped"):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert group not in caller.ok(f"{ACCOUNTS}/{user}")["groups"]
        assert service.command("operations", "--json").stdout.strip() in ("", "[]")

        assert group in caller.post(path, {"value": group}).json()["groups"]


def test_an_operation_tells_how_it_failed_as_well(world: World, joiner: str) -> None:
    with world.options(assignment_seconds=0.8, deny=["DescribeAccount", "ListAccounts"]):
        ended = outlast(world, joiner, [world.grantable[2], world.suspended])

    assert ended["state"] == "partly"
    assert ended["problem"]["type"] == "/problems/partly-done"
    assert ended["account"]["permissionSetAssignments"] == [world.grantable[2]]
    assert {each["value"]: each["result"] for each in ended["outcomes"]} == {
        world.grantable[2]: "done",
        world.suspended: "failed",
    }


def test_a_single_step_that_fails_there_has_its_own_problem(world: World, joiner: str) -> None:
    """In the same words as if it had been waited for."""
    with world.options(assignment_seconds=0.8, deny=["DescribeAccount", "ListAccounts"]):
        ended = outlast(world, joiner, world.suspended)

    assert ended["problem"]["type"] == "/problems/grant-failed"
    assert ended["account"]["permissionSetAssignments"] == []


def test_a_request_repeated_with_its_key_has_the_same_answer(world: World) -> None:
    """Also when it could not be done again: the user exists by then. With another body it is a conflict."""
    caller, key = world.caller(), {"Idempotency-Key": "joiner 17"}
    body = {"userName": "only.once", "givenName": "Only", "familyName": "Once"}
    first, second = (caller.post(ACCOUNTS, body, headers=key) for _ in range(2))
    other = caller.post(ACCOUNTS, {**body, "userName": "twice"}, headers=key)

    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert (other.status_code, kind_of(other)) == (409, "conflict")
    assert caller.delete(f"{ACCOUNTS}/{first.json()['id']}").status_code == 204


@pytest.mark.parametrize("key", ["x" * 256, "caf\u00e9"])
def test_what_is_no_key_is_refused(caller: Caller, joiner: str, key: str) -> None:
    headers = {"Idempotency-Key": key.encode("latin-1")}
    assert kind_of(caller.patch(f"{ACCOUNTS}/{joiner}", {"title": "x"}, headers=headers)) == "malformed"
