"""Bodies of requests, on both faces: bytes become one JSON object whose texts are texts, or a sentence says why not."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from connector.errors import FixRequest


def object_in(body: bytes, expected: str) -> dict[str, Any]:
    """The JSON object in a body; `FixRequest` when it is none, for instance that it is `expected`."""
    try:
        sent = json.loads(body.decode("utf-8-sig"), parse_constant=_no_constant)
        whole = _whole(sent) if b"\\u" in body else True
    except (ValueError, RecursionError) as error:  # not UTF-8 and not JSON are ValueErrors both
        raise FixRequest("The body is not JSON in UTF-8.") from error
    if not isinstance(sent, dict):
        raise FixRequest(f"The body is {expected}.")
    if not whole:
        raise FixRequest("The body holds half a character: a surrogate such as \\ud800 without its other half.")
    return sent


def _whole(sent: object) -> bool:
    """Whether every text can be written again. JSON can spell half a character; no text of AWS's has one."""
    try:
        json.dumps(sent, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
