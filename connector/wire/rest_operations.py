"""An operation as the REST face shows it: what was asked, what became of each step, and the answer it ended with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from connector.model import Account, Operation, Result, Verb
from connector.wire.rest_bodies import flat_account

WORDS: Final = {"std:account:delete": "Delete", "std:account:enable": "Enable", "std:account:disable": "Disable"}
"""What is asked by a command that names nothing but the account."""


def shown(operation: Operation, account: Account | None, problem: Mapping[str, Any] | None) -> dict[str, Any]:
    """The body of an answer; `account` and `problem` are what its answer says, None while there is none."""
    return {
        "id": operation.id,
        "source": operation.source,
        "state": operation.state,
        "steps": _asked(operation),
        "outcomes": _outcomes(operation),
        "account": None if account is None else flat_account(account),
        "problem": problem,
    }


def _asked(operation: Operation) -> list[dict[str, Any]]:
    asked: Mapping[str, Any] = operation.asked
    if "attributes" in asked:
        return [
            {"op": "Add", "attribute": name, "value": each}
            for name, value in asked["attributes"].items()
            for each in (value if isinstance(value, list) else [value])
        ]
    changes: Sequence[Mapping[str, Any]] = asked.get("changes", ())
    steps = [
        {"op": change["op"], "attribute": change["attribute"], "value": value}
        for change in changes
        for value in (change["values"] or [None])
    ]
    return steps or [{"op": WORDS.get(operation.command, operation.command)}]


def _outcomes(operation: Operation) -> list[dict[str, Any]]:
    """Steps of which it is known what became of them. One that changes attributes counts for each of them.

    What an earlier operation had done is not this one's.
    """
    found = []
    for each in operation.steps:
        if each.result is None or each.earlier:
            continue
        step = each.step
        named = (
            [(name, value or "") for name, value in step.attributes.items()]
            if step.verb is Verb.SET_ATTRIBUTES
            else [(step.attribute, step.value)]
        )
        failed = each.result is Result.FAILED
        more = {"reason": each.reason} if failed else {}
        word = "failed" if failed else "done"
        found += [{"attribute": name, "value": value, "result": word, **more} for name, value in named]
    return found
