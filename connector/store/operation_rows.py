"""Operations to rows and back. Pure: nothing is read or written here.

What callers sent goes into columns only when any database can keep and index it. JSON has one spelling, as in `facts`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, Select, literal, select

from connector.errors import CallUs, FixRequest
from connector.model import Operation, Recorded, Result, Step, Verb
from connector.store.facts import encode, storable
from connector.store.ledgers import operation
from connector.store.tables import source

LONGEST: Final = 512
"""Characters of a name: longer ones are sent only by mistake, and PostgreSQL indexes no more than 2,704 bytes."""

PROJECTION: Final[Select[Any]] = select(operation, source.c.name.label("source_name")).join(
    source, source.c.id == operation.c.source
)
"""What `of_row` needs."""

STEPS: Final[Select[Any]] = select(
    *(each for each in operation.c if each.name not in ("asked", "answer")),
    literal("{}").label("asked"),
    literal("{}").label("answer"),
    source.c.name.label("source_name"),
).join(source, source.c.id == operation.c.source)
"""The same without what was asked and answered, which can be long: for who reads thousands for their steps."""


def check(name: str, value: str) -> str:
    """The value, if it can be kept; `FixRequest` says which cannot."""
    if len(value) > LONGEST:
        raise FixRequest(f"The {name} of a change has more than {LONGEST} characters.")
    if not storable(value):
        raise FixRequest(f"The {name} of a change holds characters that are no text.")
    return value


def dump(what: Mapping[str, object]) -> str:
    """JSON of what was asked or answered."""
    try:
        return encode(dict(what))
    except (TypeError, ValueError) as fault:
        raise CallUs("What was asked or answered of an operation is no JSON.") from fault


def dump_steps(steps: Sequence[Recorded]) -> str:
    """JSON of the steps."""
    return encode(
        [
            {
                "verb": each.step.verb.value,
                "attribute": each.step.attribute,
                "value": each.step.value,
                "attributes": dict(each.step.attributes),
                "result": None if each.result is None else each.result.value,
                "reason": each.reason,
                **({"acknowledged": True} if each.acknowledged else {}),
                **({"unknown": True} if each.unknown else {}),
                **({"earlier": True} if each.earlier else {}),
            }
            for each in steps
        ]
    )


def of_row(row: Row[Any]) -> Operation:
    """The operation of a row of `PROJECTION`."""
    return Operation(
        id=row.id,
        source=row.source_name,
        command=row.command,
        account=row.account,
        turn=row.turn,
        caller=row.caller,
        content=row.content,
        key=row.key,
        asked=json.loads(row.asked),
        state=row.state,
        steps=tuple(_recorded(each) for each in json.loads(row.steps)),
        answer=json.loads(row.answer),
        accepted_at=row.accepted_at,
        ended_at=row.ended_at,
        fence=row.fence,
    )


def _recorded(kept: Mapping[str, Any]) -> Recorded:
    step = Step(Verb(kept["verb"]), kept["attribute"], kept["value"], kept["attributes"])
    result = None if kept["result"] is None else Result(kept["result"])
    return Recorded(
        step,
        result,
        kept["reason"],
        kept.get("acknowledged", False),
        kept.get("unknown", False),
        kept.get("earlier", False),
    )
