"""The keys an identity provider signs with, fetched when they are needed and kept.

Keys come from the provider's address, or from the settings; `tokens` checks signatures with them. A caller who makes
up key ids causes one fetch in half a minute, and whoever shows a known one never waits for it. Nothing is fetched from
an address that stands in a token.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any, Final

import requests
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, KeySet, RSAKey

FRESH: Final = 600.0
"""Seconds after which keys are looked at again, so that one that was taken away goes."""
STALE: Final = 24 * 3600.0
"""Seconds for which keys serve while the provider does not answer."""
PAUSE: Final = 30.0
"""Seconds between two fetches, whatever callers send."""
PATIENCE: Final = 5.0
LARGEST: Final = 512 * 1024
SMALLEST_RSA: Final = 342
"""Characters in which 2048 bits are written."""

log = structlog.get_logger(__name__)


class Keys:
    """Thread-safe. `fetch` returns a JSON Web Key Set."""

    def __init__(self, fetch: Callable[[], str], monotonic: Callable[[], float]) -> None:
        self._fetch = fetch
        self._now = monotonic
        self._keys = KeySet([])
        self._at: float | None = None
        self._tried: float | None = None
        self._turn = threading.Lock()

    def known(self, key_id: str | None) -> KeySet:
        """The keys, fetched anew when that one is not among them."""
        if self._due(key_id) and self._turn.acquire(blocking=self._at is None):
            try:
                if self._due(key_id):
                    self._renew()
            finally:
                self._turn.release()
        if self._at is None or self._now() - self._at > STALE:
            return KeySet([])
        return self._keys

    def _due(self, key_id: str | None) -> bool:
        now = self._now()
        if self._tried is not None and now - self._tried < PAUSE:
            return False
        if self._at is None or now - self._at > FRESH:
            return True
        return key_id is not None and all(key.kid != key_id for key in self._keys.keys)

    def _renew(self) -> None:
        self._tried = self._now()
        try:
            self._keys = key_set(self._fetch())
        except (requests.RequestException, ValueError) as fault:
            log.warning("keys of the identity provider not read", why=type(fault).__name__)
            return
        self._at = self._now()


def key_set(text: str) -> KeySet:
    """The keys of the set that can check a signature; others are left out. `ValueError` when it is none."""
    try:
        found = json.loads(text)["keys"]
    except (TypeError, LookupError):
        raise ValueError("no JSON Web Key Set") from None
    if not isinstance(found, list):
        raise ValueError("no JSON Web Key Set")
    return KeySet([key for each in found if (key := _key(each)) is not None])


def _key(about: Any) -> RSAKey | ECKey | None:
    if not isinstance(about, dict) or about.get("use", "sig") != "sig":
        return None
    if about.get("kty") == "RSA" and len(str(about.get("n", ""))) < SMALLEST_RSA:
        return None
    try:
        key = JWKRegistry.import_key(about)
    except (JoseError, ValueError, TypeError, LookupError):
        return None
    # A key both sides know is no proof of who signed.
    return key if isinstance(key, RSAKey | ECKey) else None


def fetching(issuer: str, address: str | None) -> Callable[[], str]:
    """Fetches the keys from their address, which the issuer tells when it is not given (OpenID Connect Discovery)."""

    def fetch() -> str:
        where = address
        if where is None:
            about = json.loads(_get(f"{issuer.rstrip('/')}/.well-known/openid-configuration"))
            where = about.get("jwks_uri") if isinstance(about, dict) and about.get("issuer") == issuer else None
        if not isinstance(where, str) or not where.startswith(("https://", issuer)):
            raise ValueError("the issuer does not say where its keys are")
        return _get(where)

    return fetch


def _get(address: str) -> str:
    with requests.get(address, timeout=PATIENCE, allow_redirects=False, stream=True) as answer:
        if answer.status_code != 200:
            raise ValueError(f"status {answer.status_code}")
        body = answer.raw.read(LARGEST + 1, decode_content=True)
    if len(body) > LARGEST:
        raise ValueError("too large")
    return str(body, "utf-8")
