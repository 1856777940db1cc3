"""The sources file: TOML tables `[sources.<name>]` become frozen `Source`s, or one error that lists all mistakes.

Read once, by `settings`. Nothing here asks AWS, and no secret stands in the file: only names of files that hold one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from typing import Any, Final

from connector.attributes import ENTITLEMENT_TYPES
from connector.model import Source
from connector.tokens import SOURCE_NAME

DEFAULT: Final = "default"
_LATER: Final = {"roleGrant": "not supported by this version"}
_UNITS: Final = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}
_DURATION: Final = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-z]*?)s?\s*$")


def parse_sources(text: str) -> tuple[dict[str, Source], list[str]]:
    """The sources of a TOML text by name, and everything that is wrong with it, a sentence each."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return {}, [f"is not TOML: {error}"]
    tables = document.pop("sources", None)
    problems = [f"'{key}' is not known here; sources are tables [sources.<name>]" for key in document]
    if not isinstance(tables, dict) or not tables:
        return {}, [*problems, "names no source; add a table such as [sources.default]"]
    sources = {}
    for name, table in tables.items():
        source, wrong = _parse_source(name, table)
        sources[name] = source
        problems += [f"sources.{name}{sentence}" for sentence in wrong]
    return sources, problems


def _parse_source(name: str, table: object) -> tuple[Source, list[str]]:
    problems = []
    if not SOURCE_NAME.match(name):
        problems.append(": a name has small letters, digits, '-' and '_', and starts with a letter or digit")
    if not isinstance(table, dict):
        return Source(name), [*problems, f" is not a table; write [sources.{name}]"]
    options: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _OPTIONS:
            problems.append(f".{key} is not known; known are {', '.join(sorted(_OPTIONS))}")
            continue
        try:
            options[key] = _OPTIONS[key](value)
        except ValueError as error:
            problems.append(f".{key} {error}")
    source = Source(name, **options)
    return source, problems + _contradictions(source, table)


def _contradictions(source: Source, given: Collection[str]) -> list[str]:
    """What does not go together. An option that is given counts, also when its value is wrong: that is said already."""
    problems = []
    for key in ("scim_endpoint", "scim_token_file"):
        if source.disable_by == "scim" and key not in given:
            problems.append(f'.disable_by = "scim" needs {key} as well')
    if "external_id" in given and "role_arn" not in given:
        problems.append(".external_id is given to the role in role_arn, which is missing")
    return problems


# ---- what a value can be -----------------------------------------------------------------------------------------


def _text(pattern: str, means: str) -> Callable[[object], str]:
    shape = re.compile(pattern)

    def read(value: object) -> str:
        if not isinstance(value, str) or not shape.fullmatch(value):
            raise ValueError(f"is {means}")
        return value

    return read


def _one_of(*choices: str) -> Callable[[object], str]:
    def read(value: object) -> str:
        if value not in choices:
            raise ValueError(f"is one of {', '.join(choices)}")
        return str(value)

    return read


def seconds(value: object) -> float:
    """A duration as number of seconds, or text such as `45s`, `10 min`, `2h`."""
    if isinstance(value, str) and (match := _DURATION.match(value.lower())):
        unit = _UNITS.get(match[2] or "s")
        value = float(match[1]) * unit if unit else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
        raise ValueError('is a duration: seconds, or text such as "45s" or "10 min"')
    return float(value)


def _some_seconds(value: object) -> float:
    if (duration := seconds(value)) == 0:
        raise ValueError("is more than nothing")
    return duration


def _entitlement_types(value: object) -> tuple[str, ...]:
    known = ", ".join(ENTITLEMENT_TYPES)
    if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
        raise ValueError(f"is a list of {known}")
    for each in value:
        if each in _LATER:
            raise ValueError(f"names {each}, which is {_LATER[each]}")
        if each not in ENTITLEMENT_TYPES:
            raise ValueError(f"names '{each}'; known are {known}")
    return tuple(each for each in ENTITLEMENT_TYPES if each in value)


_OPTIONS: Final[Mapping[str, Callable[[object], object]]] = {
    "region": _text(r"[a-z]{2,}(-[a-z0-9]+)+", "an AWS Region, such as eu-west-1"),
    "role_arn": _text(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+", "the ARN of an IAM role"),
    "external_id": _text(r"[\w+=,.@:/-]{2,1224}", "2 to 1224 letters, digits and + = , . @ : / -"),
    "instance_arn": _text(
        r"arn:aws[a-z-]*:sso:::instance/(sso)?ins-[a-zA-Z0-9.-]{16}",
        "the ARN of an instance, such as arn:aws:sso:::instance/ssoins-0123456789abcdef",
    ),
    "entitlement_types": _entitlement_types,
    "entitlement_scope": _one_of("provisioned", "all"),
    "inherited": _one_of("full", "none"),
    "managed_by": _one_of("identity-center", "external"),
    "external_groups": _one_of("fixed", "changeable"),
    "disable_by": _one_of("scim", "strip", "refuse"),
    "scim_endpoint": _text(r"https?://\S+", "the SCIM endpoint's address, as the console shows it"),
    "scim_token_file": _text(r".+", "the path of a file that holds the SCIM token"),
    "on_existing": _one_of("conflict", "adopt"),
    "snapshot_max_age": seconds,
    "read_deadline": _some_seconds,
    "change_deadline": _some_seconds,
}

if missing := {each.name for each in fields(Source)} - {"name", *_OPTIONS}:  # a new option needs its row above
    raise TypeError(f"no way to read the source options {missing}")
