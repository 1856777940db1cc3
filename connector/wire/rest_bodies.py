"""Bodies of the REST face: accounts and entitlements flat, pages, and what callers send.

Events of commands become JSON, JSON becomes inputs of commands. What SailPoint's protocol wraps into keys and frames is
the same here without the wrapping: the same account has the same attributes on both faces.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from connector.attributes import BY_NAME, ENTITLEMENT_TYPES, INHERITED_ACCESS, ORDER, SCALARS, of_attribute, unknown
from connector.errors import FixRequest, InvalidAttribute
from connector.model import Account, Change, ChangeAccount, Entitlement, NewAccount, Op, Page, Snapshot
from connector.wire.inputs import INPUTS, texts
from connector.wire.sizes import check_values

JSON: Final = "application/json"
KNOWN: Final = frozenset({"id", "disabled", *ORDER})
"""Members of an account."""
GIVEN: Final = (
    KNOWN - {each.name for each in SCALARS if each.writable} - {t.attribute for t in ENTITLEMENT_TYPES.values()}
)
"""Those that nobody can choose for a new account."""

_INHERITED: Final = frozenset({INHERITED_ACCESS, *(t.inherited for t in ENTITLEMENT_TYPES.values())})


def encoded(body: object) -> bytes:
    """JSON in UTF-8; half a character, which UTF-8 has not, is escaped."""
    try:
        return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError:
        return json.dumps(body, separators=(",", ":"), allow_nan=False).encode()


# ---- what is sent ------------------------------------------------------------------------------------------------


def flat_account(account: Account) -> dict[str, Any]:
    """An account: its attributes beside `id` and `disabled`; a deleted one only says so."""
    if account.deleted:
        return {"userId": account.id, "deleted": True}
    return {"id": account.id, "disabled": account.disabled, **account.attributes}


def flat_entitlement(entitlement: Entitlement) -> dict[str, Any]:
    """An entitlement: its attributes, `id` and `type` among them."""
    return dict(entitlement.attributes)


def page(shown: Page, next_url: str | None, cursor: str | None) -> dict[str, Any]:
    """A page of a list. `snapshot.since` is there when differences were asked for: null says that this is all."""
    snapshot: dict[str, Any] = snapshot_of(shown.snapshot)
    if shown.since is not None:
        snapshot["since"] = shown.since or None
    items = [flat_account(each) if isinstance(each, Account) else flat_entitlement(each) for each in shown.items]
    return {"items": items, "next": next_url, "nextCursor": cursor, "hasMore": cursor is not None, "snapshot": snapshot}


def snapshot_of(snapshot: Snapshot) -> dict[str, Any]:
    """Which snapshot a page shows."""
    completed = datetime.fromtimestamp(snapshot.completed_at, UTC)
    return {
        "id": snapshot.id,
        "completedAt": completed.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


# ---- what is received --------------------------------------------------------------------------------------------


def new_account(sent: Mapping[str, Any]) -> NewAccount:
    """What POST /accounts asks. Empty and null are the same as absent."""
    _check_attributes(sent)
    for name in (name for name, raw in sent.items() if raw is not None and name in GIVEN):
        if name == "disabled":
            raise InvalidAttribute(
                "disabled cannot be given to a new account: it is enabled; a POST on /accounts/{id}/disable disables it"
            )
        why = "it comes through groups" if name in _INHERITED else "Identity Center sets it itself"
        raise InvalidAttribute(f"{name} is read-only: {why}; leave it out, and the answer has it")
    asked = INPUTS["std:account:create"]({"attributes": sent})
    assert isinstance(asked, NewAccount)
    return asked


def merge(id_: str, sent: Mapping[str, Any]) -> ChangeAccount:
    """What PATCH asks: each attribute set; null and "" clear it. Entitlements are not changed this way."""
    if not sent:
        raise FixRequest("The body names no attribute to change.")
    _check_attributes(sent)
    changes = []
    for name, raw in sent.items():
        type_ = of_attribute(name)
        if type_ is not None:
            raise InvalidAttribute(
                f"{name} is changed through POST and DELETE on /accounts/{{id}}/entitlements/{type_.name}."
            )
        if name == "disabled":
            if raw is None:
                continue
            raise InvalidAttribute("disabled is changed through POST on /accounts/{id}/enable and /disable.")
        values = None if raw is None else texts(name, raw)
        changes.append(Change(Op.SET, "userId" if name == "id" else name, values))
    return ChangeAccount(id_, tuple(changes))


def entitlement_change(op: Op, id_: str, type_: str, values: Sequence[str]) -> ChangeAccount:
    """Giving or taking entitlements of a known type."""
    attribute = ENTITLEMENT_TYPES[type_].attribute
    return ChangeAccount(id_, (Change(op, attribute, tuple(dict.fromkeys(values))),))


def values_of(sent: Mapping[str, Any]) -> tuple[str, ...]:
    """The ids in `{"value": id or [ids]}`."""
    if set(sent) != {"value"}:
        raise FixRequest('The body is {"value": id} or {"value": [ids]}, and nothing else.')
    raw = sent["value"]
    values = raw if isinstance(raw, list) else [raw]
    if not values or not all(isinstance(each, str) and each for each in values):
        raise FixRequest('The body is {"value": id} or {"value": [ids]}, ids as text.')
    check_values(len(values))
    return tuple(values)


def _check_attributes(sent: Mapping[str, Any]) -> None:
    """Refuse what no attribute can be, whether or not it has a value: a misspelt name must not look like success."""
    for name, raw in sent.items():
        if name not in KNOWN:
            raise InvalidAttribute(unknown(name, ("id", "disabled", *ORDER)))
        if isinstance(raw, list) and (name in BY_NAME or name in ("id", "disabled")):
            raise InvalidAttribute(f"{name} takes one value, not a list")
