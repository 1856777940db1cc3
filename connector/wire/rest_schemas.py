"""Shapes of the other answers of the REST face: pages, problems, operations, the source itself."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import Schema, fields, validate

from connector.wire.cursors import FORM
from connector.wire.rest_problems import TYPES
from connector.wire.rest_shapes import ENTITLEMENT_SCHEMAS, AccountSchema, Closed, closed, text, texts

STATES: Final = ("accepted", "succeeded", "failed", "partly")


def _one_of(*names: str) -> fields.Field[Any]:
    return fields.Raw(metadata={"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in names]})


class SnapshotSchema(Closed):
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
    return closed(
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


class SourceSchema(Closed):
    """What a test of the connection found."""

    source = fields.String(required=True)
    instance = text("ARN of the Identity Center instance")
    identityStore = fields.String()  # noqa: N815
    region = fields.String()
    caller = text("ARN of who we are to AWS")
    owner = text("AWS account that owns the instance; empty when AWS would not say")
    permissions = texts("IAM actions that were tried and are allowed")
    warnings = fields.List(fields.String(), metadata={"description": "What works, but not as it could"})


class ResultSchema(Closed):
    """A part of a change, and what became of it."""

    attribute = fields.String(required=True)
    value = fields.String(required=True)
    result = fields.String(required=True, validate=validate.OneOf(["done", "failed"]))
    reason = text("Why it failed")
    type = text("Type of the problem")
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
    action = text("The IAM action that is missing")
    existing = text("Id of the user that holds a unique value")
    operation = text("Id of the operation that goes on")
    account = fields.Nested(AccountSchema)
    results = fields.List(fields.Nested(ResultSchema))


class StepSchema(Closed):
    """A part of what was asked."""

    op = fields.String(required=True)
    attribute = fields.String()
    value = fields.String(allow_none=True)


class OperationSchema(Closed):
    """A change that outlasted its request."""

    id = fields.String(required=True)
    source = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    steps = fields.List(fields.Nested(StepSchema), required=True)
    outcomes = fields.List(fields.Nested(ResultSchema), required=True)
    account = fields.Nested(AccountSchema, required=True, allow_none=True)
    problem = fields.Nested(ProblemSchema, required=True, allow_none=True)
