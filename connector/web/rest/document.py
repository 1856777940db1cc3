"""The OpenAPI document: flask-smorest collects it from the views, this module says what it cannot know.

The document is the same for every installation: it names no address, and every entitlement type and attribute that a
source may have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, Final, TypeVar

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import Schema
from werkzeug.exceptions import HTTPException

from connector import __version__
from connector.attributes import ENTITLEMENT_TYPES
from connector.model import RESOURCE_ID
from connector.web.rest.answers import PROBLEM
from connector.wire.rest_problems import TYPES
from connector.wire.rest_schemas import ProblemSchema
from connector.wire.rest_shapes import ENTITLEMENT_SCHEMAS, AccountSchema, ChangedAttributesSchema, DeletedAccountSchema

View = TypeVar("View", bound=Callable[..., Any])

DOOR: Final = ("malformed", "unauthenticated", "forbidden", "source-not-found", "busy", "retry-later")
"""What can stop any request at a source."""
AWS: Final = ("aws-failed", "aws-permission-missing", "source-misconfigured", "aws-throttled")
"""What can come of asking AWS."""
CHANGE: Final = (*DOOR, *AWS, "conflict", "managed-elsewhere", "grant-failed", "still-running")
"""What can come of any change."""
ACCOUNT: Final = ("account-not-found", "account-elsewhere")
"""What can be said of the account that is meant."""
PARTS: Final = ("not-grantable", "partly-done")
"""What can come of giving."""
BODY: Final = ("too-large", "unsupported-media-type")
"""What a body can be."""
_AFTER: Final = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}}
_CHALLENGE: Final = {"WWW-Authenticate": {"description": "How to authenticate", "schema": {"type": "string"}}}
_ONCE: Final = {
    "in": "header",
    "name": "Idempotency-Key",
    "description": "A request repeated with it gets the first one's answer; used for another request it is a conflict",
    "schema": {"type": "string", "pattern": "^[ -~]{0,255}$"},
}
_HEADERS: Final = {401: _CHALLENGE, 429: _AFTER, 503: _AFTER, 504: _AFTER}


class Document(Api):
    """flask-smorest without its own errors: those are ours, and problems (RFC 9457)."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, refuse: Callable[[HTTPException], Any]) -> None:
        self.handle_http_exception = refuse
        super().__init__(app)
        shapes: tuple[type[Schema], ...] = (AccountSchema, DeletedAccountSchema, *ENTITLEMENT_SCHEMAS)
        # The only shape that marshmallow has no word for: a change of nothing is a mistake.
        self.spec.components.schema("ChangedAttributes", {"minProperties": 1}, schema=ChangedAttributesSchema)
        for each in shapes:
            self.spec.components.schema(each.__name__.removesuffix("Schema"), schema=each)
        schemes = self.spec.components
        schemes.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
        schemes.security_scheme("basic", {"type": "http", "scheme": "basic", "description": "Name and token"})

    def _register_responses(self) -> None:
        """Views name their problems themselves."""

    def _register_pagination_header(self) -> None:
        """Pages are told in bodies, not in headers."""


def configuration() -> dict[str, Any]:
    """How the application is configured for it."""
    return {
        "API_TITLE": "AWS IAM Identity Center connector",
        "API_VERSION": __version__,
        "OPENAPI_VERSION": "3.1.0",
        "API_SPEC_OPTIONS": {
            "info": {"description": "Accounts and entitlements of AWS IAM Identity Center; see docs/rest-face.md."},
            "security": [{"bearer": []}, {"basic": []}],
        },
    }


def described(
    *kinds: str, body: type[Schema] | None = None, query: type[Schema] | None = None
) -> Callable[[View], View]:
    """Tell which problems a view can answer with, and which body or query it takes."""

    def describe(view: View) -> View:
        by_status: dict[int, list[str]] = defaultdict(list)
        for kind in kinds:
            by_status[TYPES[kind].status].append(kind)
        for status, named in sorted(by_status.items(), reverse=True):
            view = Blueprint("none", "none").alt_response(
                status,
                schema=ProblemSchema,
                content_type=PROBLEM,
                description="; ".join(f"{each}: {TYPES[each].title}" for each in named),
                headers=_HEADERS.get(status),
            )(view)
        more: dict[str, Any] = {"operationId": f"{view.__module__.rpartition('.')[2]}.{view.__name__}"}
        if query is not None:
            more["parameters"] = [{"in": "query", "schema": query}]
        if "still-running" in kinds:
            more["parameters"] = [_ONCE]
        if body is not None:
            more["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        return Blueprint.doc(**more)(view)  # type: ignore[no-any-return]

    return describe


def linked(status: int, field: str, *operations: str, **given: str) -> Callable[[View], View]:
    """Tell which operations take the id that a member of the answer holds."""
    links = {
        each.replace(".", "_"): {"operationId": each, "parameters": {"id": f"$response.body#/{field}", **given}}
        for each in operations
    }

    def describe(view: View) -> View:
        return Blueprint.doc(responses={status: {"links": links}})(view)  # type: ignore[no-any-return]

    return describe


def path(*names: str) -> list[dict[str, Any]]:
    """Parameters of a path, in order."""
    told = {
        "source": "Name of a configured source",
        "account": "UserId of the account",
        "id": "Id, percent-encoded",
        "type": "Entitlement type",
        "value": "Id of the entitlement, percent-encoded",
    }
    user_id = RESOURCE_ID.pattern.replace("\\Z", "$")  # \Z is Python's own
    shapes: dict[str, dict[str, Any]] = {
        "type": {"type": "string", "enum": list(ENTITLEMENT_TYPES)},
        "account": {"type": "string", "pattern": user_id},
    }
    return [
        {
            "in": "path",
            "name": "id" if each == "account" else each,
            "description": told[each],
            "required": True,
            "schema": shapes.get(each, {"type": "string", "minLength": 1}),
        }
        for each in names
    ]
