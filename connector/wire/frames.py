"""Frames of the SaaS face: events of commands become lines of NDJSON, byte for byte as SailPoint's own runtime sends.

Its runtime writes with JavaScript's JSON.stringify; where Python's json differs, this module follows JavaScript.
A frame over SailPoint's limit is refused here, never sent (developer.sailpoint.com, SaaS Connectivity, limits).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from connector.errors import AwsFailed, TooLarge
from connector.model import Account, Done, Entitlement, Event, Refusal, State
from connector.wire.legible import legible

MAX_FRAME: Final = 256 * 1024
"""Bytes of one frame, its envelope included."""
KEEP_ALIVE: Final = b'{"data":{},"type":"keepAlive"}\n'
SHOWN_AS_THEY_ARE: Final = frozenset({"std:spec:read", "std:account:discover-schema"})
"""Commands whose `Done.details` are the answer; those of other commands are for people and for the REST face."""

_SURROGATES: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def frame(event: Event, command: str) -> bytes:
    """The line that shows an event of `command`. `TooLarge` when SailPoint would refuse it.

    `AwsFailed` when it shows an account that is not disabled, enabled or deleted yet: SailPoint takes any answer of
    those commands for done, whatever is in it.
    """
    if isinstance(event, Account) and event.undone:
        raise AwsFailed(event.undone)
    if isinstance(event, State):
        return _line(_encode(dict(event.state)), "state")
    if isinstance(event, Done):
        line = _line(stringify(event.details if command in SHOWN_AS_THEY_ARE else {}), "output")
    else:
        line = _line(_encode(_account(event) if isinstance(event, Account) else _entitlement(event)), "output")
    if len(line) > MAX_FRAME:
        raise TooLarge(_too_large(event, len(line)))
    return line


def _account(account: Account) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "key": {"simple": {"id": account.id}},
        "identity": account.id,
        "disabled": account.disabled,
        "attributes": dict(account.attributes),
    }
    if account.refusals:
        shown["results"] = _results(account.refusals)
    if account.deleted:
        shown["deleted"] = True
    return shown


def _results(refusals: tuple[Refusal, ...]) -> list[dict[str, Any]]:
    """One entry for each attribute (SDK `Result`), with a message for each value."""
    messages: dict[str, list[dict[str, str]]] = {}
    for refusal in refusals:
        text = f"{refusal.value}: {refusal.reason}" if refusal.value else refusal.reason
        messages.setdefault(refusal.attribute, []).append({"level": "ERROR", "message": legible(text)})
    return [{"attribute": name, "status": "error", "messages": said} for name, said in messages.items()]


def _entitlement(entitlement: Entitlement) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "key": {"simple": {"id": entitlement.id}},
        "identity": entitlement.id,
        "type": entitlement.type,
        "attributes": dict(entitlement.attributes),
    }
    if entitlement.deleted:
        shown["deleted"] = True
    return shown


def _too_large(event: Event, size: int) -> str:
    limit = f"{size:,} bytes, more than the {MAX_FRAME:,} that SailPoint takes"
    if isinstance(event, Account):
        return (
            f"Account {event.id} needs {limit}. Shorten it with the source options"
            f' inherited = "none" or a smaller entitlement_types.'
        )
    if isinstance(event, Entitlement):
        return f"The {event.type} {event.id} needs {limit}. Leave its type out of the source option entitlement_types."
    return f"The answer needs {limit}."


# ---- JSON as JavaScript writes it --------------------------------------------------------------------------------


def _line(data: str, type_: str) -> bytes:
    text = f'{{"data":{data},"type":"{type_}"}}\n'
    try:
        return text.encode()
    except UnicodeEncodeError:  # half a character: JavaScript escapes it (ECMA-262, well-formed JSON.stringify)
        return _SURROGATES.sub(_whole_or_escaped, text).encode()


def _whole_or_escaped(found: re.Match[str]) -> str:
    halves = found[0]
    return halves.encode("utf-16", "surrogatepass").decode("utf-16") if len(halves) == 2 else f"\\u{ord(halves):04x}"


def stringify(value: object) -> str:
    """JSON.stringify for documents that may hold any number; events hold only texts, whole numbers and booleans."""
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_encode(str(key))}:{stringify(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(stringify, value)) + "]"
    if isinstance(value, float):
        return javascript_number(value) if math.isfinite(value) else "null"
    return _encode(value)


def javascript_number(value: float) -> str:
    """ECMA-262 Number::toString: the shortest digits that mean the number, in JavaScript's notation."""
    if isinstance(value, int) or value == 0:
        return str(int(value))  # -0 is written 0
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)
    shown, point = "".join(map(str, digits)), len(digits) + exponent
    if 0 < point <= 21:
        text = shown.ljust(point, "0") if exponent >= 0 else f"{shown[:point]}.{shown[point:]}"
    elif -6 < point <= 0:
        text = "0." + "0" * -point + shown
    else:
        fraction = f".{shown[1:]}" if len(shown) > 1 else ""
        text = f"{shown[0]}{fraction}e{point - 1:+d}"
    return "-" + text if sign else text
