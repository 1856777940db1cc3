"""Tokens of callers: how they are made, written down and recognised.

Text of CONNECTOR_API_TOKENS and rows of the store come in, frozen `Token`s go to `web.auth`; `idc-connector token`
makes new ones. A token itself is never kept: only its SHA-256, which is enough for 256 random bits.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, Literal

Scope = Literal["read", "provision", "admin"]

SCOPES: Final[tuple[Scope, ...]] = ("read", "provision", "admin")
"""From the least to the most: each includes those before it."""
PREFIX: Final = "idc_"
"""What secret scanners, and the log's redaction, recognise a token by."""
ID_LENGTH: Final = 12
NAME: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
SOURCE_NAME: Final = re.compile(r"^[a-z0-9][a-z0-9_-]{0,63}\Z")
_DIGEST: Final = re.compile(r"^[0-9a-f]{64}\Z")
_FORM: Final = "name:scope[@source+source]:sha256-hex[:expiry]"


@dataclass(frozen=True, slots=True)
class Token:
    """Who a token belongs to, what it may do, where, and until when."""

    name: str
    scope: Scope
    digest: bytes = field(repr=False)
    """SHA-256 of the token."""
    sources: frozenset[str] | None = None
    """The only sources it reaches; None: all."""
    expires: datetime | None = None

    def covers(self, scope: Scope) -> bool:
        """Whether its scope includes `scope`."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)

    def reaches(self, source: str) -> bool:
        """Whether it may be used for the source."""
        return self.sources is None or source in self.sources

    def expired(self, now: float) -> bool:
        """Whether it ended before `now`, Unix seconds."""
        return self.expires is not None and self.expires.timestamp() <= now


@dataclass(frozen=True, slots=True)
class KeptToken:
    """A token as the store has it."""

    token: Token
    made: float
    """Unix seconds."""
    used: float | None = None
    """When it was last used, give or take a minute."""
    parent: bytes | None = field(default=None, repr=False)
    """Digest of the token it was had for; it reaches no further and lives no longer. None: it stands for itself."""

    @property
    def id(self) -> str:
        """What it is called where it cannot be shown: the beginning of its hash."""
        return self.token.digest.hex()[:ID_LENGTH]


def digest_of(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def new_token() -> str:
    """256 random bits in a form that scanners recognise."""
    return PREFIX + secrets.token_urlsafe(32)


def written(token: Token) -> str:
    """The entry of CONNECTOR_API_TOKENS that makes `token` known."""
    sources = "@" + "+".join(sorted(token.sources)) if token.sources else ""
    expiry = f":{token.expires.isoformat()}" if token.expires else ""
    return f"{token.name}:{token.scope}{sources}:{token.digest.hex()}{expiry}"


def parse_tokens(text: str) -> tuple[Token, ...]:
    """All entries of CONNECTOR_API_TOKENS; `ValueError` says which one is wrong, without showing its digest."""
    entries = [entry.strip() for entry in text.replace("\n", ",").split(",")]
    return tuple(_parse(entry, position) for position, entry in enumerate(filter(None, entries), 1))


def _parse(entry: str, position: int) -> Token:
    parts = entry.split(":", 3)
    if len(parts) < 3:
        raise ValueError(f"entry {position} has not the form {_FORM}")
    name, reach, digest = parts[:3]
    if not NAME.match(name):
        raise ValueError(f"entry {position}: a name has letters, digits, '.', '_' and '-'")
    scope, _, sources = reach.partition("@")
    if scope not in SCOPES:
        raise ValueError(f"entry {position} ({name}): the scope is one of {', '.join(SCOPES)}")
    if "@" in reach and not all(SOURCE_NAME.match(source) for source in sources.split("+")):
        raise ValueError(f"entry {position} ({name}): after '@' come names of sources, joined by '+'")
    if not _DIGEST.match(digest.lower()):
        raise ValueError(f"entry {position} ({name}): the third part is the SHA-256 of the token, 64 hex digits")
    try:
        expires = parse_expiry(parts[3]) if len(parts) == 4 else None
    except ValueError as error:
        raise ValueError(f"entry {position} ({name}): {error}") from None
    limits = frozenset(sources.split("+")) if "@" in reach else None
    return Token(name, scope, bytes.fromhex(digest), limits, expires)


def parse_expiry(text: str) -> datetime:
    """An ISO date (its end, in UTC) or date and time (UTC unless it says otherwise)."""
    try:
        if "T" not in text and " " not in text:
            return datetime.combine(date.fromisoformat(text) + timedelta(days=1), time(), UTC)
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):  # no day comes after the last one there is
        raise ValueError("an expiry is an ISO date or date and time, such as 2027-06-30") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
