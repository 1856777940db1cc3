"""The OpenAPI document: generated, committed, valid, and the same everywhere.

Run this file to write `spec/openapi.json` anew.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from connector.web.rest import create_rest
from connector.web.rest.face import Face
from tests.rest.conftest import World
from tests.web.face_fakes import fake_service

COMMITTED = Path(__file__).parents[2] / "spec" / "openapi.json"
DESIGNED = {
    "/v1/sources/{source}": {"get"},
    "/v1/sources/{source}/accounts": {"get", "post"},
    "/v1/sources/{source}/accounts/{id}": {"get", "patch", "delete"},
    "/v1/sources/{source}/accounts/{id}/enable": {"post"},
    "/v1/sources/{source}/accounts/{id}/disable": {"post"},
    "/v1/sources/{source}/accounts/{id}/entitlements/{type}": {"post"},
    "/v1/sources/{source}/accounts/{id}/entitlements/{type}/{value}": {"delete"},
    "/v1/sources/{source}/entitlements/{type}": {"get"},
    "/v1/sources/{source}/entitlements/{type}/{id}": {"get"},
    "/v1/operations/{id}": {"get"},
}
"""The table of docs/rest-face.md."""


def generated() -> dict[str, Any]:
    """The document as a service makes it that knows nothing of anybody's sources."""
    app = create_rest(Face(fake_service(), None))  # type: ignore[arg-type]
    document: dict[str, Any] = app.test_client().get("/openapi.json").json
    return document


def written(document: dict[str, Any]) -> str:
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_the_committed_document_is_the_generated_one() -> None:
    """`python tests/rest/test_openapi.py` writes it anew."""
    assert COMMITTED.read_text(encoding="utf-8") == written(generated())


def test_the_running_service_serves_it_to_everybody(world: World) -> None:
    assert world.caller(None).ok("/openapi.json") == json.loads(COMMITTED.read_text(encoding="utf-8"))


def test_it_has_the_routes_of_the_contract_and_no_others() -> None:
    document = generated()

    assert document["openapi"] == "3.1.0"
    assert {
        path: {name for name in operations if name != "parameters"} for path, operations in document["paths"].items()
    } == DESIGNED


def test_every_reference_leads_somewhere_and_no_shape_is_idle() -> None:
    text = written(generated())
    document = json.loads(text)
    referred = set(re.findall(r'"#/components/schemas/(\w+)"', text))

    assert referred - {"Entitlement"} == set(document["components"]["schemas"]) - {"Entitlement"}


def test_operations_have_names_that_links_use() -> None:
    document = generated()
    operations = [each for path in document["paths"].values() for name, each in path.items() if name != "parameters"]
    names = [each["operationId"] for each in operations]
    links = [
        link["operationId"]
        for each in operations
        for answer in each["responses"].values()
        for link in answer.get("links", {}).values()
    ]

    assert len(set(names)) == len(names)
    assert links
    assert set(links) <= set(names)


if __name__ == "__main__":
    COMMITTED.write_text(written(generated()), encoding="utf-8")
