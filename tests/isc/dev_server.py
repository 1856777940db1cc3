"""SailPoint's own dev server (`spcx run`) with our connector in it, and what its answers tell.

`DevServer` starts the real program of `@sailpoint/connector-sdk` as a process of its own. What it runs is the file
that is shipped, or the compiled modules beside it; see `hosted.cjs` for what a shipped file needs of whoever hosts it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from running import TOKEN, Answer, Client, free_port

HERE = Path(__file__).parent
BUNDLE = HERE.parents[1] / "spec" / "isc"
SDK = BUNDLE / "node_modules" / "@sailpoint" / "connector-sdk"
SHIPPED = BUNDLE / "dist" / "index.js"
MODULES = BUNDLE / "build" / "src" / "index.js"

_ERROR = re.compile(r"^(\w+) error: \n \+ (?:\w*Error: )?(.*?)(?:\n    at .*)?$", re.DOTALL)


@dataclass(frozen=True)
class Told:
    """What an answer says: the frames, and the error that ended it, if one did."""

    frames: list[dict[str, Any]]
    error: str | None = None
    """Its sentence."""
    kind: str | None = None
    """generic or notFound."""

    @property
    def outputs(self) -> list[Any]:
        """Data of the output frames."""
        return [frame["data"] for frame in self.frames if frame["type"] == "output"]

    def of_type(self, type_: str) -> list[Any]:
        """Data of the frames of a type."""
        return [frame["data"] for frame in self.frames if frame["type"] == type_]


def told(answer: Answer) -> Told:
    """Read an answer as SailPoint's own clients do: frames until something else comes."""
    frames, rest = [], answer.body
    while rest and answer.status == 200:
        line, newline, after = rest.partition(b"\n")
        try:
            frames.append(json.loads(line))
        except ValueError:
            break
        assert newline, "a frame without its end"
        rest = after
    if not rest and answer.status == 200:
        assert answer.whole, "broken off without a word"
        return Told(frames)
    found = _ERROR.match(rest.decode())
    assert found is not None, rest
    return Told(frames, found[2].strip(), found[1])


@dataclass
class DevServer:
    """`spcx run` as a process; a context manager."""

    directory: Path
    """For its log."""
    connector: Path = SHIPPED
    hosted: bool = True
    """Whether it hosts a bundle as Identity Security Cloud does (`hosted.cjs`), or is SailPoint's and nothing else."""
    config: Mapping[str, Any] | None = None
    """What CONNECTOR_CONFIG holds from the beginning."""
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> DevServer:
        """Start it and wait until it listens."""
        node = shutil.which("node")
        assert node is not None
        preload = ["--require", str(HERE / "hosted.cjs")] if self.hosted else []
        command = [node, *preload, SDK / "dist" / "bin" / "spcx.js", "run", self.connector, str(self.port)]
        environment = {
            # No compiler on this path: the dev server would start one to watch sources.
            "PATH": os.defpath,
            "HOME": str(self.directory),
            "DEV_SERVER_SDK": str(SDK),
            **self.environment,
        }
        if self.config is not None:
            environment["CONNECTOR_CONFIG"] = base64.b64encode(json.dumps(self.config).encode()).decode()
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                command, env=environment, cwd=SHIPPED.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
                return self
            except OSError:
                assert self._process.poll() is None, self.log
                time.sleep(0.02)
        raise AssertionError(f"the dev server does not listen:\n{self.log}")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def client(self, url: str, token: str = TOKEN, source: str = "default") -> Tenant:
        """A tenant whose source is configured so."""
        return Tenant(self.port, {"connectorUrl": url, "connectorToken": token, "source": source})

    @property
    def log_file(self) -> Path:
        """Where its output goes."""
        return self.directory / f"dev-server-{self.port}.log"

    @property
    def log(self) -> str:
        """What it wrote."""
        return self.log_file.read_text()

    def __enter__(self) -> DevServer:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        assert "idc_" not in self.log, "a token stands in the dev server's log"


@dataclass(frozen=True)
class Tenant:
    """Somebody who sends commands to a dev server, with the configuration of a source."""

    port: int
    config: Mapping[str, Any]

    def post(self, type_: str, asked: Any = None, config: Mapping[str, Any] | None = None) -> Answer:
        """Send a command and take whatever comes. No answer may hold a token."""
        client = Client(self.port, token=None, path="/invoke")
        answer = client.post(type_, asked, self.config if config is None else config)
        assert b"idc_" not in answer.body, "a token stands in the answer"
        return answer

    def ask(self, type_: str, asked: Any = None, config: Mapping[str, Any] | None = None) -> Told:
        """Send a command and read the answer."""
        return told(self.post(type_, asked, config))
