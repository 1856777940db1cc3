"""Secrets to plant in every place where the service meets one, and every spelling in which one could come out again."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote


def _token() -> str:
    return f"idc_{secrets.token_urlsafe(32)}"


def _words() -> str:
    return f"canary {secrets.token_hex(12)} ü"


@dataclass(frozen=True)
class Canaries:
    """One secret of every kind; each is found nowhere but where it was planted."""

    # of callers
    bearer: str = field(default_factory=_token)
    reader: str = field(default_factory=_token)
    client_secret: str = field(default_factory=_token)
    wrong_bearer: str = field(default_factory=_token)
    wrong_password: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    wrong_client_secret: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    token_as_name: str = field(default_factory=_token)
    config_token: str = field(default_factory=_token)
    config_password: str = field(default_factory=_words)
    config_key: str = field(default_factory=_words)
    input_password: str = field(default_factory=_words)
    query_token: str = field(default_factory=_token)
    query_secret: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    idempotency_key: str = field(default_factory=lambda: f"canary-{secrets.token_hex(20)}")
    cookie: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    # of the operator
    audit_key: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    store_password: str = field(default_factory=lambda: f"canary{secrets.token_hex(12)}")
    external_id: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")
    wrong_external_id: str = field(default_factory=lambda: f"canary-{secrets.token_hex(12)}")
    scim_token: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    wrong_scim_token: str = field(default_factory=lambda: f"canary{secrets.token_hex(20)}")
    aws_secret_key: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(30)).decode())
    aws_session_token: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(120)).decode())
    aws_access_key: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(8).upper()}")

    def named(self) -> Mapping[str, str]:
        """All of them."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def found_in(self, data: bytes) -> list[str]:
        """Names of those that stand in it, however spelt."""
        return [name for name, secret in self.named().items() if any(each in data for each in spellings(secret))]


def spellings(secret: str) -> Iterator[bytes]:
    """As text, in an address, in JSON, in base64 behind any prefix, in hexadecimal."""
    raw = secret.encode()
    yield raw
    yield secret.encode("ascii", "backslashreplace")
    yield secret.encode("ascii", "namereplace")
    yield secret.encode("unicode_escape")
    yield quote(secret, safe="").encode()
    yield raw.hex().encode()
    for shift in range(3):
        # Whatever stands before and behind it, this middle of its base64 is the same.
        middle = base64.b64encode(b"x" * shift + raw)
        yield middle[4 * (shift > 0) + 4 : -8]
