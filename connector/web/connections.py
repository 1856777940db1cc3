"""The connections whose requests have a thread now, and a watch over those that only hold it.

The worker says which connections there are, the faces when they wait for a body; the watch looks at what the system has
still to send. Nobody is cut off for being slow while there is room; when there is none, those go first that send or
read nothing. A connection is cut off below HTTP, so that its client sees an error.
"""

from __future__ import annotations

import fcntl
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

import structlog

_UNSENT: Final = 0x5411
"""SIOCOUTQ of Linux: bytes that wait to be sent, or to be acknowledged."""
TICK: Final = 0.1
"""Seconds between two looks."""
AHEAD: Final = 128 * 1024
"""Bytes that the system takes for a client beyond those on their way. What it takes without being told is megabytes,
made for nothing when nobody reads them."""
HEAD: Final = 10.0
"""Seconds in which a request's head, and with TLS the handshake before it, has to come."""
BODY: Final = 20.0
"""Seconds in which its body has to come."""
PRESSED: Final = 1.0
"""Seconds for either when threads run short."""
UNREAD: Final = 1.0
"""Seconds without reading after which a client gives way to another, when there is no room for both."""

log = structlog.get_logger(__name__)


class Connection(Protocol):
    """What the server knows of one; with TLS its socket is exchanged once."""

    sock: Any


@dataclass(slots=True)
class Watched:
    """One connection while a thread has it."""

    connection: Connection
    waits: bool = True
    """Whether the thread waits for the client to send."""
    since: float = 0.0
    within: float = HEAD
    unsent: int = 0
    stuck: float | None = None
    """Since when nothing of what is unsent was taken."""
    cut: bool = False
    """It reads nothing and gives way; its thread has yet to notice."""

    def wait_for(self, seconds: float) -> None:
        """From now on the thread waits for the client to send, for so long at most."""
        self.since, self.within, self.waits = time.monotonic(), seconds, True


class Connections:
    """Those of one process. Thread-safe."""

    def __init__(self) -> None:
        self._watched: dict[int, Watched] = {}
        self._turn = threading.Lock()
        self._threads = 0
        self._wanted = 0

    def watch(self, threads: int) -> None:
        """Begin to watch over a server with so many threads."""
        self._threads = threads
        threading.Thread(target=self._run, name="connections", daemon=True).start()

    @contextmanager
    def served(self, connection: Connection) -> Iterator[Watched]:
        """While a thread serves it."""
        watched = Watched(connection, since=time.monotonic())
        with self._turn:
            self._watched[id(watched)] = watched
        try:
            yield watched
        finally:
            # Before it is closed: its number may then be another one's.
            with self._turn:
                del self._watched[id(watched)]

    def of(self, sock: object) -> Watched | None:
        """The connection with that socket."""
        with self._turn:
            return next((each for each in self._watched.values() if each.connection.sock is sock), None)

    @contextmanager
    def wanted(self) -> Iterator[None]:
        """While somebody finds no room: one of those who do not read has to go."""
        with self._turn:
            self._wanted += 1
        try:
            yield
        finally:
            with self._turn:
                self._wanted -= 1

    def may_give_way(self) -> bool:
        """Whether there is somebody who may not be reading, or who goes already."""
        with self._turn:
            return any(each.cut or _unsent(each) > 0 for each in self._watched.values())

    def look(self, now: float) -> None:
        """Cut off what has to go."""
        with self._turn:
            everybody = list(self._watched.values())
            needed = self._wanted - sum(each.cut for each in everybody)
            pressed = len(everybody) >= self._threads * 3 // 4
            stuck = [each for each in everybody if _is_stuck(each, now)]
            if not pressed:
                # One for each who found no room, and those first who have not read for longest.
                stuck = sorted(stuck, key=lambda each: each.stuck or now)[: max(0, needed)]
            for each in stuck:
                each.cut = True
                self._cut(each, socket.SHUT_RDWR, "reads nothing")
            for each in everybody:
                if each.waits and now - each.since > (PRESSED if pressed else each.within):
                    self._cut(each, socket.SHUT_RD, "sends nothing")

    def _cut(self, watched: Watched, how: int, why: str) -> None:
        watched.waits, watched.stuck = False, None
        log.warning("client cut off", why=why)
        with suppress(OSError):
            # Below TLS, whose own end another thread may be in the middle of.
            socket.socket.shutdown(watched.connection.sock, how)

    def _run(self) -> None:
        while True:
            time.sleep(TICK)
            try:
                self.look(time.monotonic())
            except Exception:
                log.exception("defect")


def _is_stuck(watched: Watched, now: float) -> bool:
    if watched.cut:
        return False
    before, watched.unsent = watched.unsent, _unsent(watched)
    if watched.unsent == 0 or watched.unsent != before:
        watched.stuck = None
        return False
    watched.stuck = watched.stuck or now
    return now - watched.stuck >= UNREAD


def send_little_ahead(sock: Any) -> None:
    """Have the system keep no more of what is sent than a client that reads has use for."""
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)  # Linux, macOS
    if option is not None:
        with suppress(OSError):  # a socket file
            sock.setsockopt(socket.IPPROTO_TCP, option, AHEAD)


def _unsent(watched: Watched) -> int:
    try:
        return int(struct.unpack("i", fcntl.ioctl(watched.connection.sock.fileno(), _UNSENT, b"\0" * 4))[0])
    except (OSError, ValueError):
        return 0  # closed, or a system that does not say


class Awaited:
    """A request's body, and the watch told while it is waited for."""

    def __init__(self, body: Any, watched: Watched) -> None:
        self._body = body
        self._watched = watched
        self._left = time.monotonic() + BODY

    def read(self, *size: int) -> bytes:
        """As the server's own."""
        with self._waiting():
            return bytes(self._body.read(*size))

    def readline(self, *size: int) -> bytes:
        """As the server's own."""
        with self._waiting():
            return bytes(self._body.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        """As the server's own."""
        with self._waiting():
            return list(self._body.readlines(*hint))

    def __iter__(self) -> Iterator[bytes]:
        while line := self.readline():
            yield line

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._watched.wait_for(self._left - time.monotonic())
        try:
            yield
        finally:
            self._watched.waits = False


HERE: Final = Connections()
"""Those of this process."""
