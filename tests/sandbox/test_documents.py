"""docs/sandbox.md says what the sandbox does: no more, no less."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from connector.sandbox.control import ACTIONS
from connector.sandbox.dispatch import OPERATIONS
from connector.sandbox.faults import KINDS
from connector.sandbox.main import sandbox_command
from connector.sandbox.mutations import MUTATIONS
from connector.sandbox.options import Options

TEXT = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()


def section(title):
    """The text below a heading, up to the next one."""
    return re.split(r"^##+ ", TEXT.split(f" {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]


def first_cells(title):
    """The names in the first column of a section's table."""
    rows = [line.split("|")[1] for line in section(title).splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row)}


def test_the_options_of_the_command_are_listed():
    options = {name for option in sandbox_command.params for name in option.opts}

    assert first_cells("Options of the command") == options


@pytest.mark.parametrize("service", sorted(OPERATIONS))
def test_the_operations_are_listed(service):
    assert set(re.findall(r"\w+", section(service))) == set(OPERATIONS[service])


def test_the_live_options_are_listed_with_their_defaults():
    assert first_cells("Live options") == {row.name for row in fields(Options)}
    told = dict(re.findall(r"^\| `(\w+)` \| ([\w.]+) \|", section("Live options"), re.MULTILINE))
    for name, default in told.items():
        value = getattr(Options(), name)
        spoken = "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value).lower()
        assert default == spoken, name


def test_the_actions_mutations_and_faults_are_listed():
    assert first_cells("The control endpoint") == set(ACTIONS)
    assert first_cells("Fault rules") == set(KINDS)
    assert set(re.findall(r'"action":"(\w+)"', section("Mutations"))) == set(MUTATIONS)


def test_every_row_of_motos_errors_is_answered():
    rows = re.findall(r"^\| (\d+) \|", section("Where it is better than moto"), re.MULTILINE)

    assert rows == [str(number) for number in range(1, 23)]
