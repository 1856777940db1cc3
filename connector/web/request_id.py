"""What every request gets, on every face: an id, taken from the caller when it has a harmless form, else made; and
headers that keep its answer with the one program it is for.
"""

from __future__ import annotations

import re
import uuid
from typing import Final

import structlog
from flask import Response, g, request

from connector.web.peer import Peer

HEADER: Final = "X-Request-Id"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""On every answer: it is for one program, once, and never for a page of somebody else."""
YEAR: Final = "max-age=31536000"
_HARMLESS: Final = re.compile(r"^[A-Za-z0-9._-]{1,64}$")


def begin_request() -> None:
    """Give the request its id and the log a clean start; threads serve one request after the other."""
    given = request.headers.get(HEADER, "")
    g.request_id = given if _HARMLESS.match(given) else uuid.uuid4().hex
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if (subject := Peer(request.environ).subject()) is not None:
        structlog.contextvars.bind_contextvars(certificate=subject)


def show_request_id(response: Response) -> Response:
    """Send the id back, so that callers can name it, with what belongs on every answer."""
    response.headers[HEADER] = g.request_id
    for name, value in HEADERS.items():
        response.headers[name] = value
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = YEAR
    return response
