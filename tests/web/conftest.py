"""Fixtures of the face's tests: a client without a socket, and real servers on real ones."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from face_fakes import PROVISION, fake_service  # noqa: E402

from connector.web.dispatch import Faces  # noqa: E402

Send = Callable[..., TestResponse]


@pytest.fixture
def send() -> Send:
    """Post an envelope to the face: `send(type, input, config=…, token=…, path=…)`."""
    client = Client(Faces(fake_service()))

    def post(type_: str, asked: object = None, **how: Any) -> TestResponse:
        config = how.pop("config", {"source": "default"})
        token = how.pop("token", PROVISION)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        headers |= how.pop("headers", {})
        body = json.dumps({"type": type_, "input": asked or {}, "config": config})
        return client.post(how.pop("path", "/"), data=body, content_type="application/json", headers=headers, **how)

    return post


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(keep_alive: float, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The fakes on gunicorn; returns when it accepts connections."""
    port = free_port()
    with log.open("wb") as errors:
        server = subprocess.Popen(
            [sys.executable, "-W", "error", str(HERE / "face_fakes.py"), str(port), str(keep_alive)], stderr=errors
        )
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            break
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
    return server, f"http://127.0.0.1:{port}"


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server we started."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


@pytest.fixture(scope="session")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server of `url` wrote to standard error."""
    return tmp_path_factory.mktemp("face") / "log"


@pytest.fixture(scope="session")
def url(server_log: Path) -> Iterator[str]:
    """Address of the fakes on gunicorn, with keepAlive frames after half a second."""
    server, address = start(0.5, server_log)
    yield address
    stop(server)
