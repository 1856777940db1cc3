"""The door of the REST face: who may come in, to which source, with which body.

The table in `scopes` says what each endpoint needs. The order never changes: the token, then the scope, then the
source, then everything else.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import structlog
from flask import g, request
from werkzeug.exceptions import NotFound

from connector.errors import FixRequest, SourceNotFound
from connector.model import Asker
from connector.web.admission import identify, place
from connector.web.bodies import json_body
from connector.web.request_id import begin_request
from connector.web.rest.face import face, peer
from connector.web.scopes import PUBLIC, authorise, need_of
from connector.wire.json_objects import object_in

LONGEST_KEY: Final = 255
"""Characters of an Idempotency-Key."""
WITH_SLASHES: Final = frozenset({"accounts.take", "entitlements.show"})
"""Endpoints whose last segment may hold an encoded slash, as ids of permission sets can."""

WITH_QUERIES: Final = frozenset({"accounts.listed", "entitlements.listed"})
"""Endpoints that read their query themselves."""


def admit() -> None:
    """Before every request: let it in, or raise why not."""
    begin_request()
    peer().must_read_within(face().service.limits.unread)
    endpoint = request.endpoint or ""
    if endpoint and need_of(place()) == PUBLIC:
        return
    callers = identify(face().service)
    structlog.contextvars.bind_contextvars(caller=callers[0].name, endpoint=endpoint)
    g.callers = callers
    _check_slashes(endpoint)
    if request.routing_exception is not None:
        return  # 404 or 405 is raised next, and only to those with a token
    arguments = request.view_args or {}
    name = arguments.pop("source", None)
    # Scope and sources of the token come first: whether a source exists is not everybody's business.
    caller = authorise(callers, place(), name)
    structlog.contextvars.bind_contextvars(caller=caller.name)
    g.asker = Asker(caller.name, _key(), str(g.request_id))
    if name is not None:
        sources = face().service.sources
        if name not in sources:
            raise SourceNotFound(f"There is no source {name[:100]!r} here.")
        g.source = sources[name]
        structlog.contextvars.bind_contextvars(source=name)
    if endpoint not in WITH_QUERIES and request.args:
        # A client that asks for a dry run, a filter or a page has to hear that there is none.
        raise FixRequest(f"There are no query parameters here, such as {next(iter(request.args))[:60]!r}.")


def body() -> dict[str, Any]:
    """The JSON object in the request's body."""
    return object_in(json_body(face().service.limits.body), "a JSON object")


def _key() -> str:
    """The hash of the caller's Idempotency-Key, which is kept in its stead; empty without one."""
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise FixRequest(f"Idempotency-Key has at most {LONGEST_KEY} printable characters of ASCII.")
    return hashlib.sha256(key.encode()).hexdigest() if key else ""


def _check_slashes(endpoint: str) -> None:
    """Refuse an encoded slash in an id: decoded, it would make a different address of this one."""
    raw = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or "").partition("?")[0].lower()
    *before, last = raw.split("/")
    if any("%2f" in each for each in before) or ("%2f" in last and endpoint not in WITH_SLASHES):
        raise NotFound
