"""schemathesis finds nothing (acceptance 4): the running service, with a token and without, every check.

The committed `schemathesis.toml` only adds expected statuses. What it cannot know, the name of a source, is given here.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from tests.running import TOKEN, Running

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "schemathesis.toml"
USUAL = {"2xx", "3xx", "401", "403", "404", "409", "429", "5xx"}
"""schemathesis's own expectation of a request that fits the document."""


@pytest.mark.timeout(400)  # a minute of work, on a machine that may have other things to do
@pytest.mark.parametrize("token", [TOKEN, None], ids=["authenticated", "anonymous"])
def test_schemathesis_finds_no_failure(tmp_path: Path, token: str | None) -> None:
    """On an organisation of its own, which it may change as it likes."""
    given = tmp_path / "given.toml"
    given.write_text('[parameters]\n"path.source" = "default"\n\n' + COMMITTED.read_text(encoding="utf-8"))
    types = 'entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]\n'
    place = tmp_path / "service"
    place.mkdir()
    with (
        Sandbox(options=Options(assignment_seconds=0.01)) as sandbox,
        Running(sandbox, place, f"[sources.default]\n{types}") as service,
    ):
        done = subprocess.run(
            [
                *(Path(sys.executable).with_name("st"), "--config-file", given),
                *("run", f"{service.url}/openapi.json", "--checks", "all", "--seed", "1", "--no-color"),
                # One worker: more of them meet a fault of CPython 3.11 that has two threads share a parser's depth.
                *("--max-examples", "8" if token else "4", "--workers", "1"),
                *(("--header", f"Authorization: Bearer {token}") if token else ()),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "Tested: 13" in done.stdout


def test_the_committed_configuration_only_adds_statuses() -> None:
    """400, 410 and 422, operation by operation, each with a comment that says why."""
    text = COMMITTED.read_text(encoding="utf-8")
    configured = tomllib.loads(text)

    assert set(configured) == {"operations"}
    assert text.count("\n[[operations]]\n#") == len(configured["operations"])
    for each in configured["operations"]:
        assert set(each) == {"include-operation-id", "checks"}
        (check,) = each["checks"].values()
        added = set(check["expected-statuses"]) - USUAL
        assert set(check) == {"expected-statuses"}
        assert set(check["expected-statuses"]) > USUAL
        assert added <= {"400", "410", "422"}
