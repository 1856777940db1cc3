"""docs/isc.md: its sentences, fields and names are those of the code."""

from __future__ import annotations

import json
import re

import pytest
from dev_server import BUNDLE

GUIDE = (BUNDLE.parents[1] / "docs" / "isc.md").read_text(encoding="utf-8")
SOURCES = "".join(path.read_text(encoding="utf-8") for path in sorted((BUNDLE / "src").glob("*.ts")))


def section(title: str) -> str:
    """What stands under a heading of the guide."""
    found = re.search(rf"^## \d+\. {title}$(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("said", re.findall(r"^\| `([^`]+)`", section("When something is wrong"), re.MULTILINE))
def test_sentences_are_the_bundles(said: str) -> None:
    text = re.sub(r"\$\{[^}]*\}|\s+", " ", SOURCES)
    number = re.match(r"answered (\d+)$", said)
    first, _, rest = said.partition(" is missing")

    if number is not None:
        assert f"status === {number[1]}" in text
    elif rest == "" and "is missing" in said:
        assert f"'{first}'" in text
    else:
        assert said in text


def test_fields_are_those_of_the_specification() -> None:
    spec = json.loads((BUNDLE / "connector-spec.json").read_text(encoding="utf-8"))
    items = spec["sourceConfig"][0]["items"][0]["items"]
    rows = re.findall(r"^\| ([^|`]+) \| `(\w+)` \|", section("Create the source"), re.MULTILINE)

    assert {key: label for label, key in rows} == {item["key"]: item["label"] for item in items}
    assert f"**{spec['name']}**" in GUIDE
    assert str(spec["sourceConfigInitialValues"]["provisioningTimeout"]) in section("Limits")
    for field in spec["accountCreateTemplate"]["fields"]:
        assert f"`{field['key']}`" in section("Correlation and the create profile")


def test_names_and_numbers_are_current() -> None:
    package = json.loads((BUNDLE / "package.json").read_text(encoding="utf-8"))

    assert f"{package['name']}-{package['version']}.zip" in GUIDE
    assert "'IDC_KEEP_ALIVE_SECONDS', 60)" in SOURCES
    assert "'IDC_SILENCE_SECONDS', 900)" in SOURCES
    assert "256 * 1024" in SOURCES


def test_links_lead_somewhere() -> None:
    for target, anchor in re.findall(r"\]\(([\w-]*\.md)?(?:#([\w-]+))?\)", GUIDE):
        page = GUIDE if not target else (BUNDLE.parents[1] / "docs" / target).read_text(encoding="utf-8")
        headings = [
            re.sub(r"[^\w -]", "", h.lower()).strip().replace(" ", "-")
            for h in re.findall(r"^#+ (.+)$", page, re.MULTILINE)
        ]
        assert not anchor or anchor in headings, (target, anchor)
