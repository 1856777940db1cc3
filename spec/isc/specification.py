"""The bundle's connector-spec.json: ours, and the key that says where the connector service is.

    python spec/isc/specification.py           writes spec/isc/connector-spec.json, for a source with every command
    python spec/isc/specification.py NAME      writes to standard output, for that source of CONNECTOR_SOURCES

Identity Security Cloud sends only the commands that the uploaded specification lists, so the one that is kept lists
all: a source that has no way to disable says so itself. Accounts and entitlement types are those of default options.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from connector.commands.specification import specification
from connector.errors import FixConfiguration
from connector.model import Source
from connector.settings import read_settings

KEPT = Path(__file__).with_name("connector-spec.json")
EVERY_COMMAND = Source("default", disable_by="scim")
ADDRESS = {
    "key": "connectorUrl",
    "label": "Address of the connector service",
    "type": "url",
    "required": True,
    "placeholder": "https://connector.example.com",
    "helpKey": "Where Identity Security Cloud reaches the connector service: a public HTTPS address.",
}


def bundle_specification(source: Source) -> dict[str, Any]:
    """connector-spec.json of the bundle for a source."""
    derived = specification(source)
    items = derived["sourceConfig"][0]["items"][0]["items"]
    items[:] = [ADDRESS, *(item for item in items if item["key"] != ADDRESS["key"])]
    return derived


def written(source: Source) -> str:
    """Its text."""
    return json.dumps(bundle_specification(source), indent=2, ensure_ascii=False) + "\n"


def named(name: str) -> Source:
    """A source of the sources file that the environment names."""
    try:
        sources = read_settings().sources
    except FixConfiguration as error:
        sys.exit(str(error))
    if name not in sources:
        sys.exit(f"There is no source {name}; there are {', '.join(sorted(sources))} (CONNECTOR_SOURCES).")
    return sources[name]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(written(named(sys.argv[1])))
    else:
        KEPT.write_text(written(EVERY_COMMAND), encoding="utf-8")
