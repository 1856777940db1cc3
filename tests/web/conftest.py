"""Fixtures of the face's tests: a client without a socket, and real servers on real ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from connector.store import open_store
from connector.web.dispatch import Faces
from connector.web.rest import create_rest
from connector.web.rest.face import Face
from tests.web.face_fakes import PROVISION, fake_service, start, stop

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


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Client]:
    """Everything that the service answers over HTTP: both faces on the fakes, and a store for operations."""
    service = fake_service()
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield Client(Faces(service, create_rest(Face(service, store.operations))))
    store.close()


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
