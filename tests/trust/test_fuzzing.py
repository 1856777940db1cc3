"""Whatever is sent, over the wire, to the real service: an answer of the face's own form, and never a defect."""

from __future__ import annotations

import base64
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.commands import COMMANDS
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.tokens import new_token
from connector.wire.rest_problems import TYPE, TYPES
from tests.running import TOKEN, Running

JSON = {"Content-Type": "application/json"}
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ERROR = re.compile(r"(generic|notFound) error: \n \+ ConnectorError: [^\n]+")
DEFECT = re.compile(r"defect|Traceback|File \"|<html|werkzeug", re.IGNORECASE)
many = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))

texts = st.text(max_size=40) | st.sampled_from(
    ["", " ", "\0", "default", "groups", "u" * 700, "../../etc", "%2e%2e", "\U0001f4a5"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
names = st.sampled_from(
    [
        "identity",
        "key",
        "simple",
        "id",
        "attributes",
        "changes",
        "op",
        "attribute",
        "value",
        "type",
        "state",
        "stateful",
        "schema",
        "userName",
        "groups",
    ]
)
inputs = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=15
)
commands = st.sampled_from(sorted(COMMANDS)) | texts
configs = st.fixed_dictionaries(
    {}, optional={"source": st.just("default") | values, "connectorToken": values, "proxyPassword": values, "x": values}
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Leaving it fails when it has logged a defect."""
    options = Options(assignment_seconds=0.01)
    with Sandbox(options=options) as sandbox, Running(sandbox, tmp_path_factory.mktemp("fuzz")) as running:
        yield running


def saas_form(answer: requests.Response) -> None:
    """As the protocol says: frames, an error of SailPoint's form, or the door's text."""
    type_ = answer.headers["Content-Type"]
    assert not DEFECT.search(answer.text), answer.text[:500]
    if answer.status_code == 200:
        assert type_ == "application/x-ndjson"
        assert all("type" in json.loads(line) for line in answer.content.splitlines())
    elif answer.status_code == 500:
        assert type_ == "application/x-ndjson"
        assert ERROR.fullmatch(answer.text), answer.text
    else:
        assert 400 <= answer.status_code < 500, answer.text
        assert type_ == "text/plain; charset=utf-8"


def rest_form(answer: requests.Response) -> None:
    """JSON, or a problem of a type that is documented."""
    assert not DEFECT.search(answer.text), answer.text[:500]
    if answer.status_code < 300:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()
        return
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["type"].removeprefix(TYPE) in TYPES, problem
    assert problem["status"] == answer.status_code
    assert answer.status_code not in (500, 501)


# ---- the SaaS face


@many
@given(type_=commands, asked=inputs, config=configs, more=st.dictionaries(texts, values, max_size=2))
def test_envelopes(service: Running, type_: str, asked: Any, config: Any, more: Any) -> None:
    sent = more | {"type": type_, "input": asked, "config": {"source": "default"} | config}
    saas_form(requests.post(service.url, json=sent, headers=BEARER, timeout=30))


@many
@given(body=st.binary(max_size=200) | values.map(lambda each: json.dumps(each).encode()))
def test_bodies(service: Running, body: bytes) -> None:
    for path in ("/", "/any/depth/invoke"):
        answer = requests.post(service.url + path, data=body, headers=JSON | BEARER, timeout=30)
        saas_form(answer)


@many
@given(state=values, source=texts)
def test_states(service: Running, state: Any, source: str) -> None:
    """Also those of a newer version, and of another service."""
    for shown in (state, {"snapshot": state}, {"version": 99, "snapshot": state, "source": source}):
        asked = {"stateful": True, "state": shown}
        body = {"type": "std:account:list", "input": asked, "config": {"source": "default"}}
        answer = requests.post(service.url, json=body, headers=BEARER, timeout=30)
        saas_form(answer)
        if answer.status_code == 200:
            assert len(answer.content.splitlines()) >= 12, "a state that means nothing is no reason for a short list"


# ---- tokens

latin = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"), max_size=80)
credentials = (
    latin
    | latin.map(lambda each: f"Bearer {each}")
    | st.binary(max_size=80).map(lambda each: "Basic " + base64.b64encode(each).decode())
    | st.builds(lambda each: f"Bearer {each}.{each}.{each}", st.text("abcXYZ019-_", max_size=40))
    | st.integers(0, 40).map(lambda cut: f"Bearer {TOKEN[:-1]}{'x' * cut}")
)


@many
@given(header=credentials, path=st.sampled_from(["/", "/metrics", "/v1/sources/default", "/oauth/token"]))
def test_tokens(service: Running, header: str, path: str) -> None:
    """None is let in; each is told so in the face's words."""
    method = "POST" if path in ("/", "/oauth/token") else "GET"
    body = {"json": {"type": "std:account:list", "config": {"source": "default"}}} if path == "/" else {}
    headers = {"Authorization": header.strip().encode("latin-1")}
    form = {"data": {"grant_type": "client_credentials"}} if path == "/oauth/token" else body
    answer = requests.request(method, service.url + path, headers=headers, timeout=30, **form)
    assert answer.status_code in (401, 429), answer.text
    assert not DEFECT.search(answer.text)
    if path.startswith("/v1"):
        rest_form(answer)


@many
@given(secret=values, name=values, scope=values)
def test_forms_of_oauth(service: Running, secret: Any, name: Any, scope: Any) -> None:
    form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret, "scope": scope}
    shown = {key: value if isinstance(value, str | list) else str(value) for key, value in form.items()}
    answer = requests.post(f"{service.url}/oauth/token", data=shown, timeout=30)
    assert answer.status_code in (400, 401, 429), answer.text
    assert answer.json()["error"] in ("invalid_client", "invalid_request", "temporarily_unavailable")


# ---- ids and cursors of the REST face


@many
@given(id_=texts, type_=st.sampled_from(["group", "permissionSetAssignment"]) | texts, value=texts, body=values)
def test_ids(service: Running, id_: str, type_: str, value: str, body: Any) -> None:
    base = f"{service.url}/v1/sources/default"
    one, kind, what = (quote(each, safe="") or "-" for each in (id_, type_, value))
    for method, path, sent in (
        ("GET", f"/accounts/{one}", None),
        ("PATCH", f"/accounts/{one}", body),
        ("POST", f"/accounts/{one}/entitlements/{kind}", {"value": body}),
        ("DELETE", f"/accounts/{one}/entitlements/{kind}/{what}", None),
        ("GET", f"/entitlements/{kind}/{what}", None),
        ("GET", f"/entitlements/{kind}", None),
    ):
        answer = requests.request(method, base + path, json=sent, headers=BEARER, timeout=30)
        rest_form(answer)
    rest_form(requests.get(f"{service.url}/v1/operations/{one}", headers=BEARER, timeout=30))
    rest_form(requests.get(f"{service.url}/v1/sources/{one}", headers=BEARER, timeout=30))


@many
@given(cursor=texts, limit=texts, since=texts, name=texts, cut=st.integers(0, 200), bit=st.integers(0, 5))
def test_cursors(service: Running, cursor: str, limit: str, since: str, name: str, cut: int, bit: int) -> None:
    """Made up, cut short, altered in one character, of another list: none shows a page."""
    base = f"{service.url}/v1/sources/default"
    first = requests.get(f"{base}/accounts", params={"limit": "2"}, headers=BEARER, timeout=30).json()["nextCursor"]
    at = cut % len(first)
    altered = first[:at] + ("A" if first[at] != "A" else "B") + first[at + 1 :]
    for path, query in (
        ("/accounts", {"cursor": cursor}),
        ("/accounts", {"cursor": first[:at]}),
        ("/accounts", {"cursor": altered}),
        ("/accounts", {"cursor": first + "A" * (bit + 1)}),
        ("/entitlements/group", {"cursor": first}),
    ):
        answer = requests.get(base + path, params=query, headers=BEARER, timeout=30)
        rest_form(answer)
        assert answer.status_code in (400, 410), (query, answer.text[:200])
    rest_form(requests.get(f"{base}/accounts", params={"limit": limit}, headers=BEARER, timeout=30))
    rest_form(requests.get(f"{base}/accounts", params={"since": since}, headers=BEARER, timeout=30))
    rest_form(requests.get(f"{base}/accounts", params={name: cursor}, headers=BEARER, timeout=30))


# ---- what is no HTTP


@many
@given(
    data=st.binary(min_size=1, max_size=300) | st.builds(bytes.__add__, st.just(b"POST / HTTP/1.1\r\n"), st.binary())
)
def test_bytes(service: Running, data: bytes) -> None:
    """The server's plain refusal or nothing; and it goes on."""
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall(data + b"\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        came = b""
        while chunk := connection.recv(65536):
            came += chunk
    assert b" 500 " not in came.partition(b"\r\n")[0]
    assert b"Traceback" not in came


def test_it_still_works(service: Running) -> None:
    """After all of that, for whoever has a token."""
    assert len(service.client().outputs("std:account:list")) >= 12
    assert requests.get(
        f"{service.url}/metrics", headers={"Authorization": f"Bearer {new_token()}"}, timeout=9
    ).status_code
