"""Shapes of the REST face for its OpenAPI document, derived from the attribute table.

Queries are loaded with these schemas, too. Bodies are not: the commands themselves say what is wrong with an attribute,
in the same sentences on both faces, so these schemas only describe.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from marshmallow import INCLUDE, RAISE, Schema, fields, validate

from connector import attributes
from connector.attributes import of_attribute
from connector.errors import FixRequest
from connector.wire.cursors import FORM
from connector.wire.rest_bodies import KNOWN
from connector.wire.rest_problems import TYPES
from connector.wire.since import parse_since

LIMIT: Final = 100
LARGEST: Final = 1000
STATES: Final = ("accepted", "succeeded", "failed", "partly")


class _Closed(Schema):
    class Meta:
        unknown = RAISE


def _text(description: str, **more: Any) -> fields.String:
    return fields.String(metadata={"description": description, **more})


def _texts(description: str) -> fields.List[Any]:
    return fields.List(fields.String(), metadata={"description": description, "uniqueItems": True})


def _schema(name: str, members: Mapping[str, fields.Field[Any]]) -> type[Schema]:
    return type(name, (_Closed,), dict(members))


# ---- accounts and entitlements -----------------------------------------------------------------------------------


def _shown_account() -> dict[str, fields.Field[Any]]:
    shown: dict[str, fields.Field[Any]] = {
        "id": fields.String(required=True, metadata={"description": "Identity of the account; the same as userId"}),
        "disabled": fields.Boolean(required=True, metadata={"description": "Whether the user is disabled"}),
    }
    shown |= {each.name: _text(each.description) for each in attributes.SCALARS}
    shown["userId"] = fields.String(required=True, metadata={"description": "Identifier of the user"})
    for type_ in attributes.ENTITLEMENT_TYPES.values():
        shown[type_.attribute] = _texts(type_.description)
        if type_.inherited is not None:
            shown[type_.inherited] = _texts(f"Ids held through groups: {type_.label}s")
    shown[attributes.INHERITED_ACCESS] = _texts("Access held through groups, readable")
    return shown


def _taken(row: attributes.Attribute, *, demanded: bool) -> fields.Raw:
    """A text, or a number, which becomes one; null and the empty text clear it, or are the same as absent."""
    text = {"type": "string", "minLength": 1 if demanded else 0, "maxLength": row.max_length}
    shapes = [text, {"type": "number"}] if demanded else [text, {"type": "number"}, {"type": "null"}]
    return fields.Raw(required=demanded, metadata={"anyOf": shapes, "description": row.description})


def _ids(description: str) -> fields.Raw:
    shapes = [{"type": "array", "items": {"type": "string"}}, {"type": "string"}, {"type": "null"}]
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


AccountSchema: Final = _schema("AccountSchema", _shown_account())
NewAccountSchema: Final = _schema("NewAccountSchema", _written(new=True))
ChangedAttributesSchema: Final = _schema("ChangedAttributesSchema", _written(new=False))


class DeletedAccountSchema(_Closed):
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
    _schema(f"{name[0].upper()}{name[1:]}Schema", _shown_entitlement(type_.shown))
    for name, type_ in attributes.ENTITLEMENT_TYPES.items()
)
"""One for each type."""


class ValuesSchema(_Closed):
    """Ids of entitlements to give."""

    value = fields.Raw(
        required=True,
        metadata={
            "anyOf": [
                {"type": "string", "minLength": 1},
                {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1},
            ],
            "description": "One id, or a list of them",
        },
    )


# ---- pages -------------------------------------------------------------------------------------------------------


def _one_of(*names: str) -> fields.Field[Any]:
    return fields.Raw(metadata={"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]})


class SnapshotSchema(_Closed):
    """The complete read of the source that a list shows."""

    id = fields.String(required=True)
    completedAt = fields.DateTime(required=True, metadata={"description": "When it was complete"})  # noqa: N815
    since = fields.String(
        allow_none=True,
        metadata={
            "description": "There when differences were asked for: the snapshot they are told to, or null when it is "
            "not kept and the list is a whole one"
        },
    )


def _page_schema(name: str, items: tuple[str, ...]) -> type[Schema]:
    return _schema(
        name,
        {
            "items": fields.List(_one_of(*items), required=True),
            "next": fields.Url(required=True, allow_none=True, metadata={"description": "Address of the next page"}),
            "nextCursor": fields.String(required=True, allow_none=True, validate=validate.Regexp(FORM)),
            "hasMore": fields.Boolean(required=True),
            "snapshot": fields.Nested(SnapshotSchema, required=True),
        },
    )


AccountPageSchema: Final = _page_schema("AccountPageSchema", ("Account", "DeletedAccount"))
EntitlementPageSchema: Final = _page_schema(
    "EntitlementPageSchema", tuple(each.__name__.removesuffix("Schema") for each in ENTITLEMENT_SCHEMAS)
)


class EntitlementSchema(Schema):
    """One entitlement, of any type."""

    class Meta:
        unknown = INCLUDE

    id = fields.String(required=True)


class PageQuerySchema(_Closed):
    """Which page."""

    limit = fields.Integer(
        load_default=LIMIT,
        strict=True,
        validate=validate.Range(1, LARGEST),
        metadata={"description": "Objects on a page"},
    )
    cursor = fields.String(
        validate=validate.Regexp(FORM),
        metadata={"description": "nextCursor of the page before; without it the first page of a new walk"},
    )


class AccountPageQuerySchema(PageQuerySchema):
    """Which page, of everything or of what changed."""

    since = fields.String(
        metadata={
            "description": "First page only: tell what changed since a snapshot (its id), or since a time "
            "(milliseconds since 1970, or a date and time such as 2027-06-30T23:59:59Z). Unknown or too long ago: "
            "the whole list.",
            "pattern": r"^([0-9]{1,14}|[0-9]{1,9}-[0-9a-f]{8}|[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z)?$",
        }
    )


# ---- the rest ----------------------------------------------------------------------------------------------------


class SourceSchema(_Closed):
    """What a test of the connection found."""

    source = fields.String(required=True)
    instance = _text("ARN of the Identity Center instance")
    identityStore = fields.String()  # noqa: N815
    region = fields.String()
    caller = _text("ARN of who we are to AWS")
    owner = _text("AWS account that owns the instance; empty when AWS would not say")
    permissions = _texts("IAM actions that were tried and are allowed")
    warnings = fields.List(fields.String(), metadata={"description": "What works, but not as it could"})


class ResultSchema(_Closed):
    """A part of a change, and what became of it."""

    attribute = fields.String(required=True)
    value = fields.String(required=True)
    result = fields.String(required=True, validate=validate.OneOf(["done", "failed"]))
    reason = _text("Why it failed")
    type = _text("Type of the problem")
    retryable = fields.Boolean()


class ProblemSchema(Schema):
    """RFC 9457; members that nobody knows are to be ignored."""

    type = fields.String(required=True, validate=validate.OneOf([f"/problems/{each}" for each in TYPES]))
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    instance = fields.String(required=True, metadata={"description": "Id of the request"})
    retryable = fields.Boolean(required=True, metadata={"description": "Whether the same request can succeed later"})
    awsRequestId = fields.String()  # noqa: N815
    action = _text("The IAM action that is missing")
    existing = _text("Id of the user that holds a unique value")
    operation = _text("Id of the operation that goes on")
    account = fields.Nested(AccountSchema)
    results = fields.List(fields.Nested(ResultSchema))


class StepSchema(_Closed):
    """A part of what was asked."""

    op = fields.String(required=True)
    attribute = fields.String()
    value = fields.String(allow_none=True)


class OperationSchema(_Closed):
    """A change that outlasted its request."""

    id = fields.String(required=True)
    source = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    steps = fields.List(fields.Nested(StepSchema), required=True)
    outcomes = fields.List(fields.Nested(ResultSchema), required=True)
    account = fields.Nested(AccountSchema, required=True, allow_none=True)
    problem = fields.Nested(ProblemSchema, required=True, allow_none=True)


def load_query(schema: Schema, given: Mapping[str, list[str]]) -> dict[str, Any]:
    """The query as the schema knows it; `FixRequest` for anything else: a misspelt cursor would begin anew."""
    query: dict[str, Any] = {"limit": LIMIT, "cursor": None, "since": None}
    for name, values in given.items():
        if name not in schema.fields:
            raise FixRequest(f"There is no query parameter {name[:60]!r} here; there are {', '.join(schema.fields)}.")
        if len(values) > 1:
            raise FixRequest(f"{name} is given more than once.")
        query[name] = _limit(values[0]) if name == "limit" else values[0]
    if query["cursor"] is not None and not query["cursor"]:
        raise FixRequest("cursor is empty; leave it out for the first page.")
    return {**query, "since": parse_since(query["since"])}


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= LARGEST):
        raise FixRequest(f"limit is a whole number from 1 to {LARGEST}.")
    return int(text)
