"""The client at the other end of a request's connection, seen through its socket: has it left, and can it be told that
an answer is broken? Nothing is ever read here.

A missing last chunk is not enough: Node's fetch takes an answer without it for whole when the connection was to be
closed anyway (undici, `onHttpSocketEnd`). A chunk that cannot be is an error to every client.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

_SOCKETS: Final = ("gunicorn.socket", "werkzeug.socket")
_NO_CHUNK: Final = b"broken off\r\n"
"""Stands where the length of the next chunk would, and is no number."""
# A client that closes sends FIN, which is "readable, and nothing to read" to everybody but Linux, which names it.
_GONE: Final = getattr(select, "POLLRDHUP", 0) | select.POLLHUP | select.POLLERR | select.POLLNVAL


class Peer:
    """The client of one request. Those of test clients and of unknown servers never leave."""

    def __init__(self, environ: Mapping[str, Any]) -> None:
        found = (environ[name] for name in _SOCKETS if environ.get(name) is not None)
        self._socket: socket.socket | None = next(found, None)

    def left(self) -> bool:
        """Whether the client has closed its connection."""
        if self._socket is None:
            return False
        poll = select.poll()
        try:
            poll.register(self._socket.fileno(), _GONE)
            return any(events & _GONE for _, events in poll.poll(0))
        except (OSError, ValueError):  # closed on our side, which has no number any more
            return True

    def spoil(self) -> None:
        """Make the chunked answer that is being sent invalid. The server must send nothing after it."""
        if self._socket is not None:
            with suppress(OSError):  # gone: it will see no end either
                self._socket.sendall(_NO_CHUNK)
