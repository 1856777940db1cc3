"""What the value of a variable can be: text comes in, what `settings` keeps goes out, or a `ValueError` that says how.

The sentence of an error begins in small letters and has no full stop: `settings` puts the variable's name in front.
Nothing is read here but the files that are named.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal, cast
from urllib.parse import urlsplit

from connector.tokens import SCOPES, SOURCE_NAME, Scope

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Reach = tuple[Scope, frozenset[str] | None]
"""A scope, and the only sources in which it holds; None: all."""
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_CLIENT: Final = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._~:@/-]{0,127}\Z")
_PATH: Final = re.compile(r"(\.{0,2}/)?[\w .@-]{1,64}(/[\w .@-]{1,64})*/?\Z", re.ASCII)
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


def rate(text: str) -> float:
    """Calls a second."""
    rate = _number(text, "calls a second, such as 18")
    if not 0.1 <= rate <= 1000:
        raise ValueError("give calls a second, from 0.1 to 1000")
    return rate


def _number(text: str, means: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"'{text}' is no number; give {means}") from None


def hops(text: str) -> int:
    """How many proxies."""
    if not text.isdecimal() or not 0 <= int(text) <= 10:
        raise ValueError("give the number of reverse proxies in front, 0 to 10")
    return int(text)


def log_level(text: str) -> LogLevel:
    """A level, in capitals."""
    if text.upper() not in LEVELS:
        raise ValueError(f"give one of {', '.join(LEVELS)}")
    return cast(LogLevel, text.upper())


def store_url(text: str) -> str:
    """A SQLAlchemy URL, as far as can be said without the store."""
    if "://" not in text:
        raise ValueError("give an SQLAlchemy URL, such as sqlite:////var/lib/connector/connector.db")
    return text


def audit_key(text: str) -> bytes:
    """A secret long enough to make hashes with."""
    if len(text) < 32:
        raise ValueError("give at least 32 characters nobody can guess, such as `openssl rand -hex 32` prints")
    return text.encode()


def web_address(text: str) -> str:
    """An address without a slash at the end."""
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.netloc or address.query or address.fragment:
        raise ValueError("give the address callers use, such as https://connector.example.com")
    return text.rstrip("/")


def readable(text: str) -> str:
    """The path of a file that can be read."""
    try:
        with Path(text).open("rb"):
            return text
    except (OSError, ValueError) as error:
        raise ValueError(f"the file cannot be read{unreadable(text, error)}; give the path of a PEM file") from None


def unreadable(path: str, error: BaseException) -> str:
    """Which file could not be read and why, in brackets, for the operator who named it.

    Who puts a secret where its file's path belongs must not find it in the log: what hardly is a path is left out.
    """
    reason = (error.strerror or str(error)) if isinstance(error, OSError) else "it is no text"
    named = _PATH.match(path) and ("/" in path or "." in path)
    return f" ({path}: {reason})" if named else f" ({reason})"


def secret_address(text: str) -> str:
    """An address that nobody on the way can answer for."""
    address = urlsplit(text)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOOPBACK):
        raise ValueError("give an address that starts with https://")
    if not address.hostname or address.username or address.fragment:
        raise ValueError("give an address such as https://login.example.com/keys")
    return text


def key_set(text: str) -> str:
    """A JSON Web Key Set."""
    try:
        keys = json.loads(text)["keys"]
    except (ValueError, TypeError, LookupError):
        keys = None
    if not isinstance(keys, list) or not keys:
        raise ValueError('give a JSON Web Key Set: {"keys": [...]}')
    return text


def clients(text: str) -> Mapping[str, Reach]:
    """Clients of an identity provider and what each may do: `client=scope[@source+source]`."""
    entries = [each.strip() for each in text.replace("\n", ",").split(",")]
    return dict(_client(entry) for entry in entries if entry)


def _client(entry: str) -> tuple[str, Reach]:
    client, _, reach = entry.rpartition("=")
    scope, at, sources = reach.partition("@")
    if not _CLIENT.match(client) or scope not in SCOPES:
        raise ValueError(f"'{entry[:100]}' has not the form client=scope[@source+source]")
    names = sources.split("+")
    if at and not all(SOURCE_NAME.match(name) for name in names):
        raise ValueError(f"'{entry[:100]}': after '@' come names of sources, joined by '+'")
    return client, (scope, frozenset(names) if at else None)
