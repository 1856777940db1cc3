"""Every problem of docs/rest-face.md, provoked, and the document that says what each type means."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from connector.commands.desk import Command
from connector.errors import RetryLater
from connector.model import Event
from connector.store import open_store
from connector.web.dispatch import Faces
from connector.web.rest import create_rest
from connector.web.rest.face import Face
from connector.wire.rest_problems import TYPES
from tests.rest.conftest import EXPIRED, SOURCE, World, kind_of
from tests.running import READ_TOKEN
from tests.web.face_fakes import COMMANDS, READ, fake_service

NOBODY = "00000000-0000-4000-8000-000000000000"
NEW = {"userName": "new.comer", "givenName": "New", "familyName": "Comer"}


def source(name: str, path: str = "") -> str:
    return f"/v1/sources/{name}{path}"


def busy(world: World) -> Any:
    """One request more than there may be."""
    with world.fault("DescribeUser", "slow", seconds=1.0), ThreadPoolExecutor(12) as pool:
        path = f"{SOURCE}/accounts/{world.user('ada')}"
        asked = [pool.submit(world.caller().get, path) for _ in range(12)]
        answers = [each.result() for each in asked]
    return next(each for each in answers if each.status_code != 200)


def expired_cursor(world: World) -> Any:
    """A walk that is left alone until its snapshot is swept."""
    caller = world.caller()
    first = caller.ok(f"{source('other')}/accounts?limit=2")
    user = world.user("linus")
    caller.patch(f"{source('other')}/accounts/{user}", {"title": "Walker"})
    caller.patch(f"{source('other')}/accounts/{user}", {"title": "Engineer"})
    with world.store() as store:
        store.sweep(0.0)
    return caller.get(first["next"].removeprefix(world.service.url))


def give(world: World, values: Any) -> Any:
    return world.caller().post(
        f"{SOURCE}/accounts/{world.user('linus')}/entitlements/permissionSetAssignment", {"value": values}
    )


def failing_grant(world: World) -> Any:
    """AWS takes the grant and ends it as FAILED: nobody could say beforehand that the AWS account is suspended."""
    with world.options(deny=["DescribeAccount", "ListAccounts"]):
        return give(world, world.suspended)


def half_failing_grant(world: World) -> Any:
    with world.options(deny=["DescribeAccount", "ListAccounts"]):
        answer = give(world, [world.grantable[0], world.suspended])
    world.caller().delete(
        f"{SOURCE}/accounts/{world.user('linus')}/entitlements/permissionSetAssignment/{world.grantable[0]}"
    )
    return answer


def outlasting(world: World) -> Any:
    with world.options(assignment_seconds=1.0):
        answer = world.caller().post(
            f"{source('hasty')}/accounts/{world.user('tim')}/entitlements/permissionSetAssignment",
            {"value": world.grantable[1]},
        )
        operation = f"/v1/operations/{answer.json()['operation']}"
        while world.caller().ok(operation)["state"] == "accepted":
            time.sleep(0.05)
    return answer


def faulty(operation: str, fault: str, where: str = "short") -> Callable[[World], Any]:
    def ask(world: World) -> Any:
        with world.fault(operation, fault):
            return world.caller().get(f"{source(where)}/accounts/{world.user('ada')}")

    return ask


def denied(world: World) -> Any:
    with world.options(deny=["DescribeUser"]):
        return world.caller().get(f"{SOURCE}/accounts/{world.user('ada')}")


PROVOKED: dict[str, Callable[[World], Any]] = {
    "malformed": lambda w: w.caller().get(f"{SOURCE}/accounts?limit=0"),
    "unauthenticated": lambda w: w.caller(None).get(f"{SOURCE}/accounts"),
    "forbidden": lambda w: w.caller(READ_TOKEN).post(f"{SOURCE}/accounts", NEW),
    "not-found": lambda w: w.caller().get("/v1/nothing"),
    "source-not-found": lambda w: w.caller().get(source("nowhere")),
    "account-not-found": lambda w: w.caller().get(f"{SOURCE}/accounts/{NOBODY}"),
    "account-elsewhere": lambda w: w.caller().get(f"{SOURCE}/accounts/0123456789-{NOBODY}"),
    "entitlement-not-found": lambda w: w.caller().get(f"{SOURCE}/entitlements/group/{NOBODY}"),
    "operation-not-found": lambda w: w.caller().get(f"/v1/operations/{NOBODY}"),
    "method-not-allowed": lambda w: w.caller()("PUT", f"{SOURCE}/accounts"),
    "conflict": lambda w: w.caller().post(f"{SOURCE}/accounts", {**NEW, "userName": "ada"}),
    "disable-not-configured": lambda w: w.caller().post(f"{SOURCE}/accounts/{w.user('ada')}/disable"),
    "managed-elsewhere": lambda w: w.caller().post(f"{source('external')}/accounts", NEW),
    "cursor-expired": expired_cursor,
    "too-large": lambda w: w.caller().post(f"{SOURCE}/accounts", {"title": "x" * (2 * 1024 * 1024)}),
    "unsupported-media-type": lambda w: w.caller()("POST", f"{SOURCE}/accounts", data=b"userName=x"),
    "invalid-attribute": lambda w: w.caller().patch(f"{SOURCE}/accounts/{w.user('ada')}", {"shoeSize": "44"}),
    "not-grantable": lambda w: give(w, w.suspended),
    "busy": busy,
    "aws-failed": faulty("DescribeUser", "error500"),
    "aws-permission-missing": denied,
    "source-misconfigured": lambda w: w.caller().get(source("wrong")),
    "grant-failed": failing_grant,
    "partly-done": half_failing_grant,
    "aws-throttled": faulty("DescribeUser", "throttled"),
    "still-running": outlasting,
}
"""How to meet each type on the running service."""
MORE = {"internal", "retry-later"}
"""Met with commands that do it, below: the running service has no known way."""


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_is_met(kind: str) -> None:
    """A new type of problem needs its row above."""
    assert kind in PROVOKED or kind in MORE


@pytest.mark.parametrize("kind", PROVOKED)
def test_a_problem_is_a_document_with_the_documented_type(kind: str, world: World) -> None:
    """The caller checks its form (`check_problem`)."""
    answer = PROVOKED[kind](world)

    assert kind_of(answer) == kind
    explained = world.caller(None).get(answer.json()["type"]).json()
    assert (explained["title"], explained["text"]) == (TYPES[kind].title, TYPES[kind].text)


def test_what_a_problem_says_beyond_that(world: World) -> None:
    """The members that programs act upon."""
    assert PROVOKED["aws-permission-missing"](world).json()["action"] == "identitystore:DescribeUser"
    assert PROVOKED["conflict"](world).json()["existing"] == world.user("ada")
    assert PROVOKED["account-not-found"](world).json()["awsRequestId"]
    assert set(PROVOKED["method-not-allowed"](world).headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert PROVOKED["aws-throttled"](world).json()["retryable"] is True
    assert PROVOKED["not-grantable"](world).json()["retryable"] is False
    failed = PROVOKED["grant-failed"](world).json()
    assert "takes longer than usual" in failed["detail"]  # AWS's own reason
    assert world.suspended in failed["detail"]


def test_a_change_that_failed_in_part_is_never_a_success(world: World) -> None:
    """The account as it is now, and what failed."""
    partly = PROVOKED["partly-done"](world).json()

    assert partly["status"] == 502
    assert world.grantable[0] in partly["account"]["permissionSetAssignments"]
    assert partly["account"]["id"] == world.user("linus")
    (result,) = partly["results"]
    assert result["value"] == world.suspended
    assert result["attribute"] == "permissionSetAssignments"
    assert "takes longer than usual" in result["reason"]


@pytest.mark.parametrize("token", [None, "", "idc_unknown", EXPIRED, "x" * 5000])
def test_without_a_valid_token_nothing_is_told(world: World, token: str | None) -> None:
    """Not even whether a source, or an address, exists."""
    told = [world.caller(token).get(path) for path in (SOURCE, source("nowhere"), "/v1/nothing", "/v1")]

    assert [each.status_code for each in told] == [401] * 4


# ---- ids that nobody has ------------------------------------------------------------------------------------------

STRANGE = {
    "slash": "a%2Fb",
    "slash in small letters": "a%2fenable",
    "space": "a%20b",
    "unicode": "%C3%BC%F0%9F%98%80",
    "no utf-8": "%FF%FE",
    "null": "%00",
    "line": "a%0A",
    "half a character": "%ED%A0%80",
    "steering a terminal": "%1B%5B31m%0D%C2%9B",
    "dots": "%2e%2e",
    "question": "%3Flimit=1",
    "quotes": "%27%22--",
    "long": "x" * 7900,
    "too long": "x" * 10_000,
}
ROUTES = (
    ("GET", "/accounts/{}"),
    ("PATCH", "/accounts/{}"),
    ("DELETE", "/accounts/{}"),
    ("POST", "/accounts/{}/enable"),
    ("POST", "/accounts/{}/entitlements/group"),
    ("DELETE", "/accounts/{}/entitlements/group/x"),
    ("GET", "/entitlements/group/{}"),
    ("GET", "/entitlements/permissionSetAssignment/{}"),
    ("GET", "/entitlements/{}"),
    ("DELETE", "/accounts/{user}/entitlements/group/{}"),
    ("DELETE", "/accounts/{user}/entitlements/permissionSetAssignment/{}"),
)


@pytest.mark.parametrize("name", STRANGE)
def test_strange_ids_are_a_clean_404_or_400(world: World, name: str) -> None:
    """On every route, sent as they stand; what is too long for a request line is the server's own 414."""
    bodies = {"POST": json.dumps({"value": "x"}), "PATCH": json.dumps({"title": "x"})}
    user = world.user("linus")
    for method, route in (*ROUTES, ("GET", "/../operations/{}")):
        path = f"/v1/operations/{STRANGE[name]}" if ".." in route else SOURCE + route.format(STRANGE[name], user=user)
        connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=30)
        headers = {"Authorization": f"Bearer {world.caller().token}", "Content-Type": "application/json"}
        connection.request(method, path, bodies.get(method), headers)
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        allowed = (404, 400, 414) if len(STRANGE[name]) > 8000 - 200 else (404, 400)
        if "enable" in route and answer.status == 409:
            continue  # the source cannot enable anybody, which is said first
        assert answer.status in allowed, (method, path[:100], told[:300])
        if answer.status != 414:
            assert answer.getheader("Content-Type") == "application/problem+json"
            assert json.loads(told)["detail"].isprintable()


def test_an_encoded_slash_never_reaches_another_address(world: World) -> None:
    """`…/accounts/<id>%2Fdisable` is no way to disable."""
    answer = world.caller().post(f"{source('scim')}/accounts/{world.user('mary')}%2Fdisable")

    assert (answer.status_code, kind_of(answer)) == (404, "not-found")
    assert world.caller().ok(f"{source('scim')}/accounts/{world.user('mary')}")["disabled"] is False


# ---- with commands that do as they are told


def later(desk: Any, asked: Any) -> Iterator[Event]:
    raise RetryLater("The store is busy; try again.", after=5)
    yield


def defect(desk: Any, asked: Any) -> Iterator[Event]:
    raise RuntimeError("secret of the house")
    yield


@pytest.fixture
def fakes(tmp_path: Path) -> Iterator[Client]:
    """The face on commands of the tests."""
    commands = {**COMMANDS, "std:test-connection": Command(later), "std:account:read": Command(defect)}
    service = replace(fake_service(), commands=commands)
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Client(Faces(service, create_rest(Face(service, store.operations))))
    store.close()


def test_what_can_be_had_later_says_when(fakes: Client) -> None:
    answer = fakes.get(SOURCE, headers={"Authorization": f"Bearer {READ}"})

    assert (answer.status_code, answer.json["type"]) == (503, "/problems/retry-later")
    assert (answer.headers["Retry-After"], answer.json["retryable"]) == ("5", True)


def test_a_defect_is_told_neutrally(fakes: Client) -> None:
    answer = fakes.get(f"{SOURCE}/accounts/x", headers={"Authorization": f"Bearer {READ}", "X-Request-Id": "r-1"})

    assert (answer.status_code, answer.json["type"], answer.json["instance"]) == (500, "/problems/internal", "r-1")
    assert "secret" not in answer.text
    assert answer.content_type == "application/problem+json"


def test_every_type_is_documented() -> None:
    """docs/rest-face.md has a row for each, with its status."""
    text = (Path(__file__).parents[2] / "docs" / "rest-face.md").read_text(encoding="utf-8")
    for kind, type_ in TYPES.items():
        assert f"| `{kind}` | {type_.status} |" in text, kind
