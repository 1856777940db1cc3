"""PostgreSQL for the tests of several replicas, and a connector that is started again and again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.aggregation.restarting import Restarting
from tests.databases import postgresql

__all__ = ["postgresql"]


@pytest.fixture
def connector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Restarting]:
    made = Restarting(tmp_path, monkeypatch)
    yield made
    made.stop()
