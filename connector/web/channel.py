"""A bounded line of frames between the thread that runs a command and the thread that answers the client.

Frames go in at one end and come out, joined, at the other. A reader slower than the command makes the command wait,
so memory stays bounded; nothing is ever dropped while somebody reads.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

CAPACITY: Final = 1024 * 1024
"""Bytes that wait at most, except for one frame that is larger by itself."""
JOINED: Final = 64 * 1024
"""Bytes of frames that are ready together and may leave together."""


class Channel:
    """Thread-safe; one writer, one reader."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._frames: deque[bytes] = deque()
        self._size = 0
        self._ended = False
        self._error: BaseException | None = None
        self._abandoned = False
        self._changed = threading.Condition()

    def put(self, frame: bytes) -> bool:
        """Hand a frame over, waiting for room. False, and the frame is gone, when nobody reads any more."""
        with self._changed:
            while self._size >= self._capacity and not self._abandoned:
                self._changed.wait()
            if self._abandoned:
                return False
            self._frames.append(frame)
            self._size += len(frame)
            if len(self._frames) == 1:
                self._changed.notify_all()
            return True

    def end(self, error: BaseException | None = None) -> None:
        """No frame comes any more, because of `error` or because all is said."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def abandon(self) -> None:
        """Nobody reads any more."""
        with self._changed:
            self._abandoned = True
            self._frames.clear()
            self._size = 0
            self._changed.notify_all()

    def take(self, timeout: float) -> bytes | None:
        """Frames that are ready, joined; `b""` after `timeout` seconds of silence; None at the end.

        The writer's error is raised in its place, after the frames before it.
        """
        with self._changed:
            if not self._frames and not self._ended:
                self._changed.wait(timeout)
            if self._frames:
                return self._joined()
            if self._error is not None:
                raise self._error
            return None if self._ended else b""

    def _joined(self) -> bytes:
        taken = [self._frames.popleft()]
        size = len(taken[0])
        while self._frames and size + len(self._frames[0]) <= JOINED:
            taken.append(self._frames.popleft())
            size += len(taken[-1])
        full = self._size >= self._capacity
        self._size -= size
        if full:
            self._changed.notify_all()
        return b"".join(taken)
