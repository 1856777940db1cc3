"""The bundle, built once; SailPoint's dev server with it; our service on the emulated AWS behind it.

Where Node is missing or too old, or where its packages cannot be fetched, these tests are skipped and say so.
"""

from __future__ import annotations

import fcntl
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

HERE = Path(__file__).parent
ISC = HERE.parents[1] / "spec" / "isc"
for place in (HERE, HERE.parent, ISC):
    sys.path.insert(0, str(place))

from dev_server import DevServer  # noqa: E402
from isc_sources import sources  # noqa: E402
from running import Running  # noqa: E402

from connector.sandbox.options import Options  # noqa: E402
from connector.sandbox.seed import Size, generated  # noqa: E402
from connector.sandbox.server import Sandbox  # noqa: E402

_NO_REGISTRY = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ECONNRESET|ENETUNREACH|ERR_SOCKET_TIMEOUT|E40[13]"
)
"""npm's words for a registry that does not answer here; anything else is a failure of ours."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first of these tests fetches packages and compiles."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.timeout(400))


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"isc_{name}", ISC / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def specification() -> ModuleType:
    """spec/isc/specification.py."""
    return _loaded("specification")


@pytest.fixture(scope="session")
def building() -> ModuleType:
    """spec/isc/bundle.py, its packages installed."""
    module = _loaded("bundle")
    problem = module.node_problem()
    if problem is not None:
        pytest.skip(f"the bundle for Identity Security Cloud is not tested: {problem}")
    # Workers of one run take turns.
    with (ISC / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        try:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("npm_config_fetch_retries", "1")
                patch.setenv("npm_config_fetch_retry_mintimeout", "1000")
                module.install()
        except RuntimeError as error:
            if _NO_REGISTRY.search(str(error)):
                pytest.skip("the bundle for Identity Security Cloud is not tested: npm packages cannot be fetched here")
            raise
    return module


@pytest.fixture(scope="session")
def bundle(building: ModuleType, specification: ModuleType) -> Path:
    """The zip."""
    wanted = specification.written(specification.EVERY_COMMAND)
    made: Path = building.target_for(None)
    with (ISC / "package.json").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not _built(made, wanted):
            building.build(wanted, made)
    return made


def _built(made: Path, specification: str) -> bool:
    """Whether the zip is newer than what it is made of; a test compares it with one made anew."""
    of = [*ISC.glob("src/*"), *ISC.glob("test/*"), *ISC.glob("*.json"), ISC / "bundle.py"]
    kept = made.with_name("connector-spec.json")
    return (
        made.exists()
        and kept.exists()
        and kept.read_text(encoding="utf-8") == specification
        and made.stat().st_mtime > max(each.stat().st_mtime for each in of)
    )


@pytest.fixture(scope="session")
def dev_server(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DevServer]:
    """SailPoint's dev server with what is shipped."""
    quick = {"IDC_SILENCE_SECONDS": "20"}
    with DevServer(tmp_path_factory.mktemp("dev-server"), environment=quick) as server:
        yield server


@pytest.fixture(scope="session")
def organisation(bundle: Path) -> Iterator[Sandbox]:
    """An emulated AWS with 1,000 users."""
    made = generated(Size(users=1_000, groups=60, permission_sets=25, aws_accounts=40), seed=6)
    with Sandbox(made, Options(assignment_seconds=0.05)) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def service(organisation: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Our service on it."""
    directory = tmp_path_factory.mktemp("service")
    with Running(organisation, directory, sources(organisation, directory)) as running:
        yield running
