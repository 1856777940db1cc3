"""The bundle's own unit tests, run by Node's test runner."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from types import ModuleType

from dev_server import BUNDLE


def test_unit_tests_of_the_bundle(building: ModuleType, bundle: Path) -> None:
    """Lines and characters across chunks, error texts, broken bodies, keepAlive, the brake."""
    compiled = sorted((BUNDLE / "build" / "test").glob("*.test.js"))
    assert len(compiled) == len(list((BUNDLE / "test").glob("*.test.ts"))) > 0

    done = subprocess.run(
        ["node", "--test", *map(str, compiled)], cwd=BUNDLE, capture_output=True, text=True, timeout=90, check=False
    )

    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    counted = re.search(r"^(?:#|ℹ) pass (\d+)$", done.stdout, re.MULTILINE)
    assert counted is not None
    assert int(counted[1]) >= 40
