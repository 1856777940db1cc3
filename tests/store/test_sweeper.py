"""What is forgotten, and what never is."""

from __future__ import annotations

from sqlalchemy import func, select, update

from connector.model import Fact, Snapshot
from connector.store import Store
from connector.store.tables import fact, mark, snapshot, source, staged

KINDS = ("user",)


def publish(store: Store, *names: str) -> Snapshot:
    census = store.begin_census("aws", "one", 300)
    assert census is not None
    store.stage(census, [Fact("user", name, name) for name in names])
    published = store.publish(census, KINDS, {}, 10**9)
    assert published is not None
    return published


def rows(store: Store, table: object) -> int:
    with store._database.reading() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def age(store: Store, seconds: float) -> None:
    """Make everything that is kept older."""
    with store._database.writing() as connection:
        connection.execute(update(snapshot).values(published_at=snapshot.c.published_at - seconds))
        connection.execute(update(mark).values(at=mark.c.at - seconds))
        connection.execute(
            update(source).values(
                lease_until=source.c.lease_until - seconds, lease_started=source.c.lease_started - seconds
            )
        )


def test_the_newest_snapshot_stays(store: Store) -> None:
    """However old it is."""
    latest = publish(store, "a", "b")
    age(store, 10**6)

    store.sweep(keep=0)

    assert store.latest("aws") == latest
    assert store.count(latest, "user") == len(store.page(latest, "user", "", 10)) == 2


def test_a_snapshot_stays_for_a_while_after_it_was_replaced(store: Store) -> None:
    """Its own age does not count: somebody may have begun to read it a moment before."""
    first = publish(store, "a", "b")
    age(store, 10**6)
    second = publish(store, "a", "c")
    store.sweep(keep=3600)
    assert [fact.id for fact in store.page(first, "user", "", 10)] == ["a", "b"]

    age(store, 3601)
    store.sweep(keep=3600)

    assert store.snapshot("aws", 1) is None
    assert store.snapshot("aws", 2) == second
    assert [fact.id for fact in store.page(second, "user", "", 10)] == ["a", "c"]
    assert rows(store, fact) == 2


def test_facts_of_kept_snapshots_stay(store: Store) -> None:
    """Of three, the middle one is kept, and with it what ended after it."""
    publish(store, "a", "b", "c")
    second = publish(store, "b", "c")
    age(store, 3601)
    publish(store, "c")

    store.sweep(keep=3600)

    assert store.snapshot("aws", 1) is None
    assert [fact.id for fact in store.page(second, "user", "", 10)] == ["b", "c"]
    assert rows(store, fact) == 2
    assert list(store.changed("aws", 2, 3, KINDS)) == [("user", "b")]


def test_more_facts_than_fit_a_batch(store: Store) -> None:
    """All of them go."""
    publish(store, *(f"u{number}" for number in range(6000)))
    publish(store, "a")

    store.sweep(keep=0)

    assert rows(store, fact) == 1


def test_old_marks_go(store: Store) -> None:
    """But their number goes on, and a census that runs keeps those it will ask for."""
    store.mark_change("aws", "u1", KINDS)
    census = store.begin_census("aws", "one", 10**7)
    assert census is not None
    store.mark_change("aws", "u2", KINDS)
    age(store, 10**6)

    store.sweep(keep=3600)
    assert store.marks("aws", 0) == (2, {"u2"})

    store.abandon(census, "enough")
    store.sweep(keep=3600)
    assert store.marks("aws", 0) == (2, frozenset())
    assert store.mark_change("aws", "u3", KINDS) == 3


def test_staged_facts_of_a_running_census_stay(store: Store) -> None:
    """Even of one that is late; one that is very late lost its lease for good, with what it staged."""
    census = store.begin_census("aws", "one", 1)
    assert census is not None
    store.stage(census, [Fact("user", "a")])
    age(store, 60)
    store.sweep(keep=0)
    assert rows(store, staged) == 1

    age(store, 3600)
    store.sweep(keep=0)

    assert rows(store, staged) == 0
    assert not store.renew(census, 300)


def test_nothing_to_sweep(store: Store) -> None:
    """An empty store, and a source without snapshots."""
    store.sweep(keep=0)
    store.put_note("aws", "key", "value")
    store.sweep(keep=0)
    assert store.note("aws", "key") == "value"
    assert rows(store, snapshot) == 0
