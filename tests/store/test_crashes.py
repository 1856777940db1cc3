"""A process is killed with SIGKILL in the middle of a census: the others find the last snapshot whole, and go on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from connector.model import Fact
from connector.store import Store, open_store

KINDS = ("user", "group")
BEFORE = [Fact("group", "g1"), Fact("user", "u1", body={"name": "Ada"})]
DOOMED = [Fact("user", id_) for id_ in sorted(f"u{number}" for number in range(100))]


@pytest.mark.parametrize("place", ["staged", "publishing", "committing", "published"])
def test_killed(store: Store, store_url: str, place: str) -> None:
    """The last snapshot reads as before (or as the new one, once it is committed); a new census succeeds."""
    census = store.begin_census("aws", "one", 300)
    assert census is not None
    store.stage(census, BEFORE)
    store.publish(census, KINDS, {}, 0)

    die_at(place, store_url)

    latest = store.latest("aws")
    assert latest is not None
    assert latest.number == (2 if place == "published" else 1)
    expected = DOOMED if place == "published" else BEFORE
    assert [*store.page(latest, "group", "", 1000), *store.page(latest, "user", "", 1000)] == expected
    assert not store.census_running("aws")

    again = open_store(store_url)
    census = again.begin_census("aws", "two", 300)
    assert census is not None
    again.stage(census, [Fact("user", "u2")])
    published = again.publish(census, KINDS, {}, 0)
    assert published is not None
    assert published.number == latest.number + 1
    assert again.page(published, "user", "", 1000) == [Fact("user", "u2")]
    assert store.count(published, "user") == 1
    again.close()


def die_at(place: str, url: str) -> None:
    """Start a process, wait until it is there, and kill it."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", Path(__file__).with_name("crashing.py"), url, place], stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        process.kill()
