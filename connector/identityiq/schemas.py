"""What IdentityIQ sees: the schemas of accounts and of each entitlement type, and where answers keep each attribute.

From the attribute table and the source's options; goes to `endpoints` (mappings) and to the two documents (schemas).
A schema and its mapping are made from the same rows, so an attribute is never declared without being read, nor read
without being declared. Nothing here knows XML.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from connector import attributes
from connector.attributes import EntitlementType
from connector.model import Source

Mapping = dict[str, str]
"""Schema attribute -> JSONPath within a record."""

DISABLED: Final = "IIQDisabled"
"""IdentityIQ's reserved name: fed from a JSON boolean it disables the link; it stands in no schema."""
DELETED: Final = "deleted"
"""Set on the accounts that a delta aggregation finds gone (`since` in docs/rest-face.md)."""


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a schema."""

    name: str
    description: str
    type: Literal["string", "boolean", "int"] = "string"
    multi: bool = False
    entitlement: str | None = None
    """Entitlement type whose identities it lists."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A kind of object."""

    object_type: str
    identity: str
    display: str
    fields: tuple[Field, ...]
    description: str | None = None
    """Attribute that describes it, where there is one."""


def schemas(source: Source) -> tuple[Schema, ...]:
    """The account schema, then one for each entitlement type of the source."""
    types = [type_ for type_ in attributes.ENTITLEMENT_TYPES.values() if source.has(type_.name)]
    return (
        Schema("account", "userId", "userName", tuple(_account_fields(source, types))),
        *(
            Schema(type_.name, "id", "displayName", tuple(_entitlement_fields(source, type_)), "description")
            for type_ in types
        ),
    )


def account_mapping(source: Source) -> Mapping:
    """Of an account, as aggregation and Get Object read it: whatever is not mapped is wiped from the link."""
    return {field.name: field.name for field in schemas(source)[0].fields} | {DISABLED: "disabled"}


def entitlement_mapping(source: Source, type_: EntitlementType) -> Mapping:
    """Of an entitlement."""
    return {field.name: field.name for field in _entitlement_fields(source, type_)}


def _account_fields(source: Source, types: list[EntitlementType]) -> Iterator[Field]:
    for row in attributes.SCALARS:
        yield Field(row.name, row.description)
    for type_ in types:
        yield Field(type_.attribute, type_.description, multi=True, entitlement=type_.name)
    if source.inherited == "full":
        # Read-only, so no entitlement: a certification that revoked one of these could not be carried out.
        inherited = [type_ for type_ in types if type_.inherited]
        for type_ in inherited:
            yield Field(str(type_.inherited), f"Ids held through groups: {type_.label}s", multi=True)
        if inherited:
            yield Field(attributes.INHERITED_ACCESS, "Access held through groups, readable", multi=True)
    yield Field(DELETED, "Set by a delta aggregation when the user is gone", "boolean")


def _entitlement_fields(source: Source, type_: EntitlementType) -> Iterator[Field]:
    for each in type_.shown:
        if each.needs is None or source.has(each.needs):
            yield Field(each.name, each.description, each.type, each.multi)
