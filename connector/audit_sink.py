"""Where the audit goes besides the store: lines appended to a file, or to standard output, for whoever collects them.

Each line comes from the store before it is kept there, and has arrived when a sink returns; when it cannot, a sink
raises `OSError`, and the store keeps nothing either. Nothing is ever read back here but a file's last byte.
"""

from __future__ import annotations

import os
import select
import stat
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from connector.errors import FixConfiguration
from connector.variables import unreadable

Sink = Callable[[str], None]

PATIENCE: Final = 5.0
"""Seconds for whoever reads our output to go on reading: all who change anything wait for it."""


def open_sink(where: str) -> Sink:
    """The sink that CONNECTOR_AUDIT_LOG names: a path, or `-`. `FixConfiguration` when it cannot be written."""
    if where == "-":
        return StreamSink(1)
    sink = FileSink(Path(where))
    try:
        sink.make()
    except OSError as fault:
        raise FixConfiguration(
            f"CONNECTOR_AUDIT_LOG must name a file that can be written{unreadable(where, fault)}, or be - ."
        ) from fault
    return sink


class FileSink:
    """Appends to a file that only its owner can read. It is opened for each line, so that it can be moved away."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def make(self) -> None:
        """Make the file, if there is none. Pipes and devices are refused: what they take is not kept."""
        file = self._open()
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError("not a regular file")
        finally:
            os.close(file)

    def __call__(self, line: str) -> None:
        file = self._open()
        try:
            size = os.fstat(file).st_size
            # Half a line, left by a disk that was full or a machine that died, must not spoil this one too.
            torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
            _write_all(file, f"{chr(10) if torn else ''}{line}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)

    def _open(self) -> int:
        return os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)


class StreamSink:
    """Writes to a pipe, a terminal, or whatever the descriptor is. One that nobody empties fails after a while."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._torn = False

    def __call__(self, line: str) -> None:
        left = f"{chr(10) if self._torn else ''}{line}\n".encode()
        deadline = time.monotonic() + PATIENCE
        while left:
            self._wait(deadline)
            # A pipe that can be written to at all takes this much without blocking.
            written = os.write(self._descriptor, left[: select.PIPE_BUF])
            left = left[written:]
            self._torn = bool(left)

    def _wait(self, deadline: float) -> None:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise TimeoutError("nobody reads the output")


def _write_all(file: int, left: bytes) -> None:
    while left:
        left = left[os.write(file, left) :]
