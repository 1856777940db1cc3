"""Acceptance 1: SailPoint's 14 validation checks, through its dev server, the bundle and our service to the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from dev_server import DevServer
from isc_checks import CHECKS, Validator
from isc_sources import sources
from running import Running

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small


@pytest.fixture(scope="module")
def validator(dev_server: DevServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    """The checks, with a small organisation behind the service."""
    directory = tmp_path_factory.mktemp("validated")
    with (
        Sandbox(small(), Options(assignment_seconds=0.05)) as sandbox,
        Running(sandbox, directory, sources(sandbox, directory)) as service,
    ):
        yield Validator(dev_server.client(service.url).ask)


@pytest.mark.parametrize("check", CHECKS)
def test_validation(validator: Validator, check: str) -> None:
    """Every check holds, and none is skipped for a command that is missing."""
    CHECKS[check](validator)


def test_there_are_fourteen() -> None:
    assert len(CHECKS) == 14
