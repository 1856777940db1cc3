"""`docs/operations.md` and `docs/saas-face.md` say what the service does: metrics, health pages, statuses, commands."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from connector import errors
from connector.cli import COMMANDS as TYPED
from connector.commands import COMMANDS
from connector.serving import OPTIONS
from connector.web.metrics import Metrics
from connector.web.ops import PATHS
from connector.web.service import Limits
from connector.wire.problems import PROBLEMS

ROOT = Path(__file__).parents[2]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
FACE = (ROOT / "docs" / "saas-face.md").read_text(encoding="utf-8")


def first_cells(text: str, head: str) -> list[str]:
    """Code in the first column of the table headed `head`."""
    table = text.partition(f"| {head} |")[2].partition("\n\n")[0]
    return [name for line in table.splitlines() for name in re.findall(r"`([^`]+)`", line.split("|")[1])]


def test_metrics_are_those_of_the_service():
    """Every metric is documented under the name Prometheus sees."""
    metrics = Metrics()
    metrics.show_aws_calls(lambda: {("default", "ListUsers"): 1})
    shown = {family.name + ("_total" if family.type == "counter" else "") for family in metrics.registry.collect()}

    assert set(first_cells(OPERATIONS, "metric")) == shown


def test_health_pages_are_those_of_the_service():
    """The paths an orchestrator asks."""
    assert set(first_cells(OPERATIONS, "path")) == PATHS


def test_times_and_limits_are_those_of_the_code():
    """Numbers that an operator copies into other systems."""
    assert f"{OPTIONS['graceful_timeout']} seconds at most" in OPERATIONS
    assert f"with {OPTIONS['threads']} threads" in OPERATIONS
    for stop in (*re.findall(r"TimeoutStopSec=(\d+)", OPERATIONS), *re.findall(r"--stop-timeout (\d+)", OPERATIONS)):
        assert int(stop) > OPTIONS["graceful_timeout"]
    limits = Limits()
    assert f"| {limits.commands} commands run already" in FACE
    assert f"after {limits.keep_alive:.0f} seconds of silence" in FACE
    assert limits.body == 2 * 1024 * 1024


def test_commands_of_the_face_are_documented():
    """The table has every command, and no other."""
    assert set(first_cells(FACE, "command")) == set(COMMANDS)


def test_statuses_of_the_door_are_documented():
    """Every status that the one table gives the SaaS face; 499 reaches nobody."""
    said = set(map(int, re.findall(r"^\| (\d{3}) \|", FACE, re.MULTILINE)))

    assert {problem.saas_status for problem in PROBLEMS.values()} - {500, 499} <= said
    assert PROBLEMS[errors.Busy].saas_status == 429


def test_commands_of_the_command_line_are_documented():
    """The table has every command that `--help` lists."""
    section = OPERATIONS.partition("## The command line")[2]

    assert set(first_cells(section, "command")) == {f"idc-connector {name}" for name in TYPED}


def texts() -> Iterator[str]:
    """Every string of the code; `…` stands where a value is filled in."""
    for path in (ROOT / "connector").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def test_sentences_in_the_troubleshooting_table_are_those_of_the_code():
    """Who searches the page for what he saw finds it."""
    shown = [cell for cell in first_cells(OPERATIONS, "what you see") if " " in cell]
    said = "\0".join(texts())

    assert len(shown) > 10
    patterns = {cell: r"[^\0]*?".join(map(re.escape, cell.split("…"))) for cell in shown}
    assert [cell for cell, pattern in patterns.items() if not re.search(pattern, said)] == []
