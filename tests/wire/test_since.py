"""`since`, in every form that a snapshot and a time have."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.errors import FixRequest
from connector.model import Since
from connector.wire.since import parse_since

NOON = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("text", [None, "", "  "])
def test_nothing(text: str | None) -> None:
    assert parse_since(text) is None


@pytest.mark.parametrize("text", ["17-0123abcd", "0", "999999999"])
def test_a_snapshot(text: str) -> None:
    assert parse_since(text) == Since(snapshot=text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T12:00:00Z",  # IdentityIQ's lastAggregationDate
        "2026-11-24T12:00:00.000Z",
        "2026-11-24T13:00:00+01:00",
        "2026-11-24 12:00:00",
        str(int(NOON)),
        str(int(NOON * 1000)),
    ],
)
def test_a_time(text: str) -> None:
    assert parse_since(text) == Since(moment=NOON)


def test_half_past_midnight_in_identityiqs_spelling() -> None:
    """Java's `kk` counts hours from 1 to 24: 00:30 is written 24:30, on the same day."""
    assert parse_since("2026-11-24T24:30:00Z") == Since(moment=datetime(2026, 11, 24, 0, 30, tzinfo=UTC).timestamp())


@pytest.mark.parametrize(
    "text", ["abc", "-1", "1.5", "2026-13-01", "2026-11-24T25:00:00Z", "9" * 15, "9" * 5000, "\0", "١٢", "0x10", "null"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(FixRequest):
        parse_since(text)
