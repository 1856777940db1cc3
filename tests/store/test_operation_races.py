"""Operations under many hands: threads, connections and processes that want the same at once."""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from connector.errors import RetryLater
from connector.model import Operation
from connector.store import Store, open_store
from connector.store.ledgers import operation
from connector.store.operation_leases import lock
from tests.store.abandoning import STEPS
from tests.store.test_concurrency import together
from tests.store.test_operations import accept, expire


def stores(store: Store, url: str) -> tuple[Store, Store]:
    """The same store, through two sets of connections."""
    return store, open_store(url)


def test_the_same_wish_of_many(store: Store, store_url: str) -> None:
    """Is one operation, and one of them runs it."""
    both = stores(store, store_url)
    for content in ("c1", "c2"):
        made = together(*(lambda n=n, content=content: accept(both[n % 2], content, owner=f"o{n}") for n in range(8)))
        assert len({each.id for each, _ in made}) == 1
        assert sum(mine for _, mine in made) == 1
    assert len(store.operations.listed(None, False, 100)) == 2
    both[1].close()


def test_the_same_wish_of_many_after_another(store: Store, store_url: str) -> None:
    """The first one's is still going on, and was undone since: they share one that comes after that."""
    both = stores(store, store_url)
    first, _ = accept(store, "remove")
    between, _ = accept(store, "add")
    made = together(*(lambda n=n: accept(both[n % 2], "remove", owner=f"o{n}") for n in range(8)))
    assert sum(mine for _, mine in made) == 1
    assert [each.id for each in store.operations.listed("aws", True, 100)] == [made[0][0].id, between.id, first.id]
    assert len({each.id for each, _ in made}) == 1
    both[1].close()


def test_the_same_key_of_many(store: Store, store_url: str) -> None:
    """With content of each its own: the first one's counts."""
    both = stores(store, store_url)
    made = together(*(lambda n=n: accept(both[n % 2], f"c{n}", key="k1") for n in range(8)))
    assert len({each.id for each, _ in made}) == 1
    assert sum(mine for _, mine in made) == 1
    assert len(store.operations.listed(None, False, 100)) == 1
    both[1].close()


def test_an_abandoned_one_goes_to_one(store: Store, store_url: str) -> None:
    """Of those who look for abandoned ones and those who ask for the same again."""
    both = stores(store, store_url)
    for n in range(4):
        first, _ = accept(store, f"c{n}")
        expire(store)

        def ask(n: int, content: str = f"c{n}") -> bool:
            if n % 3 == 0:
                return accept(both[n % 2], content, owner=f"o{n}")[1]
            return both[n % 2].operations.take_abandoned(f"o{n}", 30) is not None

        assert sum(together(*(lambda n=n: ask(n) for n in range(6)))) == 1
        kept = store.operations.operation(first.id)
        assert kept is not None
        assert kept.fence == 2
        store.operations.end(kept, "failed", {})
    both[1].close()


def test_abandoned_ones_are_shared(store: Store, store_url: str) -> None:
    """Each goes to one of many; nobody waits for another's."""
    both = stores(store, store_url)
    made = {accept(store, f"c{n}", turn=f"u{n}")[0].id for n in range(20)}
    expire(store)

    def take(store: Store, owner: str) -> list[str]:
        taken = []
        for _ in range(200):
            one = store.operations.take_abandoned(owner, 300)
            if one is not None:
                taken.append(one.id)
        return taken

    taken = [id_ for each in together(*(lambda n=n: take(both[n % 2], f"o{n}") for n in range(4))) for id_ in each]
    assert Counter(taken) == dict.fromkeys(made, 1)
    both[1].close()


def test_an_owner_that_was_overtaken_writes_nothing(store: Store, store_url: str) -> None:
    """Of one that ends and one that takes over at once, whoever is first holds; the other hears of it."""
    both = stores(store, store_url)
    for n in range(8):
        first, _ = accept(store, f"c{n}")
        expire(store)

        def end(first: Operation = first) -> bool:
            try:
                return store.operations.end(first, "succeeded", {}).state == "succeeded"
            except RetryLater:
                return False

        ended, taken = together(end, lambda: both[1].operations.take_abandoned("two", 30))
        assert ended == (taken is None)
        if taken is not None:
            assert taken.id == first.id
            assert both[1].operations.record(taken, STEPS).steps == STEPS
            both[1].operations.end(taken, "failed", {})
    both[1].close()


@pytest.mark.parametrize("sources", [1, 3])
def test_turns_across_processes(store: Store, store_url: str, sources: int) -> None:
    """Many accept changes of one account at once: they run one after another, in the order of acceptance."""
    both = stores(store, store_url)
    running: list[str] = []
    order: list[str] = []

    def change(store: Store, n: int) -> None:
        one, mine = accept(store, f"c{n}", source=f"s{n % sources}")
        assert mine
        while not store.operations.turn_come(one):
            time.sleep(0.005)
        running.append(one.id)
        assert running == [one.id]
        order.append(one.id)
        running.remove(one.id)
        store.operations.end(one, "succeeded", {})

    together(*(lambda n=n: change(both[n % 2], n) for n in range(8)))

    assert [each.id for each in store.operations.listed(None, False, 100)] == order[::-1]
    both[1].close()


TAKE = """
import sys
from connector.store import open_store
store = open_store(sys.argv[1])
sys.stdin.readline()
while (operation := store.operations.take_abandoned(sys.argv[2], 300)) is not None:
    print(operation.id)
    store.operations.end(operation, "failed", {})
"""


def test_processes_share_what_a_dead_one_left(store: Store, store_url: str) -> None:
    """A process is killed with its operations; two others finish each of them once."""
    dying = Path(__file__).with_name("abandoning.py")
    with subprocess.Popen([sys.executable, "-W", "error", dying, store_url], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        made = {process.stdout.readline().decode().strip() for _ in range(12)}
        process.kill()
    known = {each.id: each for each in store.operations.listed(None, True, 100)}
    assert known.keys() == made
    assert all(each.steps == STEPS for each in known.values())
    expire(store)

    takers = [
        subprocess.Popen(
            [sys.executable, "-W", "error", "-c", TAKE, store_url, owner],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for owner in ("two", "three")
    ]
    for taker in takers:
        assert taker.stdin is not None
        taker.stdin.write("go\n")
        taker.stdin.flush()
    taken: list[str] = []
    for taker in takers:
        out, said = taker.communicate(timeout=60)
        assert taker.returncode == 0, said
        taken += out.split()

    assert Counter(taken) == dict.fromkeys(made, 1)
    assert {each.fence for each in store.operations.listed(None, False, 100)} == {2}


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_a_taker_waits_for_nobody(store: Store, store_url: str) -> None:
    """Another has the oldest in hand, in a transaction that does not end: the next oldest is given out."""
    first, _ = accept(store, "c1")
    second, _ = accept(store, "c2")
    expire(store)
    other = open_store(store_url)
    with other._database.writing() as connection:
        assert lock(connection, operation.c.id == first.id) is not None
        taken = store.operations.take_abandoned("two", 30)
    assert taken is not None
    assert taken.id == second.id
    other.close()
