"""The audit as text: one JSON object a line, each chained by hash to the one before.

Lines are made for the store, its sink and its exports, and taken apart for `audit_verification`. Nothing is read or
written here, and nothing but the standard library is needed.

    {"at":"2026-11-24T04:22:10.123456Z","hash":"…","previous":"…","record":{…},"seq":17}

`hash` is the SHA-256 of the line without `hash`, or its HMAC-SHA-256 where there is a key; `previous` is the hash of
entry 16. An export ends with a closing line, chained alike, that says which entries it has: nothing can be missing at
either end. A log that is still written has none: its end is known to the store.

With a key, nobody without it can make a line that passes. Without one, whoever can write the whole text can make
another that does, unless the head was kept elsewhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

GENESIS: Final = "0" * 64
"""What the first entry has for the hash of the one before."""

_encode: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
_ENTRY: Final = {"at": str, "hash": str, "previous": str, "record": dict, "seq": int}
_BEGINNING: Final = '{"at":"'
_CLOSING: Final = {"closing": bool, "count": int, "first": int, "hash": str, "head": str}


@dataclass(frozen=True, slots=True)
class Head:
    """How far the audit goes: the number of its last entry, 0 when there is none, and that entry's hash."""

    count: int
    hash: str


def canonical(record: Mapping[str, object]) -> str:
    """JSON in one spelling. `TypeError` or `ValueError` when the record is none."""
    return _encode(dict(record))


def entry(seq: int, at: float, previous: str, record: str, key: bytes | None) -> tuple[str, str]:
    """A new entry's line, and its hash. `at` in Unix seconds, `record` as `canonical` spells it."""
    return sealed(_entry(seq, at, previous, record), key)


def kept(seq: int, at: float, previous: str, record: str, digest: str) -> str:
    """The line of an entry as it was kept, whether its hash is right or not; no entry can be made of some."""
    try:
        return _encode({**_entry(seq, at, previous, record), "hash": digest})
    except (ValueError, OverflowError, OSError, RecursionError):
        return f"entry {seq} is unreadable"


def closing(first: int, head: Head, key: bytes | None) -> str:
    """The last line of an export that begins with entry `first`."""
    return sealed({"closing": True, "count": head.count, "first": first, "head": head.hash}, key)[0]


def closes(line: str) -> bool:
    """Whether a line is meant as a closing one."""
    found = parsed(line)
    return found is not None and "closing" in found


def _entry(seq: int, at: float, previous: str, record: str) -> dict[str, Any]:
    moment = datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"at": moment, "previous": previous, "record": json.loads(record), "seq": seq}


def sealed(body: Mapping[str, Any], key: bytes | None) -> tuple[str, str]:
    """The line of a body, and its hash."""
    text = _encode(body).encode()
    digest = hmac.digest(key, text, "sha256").hex() if key else hashlib.sha256(text).hexdigest()
    return _encode({**body, "hash": digest}), digest


def begins(line: str) -> bool:
    """Whether a line may be the beginning of an entry, and no more: what a disk took that was full then."""
    text = line.removesuffix("\n")
    if not text or not text.isascii() or not (text.startswith(_BEGINNING) or _BEGINNING.startswith(text)):
        return False
    try:
        json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return True
    return False


def parsed(line: str) -> dict[str, Any] | None:
    """The object of a line; None when it is not in every character what this module writes."""
    text = line.removesuffix("\n")
    try:
        found = json.loads(text)
        if not isinstance(found, dict) or _encode(found) != text:
            return None
    except (ValueError, RecursionError):
        return None
    types = _CLOSING if "closing" in found else _ENTRY
    if found.keys() != types.keys() or any(type(found[name]) is not types[name] for name in types):
        return None
    return found
