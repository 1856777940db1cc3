"""The id of a request: taken from the caller when it has a harmless form, else made; logged and sent back."""

from __future__ import annotations

import re
import uuid
from typing import Final

import structlog
from flask import Response, g, request

HEADER: Final = "X-Request-Id"
_HARMLESS: Final = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


def begin_request() -> None:
    """Give the request its id and the log a clean start; threads serve one request after the other."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if _HARMLESS.match(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)


def show_request_id(response: Response) -> Response:
    """Send the id back, so that callers can name it."""
    response.headers[HEADER] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
