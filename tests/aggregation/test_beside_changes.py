"""A list comes to its end, and has them, however many changes are made meanwhile."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from connector.model import Op
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Restarting
from tests.running import Running, change, key

WRITERS = 4


def test_a_list_beside_a_stream_of_changes_ends_and_has_those_that_were_acknowledged(tmp_path: Path) -> None:
    """The first one, of which no earlier snapshot says anything, and those after it."""
    options = Options(assignment_seconds=0.1, latency_ms=10)
    sources = "[sources.default]\nsnapshot_max_age = 0\n"
    with Sandbox(options=options) as sandbox, Running(sandbox, tmp_path, sources) as service:
        users = [each.id for each in sandbox.organisation.store.users]
        acknowledged: dict[str, int] = dict.fromkeys(users, 0)
        stop = threading.Event()

        def write(mine: list[str]) -> None:
            client = service.client()
            for number, user in enumerate(itertools.cycle(mine), start=1):
                if stop.is_set():
                    return
                client.one("std:account:update", key(user, changes=[change("Set", "title", str(number))]))
                acknowledged[user] = number

        writers = [threading.Thread(target=write, args=(users[n::WRITERS],)) for n in range(WRITERS)]
        for each in writers:
            each.start()
        time.sleep(1)
        try:
            for _ in range(3):
                before = dict(acknowledged)
                listed = service.client(timeout=30).outputs("std:account:list")
                titles = {each["identity"]: each["attributes"].get("title", "0") for each in listed}
                late = {user: title for user, title in titles.items() if title.isdigit() and int(title) < before[user]}
                assert not late, "a list is older than what was acknowledged before it was asked for"
                assert set(titles) == set(users)
        finally:
            stop.set()
            for each in writers:
                each.join()
        assert sum(acknowledged.values()) > 20, "the writers wrote"


@pytest.mark.parametrize("before", ["nothing", "doubted", "another configuration"])
def test_a_census_ends_although_something_changes_whenever_it_wants_to(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """Also where no snapshot can say what became of those changes, and nothing is read again for ever."""
    with Sandbox() as sandbox:
        reading, writing = connector.on(sandbox), connector.on(sandbox)
        if before == "another configuration":
            connector.on(sandbox, inherited="none").accounts()
        elif before == "doubted":
            reading.accounts()
            reading.desk().freshness.doubt("somebody")
        users = sorted(reading.truth.users)
        publish = reading.core.records.publish
        wrote: dict[str, str] = {}

        def publish_after_a_change(*asked: Any, **how: Any) -> Any:
            assert len(wrote) < 5, "it reads again and again"
            user = users[len(wrote)]
            wrote[user] = f"title {len(wrote)}"
            writing.change(user, Op.SET, "title", wrote[user])
            return publish(*asked, **how)

        monkeypatch.setattr(reading.core.records, "publish", publish_after_a_change)
        titles = {user: each["attributes"].get("title") for user, each in reading.accounts().items()}
        assert {user: titles[user] for user in wrote} == wrote
        assert reading.desk().freshness.fresh() is not None


@pytest.mark.parametrize("before", ["nothing", "a list"])
def test_a_census_ends_although_some_change_cannot_be_read_back_whenever_it_wants_to(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    """What it leaves is doubted; what could be read back meanwhile is in it."""
    with Sandbox() as sandbox:
        reading, writing = connector.on(sandbox, snapshot_max_age=0), connector.on(sandbox)
        if before == "a list":
            reading.accounts()
        users = itertools.cycle(sorted(reading.truth.users))
        publish = reading.core.records.publish
        wrote: dict[str, str] = {}

        def publish_after_a_doubt(*asked: Any, **how: Any) -> Any:
            assert len(wrote) < 8, "it reads again and again"
            user = next(users)
            wrote[user] = f"title {len(wrote)}"
            writing.desk().freshness.doubt(next(users))
            writing.change(user, Op.SET, "title", wrote[user])
            return publish(*asked, **how)

        monkeypatch.setattr(reading.core.records, "publish", publish_after_a_doubt)
        titles = {user: each["attributes"].get("title") for user, each in reading.accounts().items()}
        assert {user: titles[user] for user in wrote} == wrote
        assert reading.newest().doubted
