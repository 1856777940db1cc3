"""Shapes of accounts and entitlements for the OpenAPI document, derived from the attribute table.

They only describe: the commands themselves say what is wrong with an attribute, in the same sentences on both faces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from marshmallow import INCLUDE, RAISE, Schema, fields, validate

from connector import attributes
from connector.attributes import of_attribute
from connector.wire.rest_bodies import KNOWN
from connector.wire.sizes import MOST_VALUES


class Closed(Schema):
    """A shape with no other members than it names."""

    class Meta:
        unknown = RAISE


def text(description: str) -> fields.String:
    """A text that may be there."""
    return fields.String(metadata={"description": description})


def texts(description: str) -> fields.List[Any]:
    """A list of texts, each once."""
    return fields.List(fields.String(), metadata={"description": description, "uniqueItems": True})


def closed(name: str, members: Mapping[str, fields.Field[Any]]) -> type[Schema]:
    """A shape made from a table."""
    return type(name, (Closed,), dict(members))


def _shown_account() -> dict[str, fields.Field[Any]]:
    shown: dict[str, fields.Field[Any]] = {
        "id": fields.String(required=True, metadata={"description": "Identity of the account; the same as userId"}),
        "disabled": fields.Boolean(required=True, metadata={"description": "Whether the user is disabled"}),
    }
    shown |= {each.name: text(each.description) for each in attributes.SCALARS}
    shown["userId"] = fields.String(required=True, metadata={"description": "Identifier of the user"})
    for type_ in attributes.ENTITLEMENT_TYPES.values():
        shown[type_.attribute] = texts(type_.description)
        if type_.inherited is not None:
            shown[type_.inherited] = texts(f"Ids held through groups: {type_.label}s")
    shown[attributes.INHERITED_ACCESS] = texts("Access held through groups, readable")
    return shown


def _taken(row: attributes.Attribute, *, demanded: bool) -> fields.Raw:
    """A text, or a number, which becomes one; null and the empty text clear it, or are the same as absent."""
    text = {"type": "string", "minLength": 1 if demanded else 0, "maxLength": row.max_length}
    shapes = [text, {"type": "number"}] if demanded else [text, {"type": "number"}, {"type": "null"}]
    return fields.Raw(required=demanded, metadata={"anyOf": shapes, "description": row.description})


def _ids(description: str) -> fields.Raw:
    many = {"type": "array", "items": {"type": "string"}, "maxItems": MOST_VALUES}
    shapes = [many, {"type": "string"}, {"type": "null"}]
    return fields.Raw(metadata={"anyOf": shapes, "description": description})


def _written(*, new: bool) -> dict[str, fields.Field[Any]]:
    demanded = ("userName", "givenName", "familyName") if new else ()  # displayName is made from the names
    taken: dict[str, fields.Field[Any]] = {
        each.name: _taken(each, demanded=each.name in demanded) for each in attributes.SCALARS if each.writable
    }
    if new:
        taken |= {type_.attribute: _ids(type_.description) for type_ in attributes.ENTITLEMENT_TYPES.values()}
    for name in sorted(KNOWN - set(taken)):
        if new or of_attribute(name) is None:
            told = "Read-only" if new else "Read-only: ignored when null or unchanged"
            taken[name] = fields.Raw(metadata={"description": told, **({"type": "null"} if new else {})})
    return taken


AccountSchema: Final = closed("AccountSchema", _shown_account())
NewAccountSchema: Final = closed("NewAccountSchema", _written(new=True))
ChangedAttributesSchema: Final = closed("ChangedAttributesSchema", _written(new=False))


class DeletedAccountSchema(Closed):
    """An account that was there and is not any more."""

    userId = fields.String(required=True)  # noqa: N815 -- the name on the wire
    deleted = fields.Boolean(required=True, validate=validate.Equal(True))


def _shown_entitlement(shown: Iterable[attributes.Shown]) -> dict[str, fields.Field[Any]]:
    made: dict[str, fields.Field[Any]] = {}
    for each in shown:
        told: dict[str, Any] = {
            "metadata": {"description": each.description},
            "required": each in attributes.COMMON,
        }
        kinds = {"string": fields.String, "boolean": fields.Boolean, "int": fields.Integer}
        made[each.name] = fields.List(fields.String(), **told) if each.multi else kinds[each.type](**told)
    return made


ENTITLEMENT_SCHEMAS: Final = tuple(
    closed(f"{name[0].upper()}{name[1:]}Schema", _shown_entitlement(type_.shown))
    for name, type_ in attributes.ENTITLEMENT_TYPES.items()
)
"""One for each type."""


class ValuesSchema(Closed):
    """Ids of entitlements to give."""

    value = fields.Raw(
        required=True,
        metadata={
            "anyOf": [
                {"type": "string", "minLength": 1},
                {
                    "type": "array",
                    "items": {"type": "string", "minLength": 1},
                    "minItems": 1,
                    "maxItems": MOST_VALUES,
                },
            ],
            "description": "One id, or a list of them",
        },
    )


class EntitlementSchema(Schema):
    """One entitlement, of any type."""

    class Meta:
        unknown = INCLUDE

    id = fields.String(required=True)
