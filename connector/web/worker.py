"""gunicorn's threaded worker, with some habits more: a thread is for a request whose head is there, it is watched, and
nobody waits in the one loop for a client to close.

gunicorn gives a thread to every connection that sends its first byte; as many clients that then send nothing would stop
it. Here heads are awaited by the one loop that also accepts, which looks at what has come without taking it. What the
system cannot show, behind TLS, is awaited in a thread as before, and cut off by the watch.

gunicorn also waits in that loop, up to two seconds, for each client that it closes on: ten that send nonsense and stay
would stop everybody for twenty. Here they are told the end, and looked after beside all others.

What is loaded at the start is kept from the garbage collector, which would look through it again and again.
"""

from __future__ import annotations

import errno
import gc
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from connector.web.connections import BODY, HEAD, HERE, send_little_ahead
from connector.web.unsigned import leave_unsigned

LARGEST: Final = 64 * 1024
"""Bytes of a head that are looked at; the parser refuses far smaller ones."""
AT_ONCE: Final = 64
"""Connections that are accepted before others are looked after."""
LINGER: Final = 2.0
"""Seconds in which a client that was told the end may still send what nobody reads. Closed at once, the system would
take back what the client has not read yet (RFC 9112, 9.6)."""
UNHEEDED: Final = 64 * 1024
"""Bytes of that."""
YOUNG: Final = 20_000
"""Objects made, more than were freed, between two looks of the garbage collector at the young ones. A list makes and
frees hundreds for each account; nothing of it goes round in circles."""
_NOBODY: Final = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)
_HARMLESS: Final = (*_NOBODY, errno.EMFILE, errno.ENFILE)
"""What accepting can meet; when files run out, those that wait go first."""


class Connection(TConn):  # type: ignore[misc]
    """A connection that is left to `linger` where gunicorn would wait until the client has closed."""

    unheeded = 0

    def __init__(self, linger: Callable[[Connection], None], *about: Any) -> None:
        super().__init__(*about)
        self._linger = linger

    def close(self, graceful: bool = False) -> None:
        """Close it, or begin to."""
        if graceful:
            self._linger(self)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """One process of the server."""

    def init_process(self) -> None:
        """After the fork."""
        leave_unsigned()
        self._leaving: deque[Connection] = deque()
        HERE.watch(self.cfg.threads)
        super().init_process()

    def load_wsgi(self) -> None:
        """The application, which lives as long as the process."""
        super().load_wsgi()
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG)

    def accept(self, listener: Any) -> None:
        """Take the connections that are there, and wait for the first head of each."""
        # Several: each turn of the loop has its price, and whoever is last in a crowd would pay it for all.
        for _ in range(AT_ONCE):
            if not self._accept_one(listener):
                return

    def _accept_one(self, listener: Any) -> bool:
        if self.nr_conns >= self.worker_connections * 9 // 10:
            self._make_room()
        try:
            sock, address = listener.accept()
        except OSError as fault:
            if fault.errno not in _HARMLESS:
                raise
            if fault.errno not in _NOBODY:
                self._make_room()
            return False
        self.nr_conns += 1
        send_little_ahead(sock)
        self._await_head(Connection(self._linger, self.cfg, sock, address, listener.getsockname()))
        return True

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Look after every connection that something has come on."""
        for key, _ in self.poller.select(timeout):
            # Closed to make room for another one of these, its number may be that other one's by now.
            if self.poller.get_map().get(key.fd) is key:
                key.data(key.fileobj)

    def on_pending_socket_readable(self, conn: Any, client: Any) -> None:
        """More of a head has come."""
        if self._complete(conn):
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: Any, client: Any) -> None:
        """A connection that was kept has its next request."""
        if self._complete(conn):
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_head(conn)

    def murder_pending(self) -> None:
        """Close those whose time is up."""
        super().murder_pending()
        while self._leaving and self._leaving[0].timeout <= time.monotonic():
            self._let_go(self._leaving[0])

    def handle(self, conn: Any) -> Any:
        """In a thread: one request."""
        with HERE.served(conn) as conn.watched:
            return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread: the head was read."""
        conn.watched.waits = False
        return super().handle_request(req, conn)

    def _keepalive_after(self, conn: Any, keepalive: Any) -> Any:
        """In a thread: what is left of the body is read, and forgotten."""
        conn.watched.wait_for(BODY)
        return super()._keepalive_after(conn, keepalive)

    def _await_head(self, conn: Any) -> None:
        conn.timeout = time.monotonic() + HEAD
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _complete(self, conn: Any) -> bool:
        """Whether a thread will not have to wait for the head. If not, the poller wakes when there is more of it."""
        if self.cfg.is_ssl:
            return True
        try:
            seen = conn.sock.recv(LARGEST, socket.MSG_PEEK)
            done = not seen or b"\r\n\r\n" in seen or len(seen) >= LARGEST
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1 if done else len(seen) + 1)
        except BlockingIOError:
            return False
        except OSError:
            return True  # the thread meets it, and knows what to do
        return bool(done)

    def _make_room(self) -> None:
        """Of those who were told the end and stay, or who send nothing, the one that has done so longest goes."""
        if self._leaving:
            self._let_go(self._leaving[0])
        elif self.pending_conns:
            self.pending_conns[0].timeout = 0.0
            self.murder_pending()

    def _linger(self, conn: Connection) -> None:
        """Tell the client that this is the end, and close when it has, or after a while."""
        try:
            conn.sock.setblocking(False)
            conn.sock.shutdown(socket.SHUT_WR)
        except (OSError, ValueError):  # gone
            conn.close()
            return
        self.nr_conns += 1  # it was taken for closed
        conn.timeout = time.monotonic() + LINGER
        self._leaving.append(conn)
        self.poller.register(conn.sock, EVENT_READ, partial(self._unheeded, conn))

    def _unheeded(self, conn: Connection, client: Any) -> None:
        try:
            more = len(conn.sock.recv(UNHEEDED))
        except BlockingIOError:
            return
        except OSError:
            more = 0
        conn.unheeded += more
        if not more or conn.unheeded >= UNHEEDED:
            self._let_go(conn)

    def _let_go(self, conn: Connection) -> None:
        self._leaving.remove(conn)
        with suppress(OSError, KeyError, ValueError):  # closed meanwhile
            self.poller.unregister(conn.sock)
        self.nr_conns -= 1
        conn.close()
