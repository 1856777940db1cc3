"""A network between two ends that fails on demand: it passes so many bytes of an answer, and then what is asked.

Its window towards the service is small, so that what was not passed has mostly not been sent either.
"""

from __future__ import annotations

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
    limit: int
    """Bytes of each answer that pass."""
    then: Then
    """What comes after them; `hold` waits for `go_on` and then passes the rest."""
    reached: threading.Event = field(default_factory=threading.Event)
    """Set when the limit was reached."""
    go_on: threading.Event = field(default_factory=threading.Event)
    _listener: socket.socket = field(default_factory=lambda: socket.create_server(("127.0.0.1", 0)), repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

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
        with client, socket.socket() as service:
            service.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            service.connect(("127.0.0.1", self.port))
            threading.Thread(target=_pass_on, args=(client, service), daemon=True).start()
            passed = 0
            with suppress(OSError):
                while data := service.recv(4096):
                    if passed + len(data) > self.limit and not self.reached.is_set():
                        client.sendall(data[: self.limit - passed])
                        data = data[self.limit - passed :]
                        self.reached.set()
                        if self.then == "reset":
                            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        if self.then != "hold":
                            return
                        self.go_on.wait(30)
                    client.sendall(data)
                    passed += len(data)


def _pass_on(client: socket.socket, service: socket.socket) -> None:
    with suppress(OSError):
        while data := client.recv(65536):
            service.sendall(data)
