"""The connector's paging language: one step a line, blanks around every operator, condition and placeholder.

    TERMINATE_IF $response.hasMore$ == FALSE
    $endpoint.fullUrl$ = $application.baseUrl$ + "/people?cursor=" + $response.next$

Read once when the application is imported, so that a step which is none is found there; then run after each page.
Rules and keywords: SailPoint, "Integrating Web Services", Paging.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.identityiq.paths import MISSING, found
from tests.identityiq.rejected import ConnectorException, Rejected

COMPARES: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
COUNTS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
CONSTANTS: Final = {"TRUE": True, "FALSE": False, "NULL": None}
_WORD = re.compile(r'"[^"]*"|\(|\)|[^\s()]+')
_OPERAND = re.compile(r'\$[A-Za-z_][\w.]*\$|"[^"]*"|\d+')


@dataclass
class Variables:
    """What the steps of one aggregation see and keep."""

    base_url: str
    relative_url: str
    limit: int
    offset: int
    response: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    records: int = 0
    own: dict[str, Any] = field(default_factory=dict)

    def value(self, name: str) -> Any:
        """The value of `$name$`; None where there is none."""
        scope, _, rest = name.partition(".")
        if scope == "response":
            at = found(self.response, rest)
            return None if at is MISSING else at
        if scope == "responseHeaders":
            return self.headers.get(rest)
        plain = {
            "application.baseUrl": self.base_url,
            "endpoint.relativeUrl": self.relative_url,
            "endpoint.relativeURL": self.relative_url,
            "limit": self.limit,
            "offset": self.offset,
            "RECORDS_COUNT": self.records,
        }
        return self.own.get(name, plain.get(name))


@dataclass(frozen=True)
class Steps:
    """The lines of `paginationSteps`, each a list of words."""

    lines: tuple[tuple[str, ...], ...]

    def next_url(self, variables: Variables) -> str | None:
        """The URL of the next page, or None when a TERMINATE_IF says so."""
        for line in self.lines:
            if line[0] == "TERMINATE_IF":
                if _condition(list(line[1:]), variables):
                    return None
            elif line[0] == "REMOVE":
                variables.own.pop(line[1].strip("$"), None)
            else:
                variables.own[line[0].strip("$")] = _counted(line[2:], variables)
        url = variables.value("endpoint.fullUrl")
        if not url:
            raise ConnectorException("Final URL can not be null")
        return str(url)


def read_steps(text: str) -> Steps:
    """The steps of a text; `Rejected` names the line that is none."""
    lines = tuple(tuple(_WORD.findall(line)) for line in text.splitlines() if line.strip())
    for line in lines:
        if not _is_step(line):
            raise Rejected(f"no paging step: {' '.join(line)!r}")
    return Steps(lines)


def _is_step(line: tuple[str, ...]) -> bool:
    if line[0] == "TERMINATE_IF":
        words = [word for word in line[1:] if word not in "()"]
        whole = len(words) == 1 or len(words) % 4 == 3
        return whole and all(_fits(number % 4, word) for number, word in enumerate(words))
    if line[0] == "REMOVE":
        return len(line) == 2 and bool(_OPERAND.fullmatch(line[1]))
    if len(line) < 3 or not line[0].startswith("$") or not _is_operand(line[0]) or line[1] != "=":
        return False
    return len(line) % 2 == 1 and all(
        word in COUNTS if number % 2 else _is_operand(word) for number, word in enumerate(line[2:])
    )


def _fits(place: int, word: str) -> bool:
    """Whether a word of a condition stands where it may: `a == b && c != d`. No arithmetic in here."""
    if place == 1:
        return word in COMPARES
    return word in ("&&", "||") if place == 3 else _is_operand(word)


def _is_operand(word: str) -> bool:
    return bool(_OPERAND.fullmatch(word)) or word in CONSTANTS or word == "NO_RECORDS"


def _condition(words: list[str], variables: Variables) -> bool:
    """Left to right, parentheses first."""
    result = _term(words, variables)
    while words and words[0] != ")":
        joined = words.pop(0)
        other = _term(words, variables)
        result = (result and other) if joined == "&&" else (result or other)
    return result


def _term(words: list[str], variables: Variables) -> bool:
    if words[0] == "(":
        words.pop(0)
        result = _condition(words, variables)
        words.pop(0)
        return result
    left = _operand(words.pop(0), variables)
    if not words or words[0] not in COMPARES:
        return bool(left)
    compare, right = words.pop(0), _operand(words.pop(0), variables)
    if compare not in ("==", "!="):
        left, right = left or 0, right or 0
    return COMPARES[compare](left, right)


def _counted(words: tuple[str, ...], variables: Variables) -> Any:
    value = _operand(words[0], variables)
    for sign, word in zip(words[1::2], words[2::2], strict=True):
        other = _operand(word, variables)
        if isinstance(value, str) or isinstance(other, str):
            if value is None or other is None:
                raise ConnectorException(f"Final URL can not be null: {' '.join(words)}")
            value, other = str(value), str(other)
        value = COUNTS[sign](value or 0, other or 0) if not isinstance(value, str) else value + other
    return value


def _operand(word: str, variables: Variables) -> Any:
    if word in CONSTANTS:
        return CONSTANTS[word]
    if word == "NO_RECORDS":
        return variables.records == 0
    if word.startswith("$"):
        return variables.value(word.strip("$"))
    return word.strip('"') if word.startswith('"') else int(word)
