"""`docs/attributes.md` says what the attribute table says. Run this file to write the tables anew."""

import re
from collections.abc import Iterable
from pathlib import Path

from connector import attributes
from connector.attributes import ENTITLEMENT_TYPES, INHERITED_ACCESS, SCALARS, Attribute, Shown

DOCUMENT = Path(__file__).parents[2] / "docs" / "attributes.md"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *map(list, rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def in_aws(row: Attribute) -> str:
    """Where DescribeUser keeps it: `Emails[0].Value`."""
    text = ""
    for step in row.read:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f'["{step}"]' if ":" in step else f".{step}"
    return f"`{text.removeprefix('.')}`"


def can(row: Attribute) -> str:
    if row.required:
        return "required"
    return "yes" if row.writable else "read-only"


def account_scalars() -> str:
    rows = ((f"`{row.name}`", can(row), in_aws(row), row.description) for row in SCALARS)
    return table(("attribute", "can be changed", "in AWS", "what it is"), rows)


def account_lists() -> str:
    rows = []
    for type_ in ENTITLEMENT_TYPES.values():
        rows.append((f"`{type_.attribute}`", "yes", f"`{type_.name}`", type_.description))
        if type_.inherited:
            rows.append((f"`{type_.inherited}`", "read-only", f"`{type_.name}`", "The same, held through groups"))
    rows.append((f"`{INHERITED_ACCESS}`", "read-only", "text", "Access held through groups, readable"))
    return table(("attribute", "can be changed", "values are ids of", "what it is"), rows)


def shown(rows: Iterable[Shown]) -> str:
    kinds = ((f"`{row.name}`", f"{row.type}, list" if row.multi else row.type, row.description) for row in rows)
    return table(("attribute", "type", "what it is"), kinds)


def tables() -> dict[str, str]:
    """Every table of the document by the name in its marks."""
    own = {type_.name: shown(type_.own) for type_ in ENTITLEMENT_TYPES.values()}
    return {"scalars": account_scalars(), "lists": account_lists(), "common": shown(attributes.COMMON), **own}


def filled(text: str) -> str:
    """The document with every table between its marks replaced."""
    for name, made in tables().items():
        mark = re.compile(rf"(<!-- table: {name} -->\n).*?(<!-- end -->)", re.DOTALL)
        text, count = mark.subn(lambda found, made=made: f"{found[1]}{made}\n{found[2]}", text)
        assert count == 1, f"docs/attributes.md has {count} places for the table {name}"
    return text


def test_the_document_has_the_tables_of_the_code():
    """A row changed in `connector/attributes.py` changes the document, or this fails."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert text == filled(text), "run: python tests/docs/test_attributes.py"


def test_every_entitlement_type_is_in_the_contract_table():
    """The ids of each type are explained."""
    text = DOCUMENT.read_text(encoding="utf-8")

    assert [name for name in ENTITLEMENT_TYPES if f"## `{name}`" not in text] == []


if __name__ == "__main__":
    DOCUMENT.write_text(filled(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
