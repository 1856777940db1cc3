"""Inputs and answers of changes as JSON, so that an operation can be run again and its answer told again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, cast

from connector import errors
from connector.attributes import ORDER
from connector.errors import CallUs, ConnectorError
from connector.model import Account, Change, ChangeAccount, Done, Event, NewAccount, OneAccount, Op, Refusal, Values

Input = NewAccount | ChangeAccount | OneAccount


def to_json(asked: Input) -> dict[str, Any]:
    """What to run an operation again from."""
    if isinstance(asked, NewAccount):
        return {"attributes": {name: _plain(value) for name, value in asked.attributes.items()}}
    if isinstance(asked, OneAccount):
        return {"id": asked.id}
    changes = [
        {
            "op": each.op.value,
            "attribute": each.attribute,
            "values": None if each.values is None else list(each.values),
        }
        for each in asked.changes
    ]
    return {"id": asked.id, "changes": changes}


def from_json(kept: Mapping[str, Any]) -> Input:
    """The input again."""
    if "attributes" in kept:
        return NewAccount({name: _frozen(value) for name, value in kept["attributes"].items()})
    if "changes" not in kept:
        return OneAccount(kept["id"])
    changes = tuple(
        Change(Op(each["op"]), each["attribute"], None if each["values"] is None else tuple(each["values"]))
        for each in kept["changes"]
    )
    return ChangeAccount(kept["id"], changes)


def content(command: str, asked: Input) -> str:
    """Digest of a wish: the same for the same command with the same input."""
    written = json.dumps([command, to_json(asked)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(written.encode(errors="surrogatepass")).hexdigest()


def answer_of(event: Event) -> dict[str, Any]:
    """What a change was answered with."""
    if isinstance(event, Account):
        return {
            "id": event.id,
            "disabled": event.disabled,
            "attributes": {name: _plain(value) for name, value in event.attributes.items()},
            "refusals": [asdict(each) for each in event.refusals],
            "undone": event.undone,
        }
    return {"details": dict(event.details) if isinstance(event, Done) else {}}


def answer_of_error(error: ConnectorError) -> dict[str, Any]:
    """The error a change ended with."""
    more = {
        name: value
        for name in ("action", "existing", "after", "operation", "resource", "reason")
        if (value := getattr(error, name, None)) is not None
    }
    return {
        "error": type(error).__name__,
        "sentence": error.sentence,
        "request_id": error.request_id,
        "retryable": error.retryable,
        "more": more,
    }


def told_again(answer: Mapping[str, Any]) -> Event:
    """The event of an answer, or its error raised."""
    if "error" in answer:
        raise _error(answer)
    if "id" not in answer:
        return Done(answer.get("details", {}))
    return Account(
        answer["id"],
        answer["disabled"],
        {name: _frozen(answer["attributes"][name]) for name in ORDER if name in answer["attributes"]},
        tuple(Refusal(**each) for each in answer["refusals"]),
        undone=answer.get("undone", ""),
    )


def _error(answer: Mapping[str, Any]) -> ConnectorError:
    kind = getattr(errors, answer["error"], CallUs)
    request_id = {"request_id": answer["request_id"]} if answer.get("request_id") else {}
    return cast(ConnectorError, kind(answer["sentence"], **answer.get("more", {}), **request_id))


def _plain(value: Values) -> str | list[str]:
    return value if isinstance(value, str) else list(value)


def _frozen(value: str | list[str]) -> Values:
    return value if isinstance(value, str) else tuple(value)
