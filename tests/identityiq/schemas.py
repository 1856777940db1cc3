"""Schemas and the create form of an imported application, judged as IdentityIQ would need them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from xml.etree import ElementTree

from tests.identityiq.rejected import Rejected

TYPES: Final = ("string", "boolean")
"""Types seen in applications of the field."""
GETTERS: Final = {
    "getName": "name",
    "getFirstname": "firstname",
    "getLastname": "lastname",
    "getDisplayName": "displayName",
    "getEmail": "email",
}
"""Methods of IdentityIQ's Identity that a form may call; any other script is BeanShell, which nothing here runs."""


@dataclass(frozen=True)
class Attribute:
    """One attribute of a schema."""

    name: str
    type: str
    multi: bool
    entitlement: bool
    schema_object_type: str | None


@dataclass(frozen=True)
class Schema:
    """A kind of object."""

    object_type: str
    identity: str
    display: str
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True)
class Field:
    """A field of the create form."""

    name: str
    required: bool
    proposed: str | None
    """The identity attribute that proposes the value."""


def read_schemas(elements: tuple[ElementTree.Element, ...]) -> dict[str, Schema]:
    """Schemas by object type."""
    schemas: dict[str, Schema] = {}
    for element in elements:
        schema = _schema(element)
        if schema.object_type in schemas:
            raise Rejected(f"two schemas of type {schema.object_type}")
        schemas[schema.object_type] = schema
    if "account" not in schemas:
        raise Rejected("no account schema")
    _check_entitlements(schemas)
    return schemas


def _schema(element: ElementTree.Element) -> Schema:
    attributes: dict[str, Attribute] = {}
    for each in element.iter("AttributeDefinition"):
        attribute = _attribute(each)
        if attribute.name in attributes:
            raise Rejected(f"two attributes {attribute.name}")
        attributes[attribute.name] = attribute
    schema = Schema(
        element.get("objectType", ""),
        element.get("identityAttribute", ""),
        element.get("displayAttribute", ""),
        attributes,
    )
    for name in (schema.identity, schema.display, element.get("descriptionAttribute", schema.identity)):
        if name not in attributes:
            raise Rejected(f"schema {schema.object_type} has no attribute {name!r}")
    return schema


def _attribute(element: ElementTree.Element) -> Attribute:
    name, type_ = element.get("name", ""), element.get("type", "")
    if not name or name != name.strip():
        raise Rejected(f"an attribute named {name!r}")
    if type_ not in TYPES:
        raise Rejected(f"attribute {name} is of type {type_!r}, not {' or '.join(TYPES)}")
    flags = {flag: element.get(flag) == "true" for flag in ("multi", "entitlement", "managed")}
    if flags["entitlement"] and not (flags["multi"] and flags["managed"] and element.get("schemaObjectType")):
        raise Rejected(f"entitlement attribute {name} must be multi and managed and name its schemaObjectType")
    return Attribute(name, type_, flags["multi"], flags["entitlement"], element.get("schemaObjectType"))


def _check_entitlements(schemas: Mapping[str, Schema]) -> None:
    named = [each.schema_object_type for each in schemas["account"].attributes.values() if each.schema_object_type]
    if missing := set(named) - set(schemas):
        raise Rejected(f"schemaObjectType without a schema: {sorted(missing)}")
    if len(set(named)) != len(named):
        raise Rejected("multiple entitlement attributes with same type present")


def read_form(elements: tuple[ElementTree.Element, ...], account: Schema) -> tuple[Field, ...]:
    """Fields of the create form; none when there is none."""
    fields = []
    for form in elements:
        if form.get("objectType") != "account" or form.get("type") != "Create":
            raise Rejected("a form that is not for creating accounts")
        for element in form.iter("Field"):
            name = element.get("name", "")
            if name not in account.attributes:
                raise Rejected(f"the form has a field {name!r} that the schema has not")
            if name == account.identity:
                raise Rejected(
                    f"{name} is assigned by the service: a value on the form would be taken for the identity"
                )
            fields.append(Field(name, element.get("required") == "true", _proposal(element)))
    return tuple(fields)


def _proposal(element: ElementTree.Element) -> str | None:
    script = element.findtext("Script/Source")
    if script is None:
        return None
    getter = re.fullmatch(r"return identity\.(\w+)\(\);", script)
    if getter is None or getter[1] not in GETTERS:
        raise Rejected(f"BeanShell in the form, and nobody here runs it: {script!r}")
    return GETTERS[getter[1]]
