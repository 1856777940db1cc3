"""What clients say in headers about themselves counts for nothing, unless the operator said that there is a proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from connector.sandbox.server import Sandbox
from tests.running import TOKEN, Running

CLAIMS = {
    "X-Forwarded-For": "198.51.100.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example.com",
    "X-Real-IP": "198.51.100.7",
    "Forwarded": "for=198.51.100.7;proto=https",
    "X-Forwarded-User": "sailpoint",
    "X-Remote-User": "sailpoint",
    "Remote-User": "sailpoint",
    "X-SSL-Client-Verify": "SUCCESS",
    "SCRIPT_NAME": "/x",
}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


class Proxied(Running):
    """With a proxy in front, or so it is told."""

    def program(self) -> list[str]:
        return [*super().program(), "--behind-proxy"]


def refused(service: Running, **headers: str) -> dict[str, str]:
    """What the audit has of a refused caller."""
    requests.get(f"{service.url}/metrics", headers={"Authorization": "Bearer idc_nobody"} | headers, timeout=10)
    lines = [json.loads(line) for line in service.command("audit", "export").stdout.splitlines()]
    records = [line["record"] for line in lines if "record" in line]
    return dict(next(each for each in reversed(records) if each["what"] == "refused"))


def test_nobody_is_believed_by_default(sandbox: Sandbox, tmp_path: Path) -> None:
    with Running(sandbox, tmp_path) as service:
        assert requests.get(f"{service.url}/metrics", headers=CLAIMS, timeout=10).status_code == 401
        assert refused(service, **CLAIMS)["address"] == "127.0.0.1"
        shown = requests.get(
            f"{service.url}/v1/sources/default/accounts?limit=2",
            headers=CLAIMS | {"Authorization": f"Bearer {TOKEN}"},
            timeout=10,
        )
        assert shown.json()["next"].startswith(service.url)
        assert "Strict-Transport-Security" not in shown.headers


def test_a_proxy_is_believed_and_nobody_before_it(sandbox: Sandbox, tmp_path: Path) -> None:
    """The last address was written by the proxy; what stands before it by anybody."""
    with Proxied(sandbox, tmp_path) as service:
        through = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
        assert refused(service, **through)["address"] == "203.0.113.9"
        answer = requests.get(f"{service.url}/livez", headers=through, timeout=10)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


def test_failed_attempts_are_counted_by_the_address_that_the_proxy_saw(sandbox: Sandbox, tmp_path: Path) -> None:
    """One who guesses is slowed, whatever it claims; its neighbour, and whoever has a token, are not."""
    with Proxied(sandbox, tmp_path) as service:

        def guess(number: int, address: str) -> int:
            headers = {"Authorization": f"Bearer idc_guess{number}", "X-Forwarded-For": f"10.0.0.{number}, {address}"}
            return requests.get(f"{service.url}/metrics", headers=headers, timeout=10).status_code

        statuses = [guess(number, "203.0.113.9") for number in range(40)]
        assert statuses[:30] == [401] * 30
        assert set(statuses[30:]) == {429}
        assert guess(0, "203.0.113.10") == 401
        valid = {"Authorization": f"Bearer {TOKEN}", "X-Forwarded-For": "203.0.113.9"}
        assert requests.get(f"{service.url}/metrics", headers=valid, timeout=10).status_code == 200


def test_attempts_under_one_name_are_slowed_wherever_they_come_from(sandbox: Sandbox, tmp_path: Path) -> None:
    with Proxied(sandbox, tmp_path) as service:

        def guess(number: int, name: str) -> requests.Response:
            return requests.get(
                f"{service.url}/metrics",
                auth=(name, f"guess {number}"),
                headers={"X-Forwarded-For": f"203.0.113.{number}"},
                timeout=10,
            )

        answers = [guess(number, "sailpoint") for number in range(15)]
        assert [each.status_code for each in answers] == [401] * 10 + [429] * 5
        assert 0 < int(answers[-1].headers["Retry-After"]) <= 60
        assert guess(99, "other").status_code == 401
        valid = requests.get(f"{service.url}/metrics", auth=("sailpoint", TOKEN), timeout=10)
        assert valid.status_code == 200
