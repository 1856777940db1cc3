"""Tokens of the customer's identity provider: signed statements that come in as bearer tokens, callers that go out.

Signature, issuer, audience and time are checked, with algorithms we name and keys of the provider; what a token says
about algorithms or keys beyond that is not believed. Which scope a client has is our own table, never the token's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import structlog
from joserfc import jwt

from connector.provider.keys import Keys, fetching
from connector.tokens import Token
from connector.variables import Reach

ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""None that is no signature, and none for which both sides know the key."""
LEEWAY: Final = 30
"""Seconds by which clocks may differ."""
CLIENT_CLAIMS: Final = ("azp", "client_id", "appid", "cid", "sub")
"""Where providers name the client: the first that is there counts, and no other."""
OF_PEOPLE: Final = ("nonce", "at_hash")
"""What only tokens have that tell a program who its user is; they open nothing."""

log = structlog.get_logger(__name__)


class Provider:
    """The issuer whose clients may call."""

    def __init__(
        self, issuer: str, audience: str, clients: Mapping[str, Reach], keys: Keys, now: Callable[[], float]
    ) -> None:
        self._clients = clients
        self._keys = keys
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: int(now()),
            leeway=LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": audience},
            exp={"essential": True},
        )

    def __call__(self, text: str) -> Token | None:
        """The caller a token proves, None when it proves nothing."""
        if not text.startswith("eyJ") or text.count(".") != 2:
            return None
        try:
            proven = jwt.decode(text, lambda shown: self._key_for(shown.headers()), algorithms=ALGORITHMS)
            self._claims.validate(proven.claims)
        except Exception as fault:
            # Whatever a library makes of hostile text: it is no proof. Its own words may quote the text.
            log.info("token of the identity provider refused", why=type(fault).__name__)
            return None
        return self._caller(proven.claims)

    def _key_for(self, header: Mapping[str, Any]) -> Any:
        key_id = header.get("kid")
        known = self._keys.known(key_id if isinstance(key_id, str) else None)
        return known.get_by_kid(key_id, {"alg": header["alg"]})

    def _caller(self, claims: Mapping[str, Any]) -> Token | None:
        client = next((claims[name] for name in CLIENT_CLAIMS if name in claims), None)
        if any(name in claims for name in OF_PEOPLE) or not isinstance(client, str) or client not in self._clients:
            log.info("token of the identity provider refused", why="not of a client in CONNECTOR_OIDC_CLIENTS")
            return None
        scope, sources = self._clients[client]
        # No hash: nothing of it is kept. Its time was checked, with the leeway.
        return Token(client, scope, b"", sources)


def provider_of(
    issuer: str | None,
    audience: str | None,
    clients: Mapping[str, Reach] | None,
    keys: tuple[str | None, str | None],
    clock: tuple[Callable[[], float], Callable[[], float]],
) -> Provider | None:
    """The provider of the settings; `keys` are its address and the set itself, `clock` tells time and duration."""
    if issuer is None or audience is None or not clients:
        return None
    address, fixed = keys
    fetch = fetching(issuer, address) if fixed is None else lambda: fixed
    return Provider(issuer, audience, clients, Keys(fetch, clock[1]), clock[0])
