"""Who may call: tokens in every place where callers can put one."""

from __future__ import annotations

import base64
import hmac
import logging
from datetime import UTC, datetime
from typing import Any

import pytest

from connector.errors import Forbidden, Unauthenticated
from connector.tokens import Token, digest_of
from connector.web.auth import Callers, Credential, credentials_of
from connector.web.scopes import authorise
from tests.web.face_fakes import EXPIRED, NARROW, PROVISION, READ

NOW = datetime(2026, 11, 24, tzinfo=UTC).timestamp()
A, B, C, SHORT = "a" * 43, "b" * 43, "c" * 43, "correct horse battery"
READER = Token("reader", "read", digest_of(A))
OPERATOR = Token("operator", "provision", digest_of(B), frozenset({"eu"}))
WEAK = Token("weak", "admin", digest_of(SHORT))
FORMER = Token("former", "admin", digest_of(C), expires=datetime(2026, 11, 1, tzinfo=UTC))
CALLERS = Callers([READER, OPERATOR, FORMER, WEAK], lambda: NOW)


def basic(name: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{token}".encode()).decode()


@pytest.mark.parametrize(
    ("authorization", "secrets", "tokens"),
    [
        ("Bearer a", [], ["a"]),
        ("bearer  a ", [], ["a"]),
        (basic("reader", "a"), [], ["a"]),
        (basic("reader", "with:colon"), [], ["with:colon"]),
        ("Bearer x", ["a", "b"], ["a", "b", "x"]),
        ("Basic !!!", [], []),
        ("Basic", [], []),
        ("Digest a", [], []),
        ("", [], []),
        (None, ["a"], ["a"]),
        ("Bearer " + "x" * 20_000, [], []),
    ],
)
def test_tokens_are_found_wherever_they_are(authorization: str | None, secrets: list[str], tokens: list[str]) -> None:
    assert [each.token for each in credentials_of(authorization, secrets)] == tokens


def test_one_valid_token_among_wrong_ones_is_enough() -> None:
    # SailPoint's CLI always sends a bearer of its own beside the token in `config`.
    assert CALLERS.identify([Credential("cli"), Credential(A)]) == (READER,)
    assert CALLERS.identify([Credential(C), Credential(B)]) == (OPERATOR,)


def test_basic_needs_the_tokens_own_name() -> None:
    assert CALLERS.identify([Credential(A, "reader")]) == (READER,)
    with pytest.raises(Unauthenticated, match="not known"):
        CALLERS.identify([Credential(A, "operator")])


@pytest.mark.parametrize(("given", "why"), [([], "needed"), (["x"], "not known"), ([C], "expired"), ([SHORT], "short")])
def test_no_valid_token_is_no_caller(given: list[str], why: str) -> None:
    with pytest.raises(Unauthenticated, match=why):
        CALLERS.identify([Credential(each) for each in given])


def test_every_token_is_compared_with_every_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return bool(one == other)

    monkeypatch.setattr(hmac, "compare_digest", compare)
    CALLERS.identify([Credential(A), Credential("x")])
    assert len(compared) == 2 * 4


def test_scopes_include_the_smaller_ones() -> None:
    assert authorise([OPERATOR], "std:account:list", "eu") is OPERATOR
    with pytest.raises(Forbidden, match="scope read; this needs provision"):
        authorise([READER], "std:account:create", "eu")
    with pytest.raises(Forbidden, match="not for this source"):
        authorise([OPERATOR], "rest.accounts.listed", "us")
    assert authorise([OPERATOR, READER], "std:account:list", "us") is READER


@pytest.mark.parametrize(
    ("token", "command", "config", "status"),
    [
        (None, "std:account:list", {}, 401),
        ("wrong", "std:account:list", {}, 401),
        (EXPIRED, "std:account:list", {}, 401),
        (None, "std:no:such", {}, 401),
        (READ, "std:account:update", {}, 403),
        (NARROW, "std:account:list", {}, 403),
        (NARROW, "std:account:list", {"source": "other"}, 200),
        (NARROW, "std:account:list", {"source": "not-told"}, 403),
        (READ, "std:account:list", {}, 200),
        ("wrong", "std:account:list", {"connectorToken": READ}, 200),
        (None, "std:account:list", {"proxyPassword": READ, "connectorToken": "wrong"}, 200),
        (None, "std:account:list", {"connectorToken": {"no": "text"}}, 401),
    ],
)
def test_the_face_lets_in_who_may(send: Any, token: str | None, command: str, config: Any, status: int) -> None:
    answer = send(command, {}, token=token, config={"source": "default"} | config)
    assert answer.status_code == status
    if status in (401, 403):
        assert answer.content_type == "text/plain; charset=utf-8"
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_no_token_ever_reaches_the_log(send: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        send("std:account:list", {}, token="hush-bearer", config={"source": "default", "connectorToken": PROVISION})
        send("std:account:list", {}, token="hush-bearer", config={"connectorToken": "hush-config"})
        send("std:account:read", {"identity": "defect"}, config={"source": "default", "proxyPassword": "hush-proxy"})
    assert "hush" not in caplog.text
    assert PROVISION not in caplog.text
