"""What documents point to is there: files of this repository, links between documents, sections in them."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        ROOT / "CHANGELOG.md",
        ROOT / "SECURITY.md",
        *(ROOT / "docs").rglob("*.md"),
    ]
)
ROOMS = ("connector/", "tests/", "spec/", "docs/", ".ci/")
FILES = (
    "pyproject.toml",
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-build.lock",
    "Makefile",
    "Dockerfile",
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_paths_named_in_documents_exist(document):
    """Every `path/in/code` of this repository."""
    named = {
        name
        for name in re.findall(r"`([^`\s]+)`", document.read_text(encoding="utf-8"))
        if (name.startswith(ROOMS) and "/dist/" not in name) or name in FILES  # dist is what `make isc` makes
    }

    assert [name for name in sorted(named) if not list(ROOT.glob(name.rstrip("/")))] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_between_documents_lead_somewhere(document):
    """The file is there, and so is the section."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if re.match(r"\w+:", target):
            continue
        name, _, section = target.partition("#")
        path = (document.parent / name).resolve() if name else document
        if not path.exists() or (section and section not in sections(path)):
            broken.append(target)

    assert broken == []


def sections(path: Path) -> set[str]:
    """Anchors of a document's headings, as code hosts make them."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_names_in_recipes_exist():
    """`NAMES_IN_CAPITALS` and `functions()` of CONTRIBUTING.md stand in the file named beside them."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for name in ("COMMANDS", "INPUTS", "SCALARS", "NOT_TESTABLE", "ENTITLEMENT_TYPES", "GIVE", "TAKE", "PROBLEMS"):
        assert f"`{name}`" in text
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "connector").rglob("*.py"))
    named = set(re.findall(r"`([A-Z_]{4,}(?=`)|\w+(?=\(\)`))", text))

    assert [name for name in sorted(named) if not re.search(rf"^(def )?{name}\b", code, re.MULTILINE)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_documents_are_plain(document):
    """No emoji, no private address of a machine, no package index."""
    text = document.read_text(encoding="utf-8")

    assert not re.search("[\U0001f300-\U0001faff\u2600-\u27bf]", text)
    assert not re.search(r"/work/|/home/\w|/root/|index-url", text)
