"""A network between two ends that fails on demand: it passes so many bytes of an answer, and then what is asked.

Its window towards the service is small, so that what was not passed has mostly not been sent either.
"""

from __future__ import annotations

import select
import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal

Then = Literal["reset", "close", "hold"]


@dataclass
class Relay:
    """One connection after another from a port of its own to `port`; a context manager."""

    port: int
    limit: int = 10**12
    """Bytes of each answer that pass."""
    then: Then = "close"
    """What comes after them; `hold` waits for `go_on` and then passes the rest."""
    kept_back: int = 0
    """Bytes at the end of each answer that never pass."""
    reached: threading.Event = field(default_factory=threading.Event)
    """Set when the limit was reached."""
    go_on: threading.Event = field(default_factory=threading.Event)
    url: str = field(init=False)
    """Where it listens."""
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)), repr=False)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Relay:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.go_on.set()
        self._listener.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        # One thread for both directions: a socket that another thread waits on does not close when it is closed.
        with client, socket.socket() as service, suppress(OSError):
            service.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            service.connect(("127.0.0.1", self.port))
            passed, back = 0, b""
            while True:
                ready, _, _ = select.select([client, service], [], [])
                if client in ready:
                    asked = client.recv(65536)
                    if not asked:
                        return
                    service.sendall(asked)
                if service in ready:
                    received = service.recv(4096)
                    if not received:
                        return
                    data = back + received
                    data, back = data[: len(data) - self.kept_back], data[len(data) - self.kept_back :]
                    passed += len(data)
                    if passed > self.limit and not self.reached.is_set():
                        client.sendall(data[: self.limit - passed])
                        data = data[self.limit - passed :]
                        if not self._go_on_after(client):
                            return
                    client.sendall(data)

    def _go_on_after(self, client: socket.socket) -> bool:
        self.reached.set()
        if self.then == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if self.then == "hold":
            self.go_on.wait(30)
        return self.then == "hold"
