"""Our SaaS face on gunicorn with the scripted commands of `tests/web/face_fakes.py` behind it.

What a list does is said by its `state`: so many accounts, a pause before each, silence, a failure at the end.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from running import Client, free_port

PROGRAM = Path(__file__).parents[1] / "web" / "face_fakes.py"
TOKEN = "idc_provision" + "x" * 40
READ_TOKEN = "idc_read" + "x" * 40


@dataclass
class Face:
    """A process; a context manager."""

    directory: Path
    keep_alive: float = 0.2
    """Seconds of silence after which it sends a keepAlive frame."""
    certificate: tuple[Path, Path] | None = None
    """With its key: serves HTTPS."""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{'https' if self.certificate else 'http'}://localhost:{self.port}"

    def client(self) -> Client:
        """Somebody who asks it directly."""
        return Client(self.port, TOKEN)

    def kill(self) -> None:
        """End it and its worker at once, as a machine that loses its power does."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGKILL)

    def __enter__(self) -> Face:
        words = [str(self.port), str(self.keep_alive), *map(str, self.certificate or ())]
        with (self.directory / "face.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, PROGRAM, *words], stdout=log, stderr=log, start_new_session=True
            )
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return self
            except OSError:
                assert self._process.poll() is None, (self.directory / "face.log").read_text()
                time.sleep(0.05)
        raise AssertionError("the face does not listen")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self.kill()
        self._process.wait()
