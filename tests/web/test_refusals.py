"""What the framework refuses says what to send instead, on every face."""

from __future__ import annotations

import io

import pytest
from werkzeug.test import Client

from tests.web.face_fakes import PROVISION

BEARER = {"Authorization": f"Bearer {PROVISION}"}
JSON = {**BEARER, "Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
ACCOUNTS = "/v1/sources/default/accounts"


@pytest.mark.parametrize(
    ("method", "path", "use"),
    [
        ("GET", "/", "use POST."),
        ("PUT", "/a/invoke", "use POST."),
        ("POST", "/livez", "use GET."),
        ("DELETE", "/metrics", "use GET."),
        ("GET", "/oauth/token", "use POST."),
        ("PUT", ACCOUNTS, "use GET or POST."),
        ("POST", f"{ACCOUNTS}/u-1", "use DELETE or GET or PATCH."),
        ("POST", "/openapi.json", "use GET."),
    ],
)
def test_another_method_is_told_which_to_use(both: Client, method: str, path: str, use: str) -> None:
    answer = both.open(path, method=method, headers=BEARER)

    told = answer.text if answer.content_type.startswith("text/plain") else answer.get_json()["detail"]
    assert answer.status_code == 405
    assert told.endswith(use)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "headers", "limit"),
    [("/", JSON, 2_097_152), (ACCOUNTS, JSON, 2_097_152), ("/oauth/token", FORM, 32_768)],
)
def test_a_body_that_is_too_large_is_told_the_limit(
    both: Client, path: str, headers: dict[str, str], limit: int, chunked: bool
) -> None:
    body = b'{"a":"' + b"x" * limit + b'"}'
    chunks = {"input_stream": io.BytesIO(body), "environ_overrides": {"wsgi.input_terminated": True}}
    answer = both.post(path, headers=headers, **(chunks if chunked else {"data": body}))

    assert answer.status_code == 413
    assert f"larger than {limit:,} bytes" in answer.text
