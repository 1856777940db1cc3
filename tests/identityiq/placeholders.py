"""From an endpoint's texts to what is sent: `$plan.…$`, `$getobject.…$`, `$response.…$`, `$application.…$`.

Rules of the vendor's Keywords and Body pages. In a JSON body a pair whose placeholder has no value is taken out; in a
URL the placeholder is taken out; values in a URL are percent-encoded. A list has no place in a URL or inside quotes:
the connector writes it as broken JSON.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from tests.identityiq.rejected import Rejected

TOKEN: Final = re.compile(r"\$(plan|getobject|response|application|authenticate|partition)\.([A-Za-z_][\w.]*)\$")
_OPEN, _CLOSE = "\ue000", "\ue001"
"""Stand for the `$` of a placeholder that had no quotes around it, from the private use area."""
_BARE = re.compile(f"{_OPEN}(.+?){_CLOSE}")

Values = Mapping[str, Mapping[str, Any]]
"""Scope (`plan`, `application`, …) -> name -> value. A name that is missing, or None, has no value."""


def tokens(text: str) -> list[tuple[str, str]]:
    """(scope, name) of every placeholder; `Rejected` where a `$` belongs to none."""
    if "$" in TOKEN.sub("", text):
        raise Rejected(f"a $ that is no placeholder of IdentityIQ: {text!r}")
    return TOKEN.findall(text)


def filled_url(text: str, values: Values) -> str:
    """A URL's text with its placeholders filled in."""

    def fill(token: re.Match[str]) -> str:
        value = _value(token, values)
        return "" if value is None else quote(_text(value, text), safe="")

    return TOKEN.sub(fill, text)


def filled_header(text: str, values: Values) -> str:
    """A header's text with its placeholders filled in."""
    return TOKEN.sub(lambda token: _text(_value(token, values) or "", text), text)


def filled_body(text: str, values: Values) -> str:
    """A JSON body's text with its placeholders filled in."""
    filled = _filled(template(text), values)
    return json.dumps({} if filled is _NOTHING else filled)


def template(text: str) -> Any:
    """The body as JSON, placeholders without quotes marked; `Rejected` when it is none."""
    inside = re.sub(r'"(?:[^"\\]|\\.)*"', lambda quoted: quoted[0].replace("$", "\ue002"), text)
    marked = TOKEN.sub(lambda token: f'"{_OPEN}{token[1]}.{token[2]}{_CLOSE}"', inside).replace("\ue002", "$")
    try:
        return json.loads(marked)
    except ValueError as error:
        raise Rejected(f"the body is no JSON: {text!r}") from error


_NOTHING: Final = object()


def _filled(node: Any, values: Values) -> Any:
    if isinstance(node, dict):
        pairs = ((key, _filled(value, values)) for key, value in node.items())
        return {key: value for key, value in pairs if value is not _NOTHING}
    if isinstance(node, list):
        return [value for value in (_filled(each, values) for each in node) if value is not _NOTHING]
    if not isinstance(node, str):
        return node
    if bare := _BARE.fullmatch(node):
        scope, _, name = bare[1].partition(".")
        value = values.get(scope, {}).get(name)
        if isinstance(value, str):
            raise Rejected(f"text without quotes is no JSON: ${scope}.{name}$")
        return _NOTHING if value is None else value
    if any(_value(token, values) is None for token in TOKEN.finditer(node)):
        return _NOTHING
    return TOKEN.sub(lambda token: _text(_value(token, values), node), node)


def _value(token: re.Match[str], values: Values) -> Any:
    return values.get(token[1], {}).get(token[2])


def _text(value: Any, where: str) -> str:
    if isinstance(value, list | dict):
        raise Rejected(f"a list in {where!r} comes out as broken JSON: {value!r}")
    return str(value).lower() if isinstance(value, bool) else str(value)
