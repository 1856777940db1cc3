"""`POST /oauth/token`, as IdentityIQ and as RFC 6749 would have it."""

from __future__ import annotations

import base64
import time
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from connector.tokens import KeptToken, Token, digest_of, new_token
from connector.web.auth import Callers
from connector.web.dispatch import Faces
from connector.web.kept_tokens import KeptTokens
from connector.web.service import Service
from tests.callers.memory import Memory
from tests.web.face_fakes import COMMANDS, SOURCES, FakeDesk

SECRET = new_token()
FORM = {"grant_type": "client_credentials"}


class World:
    """The faces with one client."""

    def __init__(self) -> None:
        self.memory = Memory(KeptToken(Token("iiq", "provision", digest_of(SECRET), frozenset({"default"})), 0.0))
        callers = Callers((), time.time, KeptTokens(self.memory, time.time))
        self.records: list[Any] = []
        service = Service(
            commands=COMMANDS,
            sources=SOURCES,
            default_source=SOURCES["default"],
            callers=callers,
            desk=FakeDesk,  # type: ignore[arg-type]
            ready=lambda: None,
            record=self.records.append,
        )
        self.client = Client(Faces(service))

    def ask(self, form: Any = FORM, basic: tuple[str, str] | None = None, **how: Any) -> TestResponse:
        headers = {"Authorization": "Basic " + base64.b64encode(":".join(basic).encode()).decode()} if basic else {}
        return self.client.post("/oauth/token", data=form, headers=headers, **how)

    def use(self, token: str, command: str = "std:account:list", source: str = "default") -> int:
        sent = {"type": command, "input": {"identity": "u", "changes": []}, "config": {"source": source}}
        answer = self.client.post("/", json=sent, headers={"Authorization": f"Bearer {token}"})
        answer.close()
        return answer.status_code


@pytest.fixture
def world() -> World:
    return World()


@pytest.mark.parametrize("where", ["header", "form", "both"])
def test_a_client_gets_a_token_that_works(world: World, where: str) -> None:
    """IdentityIQ sends both unless told otherwise."""
    form = FORM | ({"client_id": "iiq", "client_secret": SECRET} if where != "header" else {})
    answer = world.ask(form, ("iiq", SECRET) if where != "form" else None)
    assert answer.status_code == 200
    said = dict(answer.json or {})
    token = said.pop("access_token")
    assert said == {"token_type": "Bearer", "expires_in": 900, "scope": "provision"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert world.use(token) == 200
    assert world.use(token, source="other") == 403
    assert token not in repr(world.memory.known)


def test_a_scope_can_be_narrowed_and_not_widened(world: World) -> None:
    read = world.ask(FORM | {"scope": "read"}, ("iiq", SECRET)).json
    assert read is not None
    assert read["scope"] == "read"
    assert world.use(read["access_token"]) == 200
    assert world.use(read["access_token"], "std:account:update") == 403
    both = world.ask(FORM | {"scope": "read provision admin"}, ("iiq", SECRET)).json
    assert both is not None
    assert both["scope"] == "provision"
    for scope in ("admin", "everything", "read write"):
        answer = world.ask(FORM | {"scope": scope}, ("iiq", SECRET))
        assert (answer.status_code, answer.json["error"]) == (400, "invalid_scope")  # type: ignore[index]


@pytest.mark.parametrize(
    ("form", "basic", "status", "error"),
    [
        (FORM, None, 401, "invalid_client"),
        (FORM, ("iiq", "wrong"), 401, "invalid_client"),
        (FORM, ("other", SECRET), 401, "invalid_client"),
        (FORM, ("", SECRET), 401, "invalid_client"),
        (FORM | {"client_id": "iiq"}, None, 401, "invalid_client"),
        (FORM | {"client_id": "iiq", "client_secret": "x" * 40_000}, None, 413, None),
        ({"grant_type": "password", "username": "u", "password": "p"}, ("iiq", SECRET), 400, "unsupported_grant_type"),
        ({"grant_type": ["client_credentials"] * 2}, ("iiq", SECRET), 400, "invalid_request"),
        ({"scope": "read"}, ("iiq", SECRET), 400, "unsupported_grant_type"),
        ({}, ("iiq", SECRET), 400, "invalid_request"),
    ],
)
def test_what_is_wrong_is_told_as_the_rfc_says(
    world: World, form: Any, basic: Any, status: int, error: str | None
) -> None:
    answer = world.ask(form, basic)
    assert answer.status_code == status
    if error is not None:
        assert answer.json is not None
        assert answer.json["error"] == error
        assert answer.headers["Cache-Control"] == "no-store"
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_other_methods_and_bodies_are_refused(world: World) -> None:
    assert world.client.get("/oauth/token").status_code == 405
    assert world.client.options("/oauth/token").status_code == 405
    answer = world.client.post("/oauth/token", json=FORM)
    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")  # type: ignore[index]


def test_a_token_that_was_had_is_no_secret_to_have_another(world: World) -> None:
    first = world.ask(FORM, ("iiq", SECRET)).json
    assert first is not None
    assert world.ask(FORM, ("iiq", first["access_token"])).status_code == 401


def test_wrong_secrets_are_slowed_and_right_ones_pass(world: World) -> None:
    statuses = [world.ask(FORM, ("iiq", new_token())).status_code for _ in range(15)]
    assert statuses[0] == 401
    answer = world.ask(FORM, ("iiq", new_token()))
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert world.ask(FORM, ("iiq", SECRET)).status_code == 200
    assert len(world.records) < 15
    assert world.records[0]["caller"] == "iiq"
