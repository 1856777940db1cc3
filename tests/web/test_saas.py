"""The face in front of commands: routes, order of refusals, statuses and first lines of SailPoint's own runtime."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from connector.web.dispatch import Faces
from tests.web.face_fakes import PROVISION, fake_service

RECORDED = json.loads((Path(__file__).parent / "recorded" / "connector-sdk-1.1.17.json").read_text())
ANSWERS = {each["name"]: each for each in RECORDED}
BEARER = {"Authorization": f"Bearer {PROVISION}"}


@pytest.fixture
def client() -> Client:
    return Client(Faces(fake_service()))


@pytest.mark.parametrize(
    "path", ["/", "/invoke", "/a/invoke", "/beta/platform-connectors/x%2Fy/invoke", "/a//b/invoke"]
)
def test_commands_are_taken_where_sailpoints_clients_send_them(send: Any, path: str) -> None:
    assert send("std:test-connection", path=path).data == b'{"data":{},"type":"output"}\n'


@pytest.mark.parametrize("path", ["/x", "/invoke/", "/a/invoked", "/invoke/x", "/v1", "/favicon.ico"])
def test_elsewhere_there_is_nothing(send: Any, path: str) -> None:
    answer = send("std:test-connection", path=path)
    assert (answer.status_code, answer.content_type) == (404, "text/plain; charset=utf-8")


@pytest.mark.parametrize("path", ["/", "/invoke", "/a/b/invoke"])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_are_not_allowed(client: Client, method: str, path: str) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {"Content-Type": "application/json"}, 400),
        (b"", {"Content-Type": "application/json"}, 400),
        (b"{}", {"Content-Type": "text/plain"}, 415),
        (b"{}", {}, 415),
        (b"{}", {"Content-Type": "application/json; charset=utf-16"}, 415),
        (b"{}", {"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
        (b"{" + b" " * (2 * 1024 * 1024), {"Content-Type": "application/json"}, 413),
    ],
)
def test_malformed_requests_are_refused_before_anything_else(
    client: Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = client.post("/", data=body, headers=headers)
    assert (answer.status_code, answer.content_type) == (status, "text/plain; charset=utf-8")


def test_a_body_of_two_mebibytes_is_taken(client: Client) -> None:
    envelope = json.dumps({"type": "std:test-connection", "config": {"source": "default", "pad": ""}})
    body = envelope.replace('"pad": ""', '"pad": "' + "x" * (2 * 1024 * 1024 - len(envelope)) + '"')
    assert len(body) == 2 * 1024 * 1024
    assert (
        client.post("/", data=body, content_type="application/json; charset=UTF-8", headers=BEARER).status_code == 200
    )


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("an unsupported command", {"type": "std:change-password"}),
        ("no command", {}),
    ],
)
def test_unsupported_commands_are_named_as_sailpoints_runtime_does(client: Client, name: str, sent: Any) -> None:
    answer = client.post("/", data=json.dumps(sent), content_type="application/json", headers=BEARER)
    recorded = ANSWERS[name]
    assert answer.status_code == recorded["status"]
    assert answer.content_type == recorded["contentType"]
    assert answer.text == recorded["body"].replace("+ Error:", "+ ConnectorError:")


@pytest.mark.parametrize(
    ("identity", "name", "text"),
    [
        ("missing", "an account that is not there", "There is no account missing in the identity store."),
        ("denied", "a generic error", "Allow identitystore:DescribeUser. (AWS request id r-1)"),
    ],
)
def test_errors_share_status_type_and_first_line(send: Any, identity: str, name: str, text: str) -> None:
    answer, recorded = send("std:account:read", {"identity": identity}), ANSWERS[name]
    assert (answer.status_code, answer.content_type) == (recorded["status"], recorded["contentType"])
    assert answer.text.split("\n")[0] == recorded["body"].split("\n")[0]
    assert answer.text.split("\n")[1:] == [f" + ConnectorError: {text}"]


def test_a_defect_is_told_without_its_inside(send: Any) -> None:
    answer = send("std:account:read", {"identity": "defect"}, headers={"X-Request-Id": "r-42"})
    assert answer.status_code == 500
    assert answer.text.startswith("generic error: \n + ConnectorError: The connector has a defect")
    assert "r-42" in answer.text
    assert "secret of the house" not in answer.text
    assert answer.headers["X-Request-Id"] == "r-42"


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({}, "config.source is missing"),
        ({"source": ""}, "config.source is missing"),
        ({"source": "nowhere"}, "There is no source 'nowhere' here"),
        ({"source": 5}, "config.source is the name of a source"),
        (None, "config.source is missing"),
        ("text", "config.source is missing"),
    ],
)
def test_a_command_needs_its_source(send: Any, config: Any, text: str) -> None:
    answer = send("std:account:list", config=config)
    assert answer.status_code == 500
    assert answer.text.startswith(f"generic error: \n + ConnectorError: {text}")


def test_the_specification_needs_no_source(send: Any) -> None:
    for config, name in (({}, "default"), ({"source": "other"}, "other")):
        answer = send("std:spec:read", config=config)
        assert json.loads(answer.text) == {"data": {"specification": {"name": name}}, "type": "output"}


def test_a_malformed_input_is_a_generic_error(send: Any) -> None:
    answer = send("std:account:update", {"key": {"simple": {"id": "u"}}, "changes": [{"op": "Put", "attribute": "x"}]})
    assert answer.status_code == 500
    assert answer.text == ("generic error: \n + ConnectorError: input.changes[0].op is Add, Set or Remove, not 'Put'.")


def test_lists_end_with_their_state(send: Any) -> None:
    answer = send("std:account:list", {"stateful": True, "state": {"accounts": "2"}})
    types = [json.loads(line)["type"] for line in answer.text.splitlines()]
    assert types == ["output", "output", "state"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.content_type == "application/x-ndjson"


def test_an_empty_list_is_an_empty_success(send: Any) -> None:
    answer = send("std:account:list")
    assert (answer.status_code, answer.data) == (200, ANSWERS["no frames"]["body"].encode())


def test_a_frame_over_the_limit_is_refused_not_sent(send: Any) -> None:
    answer = send("std:account:list", {"state": {"accounts": "1", "size": str(256 * 1024)}})
    assert answer.status_code == 500
    assert "Account u-0 needs" in answer.text


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "a\u00e9"])
def test_request_ids_of_a_harmful_form_are_replaced(send: Any, given: str) -> None:
    answer = send("std:test-connection", headers={"X-Request-Id": given})
    assert len(answer.headers["X-Request-Id"]) == 32


def test_more_commands_than_slots_are_told_to_come_back() -> None:
    from connector.web.service import Limits

    client = Client(Faces(fake_service(limits=Limits(commands=0))))
    body = json.dumps({"type": "std:test-connection", "config": {"source": "default"}})
    answer = client.post("/", data=body, content_type="application/json", headers=BEARER)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "10")


def test_slots_are_given_back_whatever_happens() -> None:
    from connector.web.service import Limits

    client = Client(Faces(fake_service(limits=Limits(commands=1))))
    for command, asked in [
        ("std:account:list", {"state": {"accounts": "1"}}),
        ("std:account:read", {"identity": "missing"}),
        ("std:account:read", {"identity": "defect"}),
        ("std:account:delete", {"identity": "u"}),
    ] * 2:
        body = json.dumps({"type": command, "input": asked, "config": {"source": "default"}})
        with client.post("/", data=body, content_type="application/json", headers=BEARER) as answer:
            assert answer.status_code in (200, 500)
