"""What no client sends by accident: both faces refuse it in their own form, and repeat nothing that steers."""

from __future__ import annotations

import io
import json
import logging
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog
from werkzeug.test import Client, TestResponse

from connector.commands.desk import Command
from connector.errors import AwsFailed
from connector.model import Account, Event, Refusal
from connector.store import open_store
from connector.web.dispatch import Faces
from connector.web.logs import configure_logs
from connector.web.rest import create_rest
from connector.web.rest.face import Face
from tests.web.face_fakes import COMMANDS, PROVISION, fake_service

STEERING = "a\r\n\x1b[31mb\x9b\u202e\ud800"
SHOWN = "a\\r\\n\\u001b[31mb\\u009b\\u202e\\ud800"
ACCOUNTS = "/v1/sources/default/accounts"


def failing(desk: Any, asked: Any) -> Iterator[Event]:
    """AWS says what it likes."""
    raise AwsFailed(f"AWS says: {STEERING}")
    yield


def partly(desk: Any, asked: Any) -> Iterator[Event]:
    """Two things were asked; both failed, and AWS said why."""
    refusals = tuple(Refusal("groups", f"g-{number}", f"AWS says: {STEERING}") for number in (1, 2))
    yield Account("u-1", False, {"userId": "u-1"}, refusals=refusals)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Both faces, on commands that fail."""
    commands = {**COMMANDS, "std:account:read": Command(failing), "std:account:create": Command(partly, changes=True)}
    service = replace(fake_service(), commands=commands)
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Client(Faces(service, create_rest(Face(service, store.operations))))
    store.close()


def send(client: Client, method: str, path: str, body: str | None) -> TestResponse:
    headers = {"Authorization": f"Bearer {PROVISION}", "Content-Type": "application/json"}
    return client.open(path, method=method, data=body, headers=headers)


def command(type_: str, asked: object, source: str = "default") -> str:
    return json.dumps({"type": type_, "input": asked, "config": {"source": source}})


NO_OBJECTS = ("[1]", "[]", '"x"', "null", "7", "NaN", '{"a":NaN}', '{"a":Infinity}', "[" * 100_000, "9" * 5000, "")
HALVES = (
    command("std:account:update", {"identity": "u", "changes": [{"op": "\ud800", "attribute": "title"}]}),
    command("std:account:update", {"identity": "u", "changes": [{"op": "Set", "attribute": "\ud800", "value": {}}]}),
    command("std:account:update", {"identity": "u", "changes": [{"op": "Set", "attribute": "t", "value": "\udfff"}]}),
    command("std:account:create", {"attributes": {"\ud800": "x"}}),
    command("std:account:read", {"identity": "\ud800"}),
    command("std:account:list", {"state": {"a": "\ud800"}}),
    command("std:\ud800", {}),
    command("std:account:read", {"identity": "u"}, "\ud800"),
)


@pytest.mark.parametrize("body", [*NO_OBJECTS, *HALVES], ids=lambda body: body[:60])
def test_a_body_that_means_nothing_is_a_line_of_text_on_the_saas_face(client: Client, body: str) -> None:
    answer = send(client, "POST", "/", body)

    assert (answer.status_code, answer.content_type) == (400, "text/plain; charset=utf-8")
    assert answer.text.startswith("The body ")
    assert "\n" not in answer.text


@pytest.mark.parametrize("route", [("POST", ACCOUNTS), ("PATCH", f"{ACCOUNTS}/u-1")], ids=str)
@pytest.mark.parametrize(
    "body",
    [*NO_OBJECTS, '{"title":"\\ud800"}', '{"\\udfff":"x"}', '{"groups":["\\ud800"]}', '{"value":"\\ud800"}'],
    ids=lambda body: body[:60],
)
def test_a_body_that_means_nothing_is_malformed_on_the_rest_face(
    client: Client, route: tuple[str, str], body: str
) -> None:
    answer = send(client, *route, body)

    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")
    assert answer.json is not None
    assert answer.json["type"] == "/problems/malformed"
    assert answer.json["detail"].startswith("The body ")


def test_more_than_one_command_takes_is_refused_at_once(client: Client) -> None:
    """Before anything is made of it, on either face."""
    change = {"op": "Add", "attribute": "groups", "value": "g"}
    began = time.monotonic()
    told = send(client, "POST", "/", command("std:account:update", {"identity": "u", "changes": [change] * 30_000}))
    problems = [
        send(client, "POST", ACCOUNTS, json.dumps({"userName": "x", "groups": ["g"] * 30_000})),
        send(client, "POST", f"{ACCOUNTS}/u/entitlements/group", json.dumps({"value": ["g"] * 30_000})),
    ]

    assert time.monotonic() - began < 3.0
    assert told.status_code == 500
    assert told.text.split("\n")[1].startswith(" + ConnectorError: 30,000 changes are too many for one command")
    assert [each.status_code for each in problems] == [400, 400]
    assert [each.get_json()["type"] for each in problems] == ["/problems/malformed"] * 2
    assert all("takes at most 5,000" in each.get_json()["detail"] for each in problems)


def test_no_sentence_steers_a_terminal(client: Client) -> None:
    """Neither what a caller sent nor what AWS said, on either face."""
    whole = STEERING.replace("\ud800", "")

    def saas(type_: str, asked: object, source: str = "default") -> str:
        return send(client, "POST", "/", command(type_, asked, source)).text

    answer = json.loads(saas("std:account:create", {"attributes": {"userName": "x"}}))
    problem = send(client, "POST", ACCOUNTS, json.dumps({"userName": "x"})).json
    assert problem is not None
    from_aws = [
        saas("std:account:read", {"identity": "u"}).split("\n", 1)[1],
        answer["data"]["results"][0]["messages"][0]["message"],
        send(client, "GET", f"{ACCOUNTS}/u-1", None).get_json()["detail"],
        problem["detail"],
        problem["results"][0]["reason"],
    ]
    from_callers = [
        saas(f"std:{whole}", {}).split("\n", 1)[1],
        saas("std:account:read", {"identity": "u"}, whole).split("\n", 1)[1],
        saas("std:account:update", {"identity": "u", "changes": [{"op": whole, "attribute": "x"}]}).split("\n", 1)[1],
        send(client, "PATCH", f"{ACCOUNTS}/u-1", json.dumps({whole: "x"})).get_json()["detail"],
    ]

    assert [each for each in (*from_aws, *from_callers) if not each.isprintable()] == []
    assert [each for each in from_aws if SHOWN not in each] == []


def test_no_line_of_the_log_steers_a_terminal(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    root = logging.getLogger()
    handlers, level, stream = root.handlers, root.level, io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("DEBUG")
    try:
        send(client, "POST", "/", command("std:account:read", {"identity": "u"}))
        send(client, "GET", f"{ACCOUNTS}/u-1", None)
    finally:
        root.handlers = handlers
        root.setLevel(level)
        structlog.reset_defaults()

    lines = stream.getvalue().splitlines()
    assert lines
    assert all(line.isprintable() for line in lines)
    assert sum(json.loads(line).get("why") == f"AWS says: {STEERING}" for line in lines) >= 2
