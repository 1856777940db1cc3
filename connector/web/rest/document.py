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
from connector.web.rest.answers import PROBLEM
from connector.wire.rest_problems import TYPES
from connector.wire.rest_schemas import (
    ENTITLEMENT_SCHEMAS,
    PATH_ID,
    AccountSchema,
    DeletedAccountSchema,
    ProblemSchema,
)

View = TypeVar("View", bound=Callable[..., Any])

DOOR: Final = ("malformed", "unauthenticated", "forbidden", "source-not-found", "busy", "retry-later")
"""What can stop any request at a source."""
AWS: Final = ("aws-failed", "aws-permission-missing", "source-misconfigured", "aws-throttled")
"""What can come of asking AWS."""
CHANGE: Final = (*DOOR, *AWS, "managed-elsewhere", "grant-failed", "still-running")
"""What can come of any change."""
PARTS: Final = ("not-grantable", "partly-done")
"""What can come of giving."""
BODY: Final = ("too-large", "unsupported-media-type")
"""What a body can be."""
_AFTER: Final = {"Retry-After": {"description": "Seconds to wait", "schema": {"type": "integer", "minimum": 1}}}
_CHALLENGE: Final = {"WWW-Authenticate": {"description": "How to authenticate", "schema": {"type": "string"}}}
_HEADERS: Final = {401: _CHALLENGE, 429: _AFTER, 503: _AFTER, 504: _AFTER}


class Document(Api):
    """flask-smorest without its own errors: those are ours, and problems (RFC 9457)."""

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask, refuse: Callable[[HTTPException], Any]) -> None:
        self.handle_http_exception = refuse
        super().__init__(app)
        shapes: tuple[type[Schema], ...] = (AccountSchema, DeletedAccountSchema, *ENTITLEMENT_SCHEMAS)
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
        more: dict[str, Any] = {}
        if query is not None:
            more["parameters"] = [{"in": "query", "schema": query}]
        if body is not None:
            more["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        return Blueprint.doc(**more)(view) if more else view

    return describe


def path(*names: str) -> list[dict[str, Any]]:
    """Parameters of a path, in order."""
    told = {
        "source": "Name of a configured source",
        "id": "Id, percent-encoded",
        "type": "Entitlement type",
        "value": "Id of the entitlement, percent-encoded",
        "name": "Name of a problem type",
    }
    return [
        {"in": "path", "name": each, "description": told[each], "required": True, "schema": PATH_ID} for each in names
    ]
