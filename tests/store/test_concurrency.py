"""Many threads on one store: turns are taken, nothing is lost, nobody sees half of anything."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from connector.errors import CursorExpired, RetryLater
from connector.model import Fact
from connector.store import Store, open_store

KINDS = ("user", "membership")


def together(*tasks: Callable[[], object]) -> list[object]:
    """Run all at once; their results in order."""
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        ready.wait()
        return task()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return [each.result() for each in [pool.submit(run, task) for task in tasks]]


def publish(store: Store, *facts: Fact) -> None:
    census = store.begin_census("aws", "one", 300)
    assert census is not None
    store.stage(census, facts)
    assert store.publish(census, KINDS, {}, 10**9) is not None


def test_what_many_add_to_a_note_is_all_in_it(store: Store, store_url: str) -> None:
    """Each reads, adds and writes back, here and in another process, beginning with a note that is not there."""
    other = open_store(store_url)

    def add(of: Store, word: str) -> None:
        of.change_note("aws", "words", lambda kept: f"{kept or ''}{word} ")

    together(*(lambda n=n: add((store, other)[n % 2], f"w{n}") for n in range(12)))

    assert sorted((store.note("aws", "words") or "").split()) == sorted(f"w{n}" for n in range(12))
    other.close()


def test_one_of_many_gets_the_lease(store: Store, store_url: str) -> None:
    """Threads of this process, and another process's connections."""
    other = open_store(store_url)
    begins = [lambda each=each: each.begin_census("aws", "one", 300) for each in (store, other) * 4]

    assert sum(census is not None for census in together(*begins)) == 1

    other.close()


def test_a_source_and_kind_written_first_by_many(store: Store) -> None:
    """All get the same numbers."""
    together(*(lambda each=each: store.put_note("new", f"key{each}", "value") for each in range(8)))

    assert [store.note("new", f"key{each}") for each in range(8)] == ["value"] * 8


def test_marks_are_numbered_without_gaps(store: Store) -> None:
    """Each its own number."""

    def mark_five() -> list[int]:
        return [store.mark_change("aws", "u", KINDS) for _ in range(5)]

    numbers = [number for result in together(*[mark_five] * 4) for number in result]

    assert sorted(numbers) == list(range(1, 21))


def test_staging_by_many_threads(store: Store) -> None:
    """The same facts in other orders too."""
    facts = [Fact("user", f"u{number:03}") for number in range(300)]
    census = store.begin_census("aws", "one", 300)
    assert census is not None
    orders = (facts, facts[::-1], facts[150:] + facts[:150])

    together(*(lambda order=order: [store.stage(census, order) for _ in range(3)] for order in orders))

    assert list(store.staged(census, "user")) == facts


def test_own_changes_survive_publication(store: Store) -> None:
    """Marks and amendments go on while a census tries to publish what it read before them.

    It re-reads what was marked, and in the end everything that was acknowledged is in the newest snapshot.
    """
    users = [Fact("user", f"u{number}", f"u{number}", body={"changed": 0}) for number in range(5)]
    publish(store, *users)
    aws = {user.id: user for user in users}

    def change(user: Fact) -> None:
        for change in range(1, 6):
            aws[user.id] = Fact("user", user.id, user.id, body={"changed": change})
            store.mark_change("aws", user.id, KINDS)
            store.amend("aws", "", KINDS, {user.id: [aws[user.id]]})

    def take_census() -> None:
        for _ in range(4):
            census = store.begin_census("aws", "one", 300)
            assert census is not None
            seen = census.mark
            store.stage(census, list(aws.values()))
            while store.publish(census, KINDS, {}, seen) is None:
                seen, subjects = store.marks("aws", seen)
                for subject in subjects:
                    store.restage(census, subject, KINDS, [aws[subject]])

    together(take_census, *(lambda user=user: change(user) for user in users))

    latest = store.latest("aws")
    assert latest is not None
    assert [fact.body for fact in store.page(latest, "user", "", 10)] == [{"changed": 5}] * 5
    numbers = [number for number in range(1, latest.number + 1) if store.snapshot("aws", number)]
    assert numbers == list(range(1, latest.number + 1))


def test_readers_see_whole_snapshots(store: Store) -> None:
    """While they are replaced and swept, a snapshot reads whole or says that it is gone."""
    stop = threading.Event()

    def write() -> None:
        for round_ in range(10):
            publish(store, *(Fact("user", f"u{number}", body={"round": round_}) for number in range(50)))
            store.sweep(keep=0)
        stop.set()

    def read() -> int:
        whole = 0
        while not stop.is_set() or whole == 0:
            latest = store.latest("aws")
            if latest is None:
                continue
            try:
                rounds = [fact.body["round"] for fact in store.page(latest, "user", "", 100)]
            except CursorExpired:
                continue
            assert rounds == [latest.number - 1] * 50
            whole += 1
        return whole

    assert all(together(write, read, read)[1:])


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_writer_that_never_ends_is_not_waited_for_for_ever(
    store: Store, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others are told to try again; readers do not notice."""
    monkeypatch.setattr("connector.store.database.WAIT", 0.05)
    store.put_note("aws", "key", "value")

    with store._database.writing():
        with ThreadPoolExecutor(1) as pool, pytest.raises(RetryLater, match="store is busy"):
            pool.submit(store.put_note, "aws", "key", "other").result()
        assert store.note("aws", "key") == "value"
