"""Who is let in, for every face: the request of the moment is asked for its tokens, and those refused are recorded.

Tokens come from the Authorization header and from where a face found others; callers go out. What is recorded of a
refused one is what it claimed and which path it asked for, never what it sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import structlog
from flask import Flask, current_app, g, request

from connector.errors import Busy, ConnectorError, Forbidden, Unauthenticated
from connector.tokens import Token
from connector.web.auth import Credential, credentials_of
from connector.web.logs import hide_shaped
from connector.web.scopes import need_of
from connector.web.service import Service
from connector.wire.legible import legible

LONGEST: Final = 200
"""Characters of a path in a record."""

log = structlog.get_logger(__name__)


def place() -> str:
    """How the table of scopes calls the route of this request."""
    return f"{current_app.name.rpartition('.')[2]}.{request.endpoint}"


def guard(app: Flask) -> None:
    """Have every route refused that the table of scopes does not know."""

    def check() -> None:
        if request.endpoint is not None:
            need_of(place())

    app.before_request(check)


def identify(service: Service, secrets: Sequence[str] = ()) -> tuple[Token, ...]:
    """The callers that the request proves, at least one; `secrets` are tokens that a face found elsewhere."""
    given = credentials_of(request.headers.get("Authorization"), secrets)
    tried(given)
    return service.callers.identify(given, request.remote_addr or "")


def tried(given: Sequence[Credential]) -> None:
    """Remember what the caller claims, for the record of its refusal."""
    g.tried = bool(given)
    g.claimed = next((each.name for each in given if each.name), "")


def note_refusal(service: Service, error: ConnectorError) -> None:
    """Count it when it is the caller who was refused, and record it."""
    if not isinstance(error, Unauthenticated | Forbidden | Busy):
        return
    service.metrics.refused.labels(error.kind).inc()
    # Who is told to wait tried before; who shows no token is a probe, or a client that will show it when asked.
    if isinstance(error, Busy) or not g.get("tried", False):
        return
    known = structlog.contextvars.get_contextvars()
    record = {
        "what": "refused",
        "why": error.kind,
        "sentence": str(error),
        "caller": known.get("caller") or _harmless(g.claimed),
        "address": request.remote_addr or "",
        "path": _harmless(f"{request.method} {request.path}"),
        "command": known.get("command", ""),
        "request": g.get("request_id", ""),
    }
    try:
        service.record(record)
    except ConnectorError as fault:
        log.warning("a refused caller could not be recorded", why=str(fault))  # it is refused in any case


def _harmless(text: str) -> str:
    # Some clients send a token where a name belongs.
    return hide_shaped(None, "", legible(text[:LONGEST]))
