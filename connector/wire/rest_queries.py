"""Queries of the REST face: which page of a list, of everything or of what changed.

The schemas describe them in the OpenAPI document; `load_query` reads them, in our own sentences.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import Schema, fields, validate

from connector.errors import FixRequest
from connector.wire.cursors import FORM
from connector.wire.rest_shapes import Closed
from connector.wire.since import parse_since

LIMIT: Final = 100
LARGEST: Final = 1000


class PageQuerySchema(Closed):
    """Which page."""

    limit = fields.Integer(
        load_default=LIMIT,
        strict=True,
        validate=validate.Range(1, LARGEST),
        metadata={"description": "Objects on a page"},
    )
    cursor = fields.String(
        validate=validate.Regexp(FORM),
        metadata={"description": "nextCursor of the page before; without it the first page of a new walk"},
    )


class AccountPageQuerySchema(PageQuerySchema):
    """Which page, of everything or of what changed."""

    since = fields.String(
        metadata={
            "description": "First page only: tell what changed since a snapshot (its id), or since a time "
            "(milliseconds since 1970, or a date and time such as 2027-06-30T23:59:59Z). Unknown or too long ago: "
            "the whole list.",
            "pattern": r"^([0-9]{1,14}|[0-9]{1,9}-[0-9a-f]{8}|[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z)?$",
        }
    )


def load_query(schema: Schema, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The query as the schema knows it; `FixRequest` for anything else: a misspelt cursor would begin anew."""
    query: dict[str, Any] = {"limit": LIMIT, "cursor": None, "since": None}
    for name, values in given.items():
        if name not in schema.fields:
            raise FixRequest(f"There is no query parameter {name[:60]!r} here; there are {', '.join(schema.fields)}.")
        if len(values) > 1:
            raise FixRequest(f"{name} is given more than once.")
        query[name] = _limit(values[0]) if name == "limit" else values[0]
    if query["cursor"] is not None and not query["cursor"]:
        raise FixRequest("cursor is empty; leave it out for the first page.")
    return {**query, "since": parse_since(query["since"])}


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= LARGEST):
        raise FixRequest(f"limit is a whole number from 1 to {LARGEST}.")
    return int(text)
