"""One world for the tests of the REST face: the real service on an emulated AWS, and callers who check every answer."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, LEGACY
from connector.store import Store, open_store
from connector.wire.rest_problems import TYPE, TYPES
from tests.named import Named
from tests.running import READ_TOKEN, TOKEN, Running

NARROW, EXPIRED = "idc_token-for-another-source-only", "idc_token-that-has-expired"
WRONG_INSTANCE = "arn:aws:sso:::instance/ssoins-0000000000000000"


def sources(scim_url: str, scim_token_file: Path) -> str:
    """A source for each thing that a source can be."""
    return f"""
[sources.default]
[sources.all]
entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]
[sources.other]
[sources.scim]
disable_by = "scim"
scim_endpoint = "{scim_url}"
scim_token_file = "{scim_token_file}"
[sources.external]
managed_by = "external"
[sources.hasty]
change_deadline = 0.3
[sources.short]
read_deadline = 0.4
[sources.fresh]
snapshot_max_age = 0
[sources.broken]
snapshot_max_age = 0
read_deadline = 1.5
[sources.wrong]
instance_arn = "{WRONG_INSTANCE}"
"""


class Quick(Running):
    """The service with the limits of `quick.py`."""

    def program(self) -> list[str]:
        return [sys.executable, str(Path(__file__).with_name("quick.py")), str(self.port)]


@dataclass(frozen=True)
class Caller:
    """Somebody with a token, or none. Every problem that comes back is checked for its form."""

    url: str
    token: str | None = TOKEN

    def __call__(self, method: str, path: str, **more: Any) -> requests.Response:
        """Ask for a path below the service."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= more.pop("headers", {})
        answer = requests.request(method, self.url + path, headers=headers, timeout=30, **more)
        if answer.status_code >= 400 and method != "HEAD":
            check_problem(answer)
        return answer

    def get(self, path: str, **more: Any) -> requests.Response:
        return self("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self("POST", path, json=body, **more)

    def patch(self, path: str, body: Any, **more: Any) -> requests.Response:
        return self("PATCH", path, json=body, **more)

    def delete(self, path: str, **more: Any) -> requests.Response:
        return self("DELETE", path, **more)

    def ok(self, path: str) -> Any:
        """What a GET that has to succeed answers."""
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()


def check_problem(answer: requests.Response) -> None:
    """An error is a problem document of a documented type, with only what RFC 9457 and docs/rest-face.md name."""
    assert answer.headers["Content-Type"] == "application/problem+json", answer.text
    document = json.loads(answer.content)
    kind = kind_of(answer)
    assert document["status"] == answer.status_code == TYPES[kind].status
    assert document["title"] == TYPES[kind].title
    assert document["instance"] == answer.headers["X-Request-Id"]
    assert isinstance(document["retryable"], bool)
    assert document["detail"]
    assert "Traceback" not in document["detail"]
    if answer.status_code in (429, 503, 504):
        assert int(answer.headers["Retry-After"]) >= 1
    if answer.status_code == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def kind_of(answer: requests.Response) -> str:
    """The name of a problem's type."""
    type_ = str(answer.json()["type"])
    assert type_.startswith(TYPE)
    return type_.removeprefix(TYPE)


@dataclass
class World(Named):
    """The emulated AWS and the service on it."""

    sandbox: Sandbox
    service: Running

    def caller(self, token: str | None = TOKEN) -> Caller:
        return Caller(self.service.url, token)

    @contextmanager
    def fault(self, operation: str, fault: str, **more: Any) -> Iterator[None]:
        """Have calls of an operation go wrong."""
        self.sandbox.control("faults", {"operation": operation, "fault": fault, **more})
        try:
            yield
        finally:
            self.sandbox.control("faults", {"clear": True})

    @contextmanager
    def options(self, **options: Any) -> Iterator[None]:
        """Change the emulated AWS for a while."""
        before = {name: self.sandbox.options.as_dict()[name] for name in options}
        self.sandbox.control("options", options)
        try:
            yield
        finally:
            self.sandbox.control("options", before)

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The service's store, opened beside it."""
        opened = open_store(f"sqlite:///{self.service.directory / 'connector.db'}")
        try:
            yield opened
        finally:
            opened.close()

    @property
    def suspended(self) -> str:
        """A pair on an AWS account that is not ACTIVE."""
        return self.pair("Read", LEGACY)

    @property
    def grantable(self) -> list[str]:
        return [self.pair("Read", DATA), self.pair("Security", DATA), self.pair("Security", CORE)]


def tokens(**scopes: str) -> str:
    """CONNECTOR_API_TOKENS: scope (and what follows it) by token's name."""
    known = {"sailpoint": TOKEN, "reader": READ_TOKEN, "narrow": NARROW, "former": EXPIRED}
    after = {"former": ":2020-01-01"}
    digests = {name: hashlib.sha256(token.encode()).hexdigest() for name, token in known.items()}
    return ",".join(f"{name}:{scopes[name]}:{digests[name]}{after.get(name, '')}" for name in known)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The small organisation, and a service whose silences are short."""
    directory = tmp_path_factory.mktemp("rest")
    sandbox = Sandbox(options=Options(assignment_seconds=0.05))
    token_file = directory / "scim-token"
    with sandbox:
        token_file.write_text(sandbox.scim_token)
        given = tokens(sailpoint="provision", reader="read", narrow="provision@other", former="admin")
        service = Quick(
            sandbox, directory, sources(sandbox.scim_url, token_file), environment={"CONNECTOR_API_TOKENS": given}
        )
        with service:
            world = World(sandbox, service)
            # What needs a census is told after it with its own status, however busy the machine is.
            for each in ("default", "all", "other"):
                world.caller().ok(f"/v1/sources/{each}/entitlements/permissionSetAssignment")
            yield world


@pytest.fixture(scope="session")
def caller(world: World) -> Caller:
    """Somebody who may change things."""
    return world.caller()


SOURCE = "/v1/sources/default"


@pytest.fixture
def joiner(caller: Caller, request: pytest.FixtureRequest) -> Iterator[str]:
    """UserId of a new user without anything; gone after the test."""
    name = hashlib.sha256(request.node.nodeid.encode()).hexdigest()[:12]
    made = caller.post(f"{SOURCE}/accounts", {"userName": name, "givenName": "New", "familyName": "Comer"})
    assert made.status_code == 201, made.text
    yield made.json()["id"]
    caller.delete(f"{SOURCE}/accounts/{made.json()['id']}")
