"""Reading a snapshot: what each question answers, in which order, and from which index."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event, text

from connector.errors import CursorExpired
from connector.model import Fact, Snapshot
from connector.store import Store

USERS = [Fact("user", id_, id_, body={"name": id_, "tags": ["a", "b"]}) for id_ in ("B", "_", "a", "b", "ä", "ﬀ", "😀")]
"""In the order of code points, which is no language's."""
MEMBERSHIPS = [
    Fact("membership", "1", "b", "g2"),
    Fact("membership", "2", "a", "g1"),
    Fact("membership", "3", "b", "g1"),
    Fact("membership", "4", "ä", "g1"),
]
KINDS = ("user", "membership")


@pytest.fixture
def snapshot(store: Store) -> Snapshot:
    """A few users and memberships, published."""
    return publish(store, [*reversed(USERS), *MEMBERSHIPS])


def publish(store: Store, facts: list[Fact]) -> Snapshot:
    census = store.begin_census("aws", "one", 300)
    assert census is not None
    store.stage(census, facts)
    published = store.publish(census, KINDS, {}, 0)
    assert published is not None
    return published


def test_one(store: Store, snapshot: Snapshot) -> None:
    """By kind and id, with everything that was said."""
    assert store.one(snapshot, "user", "ä") == USERS[4]
    assert store.one(snapshot, "user", "A") is None
    assert store.one(snapshot, "membership", "ä") is None
    assert store.one(snapshot, "never heard of", "ä") is None


@pytest.mark.parametrize("name", ["\0", "b\0", "\ud800", "'", "", "%", "b" * 100_000], ids=range(7))
def test_names_that_nobody_has(store: Store, snapshot: Snapshot, name: str) -> None:
    """Callers may ask for anything; what cannot be there is not there."""
    assert store.one(snapshot, "user", name) is None
    assert store.about(snapshot, "membership", [name]) == []
    assert store.held(snapshot, "membership", [name]) == []
    assert store.holding(snapshot, "membership", name) == []


def test_pages_follow_one_another_by_id(store: Store, snapshot: Snapshot) -> None:
    """In the order of code points, on every database."""
    assert store.page(snapshot, "user", "", 100) == USERS

    seen: list[Fact] = []
    while page := store.page(snapshot, "user", seen[-1].id if seen else "", 3):
        assert len(page) <= 3
        seen += page

    assert seen == USERS
    assert store.page(snapshot, "pair", "", 3) == []


def test_about(store: Store, snapshot: Snapshot) -> None:
    """By subject, then id; a subject asked twice answers once; any number of subjects."""
    assert [fact.id for fact in store.about(snapshot, "membership", ["ä", "b", "a", "b", "z"])] == ["2", "1", "3", "4"]
    assert store.about(snapshot, "membership", []) == []
    assert store.held(snapshot, "membership", ["ä", "b", "b"]) == [("b", "g2"), ("b", "g1"), ("ä", "g1")]
    assert store.held(snapshot, "membership", []) == []
    many = [f"nobody{number}" for number in range(2000)]
    assert [fact.id for fact in store.about(snapshot, "membership", [*many, "b"])] == ["1", "3"]


def test_held_by_all_from_one_to_another(store: Store, snapshot: Snapshot) -> None:
    """Between them in the order of code points; both ends are among them."""
    names = [each.id for each in USERS]
    assert store.held(snapshot, "membership", names, gapless=True) == store.held(snapshot, "membership", names)
    assert store.held(snapshot, "membership", ["B", "_", "a"], gapless=True) == [("a", "g1")]
    assert store.held(snapshot, "membership", ["b", "ä"], gapless=True) == [("b", "g2"), ("b", "g1"), ("ä", "g1")]
    assert store.held(snapshot, "membership", [], gapless=True) == []


def test_holding_and_tally(store: Store, snapshot: Snapshot) -> None:
    """Who holds a thing, by id; and how many hold each."""
    assert [fact.id for fact in store.holding(snapshot, "membership", "g1")] == ["2", "3", "4"]
    assert store.holding(snapshot, "membership", "g9") == []
    assert store.tally(snapshot, "membership") == {"g1": 3, "g2": 1}
    assert store.tally(snapshot, "user") == {}
    assert store.tally(snapshot, "never heard of") == {}


def test_count(store: Store, snapshot: Snapshot) -> None:
    """Of each kind."""
    assert [store.count(snapshot, kind) for kind in (*KINDS, "pair")] == [7, 4, 0]


def test_changed(store: Store, snapshot: Snapshot) -> None:
    """New, changed and vanished, by kind and id, whichever comes first; what changed back does not differ."""
    second = publish(store, [*USERS[1:], Fact("user", "c", "c"), MEMBERSHIPS[0]])
    third = publish(store, [*USERS[:-1], Fact("user", "😀", "😀", body={"name": "other"}), MEMBERSHIPS[0]])

    def changed(since: Snapshot, until: Snapshot, *kinds: str) -> list[tuple[str, str]]:
        return list(store.changed("aws", since.number, until.number, kinds or ("user", "membership", "pair")))

    gone = [("membership", "2"), ("membership", "3"), ("membership", "4")]
    assert changed(snapshot, second) == [*gone, ("user", "B"), ("user", "c")]
    assert changed(second, snapshot) == changed(snapshot, second)
    assert changed(snapshot, third) == [*gone, ("user", "😀")]
    assert changed(snapshot, third, "user") == [("user", "😀")]
    assert changed(third, third) == []


def test_a_snapshot_that_is_not_kept_is_never_half_read(store: Store, snapshot: Snapshot) -> None:
    """Every question says so, instead of answering with what is left."""
    publish(store, USERS)
    store.sweep(keep=0)

    assert store.snapshot("aws", snapshot.number) is None
    for question in (
        lambda: store.one(snapshot, "user", "a"),
        lambda: store.page(snapshot, "user", "", 10),
        lambda: store.about(snapshot, "membership", ["a"]),
        lambda: store.held(snapshot, "membership", ["a"]),
        lambda: store.holding(snapshot, "membership", "g1"),
        lambda: store.tally(snapshot, "membership"),
        lambda: store.count(snapshot, "user"),
        lambda: list(store.changed("aws", 1, 2, ["user"])),
        lambda: list(store.changed("aws", 2, 3, ["user"])),
        lambda: list(store.touched("aws", 1, 2, ["user"])),
    ):
        with pytest.raises(CursorExpired, match="of source aws"):
            question()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_every_question_uses_its_index(store: Store, snapshot: Snapshot) -> None:
    """SQLite plans without statistics: a wrong guess would read the whole table for each page."""
    publish(store, USERS)
    plans = _plans_of(
        store,
        lambda: store.one(snapshot, "user", "a"),
        lambda: store.page(snapshot, "user", "", 10),
        lambda: store.about(snapshot, "membership", [f"u{number}" for number in range(500)]),
        lambda: store.holding(snapshot, "membership", "g1"),
        lambda: store.tally(snapshot, "membership"),
        lambda: list(store.changed("aws", 1, 2, ["user"])),
    )

    assert [[step for step in plan if "fact" in step] for plan in plans] == [
        ["SEARCH fact USING INDEX sqlite_autoindex_fact_1 (source=? AND kind=? AND id=? AND valid_from<?)"],
        ["SEARCH fact USING INDEX sqlite_autoindex_fact_1 (source=? AND kind=? AND id>?)"],
        ["SEARCH fact USING INDEX fact_subject (source=? AND kind=? AND subject=?)"],
        ["SEARCH fact USING INDEX fact_held (source=? AND kind=? AND held=? AND valid_from<?)"],
        ["SEARCH fact USING COVERING INDEX fact_held (source=? AND kind=?)"],
        [
            "SEARCH fact USING INDEX fact_closed (source=? AND valid_to>? AND valid_to<?)",
            "SEARCH fact USING INDEX fact_opened (source=? AND valid_from>? AND valid_from<?)",
        ],
    ]


def _plans_of(store: Store, *questions: object) -> list[list[str]]:
    """How SQLite goes about the first statement on facts that each question makes."""
    asked: list[tuple[str, object]] = []
    engine = store._database.engine

    def listen(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        if "FROM fact" in statement:
            asked.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", listen)
    for question in questions:
        question()
    event.remove(engine, "before_cursor_execute", listen)
    assert len(asked) == len(questions)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM fact")).scalar_one() > 0
        return [
            [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            for statement, parameters in asked
        ]


def test_the_newest_of_a_time(store: Store) -> None:
    """Nothing before the first; then the one that was the newest at that moment."""
    assert store.snapshot_at("aws", time.time()) is None
    first = publish(store, [])
    time.sleep(0.05)  # the database's own clock says when a snapshot was published
    second = publish(store, [Fact("user", "a")])

    assert store.snapshot_at("aws", first.completed_at - 1) is None
    assert store.snapshot_at("aws", first.completed_at + 0.01) == first
    assert store.snapshot_at("aws", time.time() + 1) == second


def test_a_note_is_kept_once(store: Store) -> None:
    """Whoever asks later, or at the same time, gets the first one's."""
    with ThreadPoolExecutor(8) as threads:
        told = set(threads.map(lambda each: store.keep_note("s", "key", str(each)), range(8)))

    assert len(told) == 1
    assert store.keep_note("s", "key", "other") in told
    assert store.note("s", "key") in told
