"""A service whose way to AWS goes wrong on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from tests.faults.proxy import Proxy
from tests.named import Named
from tests.operations.killing import truth
from tests.running import Client, Running

SOURCES = """
[sources.default]
[sources.fresh]
snapshot_max_age = 0
[sources.hasty]
snapshot_max_age = 0
read_deadline = 1
[sources.role]
snapshot_max_age = 0
read_deadline = 1
role_arn = "arn:aws:iam::111122223333:role/IdentityCenterConnector"
"""


@dataclass
class Way(Named):
    """The small organisation, a service, and the proxy between."""

    sandbox: Sandbox
    proxy: Proxy
    service: Running

    def client(self, source: str = "default") -> Client:
        return self.service.client(source)

    def held(self, user_name: str) -> set[str] | None:
        """What AWS says a user holds; None when there is no such user."""
        found = truth(self.sandbox)
        id_ = found["users"].get(user_name)
        return None if id_ is None else found["held"][id_]

    def calls(self, operation: str) -> int:
        """How often AWS heard of an operation."""
        found: int = self.sandbox.control("state")["calls"].get(operation, 0)
        return found


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Way]:
    """One service for a module; tests use users of their own."""
    with Sandbox(options=Options(assignment_seconds=0.1)) as sandbox, Proxy(sandbox) as proxy:
        directory = tmp_path_factory.mktemp("way")
        with Running(sandbox, directory, SOURCES, environment=proxy.environment()) as service:
            yield Way(sandbox, proxy, service)


@pytest.fixture
def way(stage: Way) -> Iterator[Way]:
    """The stage, with nothing wrong before and after."""
    yield stage
    stage.proxy.clear()
    stage.sandbox.control("faults", {"clear": True})
    assert stage.sandbox.control("state")["crashes"] == []
