"""`docs/saas-face.md` shows what is on the wire: its examples are compared with what a running service sends.

The broken end itself, and who notices it, is tested in `tests/web/test_sockets.py`.
"""

import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from connector.model import Account, Refusal
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.web.peer import _NO_CHUNK
from connector.wire.frames import frame
from tests.running import SOURCES, TOKEN, Running

TEXT = (Path(__file__).parents[2] / "docs" / "saas-face.md").read_text(encoding="utf-8")
WIRE = TEXT.partition("### On the wire")[2].partition("\n### ")[0]
STATE = re.compile(r'\{"snapshot":"\d+","completedAt":"[\d.]+","configuration":"\w+"\}')


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with (
        Sandbox(options=Options(assignment_seconds=0.05)) as sandbox,
        Running(sandbox, tmp_path_factory.mktemp("service"), SOURCES) as running,
    ):
        yield running


def sent(service: Running, body: dict[str, Any], version: str = "1.1") -> tuple[str, str]:
    """Head and body of an answer, as they come through the socket."""
    data = json.dumps({"config": {"source": "default"}, **body}).encode()
    head = f"Host: x\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/json\r\nContent-Length: {len(data)}"
    with socket.create_connection(("127.0.0.1", service.port), timeout=30) as connection:
        connection.sendall(f"POST / HTTP/{version}\r\n{head}\r\nConnection: close\r\n\r\n".encode() + data)
        raw = b"".join(iter(lambda: connection.recv(65536), b""))
    answered, _, said = raw.decode().replace("\r\n", "\n").partition("\n\n")
    return answered, said


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_success_looks_as_shown(service):
    """The whole answer of test-connection, but for headers that are not shown."""
    head, body = sent(service, {"type": "std:test-connection"})
    shown, _, rest = blocks(WIRE, "text")[0].partition("\n\n")

    assert set(shown.splitlines()) <= set(head.splitlines())
    assert body.rstrip("\n") == rest.rstrip("\n")


def test_an_error_before_the_first_frame_is_whole(service):
    """Status 500, a length, two lines."""
    nobody = "00000000-0000-0000-0000-000000000000"
    head, body = sent(service, {"type": "std:account:read", "input": {"identity": nobody}})

    assert head.startswith("HTTP/1.1 500 ")
    assert f"Content-Length: {len(body)}" in head
    assert len(body.splitlines()) == 2
    assert body.startswith("notFound error: \n + ConnectorError: Identity Center has no user ")


def test_what_ends_a_broken_answer_is_what_the_page_says():
    """Where the length of a chunk would stand, and no length."""
    ending = blocks(WIRE, "text")[1]

    assert ending.encode().replace(b"\n", b"\r\n").endswith(_NO_CHUNK)
    with pytest.raises(ValueError, match="invalid literal"):
        int(_NO_CHUNK, 16)


def test_over_http_1_0_single_answers_are_whole_and_lists_refused(service):
    """No chunks there."""
    head, body = sent(service, {"type": "std:test-connection"}, "1.0")

    assert f"Content-Length: {len(body)}" in head
    assert sent(service, {"type": "std:account:list"}, "1.0")[0].startswith("HTTP/1.0 505 ")


def test_a_stateful_list_ends_with_a_state_that_means_nothing_new(service):
    """Its members are those shown; given back it lists nothing; an unknown one lists all."""
    client = service.client()
    whole = client.post("std:account:list", {"stateful": True}).frames
    state = whole[-1]["data"]

    assert whole[-1]["type"] == "state"
    assert STATE.fullmatch(json.dumps(state, separators=(",", ":")))
    shown = json.loads(blocks(TEXT.partition("### Stateful lists")[2], "json")[0])
    assert shown["input"]["state"].keys() == state.keys()
    again = client.post("std:account:list", shown["input"] | {"state": state}).frames
    assert again == [{"data": state, "type": "state"}]
    assert client.post("std:account:list", shown["input"]).outputs == [each["data"] for each in whole[:-1]]
    assert client.post("std:account:list", {"state": state}).outputs == [each["data"] for each in whole[:-1]]


def test_results_look_as_shown():
    """One entry for an attribute, a message for a value."""
    shown = blocks(TEXT.partition("### Partly done")[2], "json")[0].strip()
    refusal = Refusal("permissionSetAssignments", "123456789012:ps-…", "…")
    made = frame(Account("906b1f32-…", False, {}, (refusal,)), "std:account:update").decode().strip()

    assert made == shown.replace('"attributes":{…}', '"attributes":{}')
