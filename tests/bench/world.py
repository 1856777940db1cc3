"""An emulated AWS and the real service, each a process of its own, and what can be measured from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.running import Client, Running, free_port


@dataclass(frozen=True)
class Shape:
    """An organisation's size."""

    name: str
    users: int
    groups: int
    permission_sets: int
    aws_accounts: int
    pairs: int | None = None


SHAPES = {
    each.name: each
    for each in (
        Shape("S", 500, 60, 25, 40),
        Shape("M", 10_000, 500, 50, 100, 1_500),
        Shape("W", 300, 40, 40, 1_000, 1_200),
        Shape("B", 100_000, 5_000, 50, 100, 1_500),
    )
}


@dataclass
class Emulated:
    """`idc-connector sandbox` as a process; stands where `Running` expects a Sandbox."""

    shape: Shape
    tps: float
    latency_ms: float = 60.0
    options: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """What an AWS SDK needs to call it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "AKIAMANAGEMENT000000",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        }

    def get(self, name: str) -> Any:
        """What its control endpoint tells."""
        return self._control("GET", name, None)

    def post(self, name: str, body: Any = None) -> Any:
        """Have its control endpoint change something."""
        return self._control("POST", name, body)

    def _control(self, method: str, name: str, body: Any) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, f"/_sandbox/{name}", None if body is None else json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def __enter__(self) -> Emulated:
        size = {
            "--users": self.shape.users,
            "--groups": self.shape.groups,
            "--permission-sets": self.shape.permission_sets,
            "--aws-accounts": self.shape.aws_accounts,
            **({"--pairs": self.shape.pairs} if self.shape.pairs is not None else {}),
            "--tps": self.tps,
            "--latency-ms": self.latency_ms,
            **self.options,
        }
        arguments = [str(part) for option in size.items() for part in option]
        command = [Path(sys.executable).with_name("idc-connector"), "sandbox", "--port", str(self.port), *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while True:
            assert self._process.poll() is None, "the sandbox ended while starting"
            try:
                self.get("state")
                return self
            except OSError:
                time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(20)


OUTPUT = b'"type":"output"}\n'
"""How every output frame ends."""


@dataclass(frozen=True)
class Listing:
    """One list command, as its reader saw it. Seconds."""

    frames: int
    first: float
    total: float
    silence: float
    """Longest time in which nothing arrived."""


def listing(client: Client, type_: str = "std:account:list", asked: Any = None) -> Listing:
    """Read a list as it comes; raises when it breaks off."""
    began = last = time.monotonic()
    first = silence = 0.0
    frames = 0
    connection = http.client.HTTPConnection("127.0.0.1", client.port, timeout=600)
    try:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {client.token}"}
        connection.request("POST", "/", client.envelope(type_, asked), headers)
        response = connection.getresponse()
        assert response.status == 200, response.read().decode()
        tail = b""
        while chunk := response.read1(1 << 16):
            now = time.monotonic()
            first = first or now - began
            silence = max(silence, now - last)
            last = now
            read = tail + chunk
            frames += read.count(OUTPUT)
            # A frame's end can lie across two chunks; never so much of it that it would count twice.
            tail = read[-len(OUTPUT) + 1 :]
    finally:
        connection.close()
    return Listing(frames, first, time.monotonic() - began, silence)


@dataclass
class Service:
    """The service behind a pace, and what its processes use."""

    emulated: Emulated
    pace: float
    environment: Mapping[str, str] = field(default_factory=dict)
    running: Running = field(init=False)
    _directory: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory, init=False)

    def __post_init__(self) -> None:
        self.running = Running(
            self.emulated,  # type: ignore[arg-type]  # it has the part of a Sandbox that is used
            Path(self._directory.name),
            environment={
                "CONNECTOR_AWS_TPS": str(self.pace),
                "CONNECTOR_ORGANIZATIONS_TPS": "4",
                "CONNECTOR_LOG_LEVEL": "INFO",
                **self.environment,
            },
        )

    def processes(self) -> list[int]:
        """Ids of the service's processes."""
        assert self.running._process is not None
        parent = self.running._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [parent, *map(int, children)]

    def peak_memory(self) -> float:
        """Largest resident memory of any one process so far, MB."""
        peaks = []
        for each in self.processes():
            status = Path(f"/proc/{each}/status").read_text()
            peaks.append(next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024)
        return max(peaks)

    def cpu(self) -> float:
        """CPU seconds used so far."""
        used = 0.0
        for each in self.processes():
            fields = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            used += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return used

    def store_bytes(self) -> int:
        """Size of the SQLite store."""
        return sum(each.stat().st_size for each in Path(self._directory.name).glob("connector.db*"))

    def __enter__(self) -> Service:
        self.running.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.stop()
        self._directory.cleanup()
