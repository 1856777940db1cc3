"""Cursors: a place in a walk as a text that callers hand back and nobody else can make.

A cursor holds the place and a code over it, its source and its list, made with a key that the store keeps: what another
process or an earlier start made is understood, what somebody altered, or took from another list, is not.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from typing import Final

from connector.errors import CallUs, FixRequest
from connector.model import Place

LONGEST: Final = 500
FORM: Final = r"^[A-Za-z0-9_-]{1,500}$"
_CODE: Final = 16
_FORM: Final = re.compile(FORM, re.ASCII)


def seal(key: bytes, source: str, listed: str, place: Place) -> str:
    """The cursor of a place in the list `listed` of a source."""
    body = json.dumps([place.snapshot, place.base, int(place.exact), place.after], separators=(",", ":")).encode()
    text = base64.urlsafe_b64encode(_code(key, source, listed, body) + body).decode().rstrip("=")
    if len(text) > LONGEST:
        raise CallUs("An id is too long for a cursor.")
    return text


def unseal(key: bytes, source: str, listed: str, text: str) -> Place:
    """The place of a cursor; `FixRequest` when it was not made here for this list."""
    body = _opened(text)
    if not hmac.compare_digest(_code(key, source, listed, body[_CODE:]), body[:_CODE]):
        raise FixRequest("The cursor is not one that this service made for this list of this source.")
    snapshot, base, exact, after = json.loads(body[_CODE:])
    return Place(snapshot, after, base, bool(exact))


def _opened(text: str) -> bytes:
    if not _FORM.fullmatch(text):
        raise FixRequest(f"A cursor has letters, digits, '_' and '-', at most {LONGEST} of them.")
    try:
        body = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        return b""
    # Several texts decode to the same bytes; only one of them was made here.
    return body if base64.urlsafe_b64encode(body).decode().rstrip("=") == text else b""


def _code(key: bytes, source: str, listed: str, body: bytes) -> bytes:
    about = f"{source}\n{listed}\n".encode()
    return hmac.new(key, about + body, hashlib.sha256).digest()[:_CODE]
