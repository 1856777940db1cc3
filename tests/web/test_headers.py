"""Headers of safety on every answer there is: of every route, of every refusal, and of the server itself."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

import pytest
from flask import Flask
from werkzeug.test import Client

from connector.web.dispatch import Faces
from tests.web.face_fakes import PROVISION

VALUES = {
    "source": "default",
    "id": "u-1",
    "type": "group",
    "value": "g-1",
    "name": "conflict",
    "anywhere": "a/b",
}
SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
TOLD = ("access-control-", "x-powered-by", "server", "via", "x-aspnet")
"""Beginnings of names of headers that are not sent: they let pages of others in, or tell who serves."""


def check(headers: Mapping[str, str]) -> None:
    assert {name: headers.get(name) for name in SAFE} == SAFE
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert [name for name in headers if name.lower().startswith(TOLD)] == []


def routes(apps: list[Flask]) -> Iterator[tuple[str, str]]:
    """Method and path of everything that the faces answer, and of some things that they do not."""
    for app in apps:
        for rule in app.url_map.iter_rules():
            address = app.url_map.bind("localhost")
            values = {name: VALUES[name] for name in rule.arguments}
            for method in sorted(rule.methods or ()):
                yield method, urlsplit(address.build(rule.endpoint, values, method=method)).path
    yield from (("GET", "/nothing"), ("PUT", "/"), ("OPTIONS", "/"), ("OPTIONS", "/v1/sources/default/accounts"))
    yield from (("TRACE", "/metrics"), ("POST", "/v1/nothing"), ("GET", "/v1/sources/nowhere"), ("POST", "/livez"))


def test_every_route_answers_safely(both: Client) -> None:
    """Whoever asks, with whatever body, from whichever page, over TLS or not."""
    faces = both.application
    assert isinstance(faces, Faces)
    apps = [each for each in vars(faces).values() if isinstance(each, Flask)]
    seen: set[int] = set()
    asked = list(routes(apps))
    for method, path in asked:
        for token in (None, PROVISION):
            for body, type_ in ((b"", None), (b"{}", "application/json"), (b"[" * 9, "application/json")):
                headers = {"Origin": "https://elsewhere.example.com"}
                if token is not None:
                    headers["Authorization"] = f"Bearer {token}"
                with both.open(path, method=method, headers=headers, data=body, content_type=type_) as answer:
                    seen.add(answer.status_code)
                    check(dict(answer.headers))

    assert len(apps) == 4
    assert {"/livez", "/readyz", "/metrics", "/oauth/token", "/", "/openapi.json"} <= {path for _, path in asked}
    assert {200, 400, 401, 404, 405, 415, 500} <= seen


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_https_is_kept_to(both: Client, scheme: str) -> None:
    for path in ("/livez", "/metrics", "/nothing", "/v1/sources/default"):
        headers = both.get(path, base_url=f"{scheme}://localhost").headers
        assert ("Strict-Transport-Security" in headers) is (scheme == "https")


def said(url: str, request: bytes) -> tuple[bytes, dict[str, str], bytes]:
    """Status line, headers and body of what the server answers to these bytes."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname or "", address.port or 0), 10) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65_536):
            received += chunk
    head, _, body = received.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return status.encode(), dict(line.split(": ", 1) for line in lines), body


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /livez HTTP/1.1", b"200"),
        (b"GET /nothing HTTP/1.1", b"404"),
        (b"PUT / HTTP/1.1", b"405"),
        (b"GET /v1/sources/default HTTP/1.1", b"40"),
        (b"G\x1b[31mT / HTTP/1.1", b"400"),
        (b"GET <script> HTTP/1.1", b"400"),
        (b"GET / HTTP/9.9", b"400"),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1", b"414"),
        (b"GET / HTTP/1.1\r\nBad Header: x", b"400"),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: nonsense", b"50"),
    ],
)
def test_the_server_itself_answers_safely_and_does_not_say_what_it_is(url: str, line: bytes, status: bytes) -> None:
    first, headers, body = said(url, line + b"\r\nHost: x\r\nConnection: close\r\n\r\n")

    assert first.split(b" ")[1].startswith(status), first
    check(headers)
    assert headers["Content-Type"].startswith(("text/plain", "application/problem+json"))
    assert b"gunicorn" not in body
    assert b"<html" not in body
    assert body.decode().rstrip("\n").isprintable()
