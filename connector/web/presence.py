"""Whether the client of a request is still connected, asked of its socket without reading from it."""

from __future__ import annotations

import select
from collections.abc import Mapping
from typing import Any

_SOCKETS = ("gunicorn.socket", "werkzeug.socket")
# A client that closes sends FIN, which is "readable, and nothing to read" to everybody but Linux, which names it.
_GONE = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL


def has_left(environ: Mapping[str, Any]) -> bool:
    """True when the client has closed its connection. Unknown servers, and test clients, never leave."""
    socket = next((environ[name] for name in _SOCKETS if environ.get(name) is not None), None)
    if socket is None:
        return False
    poll = select.poll()
    try:
        poll.register(socket.fileno(), _GONE)
        return any(events & _GONE for _, events in poll.poll(0))
    except (OSError, ValueError):  # closed on our side, which has no number any more
        return True
