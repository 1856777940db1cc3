"""The table of scopes is total, and nobody passes it: every route and command, with every token that is not enough."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from flask import Flask

from connector.commands import COMMANDS
from connector.errors import Forbidden
from connector.sandbox.server import Sandbox
from connector.store import open_store
from connector.tokens import SCOPES, KeptToken, Token, digest_of, new_token
from connector.web.dispatch import Faces
from connector.web.oauth import create_oauth
from connector.web.ops import create_ops
from connector.web.rest import create_rest
from connector.web.rest.face import Face
from connector.web.saas import create_saas
from connector.web.scopes import BY_COMMAND, CLIENT, NEEDS, PUBLIC, authorise, need_of
from tests.running import Running
from tests.web.face_fakes import fake_service

SOURCES = "[sources.default]\n[sources.other]\n"
ACCOUNT = "9067642ac7-11111111-2222-3333-4444-555555555555"
VALUES = {"source": "default", "id": ACCOUNT, "type": "group", "value": ACCOUNT, "name": "forbidden"}
KINDS = ("none", "wrong", "expired", "revoked", "short", "weak", "elsewhere")


def applications() -> list[Flask]:
    service = fake_service()
    rest = create_rest(Face(service, None))  # type: ignore[arg-type]
    return [create_saas(service), create_ops(service), create_oauth(service), rest]


def routes() -> Iterator[tuple[str, str, str]]:
    """(place, method, path) of every route of every face."""
    for app in applications():
        for rule in app.url_map.iter_rules():
            path = rule.rule
            for name in rule.arguments:
                for form in (f"<path:{name}>", f"<{name}>"):
                    path = path.replace(form, VALUES.get(name, "x"))
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield f"{app.name.rpartition('.')[2]}.{rule.endpoint}", method, path


def test_the_table_is_total() -> None:
    """Every route and command has a row, and no row is of something that is not there."""
    assert set(NEEDS) == {place for place, _, _ in routes()} | set(COMMANDS)


def test_every_row_is_a_scope_or_a_word_that_is_meant() -> None:
    assert set(NEEDS.values()) == {"read", "provision", PUBLIC, CLIENT, BY_COMMAND}
    changing = {name for name, command in COMMANDS.items() if command.changes}
    assert {name for name in COMMANDS if NEEDS[name] == "provision"} == changing
    for place, method, _ in routes():
        if place.startswith("rest."):
            assert (NEEDS[place] == "provision") == (method != "GET")


def test_what_the_table_does_not_name_nobody_reaches() -> None:
    mighty = Token("root", "admin", b"")
    for place in ("rest.accounts.purge", "std:account:unlock", "", "None", "rest.None"):
        with pytest.raises(Forbidden):
            need_of(place)
    for place in ("rest.openapi", "saas.invoke", "oauth.token"):
        with pytest.raises(Forbidden):
            authorise([mighty], place, None)


def test_a_route_without_a_row_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    service = fake_service()
    for make, path in ((create_saas, "/planted"), (create_ops, "/planted"), (create_oauth, "/planted")):
        app = make(service)
        app.add_url_rule("/planted", "planted", lambda: "open", methods=["GET"])
        assert app.test_client().get(path).status_code == 403
    assert Faces(service) is not None


# ---- on the real service: nothing is done


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Running, dict[str, str | None]]]:
    """A service, and one token of each kind that is not enough; no census is under way."""
    directory = tmp_path_factory.mktemp("table")
    tokens: dict[str, str | None] = {kind: new_token() for kind in KINDS}
    tokens |= {"none": None, "short": "correct horse battery"}
    past = datetime.now(UTC) - timedelta(days=1)
    with Sandbox() as sandbox, Running(sandbox, directory, SOURCES) as service:
        store = open_store(f"sqlite:///{directory / 'connector.db'}")
        known = {
            "expired": Token("expired", "admin", b"", None, past),
            "revoked": Token("revoked", "admin", b""),
            "short": Token("short", "admin", b""),
            "weak": Token("weak", "read", b""),
            "elsewhere": Token("elsewhere", "admin", b"", frozenset({"other"})),
        }
        for kind, token in known.items():
            digest = digest_of(str(tokens[kind]))
            store.tokens.keep(
                KeptToken(Token(token.name, token.scope, digest, token.sources, token.expires), time.time())
            )
        assert requests.get(f"{service.url}/metrics", headers=bearer(tokens["revoked"]), timeout=5).status_code == 200
        store.tokens.revoke(digest_of(str(tokens["revoked"])))
        time.sleep(2.1)
        store.close()
        yield sandbox, service, tokens


def bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


def shown(manner: str, kind: str, token: str | None) -> dict[str, str]:
    """The token in the Authorization header; with Basic, under the name that it has."""
    if token is None or manner == "bearer":
        return bearer(token)
    return {"Authorization": "Basic " + base64.b64encode(f"{kind}:{token}".encode()).decode()}


def expected(kind: str, need: str, scoped: bool = True) -> set[int]:
    """Statuses that refuse; those of the weak and the elsewhere depend on what is asked."""
    if kind == "weak":
        return {403} if need == "provision" else set()
    if kind == "elsewhere":
        return {403} if scoped else set()
    return {401, 429}


@pytest.mark.parametrize("manner", ["bearer", "basic"])
@pytest.mark.parametrize("kind", KINDS)
def test_no_route_and_no_command_does_anything(running: Any, kind: str, manner: str) -> None:
    sandbox, service, tokens = running
    headers = shown(manner, kind, tokens[kind])
    before = sandbox.control("state")["calls_total"]
    asked = 0
    for place, method, path in routes():
        need, scoped = NEEDS[place], "/sources/" in path
        wanted = expected(kind, str(need), scoped)
        if need not in SCOPES or not wanted:
            continue
        body = {"json": {}} if method in ("POST", "PATCH") else {}
        for verb in (method, "HEAD") if method == "GET" else (method,):
            answer = requests.request(verb, service.url + path, headers=headers, timeout=10, **body)
            assert answer.status_code in wanted | ({405} if verb == "HEAD" else set()), (place, verb, answer.text)
            asked += 1
    for command in COMMANDS:
        wanted = expected(kind, str(NEEDS[command]))
        if not wanted:
            continue
        for config in ({}, {"connectorToken": tokens[kind]}, {"proxyPassword": tokens[kind]}):
            config = {"source": "default"} | config
            sent = {"type": command, "input": {"identity": ACCOUNT}, "config": config}
            answer = requests.post(service.url, json=sent, headers=headers, timeout=10)
            assert answer.status_code in wanted, (command, answer.text)
            asked += 1
    assert sandbox.control("state")["calls_total"] == before, "AWS was asked"
    assert asked >= 10


def test_who_was_refused_is_in_the_audit(running: Any) -> None:
    _, service, tokens = running
    requests.get(f"{service.url}/v1/sources/default", headers=bearer(tokens["elsewhere"]), timeout=10)
    lines = service.command("audit", "export").stdout
    assert '"what":"refused"' in lines.replace(" ", "")
    assert '"elsewhere"' in lines
    assert not any(token and token in lines for token in tokens.values())
    assert service.command("audit", "verify").returncode == 0


def test_the_service_still_works(running: Any) -> None:
    _, service, _ = running
    assert len(service.client().outputs("std:account:list")) > 3
