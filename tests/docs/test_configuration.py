"""`docs/configuration.md` names every variable and every option, with the defaults of the code."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from connector import settings as settings_module
from connector.model import Source
from connector.settings import Settings, default_store_url, read_settings
from connector.sources import parse_sources, seconds

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
ATTRIBUTES = {"CONNECTOR_API_TOKENS": "tokens"}


def rows(first: str) -> dict[str, list[str]]:
    """Cells of the table whose first column is headed `first`, by the name in its first cell."""
    _, _, after = TEXT.partition(f"| {first} |")
    table = after.partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {row[0].strip("`"): row[1:] for row in cells}


@pytest.fixture
def _empty_environment(monkeypatch):
    for name in rows("variable"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)


def test_every_variable_is_documented():
    """The table has what `settings` reads, and nothing else."""
    source = Path(settings_module.__file__).read_text(encoding="utf-8")

    assert set(rows("variable")) == set(re.findall(r'values\.get\("(CONNECTOR_\w+)"', source))


@pytest.mark.usefixtures("_empty_environment")
def test_defaults_of_variables():
    """What an empty environment means is what the table says."""
    found = read_settings()
    said = {name: cells[0] for name, cells in rows("variable").items()}

    assert said.pop("CONNECTOR_STORE_URL") == "SQLite in the user's state directory"
    assert found.store_url == default_store_url()
    assert found.store_url.startswith("sqlite:")
    assert said.pop("CONNECTOR_IDENTITYSTORE_TPS") == "as `CONNECTOR_AWS_TPS`"
    assert found.identitystore_tps == found.aws_tps
    assert said.pop("CONNECTOR_SOURCES") == "not set"
    assert dict(found.sources) == {"default": Source("default")}
    assert said == {name: written(getattr(found, attribute_of(name))) for name in said}


def attribute_of(variable: str) -> str:
    name = ATTRIBUTES.get(variable) or variable.removeprefix("CONNECTOR_").lower()
    assert name in {each.name for each in fields(Settings)}
    return name


def written(value: object) -> str:
    if value is None or value == ():
        return "not set"
    return f"{value:g}" if isinstance(value, float) else str(value)


def test_every_option_of_a_source_is_documented():
    """The table has the fields of `model.Source`, and nothing else."""
    assert set(rows("option")) == {each.name for each in fields(Source)} - {"name"}


@pytest.mark.parametrize("name", rows("option"))
def test_defaults_of_options(name):
    """What an empty table means is what the table says."""
    said, kind, _ = rows("option")[name]
    default = getattr(Source("x"), name)

    if default is None:
        assert said == "not set"
    elif kind == "duration":
        assert seconds(said.strip('`"')) == default
    else:
        sources, problems = parse_sources(f"[sources.x]\n{name} = {said.strip('`')}")
        assert problems == []
        assert getattr(sources["x"], name) == default


@pytest.mark.parametrize("name", rows("option"))
def test_choices_of_options(name):
    """An option with a fixed choice lists all of it."""
    hint = get_type_hints(Source)[name]
    if get_origin(hint) is Literal:
        assert rows("option")[name][1] == ", ".join(f'`"{each}"`' for each in get_args(hint))


@pytest.mark.parametrize("number", range(TEXT.count("```toml")))
def test_examples_are_valid(number):
    """A sources file copied from the page is accepted."""
    example = TEXT.split("```toml")[number + 1].partition("```")[0]

    sources, problems = parse_sources(example)

    assert problems == []
    assert "default" in sources
