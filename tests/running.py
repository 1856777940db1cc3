"""The real service on the emulated AWS, for tests that look from outside.

`Running` starts `idc-connector serve` (gunicorn) as a process of its own, on a free port, with a store in a directory
of its own and nothing of the caller's environment; the emulated AWS runs in the test's process, where it can be
steered and its truth be read. `Client` speaks SailPoint's protocol over plain sockets and keeps what came over the
wire: whether a body was whole is part of every `Answer`. Nothing here knows how the service works inside.

    with Sandbox() as sandbox, Running(sandbox, directory, SOURCES) as service:
        accounts = service.client().outputs("std:account:list")
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from connector.sandbox.server import Sandbox

TOKEN = "idc_acceptance-token-with-scope-provision"
READ_TOKEN = "idc_acceptance-token-with-scope-read"
SOURCES = "[sources.default]\n"
"""One source with default options."""
UNPACED = {"CONNECTOR_AWS_TPS": "1000", "CONNECTOR_ORGANIZATIONS_TPS": "1000"}
"""As fast as the machine allows; the pace has tests of its own."""
STARTS_WITHIN = 30.0
"""Seconds; a guard against hanging, not a promise."""


@dataclass(frozen=True)
class Answer:
    """What came over the wire for one command."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool
    """Whether the body came to its end; False where the server broke it off."""
    seconds: float

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def complete(self) -> bool:
        """Whether a client may take it for the answer to what it asked."""
        return self.status == 200 and self.whole

    @cached_property
    def frames(self) -> list[dict[str, Any]]:
        """Every frame of a whole answer; of a broken one, those before the break."""
        found = []
        for line in self.body.splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                assert not self.complete, self.text[-500:]
                break
        return found

    @property
    def outputs(self) -> list[Any]:
        """Data of the output frames."""
        return [frame["data"] for frame in self.frames if frame["type"] == "output"]


@dataclass(frozen=True)
class Client:
    """Somebody who sends commands to a service."""

    port: int
    token: str | None = TOKEN
    source: str | None = "default"
    path: str = "/"
    timeout: float = 60.0

    def envelope(self, type_: str, asked: Any = None, config: Mapping[str, Any] | None = None, **more: Any) -> bytes:
        """The body of a request, with `config.source` named unless `config` is given."""
        named = {} if self.source is None else {"source": self.source}
        sent = {"type": type_, "input": {} if asked is None else asked, "config": named if config is None else config}
        return json.dumps({**sent, **more}).encode()

    def post(self, type_: str, asked: Any = None, config: Mapping[str, Any] | None = None, **more: Any) -> Answer:
        """Send a command and take whatever comes."""
        headers = {"Content-Type": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        return self.send(self.envelope(type_, asked, config, **more), headers)

    def send(self, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send any body."""
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout)
        try:
            connection.request("POST", self.path, body, dict(headers))
            response = connection.getresponse()
            received, whole = b"", True
            try:
                received = response.read()
            except http.client.IncompleteRead as broken:
                received, whole = broken.partial, False
            seconds = time.monotonic() - began
            return Answer(response.status, dict(response.getheaders()), received, whole, seconds)
        finally:
            connection.close()

    def outputs(self, type_: str, asked: Any = None, **more: Any) -> list[Any]:
        """Data of the output frames of a command that has to succeed."""
        answer = self.post(type_, asked, **more)
        assert answer.complete, f"{type_} failed: {answer.status} {answer.text[-1000:]}"
        return answer.outputs

    def one(self, type_: str, asked: Any = None, **more: Any) -> Any:
        """The only output of a command that has to succeed."""
        found = self.outputs(type_, asked, **more)
        assert len(found) == 1, found
        return found[0]

    def failure(self, type_: str, asked: Any = None, **more: Any) -> str:
        """The text of a command that has to fail before its first frame."""
        answer = self.post(type_, asked, **more)
        assert answer.status == 500, f"{type_} did not fail: {answer.status} {answer.text[:1000]}"
        return answer.text


def key(identifier: str, **more: Any) -> dict[str, Any]:
    """Input of a command on one object, as SailPoint sends it."""
    return {"identity": identifier, "key": {"simple": {"id": identifier}}, **more}


def change(op: str, attribute: str, value: Any = None) -> dict[str, Any]:
    """One change of std:account:update; without a value the member is left out."""
    return {"op": op, "attribute": attribute, **({} if value is None else {"value": value})}


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Running:
    """`idc-connector serve` as a process; a context manager."""

    sandbox: Sandbox
    directory: Path
    """Empty; for the store, the sources file and the log."""
    sources: str = SOURCES
    """Text of the sources file."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """What to set beside, or instead of, what every service here is given."""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> Running:
        """Start it and wait until it is ready."""
        (self.directory / "sources.toml").write_text(self.sources)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                self.program(),
                env=self._environment(),
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + STARTS_WITHIN
        while not self.ready():
            assert self._process.poll() is None, f"the service ended while starting:\n{self.log}"
            assert time.monotonic() < deadline, f"the service is not ready:\n{self.log}"
            time.sleep(0.02)
        return self

    def program(self) -> list[str]:
        """What is started."""
        return [
            str(Path(sys.executable).with_name("idc-connector")),
            *("serve", "--host", "127.0.0.1", "--port", str(self.port)),
        ]

    def ready(self) -> bool:
        """Whether /readyz says so."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def stop(self) -> int:
        """Ask it to stop, as an orchestrator does, and return its exit status."""
        assert self._process is not None
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def kill(self) -> None:
        """SIGKILL, server and workers at once, in the middle of whatever they do."""
        assert self._process is not None
        process, self._process = self._process, None
        workers = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        for each in (process.pid, *map(int, workers)):
            os.kill(each, signal.SIGKILL)
        process.wait(10)

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command of the program, in the service's environment and on its store."""
        program = Path(sys.executable).with_name("idc-connector")
        return subprocess.run(
            [program, *arguments],
            env=self._environment(),
            cwd=self.directory,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def client(self, source: str | None = "default", token: str | None = TOKEN, **more: Any) -> Client:
        """Somebody who calls it."""
        return Client(self.port, token, source, **more)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.directory / "log"

    @property
    def log(self) -> str:
        """Everything it has written so far, over all its starts."""
        return self.log_file.read_text() if self.log_file.exists() else ""

    def events(self, message: str) -> list[dict[str, Any]]:
        """The lines of its log with that message."""
        lines = [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("message") == message]

    def _environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        return {
            **kept,
            "HOME": str(self.directory),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            **self.sandbox.environment(),
            "CONNECTOR_API_TOKENS": f"sailpoint:provision:{_digest(TOKEN)},reader:read:{_digest(READ_TOKEN)}",
            "CONNECTOR_SOURCES": str(self.directory / "sources.toml"),
            "CONNECTOR_STORE_URL": f"sqlite:///{self.directory / 'connector.db'}",
            **UNPACED,
            **self.environment,
        }

    def __enter__(self) -> Running:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.stop()
        if kind is None:
            assert '"message": "defect"' not in self.log, self.log[-3000:]


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
