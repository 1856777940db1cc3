"""One command, running in a thread of its own, and its frames on their way to the client.

Frames come from the command through a `Channel`; chunks of bytes go to the server. While the command is silent,
keepAlive frames show that it goes on. A client that leaves stops a command that only reads; a command that changes
something runs to its end. An answer that fails half-way is broken off, never ended, so that nobody takes it for whole.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from connector.errors import CallUs, Cancelled, ConnectorError
from connector.web.channel import Channel
from connector.web.peer import Peer
from connector.wire.frames import KEEP_ALIVE
from connector.wire.problems import saas_text

if TYPE_CHECKING:
    from connector.web.service import Limits

log = structlog.get_logger(__name__)


class Broken(Exception):
    """Ends an answer without its end: the server closes the connection where the last chunk would come."""


@dataclass(slots=True)
class Outcome:
    """What became of an answer, for the log and the metrics."""

    frames: int = 0
    error: ConnectorError | None = None

    @property
    def word(self) -> str:
        return self.error.kind if self.error else "ok"


class Stream:
    """Iterator of the chunks of one answer."""

    def __init__(
        self,
        frames: Callable[[], Generator[bytes]],
        *,
        changes: bool,
        peer: Peer,
        cancelled: threading.Event,
        limits: Limits,
        finished: Callable[[Outcome], None],
        closed: Callable[[], None],
        request_id: str,
    ) -> None:
        self._frames = frames
        self._changes = changes
        self._peer = peer
        self._cancelled = cancelled
        self._limits = limits
        self._finished = finished
        self._closed: Callable[[], None] | None = closed
        self._request_id = request_id
        self._channel = Channel()
        self._outcome = Outcome()
        self._first: bytes | None = b""
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._run,), name="command")

    def start(self, *, keep_alive: bool = True) -> None:
        """Run the command and wait for its first frame, or for the silence that asks for a keepAlive.

        Raises the command's error when it fails before that: the status is still free. Without `keep_alive` waits
        for as long as it takes.
        """
        self._peer.must_read_within(self._limits.unread)
        try:
            self._thread.start()
            self._first = self._next(keep_alive)
        except BaseException:
            self.close()
            raise

    def __iter__(self) -> Iterator[bytes]:
        chunk = self._first
        try:
            while chunk is not None:
                yield chunk
                chunk = self._next(keep_alive=True)
        except ConnectorError as error:
            # Frames are out and the status was 200: say why, then break the answer off.
            yield saas_text(error).encode()
            self._peer.spoil()
            raise Broken(error.kind) from None

    def whole(self) -> bytes:
        """The whole answer at once, or the command's error. For clients that cannot see a broken answer."""
        chunks = [self._first or b""]
        while (chunk := self._next(keep_alive=False)) is not None:
            chunks.append(chunk)
        return b"".join(chunks)

    def close(self) -> None:
        """Called by the server when the answer has ended or cannot be sent any more."""
        if not self._changes:
            self._cancelled.set()
        self._channel.abandon()
        if self._changes and self._thread.ident is not None:
            self._thread.join()  # a server that shuts down waits for its connections, and so for this change
        if self._closed is not None:
            closed, self._closed = self._closed, None
            closed()

    def _next(self, keep_alive: bool) -> bytes | None:
        if self._first is None:
            return None
        silent_since = time.monotonic()
        while True:
            chunk = self._channel.take(self._limits.attention)
            if chunk or chunk is None:
                return chunk
            if not self._changes and self._peer.left():
                raise Cancelled("The client left.")
            if keep_alive and time.monotonic() - silent_since >= self._limits.keep_alive:
                return KEEP_ALIVE

    # ---- in the command's own thread

    def _run(self) -> None:
        # Whatever happens here, the other thread must hear of it: it waits.
        self._outcome.error = CallUs(
            f"The connector has a defect; its log names it by the request id {self._request_id}."
        )
        try:
            self._feed()
            self._outcome.error = None
        except ConnectorError as error:
            self._outcome.error = error
        except Exception:
            log.exception("defect")
        finally:
            try:
                self._finished(self._outcome)
            finally:
                self._channel.end(self._outcome.error)

    def _feed(self) -> None:
        with closing(self._frames()) as frames:
            for frame in frames:
                self._outcome.frames += 1
                if not self._channel.put(frame) and not self._changes:
                    raise Cancelled("The client left.")
