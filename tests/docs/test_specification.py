"""`spec/connector-spec.json` is what the service says of a source with default options, and the ISC bundle's the same.

Both come from one table. Run this file to write both anew.
"""

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import pytest

from connector.commands import COMMANDS
from connector.commands.specification import specification
from connector.model import Source

SPEC = Path(__file__).parents[2] / "spec"
KEPT = SPEC / "connector-spec.json"


def written() -> str:
    return json.dumps(specification(Source("default")), indent=2, ensure_ascii=False) + "\n"


def bundles() -> ModuleType:
    """`spec/isc/specification.py`, which is no part of a package."""
    found = importlib.util.spec_from_file_location("bundle_specification", SPEC / "isc" / "specification.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_it_is_what_the_code_says():
    """A row changed in `connector/attributes.py` changes the file, or this fails."""
    assert KEPT.read_text(encoding="utf-8") == written(), "run: python tests/docs/test_specification.py"


def test_a_sources_file_that_is_not_there_is_said_in_a_sentence(monkeypatch, tmp_path):
    """`CONNECTOR_SOURCES=… make isc SOURCE=…` ends without a traceback."""
    monkeypatch.setenv("CONNECTOR_SOURCES", str(tmp_path / "sources.toml"))

    with pytest.raises(SystemExit) as ended:
        bundles().named("workforce")

    assert f"{tmp_path / 'sources.toml'}: No such file or directory" in str(ended.value)


def test_its_commands_are_commands_of_ours():
    """Those that a source with default options can do: neither enabling nor disabling."""
    named = json.loads(KEPT.read_text(encoding="utf-8"))["commands"]

    assert set(COMMANDS) - set(named) == {"std:spec:read", "std:account:enable", "std:account:disable"}
    assert set(named) <= set(COMMANDS)


def test_the_bundles_differs_only_where_it_must():
    """Identity Security Cloud wants the address of the service, and every command; all else is the same file."""
    ours = json.loads(KEPT.read_text(encoding="utf-8"))
    bundle = bundles()
    theirs = json.loads(bundle.KEPT.read_text(encoding="utf-8"))

    items = theirs["sourceConfig"][0]["items"][0]["items"]
    assert items[0] == bundle.ADDRESS
    del items[0]
    theirs["commands"] = [name for name in theirs["commands"] if name in ours["commands"]]
    assert theirs == ours


if __name__ == "__main__":
    KEPT.write_text(written(), encoding="utf-8")
    both = bundles()
    both.KEPT.write_text(both.written(both.EVERY_COMMAND), encoding="utf-8")
