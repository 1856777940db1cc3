"""gunicorn's threaded worker, with two habits more: a thread is for a request whose head is there, and is watched.

gunicorn gives a thread to every connection that sends its first byte; as many clients that then send nothing would stop
it. Here heads are awaited by the one loop that also accepts, which looks at what has come without taking it. What the
system cannot show, behind TLS, is awaited in a thread as before, and cut off by the watch.
"""

from __future__ import annotations

import errno
import socket
import time
from functools import partial
from selectors import EVENT_READ
from typing import Any, Final

from gunicorn.workers.gthread import TConn, ThreadWorker  # type: ignore[import-untyped]

from connector.web.connections import HEAD, HERE

LARGEST: Final = 64 * 1024
"""Bytes of a head that are looked at; the parser refuses far smaller ones."""
_HARMLESS: Final = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK, errno.EMFILE, errno.ENFILE)
"""What accepting can meet; when files run out, those that wait go first."""


class Worker(ThreadWorker):  # type: ignore[misc]
    """One process of the server."""

    def init_process(self) -> None:
        """After the fork."""
        HERE.watch(self.cfg.threads)
        super().init_process()

    def accept(self, listener: Any) -> None:
        """Take a connection and wait for its first head."""
        if self.nr_conns >= self.worker_connections * 9 // 10:
            self._make_room()
        try:
            sock, address = listener.accept()
        except OSError as fault:
            if fault.errno not in _HARMLESS:
                raise
            self._make_room()
            return
        self.nr_conns += 1
        self._await_head(TConn(self.cfg, sock, address, listener.getsockname()))

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

    def handle(self, conn: Any) -> Any:
        """In a thread: one request."""
        with HERE.served(conn) as conn.watched:
            return super().handle(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """In a thread: the head was read."""
        conn.watched.waits = False
        return super().handle_request(req, conn)

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
        """Of those who send nothing, the one that has done so longest goes."""
        if self.pending_conns:
            self.pending_conns[0].timeout = 0.0
            self.murder_pending()
