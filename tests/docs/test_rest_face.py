"""`docs/rest-face.md` lists what the face answers, with the scopes and numbers of the code. Problems: `tests/rest/`."""

import json
import re
from pathlib import Path

from connector.model import Source
from connector.store.operation_keys import DAY
from connector.web.rest.door import LONGEST_KEY
from connector.web.scopes import NEEDS
from connector.web.service import Limits
from connector.wire.sizes import MOST_VALUES

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "rest-face.md").read_text(encoding="utf-8")
OPENAPI = json.loads((ROOT / "spec" / "openapi.json").read_text(encoding="utf-8"))
BASE = "/v1/sources/{source}"


def rows() -> dict[tuple[str, str], str]:
    """Scope by (method, path), from the table of requests."""
    table = TEXT.partition("| request |")[2].partition("\n\n")[0].splitlines()[2:]
    found = {}
    for line in table:
        request, scope = line.split("|")[1:3]
        first, *others = re.findall(r"`([^`]+)`", request)  # `POST /accounts/{id}/enable`, `/disable`
        method, _, address = first.partition(" ")
        path = address.partition("?")[0]
        for each in (path, *(path.rpartition("/")[0] + other for other in others)):
            found[method.lower(), each if each.startswith("/v1") else BASE + each] = scope.strip(" `")
    return found


def test_every_route_is_listed_with_its_scope():
    """What OpenAPI has, no more; and what the one table of scopes says of it."""
    operations = {
        (method, path): operation["operationId"]
        for path, methods in OPENAPI["paths"].items()
        for method, operation in methods.items()
        if method != "parameters"
    }

    assert rows() == {each: NEEDS[f"rest.{name}"] for each, name in operations.items()}


def test_numbers_are_those_of_the_code():
    """Limits and times that a caller relies on."""
    assert Limits().silence == 10
    assert "after ten seconds, and every ten seconds" in TEXT
    assert f"(at most {LONGEST_KEY} printable characters" in TEXT
    assert DAY == 24 * 3600
    assert "first one's answer for 24 hours" in TEXT
    assert f"({Source('default').change_deadline:g} seconds)" in TEXT
    assert f"{MOST_VALUES:,}" in TEXT
