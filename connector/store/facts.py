"""Facts to rows and back, and which rows a snapshot sees. Pure: nothing is read or written here.

The body is JSON in one spelling (sorted keys, ASCII), so that equal facts have equal digests. Tuples come
back as lists.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Row, and_, or_

from connector.errors import CallUs
from connector.model import Fact, Snapshot
from connector.store.tables import fact

encode: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode
"""JSON in the one spelling."""

TOGETHER: Final = 500
"""Names in one question."""
WHAT: Final = (fact.c.id, fact.c.subject, fact.c.held, fact.c.body)
"""What `of_row` needs. The kind is known to who asks."""


def to_row(fact: Fact, kind: int) -> dict[str, Any]:
    """Columns of a fact. `CallUs` when its body is not JSON-able or a name holds what no database keeps."""
    try:
        body = encode(fact.body)
    except (TypeError, ValueError) as fault:
        raise CallUs(f"A fact of kind {fact.kind} has a body that is no JSON.") from fault
    if not storable(f"{fact.id}{fact.subject}{fact.held}"):
        raise CallUs(f"A fact of kind {fact.kind} has a name that is no text.")
    digest = blake2b(f"{body}\0{fact.subject}\0{fact.held}".encode(), digest_size=16).digest()
    return {
        "kind": kind,
        "id": fact.id,
        "digest": digest,
        "subject": fact.subject,
        "held": fact.held,
        "body": body,
    }


def of_row(kind: str, row: Row[Any, Any, Any, Any]) -> Fact:
    """The fact of a row of `WHAT`."""
    return Fact(kind, row.id, row.subject, row.held, json.loads(row.body))


def storable(name: str) -> bool:
    """Whether a name can be kept, and so can be found. PostgreSQL keeps no NUL; lone surrogates have no UTF-8."""
    return "\0" not in name and (name.isascii() or name.encode(errors="ignore").decode() == name)


def among(column: Column[str], names: Iterable[str]) -> Iterator[ColumnElement[bool]]:
    """Conditions that together say that the column is one of the names, each within what a statement may hold."""
    asked = sorted({each for each in names if storable(each)})
    for start in range(0, len(asked), TOGETHER):
        yield column.in_(asked[start : start + TOGETHER])


def dump(summary: Mapping[str, object]) -> str:
    """JSON of what a snapshot says about itself; `CallUs` when it is none."""
    try:
        return encode(dict(summary))
    except (TypeError, ValueError) as fault:
        raise CallUs("The summary of a census is no JSON.") from fault


def alive_at(number: int) -> ColumnElement[bool]:
    """Rows that the snapshot of this number sees."""
    return and_(fact.c.valid_from <= number, or_(fact.c.valid_to.is_(None), fact.c.valid_to > number))


def in_snapshot(source: int, kind: int | None, snapshot: Snapshot) -> ColumnElement[bool]:
    """Facts of one kind in a snapshot; none of a kind without a number."""
    return and_(fact.c.source == source, fact.c.kind == kind, alive_at(snapshot.number))
