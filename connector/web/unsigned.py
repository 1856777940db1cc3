"""What gunicorn answers by itself, made like everything else here: it says nothing of who serves, and is safe to show.

gunicorn has no setting for either: its answers carry its name, and its refusals are pages that repeat what was sent.
Both are replaced in the process that serves, once, by its worker.
"""

from __future__ import annotations

from typing import Any

from gunicorn import util  # type: ignore[import-untyped]
from gunicorn.http import wsgi  # type: ignore[import-untyped]

from connector.web.request_id import HEADERS
from connector.wire.legible import legible


class Unsigned(wsgi.Response):  # type: ignore[misc]
    """An answer without the server's name."""

    def default_headers(self) -> list[str]:
        """All but that one."""
        return [each for each in super().default_headers() if not each.lower().startswith("server:")]


def refuse(sock: Any, status: int, reason: str, message: str) -> None:
    """Answer a request that could not be read: one line of text, and the end of the connection."""
    body = legible(message or reason).encode()
    head = {
        "Connection": "close",
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        **HEADERS,
    }
    lines = [f"HTTP/1.1 {status} {reason}", *(f"{name}: {value}" for name, value in head.items()), "", ""]
    util.write_nonblock(sock, "\r\n".join(lines).encode("latin-1") + body)


def leave_unsigned() -> None:
    """From now on in this process."""
    wsgi.Response = Unsigned
    util.write_error = refuse
