"""Tokens of the customer's identity provider: what is accepted, and everything that is not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from connector.provider.keys import FRESH, PAUSE, STALE, Keys, fetching, key_set
from connector.provider.tokens import Provider
from connector.variables import clients

ISSUER, AUDIENCE = "https://login.example.com/realms/staff", "idc-connector"
RSA, EC, STRANGER = (
    RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}),
    ECKey.generate_key("P-256", {"kid": "ec"}),
    RSAKey.generate_key(2048, {"kid": "rsa"}),
)
PUBLIC = json.dumps({"keys": [RSA.as_dict(private=False), EC.as_dict(private=False)]})
NOW = time.time()
CLIENTS = clients("iiq=provision@default, reader=read")
GOOD = {"iss": ISSUER, "aud": AUDIENCE, "exp": int(NOW) + 300, "azp": "iiq", "sub": "service-account"}


def provider(fetch: Callable[[], str] = lambda: PUBLIC) -> Provider:
    return Provider(ISSUER, AUDIENCE, CLIENTS, Keys(fetch, time.monotonic), lambda: NOW)


def signed(claims: dict[str, Any], key: Any = RSA, algorithm: str = "RS256", **header: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": key.kid, **header}, claims, key, algorithms=[algorithm])


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in GOOD.items() if key != name}


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "RS512"), (RSA, "PS256"), (EC, "ES256")],
    ids=lambda each: str(each)[:5],
)
def test_a_client_in_the_table_is_a_caller(key: Any, algorithm: str) -> None:
    found = provider()(signed(GOOD, key, algorithm))
    assert found is not None
    assert (found.name, found.scope, found.sources) == ("iiq", "provision", {"default"})


@pytest.mark.parametrize(
    "claims",
    [
        GOOD | {"aud": ["other", AUDIENCE]},
        without("azp") | {"client_id": "iiq"},
        without("azp") | {"appid": "iiq"},
        without("azp") | {"cid": "iiq"},
        without("azp") | {"sub": "iiq"},
        GOOD | {"exp": int(NOW) - 20},  # clocks differ
        GOOD | {"nbf": int(NOW) + 20},
    ],
)
def test_what_providers_vary_in(claims: dict[str, Any]) -> None:
    assert provider()(signed(claims)) is not None


@pytest.mark.parametrize(
    "claims",
    [
        without("iss"),
        without("aud"),
        without("exp"),
        GOOD | {"iss": ISSUER + "/"},
        GOOD | {"iss": [ISSUER]},
        GOOD | {"aud": "other"},
        GOOD | {"aud": []},
        GOOD | {"exp": int(NOW) - 60},
        GOOD | {"exp": "never"},
        GOOD | {"exp": True},
        GOOD | {"nbf": int(NOW) + 300},
        GOOD | {"azp": "stranger", "sub": "iiq", "client_id": "iiq"},
        GOOD | {"azp": None, "client_id": "iiq"},
        GOOD | {"azp": ["iiq"]},
        GOOD | {"nonce": "of a person's log-in"},
        without("azp"),
        {},
    ],
)
def test_what_is_no_proof(claims: dict[str, Any]) -> None:
    assert provider()(signed(claims)) is None


def test_keys_and_algorithms_are_ours_to_name() -> None:
    check = provider()
    assert check(signed(GOOD, STRANGER)) is None, "another key under a known id"
    assert check(signed(GOOD, RSA, kid="unknown")) is None
    head = base64.urlsafe_b64encode(b'{"alg":"none","kid":"rsa"}').rstrip(b"=").decode()
    body = signed(GOOD).split(".")[1]
    assert check(f"{head}.{body}.") is None
    assert check(f"{head}.{body}.x") is None
    assert check(hmac_signed(GOOD, RSA.as_pem(private=False))) is None, "the public key as a shared secret"
    tampered = base64.urlsafe_b64encode(json.dumps(GOOD | {"azp": "reader"}).encode()).rstrip(b"=").decode()
    first, _, last = signed(GOOD).split(".")
    assert check(f"{first}.{tampered}.{last}") is None
    assert check(signed(GOOD, STRANGER, jwk=STRANGER.as_dict(private=False))) is None
    assert check(signed(GOOD, STRANGER, jku="https://evil.example.com/keys")) is None


def hmac_signed(claims: dict[str, Any], key: bytes) -> str:
    def encoded(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    text = f"{encoded({'alg': 'HS256', 'kid': 'rsa'})}.{encoded(claims)}"
    mac = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_keys_that_cannot_be_trusted_are_left_out() -> None:
    small = {
        "kty": "RSA",
        "kid": "small",
        "e": "AQAB",
        "n": base64.urlsafe_b64encode(b"\xc1" * 64).decode().rstrip("="),
    }
    shared = {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}
    for_secrets = RSA.as_dict(private=False) | {"use": "enc", "kid": "enc"}
    odd = [small, shared, for_secrets, {"kty": "new"}, {"kty": "EC"}, "text", None, 7]
    assert [key.kid for key in key_set(json.dumps({"keys": [*odd, EC.as_dict(private=False)]})).keys] == ["ec"]
    for wrong in ("[]", "{}", '{"keys": 5}', "no json"):
        with pytest.raises(ValueError, match=r".*"):
            key_set(wrong)


class Provided:
    """A provider that counts, and can be away or change its keys."""

    def __init__(self) -> None:
        self.now, self.asked, self.text = 1000.0, 0, PUBLIC

    def __call__(self) -> str:
        self.asked += 1
        if not self.text:
            raise ValueError("away")
        return self.text


def test_keys_are_fetched_when_needed_and_never_more_often() -> None:
    source = Provided()
    keys = Keys(source, lambda: source.now)
    for _ in range(5):
        assert len(keys.known("rsa").keys) == 2
    assert source.asked == 1
    for number in range(100):
        keys.known(f"made-up-{number}")
    assert source.asked == 1
    source.now += PAUSE
    for number in range(100):
        keys.known(f"made-up-{number}")
    assert source.asked == 2
    new = ECKey.generate_key("P-256", {"kid": "new"})
    source.text = json.dumps({"keys": [new.as_dict(private=False)]})
    source.now += PAUSE
    assert [key.kid for key in keys.known("new").keys] == ["new"], "an unknown id fetches"


def test_keys_serve_while_the_provider_is_away_but_not_for_ever() -> None:
    source = Provided()
    keys = Keys(source, lambda: source.now)
    keys.known("rsa")
    source.text = ""
    source.now += FRESH + 1
    assert len(keys.known("rsa").keys) == 2
    assert source.asked == 2
    source.now += STALE
    assert keys.known("rsa").keys == []


def test_a_provider_that_never_answered_proves_nothing() -> None:
    source = Provided()
    source.text = ""
    assert provider(source)(signed(GOOD)) is None


@pytest.fixture
def web() -> Iterator[tuple[str, dict[str, tuple[int, str]]]]:
    """A web server that answers paths as it is told."""
    answers: dict[str, tuple[int, str]] = {}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answers.get(self.path, (404, ""))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None: ...

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", answers
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_issuer_says_where_its_keys_are(web: tuple[str, dict[str, tuple[int, str]]]) -> None:
    issuer, answers = web
    where = "/.well-known/openid-configuration"
    answers["/keys"] = (200, PUBLIC)
    answers[where] = (200, json.dumps({"issuer": issuer, "jwks_uri": f"{issuer}/keys"}))
    assert fetching(issuer, None)() == PUBLIC
    assert fetching(issuer, f"{issuer}/keys")() == PUBLIC
    wrong = [
        {"issuer": "other", "jwks_uri": f"{issuer}/keys"},
        {"issuer": issuer},
        [],
        {"issuer": issuer, "jwks_uri": "file:///x"},
    ]
    for about in wrong:
        answers[where] = (200, json.dumps(about))
        with pytest.raises(ValueError, match="does not say"):
            fetching(issuer, None)()


def test_redirects_and_floods_are_not_followed(web: tuple[str, dict[str, tuple[int, str]]]) -> None:
    issuer, answers = web
    answers["/moved"] = (302, f"{issuer}/keys")
    answers["/keys"] = (200, PUBLIC)
    answers["/flood"] = (200, "x" * 600_000)
    for path in ("/moved", "/flood", "/nowhere"):
        with pytest.raises(ValueError, match=r"status|large"):
            fetching(issuer, f"{issuer}{path}")()


segments = st.one_of(
    st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode().rstrip("=")), st.text(max_size=60)
)
CHECK = provider()
VALID = signed(GOOD)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.tuples(segments, segments, segments).map(lambda parts: "eyJ" + ".".join(parts))))
def test_no_text_is_a_proof(text: str) -> None:
    assert CHECK(text) is None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(VALID) - 1), st.characters(codec="ascii"))
def test_no_changed_token_is_a_proof(at: int, other: str) -> None:
    changed = VALID[:at] + other + VALID[at + 1 :]
    found = CHECK(changed)
    # The last letter of a part has bits that mean nothing.
    assert found is None or decoded(changed) == decoded(VALID)


def decoded(text: str) -> list[bytes]:
    return [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in text.split(".")]
