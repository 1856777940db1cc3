"""The audit in the store: one chain whoever appends, and nothing that is done to it stays unseen."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import delete, event, insert, text, update

from connector.audit_trail import Head
from connector.audit_verification import Verdict, verify
from connector.errors import CallUs, RetryLater
from connector.store import Store, open_store
from connector.store.ledgers import audit, audit_head
from tests.store.test_concurrency import together
from tests.store.test_operations import Hand

KEY = b"k" * 32
APPEND = """
import sys
from connector.store import open_store
store = open_store(sys.argv[1], audit_key=b"k" * 32)
for number in range(15):
    store.audit.append({"by": sys.argv[2], "number": number})
"""


def verdict(store: Store, key: bytes | None = None) -> Verdict:
    return verify(store.audit.lines(), key)


def records(store: Store) -> list[dict[str, object]]:
    return [json.loads(line)["record"] for line in list(store.audit.lines())[:-1]]


def fill(store: Store, count: int) -> None:
    for number in range(1, count + 1):
        store.audit.append({"number": number, "who": "ü\0", "nothing": None})


def test_appended(store: Store, store_url: str) -> None:
    """In order, word for word, and the head goes along."""
    assert verdict(store) == Verdict(True, 0)
    fill(store, 3)

    other = open_store(store_url)
    assert records(other) == [{"number": number, "who": "ü\0", "nothing": None} for number in (1, 2, 3)]
    assert verdict(other) == Verdict(True, 3)
    last = json.loads(list(store.audit.lines())[2])
    assert other.audit.head() == store.audit.head() == Head(3, last["hash"])
    other.close()


def test_a_record_that_is_none(store: Store) -> None:
    """A defect of ours; the chain goes on without it."""
    fill(store, 1)
    for record in ({"x": object()}, {"x": float("nan")}):
        with pytest.raises(CallUs):
            store.audit.append(record)
    fill(store, 1)
    assert verdict(store) == Verdict(True, 2)


def test_more_than_a_batch(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever fits."""
    monkeypatch.setattr("connector.store.audit.BATCH", 4)
    for count in range(1, 10):
        fill(store, 1)
        assert verdict(store) == Verdict(True, count)


def test_a_key(store_url: str) -> None:
    """What was chained with one passes only with it."""
    store = open_store(store_url, audit_key=KEY)
    fill(store, 2)
    assert verdict(store, KEY) == Verdict(True, 2)
    assert verdict(store).line == verdict(store, b"o" * 32).line == 1
    store.close()
    # Somebody forgot the key: from there on it is wrong, and the closing line too.
    store = open_store(store_url)
    fill(store, 1)
    assert verdict(store, KEY).line == 3
    store.close()


def test_an_export_from_a_time_on(tmp_path: Path) -> None:
    """From the first entry that is not older; it passes alone."""
    hand = Hand()
    store = open_store(f"sqlite:///{tmp_path}/store.db", hand)
    for _ in range(4):
        fill(store, 1)
        hand.time += 10
    begin = hand.time - 40

    for since, expected in ((begin, 4), (begin + 10, 3), (begin + 10.5, 2), (begin + 30, 1), (begin + 31, 0)):
        part = list(store.audit.lines(since))
        assert len(part) == expected + 1
        assert verify(part) == Verdict(True, expected)
        assert expected == 0 or verify(part[1:]).line == 1
    store.close()


def test_what_is_appended_meanwhile_is_left_out(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export is of one moment."""
    monkeypatch.setattr("connector.store.audit.BATCH", 2)
    fill(store, 5)
    lines = store.audit.lines()
    begun = [next(lines)]
    fill(store, 5)
    assert verify([*begun, *lines]) == Verdict(True, 5)


# ---- many


def test_one_chain_of_many_threads(store: Store, store_url: str) -> None:
    """Each record once, in the sink in the order of the chain."""
    heard: list[str] = []
    stores = [open_store(store_url, audit_sink=heard.append) for _ in range(2)]

    def append(store: Store, by: int) -> None:
        for number in range(10):
            store.audit.append({"by": by, "number": number})

    together(*(lambda each=each: append(stores[each % 2], each) for each in range(6)))

    assert verdict(store) == Verdict(True, 60)
    assert heard == list(store.audit.lines())[:-1]
    assert sorted((each["by"], each["number"]) for each in records(store)) == [
        (by, number) for by in range(6) for number in range(10)
    ]
    assert verify(heard, head=store.audit.head()) == Verdict(True, 60)
    for each in stores:
        each.close()


def test_one_chain_of_many_processes(store_url: str) -> None:
    """None waits so long that it fails."""
    store = open_store(store_url, audit_key=KEY)
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", APPEND, store_url, by], stderr=subprocess.PIPE)
        for by in "abc"
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()

    assert verdict(store, KEY) == Verdict(True, 45)
    for by in "abc":
        assert [each["number"] for each in records(store) if each["by"] == by] == list(range(15))
    store.close()


# ---- what is done to it


DAMAGE = {
    "a record": (update(audit).where(audit.c.seq == 3).values(record='{"number":4}'), 3),
    "no record": (update(audit).where(audit.c.seq == 3).values(record="{"), 3),
    "a time": (update(audit).where(audit.c.seq == 3).values(at=audit.c.at + 1), 3),
    "no time": (update(audit).where(audit.c.seq == 3).values(at=1e300), 3),
    "a hash": (update(audit).where(audit.c.seq == 3).values(hash="0" * 64), 3),
    "taken out": (delete(audit).where(audit.c.seq == 3), 3),
    "the first taken": (delete(audit).where(audit.c.seq == 1), 1),
    "the last taken": (delete(audit).where(audit.c.seq == 5), 5),
    "all taken": (delete(audit), 1),
    "put in after": (insert(audit).values(seq=6, at=0, record="{}", hash="0" * 64), 6),
    "put in before": (insert(audit).values(seq=0, at=0, record="{}", hash="0" * 64), 1),
    "the head put back": (update(audit_head).values(entries=4), 6),
    "the head's hash": (update(audit_head).values(hash="0" * 64), 6),
    "no head": (delete(audit_head), 6),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage(store: Store, damage: str) -> None:
    """Is found at the first line that is not what was written there."""
    fill(store, 5)
    statement, line = DAMAGE[damage]
    with store._database.writing() as connection:
        connection.execute(statement)

    found = verdict(store)

    assert (found.ok, found.line) == (False, line)


def test_two_entries_swapped(store: Store) -> None:
    """As the rest."""
    fill(store, 5)
    with store._database.writing() as connection:
        for old, new in ((2, -2), (4, 2), (-2, 4)):
            connection.execute(update(audit).where(audit.c.seq == old).values(seq=new))
    assert verdict(store).line == 2


def test_without_a_head_nothing_is_appended(store: Store) -> None:
    """Nor changed, then."""
    fill(store, 1)
    with store._database.writing() as connection:
        connection.execute(delete(audit_head))
    with pytest.raises(RetryLater, match="lost its head"):
        fill(store, 1)
    assert store.audit.head() == Head(0, "")


# ---- the sink


def test_a_sink_hears_of_it_before_it_is_kept(store: Store, store_url: str) -> None:
    """Others do not see the entry yet."""
    seen: list[tuple[dict[str, object], int]] = []
    hearing = open_store(
        store_url, audit_sink=lambda line: seen.append((json.loads(line)["record"], store.audit.head().count))
    )
    hearing.audit.append({"n": 1})
    hearing.audit.append({"n": 2})
    assert seen == [({"n": 1}, 0), ({"n": 2}, 1)]
    hearing.close()


@pytest.mark.parametrize("fault", [OSError("full"), TimeoutError(), ValueError("closed file")])
def test_a_sink_that_fails(store: Store, store_url: str, fault: Exception) -> None:
    """Nothing is recorded, the caller is told to come again, and nobody is kept from reading."""
    broken = True

    def sink(line: str) -> None:
        if broken:
            raise fault

    failing = open_store(store_url, audit_sink=sink)
    for _ in range(2):
        with pytest.raises(RetryLater, match="CONNECTOR_AUDIT_LOG") as caught:
            failing.audit.append({"n": 1})
        assert caught.value.__cause__ is fault
    assert store.audit.head().count == 0
    assert records(store) == []
    assert failing.note("aws", "key") is None

    broken = False
    failing.audit.append({"n": 2})
    assert records(store) == [{"n": 2}]
    assert verdict(store) == Verdict(True, 1)
    failing.close()


def test_announced_and_not_kept(store: Store, store_url: str) -> None:
    """The store failed after the sink had heard: the log passes all the same, and so does the store."""
    heard: list[str] = []
    failing = open_store(store_url, audit_sink=heard.append)
    failing.audit.append({"n": 1})
    engine = failing._database.engine

    def fail(_connection: object) -> None:
        raise OSError("the machine stopped here")

    event.listen(engine, "commit", fail)
    for _ in range(2):
        with pytest.raises(OSError, match="stopped"):
            failing.audit.append({"n": 2})
    event.remove(engine, "commit", fail)
    failing.audit.append({"n": 3})
    failing.audit.append({"n": 4})

    assert [json.loads(line)["seq"] for line in heard] == [1, 2, 2, 2, 3]
    assert verify(heard, head=store.audit.head()) == Verdict(True, 5)
    assert verdict(store) == Verdict(True, 3)
    assert [each["n"] for each in records(store)] == [1, 3, 4]
    failing.close()


def test_a_full_disk(tmp_path: Path) -> None:
    """Nothing is recorded; reads go on."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    fill(store, 1)
    engine = store._database.engine
    engine.dispose()
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
    with pytest.raises(RetryLater, match="disk is full"):
        store.audit.append({"x": "x" * 100_000})
    assert verdict(store) == Verdict(True, 1)
    store.close()


def test_sqlite_waits_for_the_disk(tmp_path: Path) -> None:
    """Power loss takes back nothing that was acknowledged."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    for context in (store._database.reading, store._database.writing):
        with context() as connection:
            assert connection.execute(text("PRAGMA synchronous")).scalar_one() == 2
    store.close()
