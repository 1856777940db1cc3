"""The operator's pages."""

from __future__ import annotations

import pytest
from werkzeug.test import Client

from connector.errors import RetryLater
from connector.web.dispatch import Faces
from tests.web.face_fakes import READ, fake_service


def test_alive_and_ready() -> None:
    client = Client(Faces(fake_service()))
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.post("/livez").status_code == 405


@pytest.mark.parametrize("error", [RetryLater("The database does not answer."), OSError("disk")])
def test_without_a_store_we_are_alive_but_not_ready(error: Exception) -> None:
    def ready() -> None:
        raise error

    client = Client(Faces(fake_service(ready=ready)))
    assert client.get("/livez").status_code == 200
    assert client.get("/readyz").status_code == 503


def test_metrics_need_a_token() -> None:
    service = fake_service()
    service.metrics.show_aws_calls(lambda: {("default", "ListUsers"): 3})
    client = Client(Faces(service))
    assert client.get("/metrics").status_code == 401
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {READ}"})
    assert 'idc_aws_calls_total{operation="ListUsers",source="default"} 3.0' in answer.text


def test_a_rest_application_takes_its_paths() -> None:
    def rest(environ: object, start_response: object) -> list[bytes]:
        start_response("200 OK", [])  # type: ignore[operator]
        return [b"rest"]

    client = Client(Faces(fake_service(), rest))  # type: ignore[arg-type]
    assert [client.get(path).data for path in ("/v1/sources/x", "/v1", "/openapi.json")] == [b"rest"] * 3
    assert client.get("/v10").status_code == 404
