"""JSONPath as far as Web Services applications use it: `$`, `a.b`, `[*]`, `[0]`, `['a']`, `[?(@.a == 'x')]`.

`$.` may be left out. A path that leads nowhere finds `MISSING`, as IdentityIQ leaves such an attribute out silently; a
path with `[*]` or a filter finds a list.
"""

from __future__ import annotations

import re
from typing import Any, Final

from tests.identityiq.rejected import Rejected

MISSING: Final = object()
_STEP = re.compile(
    r"""\.?(?P<name>[A-Za-z_@][\w@-]*)
      | \[(?P<star>\*)\]
      | \[(?P<index>\d+)\]
      | \['(?P<quoted>[^']+)'\]
      | \[\?\(@\.(?P<key>[\w.]+)\s*==\s*'(?P<wanted>[^']*)'\)\]""",
    re.VERBOSE,
)


def found(document: Any, path: str) -> Any:
    """What `path` leads to in `document`."""
    return _walk(document, steps(path))


def steps(path: str) -> list[re.Match[str]]:
    """The steps of a path; `Rejected` when it is none."""
    if path != path.strip():
        raise Rejected(f"a path with blanks around it: {path!r}")
    rest = path.removeprefix("$")
    taken: list[re.Match[str]] = []
    while rest:
        step = _STEP.match(rest)
        if step is None or (not taken and path.startswith("$") and rest[0] not in ".["):
            raise Rejected(f"no JSONPath: {path!r}")
        taken.append(step)
        rest = rest[step.end() :]
    return taken


def records(document: Any, root: str) -> list[Any]:
    """Records at the root path: the elements of the array there, or the one object; none where there is nothing."""
    at = found(document, root)
    if at is MISSING or at is None:
        return []
    return at if isinstance(at, list) else [at]


def _walk(value: Any, rest: list[re.Match[str]]) -> Any:
    for number, step in enumerate(rest):
        following = rest[number + 1 :]
        if step["star"] or step["key"]:
            if not isinstance(value, list):
                return MISSING
            kept = value if step["star"] else [each for each in value if _equals(each, step["key"], step["wanted"])]
            return [each for each in (_walk(item, following) for item in kept) if each is not MISSING]
        if step["index"]:
            position = int(step["index"])
            if not isinstance(value, list) or position >= len(value):
                return MISSING
            value = value[position]
        else:
            name = step["name"] or step["quoted"]
            if not isinstance(value, dict) or name not in value:
                return MISSING
            value = value[name]
    return value


def _equals(item: Any, key: str, wanted: str) -> bool:
    value = found(item, key)
    return value is not MISSING and str(value) == wanted
