"""A first page that needs a long census: the answer stays alive until it can begin, and never lies (decision 8)."""

from __future__ import annotations

import http.client
import json
import shutil
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from connector.sandbox.server import Sandbox
from tests.rest.conftest import SOURCE, Caller, World, kind_of
from tests.rest.quick import LIMITS
from tests.running import TOKEN, UNPACED, Running

FRESH, BROKEN = "/v1/sources/fresh/accounts", "/v1/sources/broken/accounts"
HEADERS = {"Authorization": f"Bearer {TOKEN}"}


def raw(world: World, path: str, version: str = "1.1") -> bytes:
    """Everything that comes over the wire until the server ends it."""
    with socket.create_connection(("127.0.0.1", world.service.port), timeout=20) as connection:
        lines = [f"GET {path} HTTP/{version}", "Host: x", f"Authorization: Bearer {TOKEN}", "Connection: close"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        received = b""
        while more := connection.recv(65536):
            received += more
        return received


@pytest.mark.parametrize("path", [FRESH, "/v1/sources/fresh/entitlements/permissionSetAssignment"])
def test_blanks_come_while_the_census_runs(world: World, path: str) -> None:
    """A client whose read time-out is shorter than the census by far sees a whole answer."""
    with world.options(latency_ms=600):
        began = time.monotonic()
        answer = requests.get(f"{world.service.url}{path}", headers=HEADERS, timeout=(1, 4 * LIMITS.silence))
        seconds = time.monotonic() - began

    assert seconds > 4 * LIMITS.silence, "the census was too short to tell"
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    blanks = len(answer.content) - len(answer.content.lstrip())
    assert 2 <= blanks <= seconds / LIMITS.silence + 1
    assert len(answer.json()["items"]) > 3


def test_a_short_census_sends_no_blanks(world: World) -> None:
    """And has a length."""
    answer = world.caller().get(FRESH)

    assert int(answer.headers["Content-Length"]) == len(answer.content.strip())


def test_one_entitlement_waits_in_the_same_way(world: World) -> None:
    with world.options(latency_ms=350):
        path = f"/v1/sources/fresh/entitlements/group/{world.group('aws_data_read')}"
        answer = requests.get(f"{world.service.url}{path}", headers=HEADERS, timeout=(1, 4 * LIMITS.silence))

    assert answer.json()["displayName"] == "aws_data_read"


# ---- when it fails


def test_what_fails_at_once_has_its_own_status(world: World) -> None:
    with world.options(deny=["ListUsers"]):
        answer = world.caller().get(FRESH)

    assert (answer.status_code, kind_of(answer)) == (502, "aws-permission-missing")


@pytest.mark.parametrize("version", ["1.1", "1.0"])
def test_what_fails_later_is_broken_off(world: World, version: str) -> None:
    """The status is out. What follows the blanks is no JSON, and over HTTP/1.1 no end either."""
    with world.fault("ListUsers", "error500"):
        received = raw(world, BROKEN, version)

    head, _, body = received.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/{version} 200".encode())
    assert b"aws-failed: " in body
    assert b"identitystore:ListUsers" in body
    assert not received.endswith(b"0\r\n\r\n")
    told = body if version == "1.0" else b"".join(body.split(b"\r\n")[1::2])
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(told)


def test_every_client_sees_that_it_is_broken(world: World) -> None:
    with world.fault("ListUsers", "error500"):
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            requests.get(f"{world.service.url}{BROKEN}", headers=HEADERS, timeout=10)
        connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=10)
        connection.request("GET", BROKEN, headers=HEADERS)
        with pytest.raises(http.client.HTTPException):
            connection.getresponse().read()
        connection.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl_sees_that_it_is_broken(world: World) -> None:
    with world.fault("ListUsers", "error500"):
        done = subprocess.run(
            ["curl", "-sS", "-H", f"Authorization: Bearer {TOKEN}", f"{world.service.url}{BROKEN}"], capture_output=True
        )

    assert done.returncode != 0


# ---- when the client leaves


def test_clients_that_leave_free_their_places(world: World) -> None:
    """And the census they waited for goes on, for those who come next."""
    with world.options(latency_ms=400):
        for _ in range(LIMITS.commands):
            connection = http.client.HTTPConnection("127.0.0.1", world.service.port, timeout=5)
            connection.request("GET", FRESH, headers=HEADERS)
            assert connection.getresponse().status == 200  # blanks are coming
            connection.close()
        deadline = time.monotonic() + 5
        while (answer := world.caller().get(f"{SOURCE}/accounts/{world.user('ada')}")).status_code == 429:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert answer.status_code == 200


def test_everybody_waits_for_one_census(world: World) -> None:
    """Several first pages at once show the same snapshot."""
    with world.options(latency_ms=100), ThreadPoolExecutor(4) as pool:
        caller = Caller(world.service.url)
        shown = list(pool.map(lambda _: caller.ok(FRESH)["snapshot"]["id"], range(4)))

    assert len(set(shown)) <= 2  # a late one may begin the next


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_client_of_thirty_seconds_reads_what_takes_three_minutes(tmp_path: Path) -> None:
    """The shipped silence, a real clock, and AWS at so few calls a second that the census takes that long."""
    pace = {**UNPACED, "CONNECTOR_AWS_TPS": "0.1", "CONNECTOR_IDENTITYSTORE_TPS": "5"}
    with Sandbox() as sandbox, Running(sandbox, tmp_path, environment=pace) as service:
        began = time.monotonic()
        answer = requests.get(f"{service.url}{SOURCE}/accounts", headers=HEADERS, timeout=(5, 30))
        seconds = time.monotonic() - began

    assert seconds > 180, "the directory was read too fast to tell"
    assert len(answer.json()["items"]) == 12
