"""The door of the REST face: tokens, scopes and sources before anything else; methods and headers."""

from __future__ import annotations

import base64

import pytest
import requests

from tests.rest.conftest import NARROW, SOURCE, Caller, World, kind_of
from tests.running import READ_TOKEN, TOKEN

ID = "00000000-0000-4000-8000-000000000000"
ROUTES = (
    ("GET", "", 200),
    ("GET", "/accounts", 200),
    ("GET", f"/accounts/{ID}", 404),
    ("POST", "/accounts", 415),
    ("PATCH", f"/accounts/{ID}", 415),
    ("DELETE", f"/accounts/{ID}", 204),
    ("POST", f"/accounts/{ID}/enable", 409),
    ("POST", f"/accounts/{ID}/disable", 409),
    ("POST", f"/accounts/{ID}/entitlements/group", 415),
    ("DELETE", f"/accounts/{ID}/entitlements/group/{ID}", 404),
    ("GET", "/entitlements/group", 200),
    ("GET", f"/entitlements/group/{ID}", 404),
)
"""Every route below a source, and what it answers to a bare request with a token of scope provision."""


@pytest.mark.parametrize(("method", "path", "status"), ROUTES)
def test_who_may_do_what(world: World, method: str, path: str, status: int) -> None:
    """No token 401, too little scope or another source 403, before anything else is looked at."""
    changes = method != "GET"

    assert world.caller(None)(method, SOURCE + path).status_code == 401
    assert world.caller("idc_unknown")(method, SOURCE + path).status_code == 401
    assert world.caller(NARROW)(method, SOURCE + path).status_code == 403
    assert (world.caller(READ_TOKEN)(method, SOURCE + path).status_code == 403) is changes
    assert world.caller()(method, SOURCE + path).status_code == status


@pytest.mark.parametrize(
    ("method", "path"), [*((method, SOURCE + path) for method, path, _ in ROUTES), ("GET", "/v1/operations/op_x")]
)
def test_a_query_that_means_nothing_here_is_refused(caller: Caller, method: str, path: str) -> None:
    """`DELETE …?dryRun=true` must not delete."""
    answer = caller(method, f"{path}?dryRun=true")

    assert (answer.status_code, kind_of(answer)) == (400, "malformed")
    assert "'dryRun'" in answer.json()["detail"]


def test_sources_that_a_token_does_not_reach_look_like_none(world: World) -> None:
    """Whether a source exists is not everybody's business."""
    narrow = world.caller(NARROW)

    assert kind_of(narrow.get(SOURCE)) == kind_of(narrow.get("/v1/sources/nowhere")) == "forbidden"
    assert kind_of(world.caller().get("/v1/sources/nowhere")) == "source-not-found"
    assert narrow.get("/v1/sources/other").status_code == 200


def test_basic_works_as_well(world: World) -> None:
    """With the token's name, and no other."""
    statuses = []
    for name in ("sailpoint", "somebody"):
        secret = base64.b64encode(f"{name}:{TOKEN}".encode()).decode()
        headers = {"Authorization": f"Basic {secret}"}
        statuses.append(requests.get(f"{world.service.url}{SOURCE}", headers=headers, timeout=10).status_code)

    assert statuses == [200, 401]


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "DELETE", "PATCH", "PROPFIND"])
def test_other_methods_are_not_allowed(caller: Caller, method: str) -> None:
    """OPTIONS as well: nothing here is for pages of other origins."""
    answer = caller(method, f"{SOURCE}/accounts", headers={"Origin": "https://elsewhere.example.com"})

    assert (answer.status_code, kind_of(answer)) == (405, "method-not-allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_head_is_a_get_without_its_body(caller: Caller) -> None:
    for path in (SOURCE, f"{SOURCE}/accounts", f"{SOURCE}/entitlements/group", "/openapi.json"):
        answer = caller("HEAD", path)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["Content-Type"] == caller.get(path).headers["Content-Type"]


@pytest.mark.parametrize("path", [SOURCE, "/v1/nothing", "/openapi.json", "/problems/conflict"])
def test_every_answer_has_the_headers_of_safety(world: World, path: str) -> None:
    for token in (TOKEN, None):
        headers = world.caller(token).get(path, headers={"X-Request-Id": "r-17"}).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert headers["X-Request-Id"] == "r-17"


def test_the_other_faces_keep_their_addresses(world: World) -> None:
    """The SaaS face at any depth, also below /v1; the operator's pages."""
    client = world.service.client(path="/v1/sources/invoke")

    assert client.one("std:test-connection") == {}
    assert requests.get(f"{world.service.url}/livez", timeout=5).text == "alive\n"
    assert requests.get(f"{world.service.url}/accounts", timeout=5).headers["Content-Type"].startswith("text/plain")
