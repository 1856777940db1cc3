"""Walks over lists: one snapshot each, whatever changes meanwhile; cursors that only this service makes."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector.attributes import ENTITLEMENT_TYPES
from connector.model import Place
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from connector.web.rest.walking import KEY
from connector.wire.cursors import seal
from tests.rest.conftest import SOURCE, Caller, Quick, World, kind_of
from tests.running import TOKEN, Running, key

ACCOUNTS = f"{SOURCE}/accounts"


class BehindProxy(Running):
    """The service as a reverse proxy wants it."""

    def program(self) -> list[str]:
        return [*super().program(), "--behind-proxy"]


def walk(caller: Caller, path: str) -> list[dict[str, Any]]:
    """Every page, by `next`."""
    pages = [caller.ok(path)]
    while pages[-1]["hasMore"]:
        pages.append(caller.ok(pages[-1]["next"].removeprefix(caller.url)))
        assert len(pages) < 1000
    return pages


def items(pages: list[dict[str, Any]]) -> list[Any]:
    return [each for page in pages for each in page["items"]]


def test_a_page_has_the_shape_of_the_contract(caller: Caller) -> None:
    page = caller.ok(f"{ACCOUNTS}?limit=5")

    assert set(page) == {"items", "next", "nextCursor", "hasMore", "snapshot"}
    assert set(page["snapshot"]) == {"id", "completedAt"}
    assert len(page["items"]) == 5
    assert page["hasMore"] is True
    assert set(page["nextCursor"]) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    assert len(page["nextCursor"]) <= 500
    assert parse_qs(urlsplit(page["next"]).query) == {"limit": ["5"], "cursor": [page["nextCursor"]]}


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.0", "limit=%2B5", "limit=%D9%A1"),
        "limit=1e2",
        "limit=1&limit=2",
        "cursor=",
        "cursor=abc",
        "cursor=a.b",
        "cursor=" + "a" * 501,
        "curser=abc",
        "since=yesterday",
    ],
)
def test_what_is_no_query_is_refused(caller: Caller, query: str) -> None:
    """A misspelt cursor would begin all over again, for ever."""
    assert caller.get(f"{ACCOUNTS}?{query}").status_code == 400


def test_a_full_last_page_is_followed_by_an_empty_one(caller: Caller) -> None:
    """Twelve users, four pages of three, and a fifth."""
    pages = walk(caller, f"{SOURCE}/accounts?limit=3")

    whole, rest = divmod(len(items(pages)), 3)
    assert (whole, rest) == (4, 0)
    assert [len(each["items"]) for each in pages] == [3, 3, 3, 3, 0]
    assert pages[-1]["next"] is pages[-1]["nextCursor"] is None
    assert pages[-1]["hasMore"] is False


@pytest.mark.parametrize("limit", [1, 2, 5, 1000])
@pytest.mark.parametrize("path", ["accounts", *(f"entitlements/{type_}" for type_ in ENTITLEMENT_TYPES)])
def test_every_walk_shows_what_the_other_face_lists(world: World, path: str, limit: int) -> None:
    """Page by page, on both faces the same objects with the same attributes."""
    listed, _, type_ = path.partition("/")
    client = world.service.client("all")
    found = client.outputs(f"std:{listed[:-1]}:list", {"type": type_})

    pages = walk(world.caller(), f"/v1/sources/all/{path}?limit={limit}")

    assert {each["snapshot"]["id"] for each in pages} == {pages[0]["snapshot"]["id"]}
    shown = items(pages)
    assert [each["id"] for each in shown] == [each["identity"] for each in found]
    for mine, theirs in zip(shown, found, strict=True):
        extra = {"id": theirs["identity"], "disabled": theirs["disabled"]} if listed == "accounts" else {}
        assert mine == extra | theirs["attributes"]


def test_one_account_is_the_same_on_both_faces(world: World) -> None:
    """Read live, and from the list."""
    for name in ("ada", "barbara", "hedy"):
        user = world.user(name)
        shown = world.service.client("all").one("std:account:read", key(user))
        read = world.caller().ok(f"/v1/sources/all/accounts/{user}")
        assert read == {"id": user, "disabled": name == "hedy"} | shown["attributes"]
        assert read in world.caller().ok("/v1/sources/all/accounts")["items"]


def test_one_entitlement_is_as_the_list_shows_it(world: World) -> None:
    for type_ in ("group", "permissionSetAssignment", "applicationAssignment"):
        path = f"/v1/sources/all/entitlements/{type_}"
        for each in world.caller().ok(path)["items"]:
            assert world.caller().ok(f"{path}/{each['id']}") == each


# ---- while things change


def test_accounts_that_come_and_go_between_pages(world: World) -> None:
    """Acceptance 2: each account of the walk's snapshot exactly once, and none that came later."""
    caller, made, chance = world.caller(), itertools.count(), random.Random(4)
    mine: list[str] = []

    def join() -> None:
        body = {"userName": f"between-{next(made)}", "givenName": "Be", "familyName": "Tween"}
        mine.append(caller.post(ACCOUNTS, body).json()["id"])

    for _ in range(4):
        join()
    before = {each["id"] for each in items(walk(caller, f"{ACCOUNTS}?limit=1000"))}
    page = caller.ok(f"{ACCOUNTS}?limit=2")
    seen = [each["id"] for each in page["items"]]
    while page["hasMore"]:
        join()
        leaver = mine.pop(chance.randrange(len(mine)))
        assert caller.delete(f"{ACCOUNTS}/{leaver}").status_code == 204
        page = caller.ok(page["next"].removeprefix(caller.url))
        seen += [each["id"] for each in page["items"]]
    after = {each["id"] for each in items(walk(caller, f"{ACCOUNTS}?limit=1000"))}
    for each in mine:
        caller.delete(f"{ACCOUNTS}/{each}")

    assert sorted(seen) == sorted(before)
    assert after != before


def test_a_census_between_pages_changes_nothing_in_the_walk(world: World) -> None:
    """The source `fresh` reads everything anew for each first page."""
    caller, path = world.caller(), "/v1/sources/fresh/accounts?limit=5"
    first = caller.ok(path)
    world.sandbox.control("mutate", {"action": "set_account_state", "account_id": "210987654321", "state": "ACTIVE"})
    second = caller.ok(path)
    rest = walk(caller, first["next"].removeprefix(caller.url))

    assert second["snapshot"]["id"] != first["snapshot"]["id"]
    assert {each["snapshot"]["id"] for each in rest} == {first["snapshot"]["id"]}
    assert len({each["id"] for each in items([first, *rest])}) == 12


# ---- cursors


def test_a_cursor_can_be_used_again(caller: Caller) -> None:
    """A client that lost an answer asks once more."""
    page = caller.ok(f"{ACCOUNTS}?limit=2")
    again = [caller.ok(f"{ACCOUNTS}?limit=2&cursor={page['nextCursor']}") for _ in range(2)]

    assert again[0]["items"] == again[1]["items"] != page["items"]


def test_a_cursor_is_for_its_list_of_its_source(world: World) -> None:
    """Taken elsewhere, or altered in any place, it is refused."""
    caller = world.caller()
    cursor = caller.ok(f"{ACCOUNTS}?limit=2")["nextCursor"]

    elsewhere = ["/v1/sources/all/accounts", f"{SOURCE}/entitlements/group"]
    assert [caller.get(f"{path}?cursor={cursor}").status_code for path in elsewhere] == [400, 400]
    other = {"a": "b"}
    for place in range(0, len(cursor), 7):
        altered = cursor[:place] + other.get(cursor[place], "a") + cursor[place + 1 :]
        assert kind_of(caller.get(f"{ACCOUNTS}?cursor={altered}")) == "malformed"


def test_a_cursor_of_a_snapshot_that_never_was_is_expired(world: World) -> None:
    """Its code is right: as if made before the store was restored from an older copy."""
    with world.store() as store:
        secret = bytes.fromhex(store.note("default", KEY) or "")

    answer = world.caller().get(f"{ACCOUNTS}?cursor={seal(secret, 'default', 'accounts', Place(99_999, 'x'))}")

    assert (answer.status_code, kind_of(answer)) == (410, "cursor-expired")


def test_cursors_outlive_a_restart(world: World) -> None:
    """Another process makes and takes the same ones."""
    page = world.caller().ok(f"{ACCOUNTS}?limit=2")
    expected = world.caller().ok(f"{ACCOUNTS}?limit=2&cursor={page['nextCursor']}")
    world.service.stop()
    world.service.start()

    assert world.caller().ok(f"{ACCOUNTS}?limit=2&cursor={page['nextCursor']}")["items"] == expected["items"]


# ---- the address of the next page


def test_next_starts_where_the_caller_reached_us(world: World) -> None:
    page = world.caller().get(f"{ACCOUNTS}?limit=2", headers={"Host": "connector.example.com:8443"}).json()

    assert page["next"].startswith(f"http://connector.example.com:8443{ACCOUNTS}?limit=2&cursor=")


def test_next_starts_with_what_the_proxy_forwards(tmp_path: Any) -> None:
    """One proxy in front: its word counts, what its client forged before it does not."""
    with Sandbox() as sandbox, BehindProxy(sandbox, tmp_path) as service:
        forwarded = {"X-Forwarded-Proto": "gopher, https", "X-Forwarded-Host": "evil.example, connector.example.com"}
        page = Caller(service.url).get(f"{ACCOUNTS}?limit=2", headers=forwarded).json()

    assert page["next"].startswith(f"https://connector.example.com{ACCOUNTS}?limit=2&cursor=")


def test_next_starts_with_the_public_address(tmp_path: Any) -> None:
    """Whatever the request says. Many pages of a big source, to the end, with a page over 1,000 accounts long."""
    with Sandbox(generated(Size(users=1_050, groups=20, permission_sets=5, aws_accounts=5), seed=1)) as sandbox:
        public = {"CONNECTOR_PUBLIC_URL": "https://connector.example.com/idc/"}
        with Quick(sandbox, tmp_path, environment=public) as service:
            caller = Caller(service.url, TOKEN)
            page, seen = caller.ok(f"{ACCOUNTS}?limit=1000"), 0
            assert page["next"].startswith("https://connector.example.com/idc/v1/sources/default/accounts?limit=1000&")
            began = time.monotonic()
            page = caller.ok(ACCOUNTS)
            assert len(page["items"]) == 100, "the default"
            while page["items"]:
                seen += len(page["items"])
                page = (
                    caller.ok(f"{ACCOUNTS}?limit=100&cursor={page['nextCursor']}") if page["hasMore"] else {"items": []}
                )
            assert seen == 1_050
            assert time.monotonic() - began < 10


def test_no_address_is_made_of_a_host_that_is_none(world: World) -> None:
    """Rather a clear refusal than a `next` that leads nowhere."""
    connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=10)
    connection.request(
        "GET", f"{ACCOUNTS}?limit=1", headers={"Host": 'x"<>.example.com', "Authorization": f"Bearer {TOKEN}"}
    )
    answer = connection.getresponse()
    problem = json.loads(answer.read())
    connection.close()

    assert (answer.status, problem["type"]) == (400, "/problems/malformed")
    assert "Host" in problem["detail"]


# ---- since


def changed(caller: Caller, since: Any) -> dict[str, Any]:
    pages = walk(caller, f"{ACCOUNTS}?limit=2&since={since}")
    assert len({str(each["snapshot"]) for each in pages}) == 1
    return {**pages[0], "items": items(pages)}


def test_what_changed_since_a_snapshot(caller: Caller, joiner: str) -> None:
    """Only the new and the different ones, and those that are gone, page by page."""
    gone = caller.post(ACCOUNTS, {"userName": "so.gone", "givenName": "So", "familyName": "Gone"}).json()["id"]
    seen = caller.ok(f"{ACCOUNTS}?limit=1")["snapshot"]["id"]
    caller.patch(f"{ACCOUNTS}/{joiner}", {"title": "Changed"})
    made = caller.post(ACCOUNTS, {"userName": "so.new", "givenName": "So", "familyName": "New"}).json()["id"]
    assert caller.delete(f"{ACCOUNTS}/{gone}").status_code == 204

    delta = changed(caller, seen)
    caller.delete(f"{ACCOUNTS}/{made}")

    assert delta["snapshot"]["since"] == seen
    assert {each["userId"]: each.get("title", each.get("deleted")) for each in delta["items"]} == {
        joiner: "Changed",
        made: None,
        gone: True,
    }
    assert {"userId": gone, "deleted": True} in delta["items"]


def test_what_is_unknown_is_told_as_a_whole_list(caller: Caller) -> None:
    """And the answer says so: `since` is null. A snapshot of the same number of another store is unknown, too."""
    everybody = len(items(walk(caller, f"{ACCOUNTS}?limit=1000")))
    number = caller.ok(f"{ACCOUNTS}?limit=1")["snapshot"]["id"].partition("-")[0]
    today = time.strftime("%Y-%m-%dT%H:%M:%SZ")
    dates = (today, f"{today[:11]}24{today[13:]}", "2099-01-01", "1970-01-01T00:00:00Z", str(int(time.time() * 1000)))
    for since in (*dates, number, f"{number}-00000000", "999999-00000000", "0"):
        delta = changed(caller, since)
        assert delta["snapshot"]["since"] is None, since
        assert len(delta["items"]) == everybody


def test_an_empty_since_is_none(caller: Caller) -> None:
    """Before its first aggregation IdentityIQ has no date to put there."""
    assert set(caller.ok(f"{ACCOUNTS}?since=")["snapshot"]) == {"id", "completedAt"}
