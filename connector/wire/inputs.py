"""What commands are asked: the `input` of a SaaS envelope becomes one of the frozen inputs of `model`.

Scalar-or-list ends here, and so do the three forms of a key. Unknown members are ignored, as SailPoint adds some with
time; unknown *attributes* pass, for the commands to refuse. Shapes: sp-connector-sdk-js, `lib/commands`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load

from connector.attributes import BY_NAME, of_attribute
from connector.errors import FixRequest, InvalidAttribute
from connector.model import (
    Change,
    ChangeAccount,
    ListAccounts,
    ListEntitlements,
    NewAccount,
    NoInput,
    OneAccount,
    OneEntitlement,
    Op,
    Values,
)
from connector.wire.frames import javascript_number
from connector.wire.sizes import check_changes, check_values

Input = NoInput | ListAccounts | OneAccount | NewAccount | ChangeAccount | ListEntitlements | OneEntitlement
_OPS: Final = {op.value: op for op in Op}


class Identity(fields.Field[str]):
    """`key.simple.id`, `key.compound.lookupId` or the bare identity, in this order (SDK KeyID, KeyLookupID)."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any) -> str:
        for path in (("key", "simple", "id"), ("key", "compound", "lookupId"), ("identity",)):
            found: Any = value
            for step in path:
                found = found.get(step) if isinstance(found, dict) else None
            if isinstance(found, str) and found:
                return found
        raise ValidationError("key.simple.id (or identity) is missing: the id of what is meant, as text.")


class HandedBack(fields.Field[dict[str, str]]):
    """The state of the last list: an object of texts, as `frames` made it."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> dict[str, str]:
        advice = "send the state as the last list handed it back, or none to list everything."
        if not isinstance(value, dict):
            raise ValidationError(f"is an object: {advice}")
        for name, each in value.items():
            if not isinstance(each, str):
                raise ValidationError({name: f"is a text: {advice}"})
        return value


class _Input(Schema):
    error_messages = {"type": "is an object."}  # noqa: RUF012 -- as marshmallow declares it

    class Meta:
        unknown = EXCLUDE


class NoInputSchema(_Input):
    """Nothing is needed; whatever comes is ignored."""

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> NoInput:
        return NoInput()


class _Stateful(_Input):
    stateful = fields.Boolean(allow_none=True, truthy={True}, falsy={False})
    state = HandedBack(allow_none=True)

    @staticmethod
    def state_of(data: dict[str, Any]) -> dict[str, Any]:
        return {"stateful": bool(data.get("stateful")), "state": data.get("state")}


class ListAccountsSchema(_Stateful):
    """Input of std:account:list."""

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> ListAccounts:
        return ListAccounts(**self.state_of(data))


class ListEntitlementsSchema(_Stateful):
    """Input of std:entitlement:list."""

    type = fields.String(required=True, error_messages={"required": "is missing: the entitlement type to list."})

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> ListEntitlements:
        return ListEntitlements(type=data["type"], **self.state_of(data))


class _Keyed(_Input):
    id = Identity(required=True)

    @pre_load
    def gather(self, data: Any, **kwargs: Any) -> dict[str, Any]:
        asked = data if isinstance(data, dict) else {}
        return {**asked, "id": {"key": asked.get("key"), "identity": asked.get("identity")}}


class OneAccountSchema(_Keyed):
    """Input of std:account:read, delete, enable and disable."""

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> OneAccount:
        return OneAccount(data["id"])


class OneEntitlementSchema(_Keyed):
    """Input of std:entitlement:read."""

    type = fields.String(required=True, error_messages={"required": "is missing: the entitlement's type."})

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> OneEntitlement:
        return OneEntitlement(data["id"], data["type"])


class NewAccountSchema(_Input):
    """Input of std:account:create. `identity` is what SailPoint would call it; AWS chooses its own."""

    attributes = fields.Dict(
        keys=fields.String(),
        required=True,
        error_messages={"required": "is missing: the new account's attributes.", "invalid": "is an object."},
    )

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> NewAccount:
        return NewAccount({name: value for name, raw in data["attributes"].items() for value in _given(name, raw)})


class ChangeSchema(_Input):
    """One change of std:account:update."""

    op = fields.String(required=True, error_messages={"required": "is missing: Add, Set or Remove."})
    attribute = fields.String(required=True, error_messages={"required": "is missing: the attribute to change."})
    value = fields.Raw(allow_none=True, load_default=None)

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> Change:
        if data["op"] not in _OPS:
            raise ValidationError(f"is Add, Set or Remove, not '{data['op']}'.", "op")
        raw = data["value"]
        return Change(_OPS[data["op"]], data["attribute"], None if raw is None else texts(data["attribute"], raw))


class ChangeAccountSchema(_Keyed):
    """Input of std:account:update."""

    changes = fields.List(
        fields.Nested(ChangeSchema),
        required=True,
        error_messages={"required": "is missing: the list of changes.", "invalid": "is a list."},
    )

    @pre_load
    def count(self, data: Any, **kwargs: Any) -> Any:
        # Before they are read: reading them takes its time, too.
        asked = data.get("changes") if isinstance(data, dict) else None
        check_changes(len(asked) if isinstance(asked, list) else 0)
        return data

    @post_load
    def make(self, data: dict[str, Any], **kwargs: Any) -> ChangeAccount:
        check_values(sum(len(each.values or ()) for each in data["changes"]))
        return ChangeAccount(data["id"], tuple(data["changes"]))


def texts(attribute: str, raw: object) -> tuple[str, ...]:
    """The values of an attribute as texts: a scalar is a list of one. `InvalidAttribute` for what is no text.

    `FixRequest` for more of them than one command may have.
    """
    values = raw if isinstance(raw, list) else [raw]
    check_values(len(values))
    return tuple(_text(attribute, value) for value in values)


def _text(attribute: str, value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return javascript_number(value)  # an employee number, sent as a number
    kinds = {
        float: "a number without end",
        bool: "true or false",
        dict: "an object",
        list: "a list in a list",
        type(None): "null in a list",
    }
    raise InvalidAttribute(f"{attribute} takes text, not {kinds.get(type(value), 'that')}.")


def _given(attribute: str, raw: object) -> tuple[Values, ...]:
    """The value of a new account's attribute in its form inside, or nothing where none is given."""
    if raw is None:
        return ()
    values = texts(attribute, raw)
    if of_attribute(attribute):
        return (tuple(filter(None, values)),)  # forms send "" for a choice not made
    if attribute in BY_NAME:
        if len(values) > 1:
            raise InvalidAttribute(f"{attribute} takes one value, not {len(values)}.")
        return values
    return (values if isinstance(raw, list) else values[0],)


def _loader(schema: Schema) -> Callable[[object], Input]:
    def load(raw: object) -> Input:
        if raw is not None and not isinstance(raw, dict):
            raise FixRequest("input is an object.")
        try:
            loaded: Input = schema.load(raw or {})
        except ValidationError as error:
            raise FixRequest(_sentence(error.messages, "input")) from error
        return loaded

    return load


def _sentence(messages: Any, path: str) -> str:
    """The first thing that is wrong, and where: `input.changes[0].op is Add, Set or Remove, not 'add'.`"""
    while isinstance(messages, dict):
        key, messages = next(iter(messages.items()))
        if isinstance(key, int):
            path = f"{path}[{key}]"
        elif key not in ("_schema", "id"):  # `id` is ours: the message itself says which member is missing
            path = f"{path}.{key}"
    text = str(messages[0] if isinstance(messages, list) else messages)
    return f"{path}.{text}" if text.startswith("key.") else f"{path} {text[0].lower()}{text[1:]}"


INPUTS: Final[Mapping[str, Callable[[object], Input]]] = {
    "std:test-connection": _loader(NoInputSchema()),
    "std:spec:read": _loader(NoInputSchema()),
    "std:account:discover-schema": _loader(NoInputSchema()),
    "std:account:list": _loader(ListAccountsSchema()),
    "std:account:read": _loader(OneAccountSchema()),
    "std:account:create": _loader(NewAccountSchema()),
    "std:account:update": _loader(ChangeAccountSchema()),
    "std:account:delete": _loader(OneAccountSchema()),
    "std:account:enable": _loader(OneAccountSchema()),
    "std:account:disable": _loader(OneAccountSchema()),
    "std:entitlement:list": _loader(ListEntitlementsSchema()),
    "std:entitlement:read": _loader(OneEntitlementSchema()),
}
"""How each command's input is read, by command type."""
