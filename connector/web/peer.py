"""The client at the other end of a request's connection, seen through its socket: has it left, and does it read, can it
be told that an answer is broken? Nothing is ever read here.

A missing last chunk is not enough: Node's fetch takes an answer without it for whole when the connection was to be
closed anyway (undici, `onHttpSocketEnd`). A chunk that cannot be is an error to every client.
"""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

_SOCKETS: Final = ("gunicorn.socket", "werkzeug.socket")
_TCP: Final = (socket.AF_INET, socket.AF_INET6)
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

    def address(self) -> str | None:
        """The address of ours that it has connected to; None when there is none, as with a socket file."""
        if self._socket is None or self._socket.family not in _TCP:
            return None
        return str(self._socket.getsockname()[0]).partition("%")[0]

    def secured(self) -> bool:
        """Whether it came over TLS, to this very process."""
        return isinstance(self._socket, ssl.SSLSocket)

    def subject(self) -> str | None:
        """Who its certificate says it is; None when it showed none."""
        if not isinstance(self._socket, ssl.SSLSocket):
            return None
        try:
            certificate = self._socket.getpeercert() or {}
        except (OSError, ValueError):  # gone
            return None
        names: Any = certificate.get("subject", ())
        return ",".join(f"{name}={value}" for group in names for name, value in group) or None

    def must_read_within(self, seconds: float) -> None:
        """Give the connection up when what we send stays unread for so long; else it would hold a thread for ever.

        Set on the connection, not on the server's listener: connections that wait while the server starts have
        missed what is set there. SO_SNDTIMEO would end clients that are slow, too; this ends those that stopped.
        """
        option = getattr(socket, "TCP_USER_TIMEOUT", None)  # Linux
        if self._socket is not None and option is not None and self._socket.family in _TCP:
            with suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, option, round(seconds * 1000))

    def spoil(self) -> None:
        """Make the chunked answer that is being sent invalid. The server must send nothing after it."""
        if self._socket is not None:
            with suppress(OSError):  # gone: it will see no end either
                self._socket.sendall(_NO_CHUNK)
