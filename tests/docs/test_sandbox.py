"""The lines of `docs/sandbox.md` run as printed. Whether its lists are complete: `tests/sandbox/test_documents.py`."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from connector.sandbox.main import banner
from connector.sandbox.oracle import dump
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
SHELL = re.findall(r"^```sh\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
PYTHON = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def truth(sandbox: Sandbox) -> str:
    """Everything there is, as it is now."""
    return json.dumps(dump(sandbox.organisation))


def run(sandbox: Sandbox, script: str) -> list[str]:
    """Lines that a shell says to `script`."""
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "SANDBOX": f"{sandbox.url}/_sandbox"}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize("script", SHELL, ids=range(len(SHELL)))
def test_its_lines_run_as_printed(script):
    """Each line of mutations changes something, and the last line puts the organisation back."""
    with Sandbox(small()) as sandbox:
        before = truth(sandbox)
        said = run(sandbox, script)
        assert truth(sandbox) == before
        assert [line for line in said if "accounts" not in json.loads(line)] == []
        if "mutate" in script:
            assert len(said) == script.count("\nmutate '")
            assert len(json.loads(before)["accounts"]) + 1 == json.loads(said[-1])["accounts"]


def test_a_mutation_that_names_nothing_changes_nothing():
    """400, and a word about it."""
    (define,) = re.findall(r"^mutate\(\).*$", TEXT, re.MULTILINE)
    with Sandbox(small()) as sandbox:
        before = truth(sandbox)
        (said,) = run(sandbox, f'{define}\nmutate \'{{"action":"delete_user","user":"nobody"}}\' || true')
        assert "nobody" in json.loads(said)["error"]
        assert truth(sandbox) == before


@pytest.mark.parametrize("code", PYTHON, ids=range(len(PYTHON)))
def test_its_python_runs(code):
    """As it stands."""
    exec(compile(code, "docs/sandbox.md", "exec"), {})  # noqa: S102 -- our own page


def test_the_service_runs_on_what_the_command_prints(tmp_path):
    """The lines up to `serve`, in a shell that knows nothing; `doctor` asks AWS, and reads a user through SCIM."""
    (lines,) = re.findall(r"^```console\n(eval .*?)^idc-connector serve\n```$", TEXT, re.DOTALL | re.MULTILINE)
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "NO_PROXY": "127.0.0.1"}
    with Sandbox(small()) as sandbox:
        (tmp_path / "sandbox.env").write_text(banner(sandbox), encoding="utf-8")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", lines],
            cwd=tmp_path,
            env={**environment, "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert re.search("idc_", done.stdout)
        assert sandbox.control("state")["calls"]["ScimGetUser"] > 0
    assert (tmp_path / "sandbox.db").exists()
    assert sorted(each.name for each in tmp_path.iterdir() if each.is_dir()) == [], "nothing in the state directory"
