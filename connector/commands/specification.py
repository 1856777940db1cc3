"""spec:read and discover-schema, from the attribute table and the source's options.

`spec/connector-spec.json` is what this module says of a source with default options; a test holds the two together.
Facts on the format: SailPoint's connector-spec pages and the checks of its CLI (aws-behaviour 41).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from connector import attributes
from connector.commands.desk import Desk
from connector.model import Done, Event, NoInput, Source

NAME = "AWS IAM Identity Center"
PROVISIONING_TIMEOUT = 900
"""Seconds ISC waits for a change; its default of 60 is less than AWS takes for some assignments."""

NOT_TESTABLE = ("birthdate", "emailType")
"""Attributes SailPoint's validator must not try: it sends `string.N`, which is no date, and a type with no address."""


def read(desk: Desk, asked: NoInput) -> Iterator[Event]:
    """The connector specification of the source."""
    yield Done({"specification": specification(desk.source)})


def discover_schema(desk: Desk, asked: NoInput) -> Iterator[Event]:
    """The account schema of the source."""
    yield Done(account_schema(desk.source))


def commands(source: Source) -> list[str]:
    """The commands that work for the source."""
    owned = source.managed_by == "identity-center"
    switch = source.disable_by != "refuse"
    listed = [
        ("std:test-connection", True),
        ("std:account:list", True),
        ("std:account:read", True),
        ("std:account:create", owned),
        ("std:account:update", True),
        ("std:account:delete", owned),
        ("std:account:enable", switch),
        ("std:account:disable", switch),
        ("std:account:discover-schema", True),
        ("std:entitlement:list", True),
        ("std:entitlement:read", True),
    ]
    return [name for name, works in listed if works]


def specification(source: Source) -> dict[str, Any]:
    """connector-spec.json for the source."""
    return {
        "name": NAME,
        "keyType": "simple",
        "commands": commands(source),
        "supportsStatefulCommands": True,
        "sourceConfigInitialValues": {"provisioningTimeout": PROVISIONING_TIMEOUT, "source": source.name},
        "sourceConfig": _source_config(),
        "accountSchema": account_schema(source),
        "entitlementSchemas": [entitlement_schema(source, type_) for type_ in _enabled(source)],
        "accountCreateTemplate": {"fields": _create_fields()},
    }


def account_schema(source: Source) -> dict[str, Any]:
    """The attributes an account of the source has."""
    writable = source.managed_by == "identity-center"
    listed: list[dict[str, Any]] = []
    for row in attributes.SCALARS:
        each: dict[str, Any] = {"name": row.name, "type": "string", "description": row.description}
        if row.required:
            each["required"] = True
        if writable and row.writable and row.name not in NOT_TESTABLE:
            each["writable"] = True
        listed.append(each)
    for type_ in _enabled(source):
        listed.append(
            {
                "name": type_.attribute,
                "type": "string",
                "description": type_.description,
                "multi": True,
                "entitlement": True,
                "managed": True,
                "schemaObjectType": type_.name,
            }
        )
    listed += [
        {"name": name, "type": "string", "description": description, "multi": True}
        for name, description in _inherited(source)
    ]
    return {
        "displayAttribute": "userName",
        "identityAttribute": "userId",
        "groupAttribute": "groups",
        "attributes": listed,
    }


def entitlement_schema(source: Source, type_: attributes.EntitlementType) -> dict[str, Any]:
    """The attributes an entitlement of the type has in the source."""
    return {
        "type": type_.name,
        "displayAttribute": "displayName",
        "identityAttribute": "id",
        "attributes": [
            {
                "name": each.name,
                "type": each.type,
                "description": each.description,
                **({"multi": True} if each.multi else {}),
            }
            for each in type_.shown
            if each.needs is None or source.has(each.needs)
        ],
    }


def _enabled(source: Source) -> Iterable[attributes.EntitlementType]:
    """Enabled types, `group` first: SailPoint's validator reads the first schema with type group hard-coded."""
    return [type_ for type_ in attributes.ENTITLEMENT_TYPES.values() if source.has(type_.name)]


def _inherited(source: Source) -> list[tuple[str, str]]:
    if source.inherited == "none":
        return []
    held = [
        (type_.inherited, f"Ids held through groups: {type_.label}s")
        for type_ in _enabled(source)
        if type_.inherited is not None
    ]
    return [*held, (attributes.INHERITED_ACCESS, "Access held through groups, readable")] if held else []


def _source_config() -> list[dict[str, Any]]:
    return [
        {
            "type": "menu",
            "label": "Connection",
            "items": [
                {
                    "type": "section",
                    "sectionTitle": "Connector service",
                    "sectionHelpMessage": "Which source of the connector service to use, and its token.",
                    "items": [
                        {"key": "source", "label": "Source name", "type": "text", "required": True},
                        {"key": "connectorToken", "label": "Token", "type": "secret", "required": True},
                        {
                            "key": "spConnEnableStatefulCommands",
                            "label": "Read only what changed since the last aggregation",
                            "type": "checkbox",
                        },
                    ],
                }
            ],
        }
    ]


def _create_fields() -> list[dict[str, Any]]:
    def field(key: str, label: str, identity_attribute: str, *, required: bool) -> dict[str, Any]:
        return {
            "key": key,
            "label": label,
            "type": "string",
            "required": required,
            "initialValue": {"type": "identityAttribute", "attributes": {"name": identity_attribute}},
        }

    return [
        {
            "key": "userName",
            "label": "User name",
            "type": "string",
            "required": True,
            "initialValue": {
                "type": "generator",
                "attributes": {
                    "name": "Create Unique Account ID",
                    "template": "$(firstname).$(lastname)$(uniqueCounter)",
                },
            },
        },
        field("givenName", "First name", "firstname", required=True),
        field("familyName", "Last name", "lastname", required=True),
        field("displayName", "Display name", "displayName", required=True),
        field("email", "E-mail", "email", required=False),
    ]
