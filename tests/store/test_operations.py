"""Operations: who runs which, in what order, and what is found again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, update

from connector.errors import CallUs, FixRequest, RetryLater
from connector.model import Operation, Recorded, Result, Step, Verb
from connector.store import Store, open_store
from connector.store.ledgers import operation, operation_key
from tests.databases import Server
from tests.store.abandoning import STEPS

DAY = 24 * 3600.0
CREATE, UPDATE = "std:account:create", "std:account:update"


class Hand:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1_000_000.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def timed(tmp_path: Path, hand: Hand) -> Iterator[Store]:
    """A store whose time is ours: SQLite's."""
    opened = open_store(f"sqlite:///{tmp_path}/store.db", hand)
    yield opened
    opened.close()


def accept(
    store: Store,
    content: str = "c1",
    *,
    source: str = "aws",
    command: str = UPDATE,
    turn: str = "u1",
    account: str = "u1",
    caller: str = "isc",
    key: str = "",
    asked: Mapping[str, object] | None = None,
    owner: str = "one",
    lease: float = 30,
) -> tuple[Operation, bool]:
    return store.operations.accept(
        source, command, turn, account, caller, content, key, asked or {"id": "u1"}, owner, lease
    )


def _for_steps(told: Operation) -> Operation:
    """As it is told to who wants to know of its steps."""
    return replace(told, asked={}, answer={})


def expire(store: Store) -> None:
    """All leases have run out."""
    with store._database.writing() as connection:
        connection.execute(update(operation).values(lease_until=operation.c.lease_until - 1000))


# ---- what is kept


def test_what_was_accepted_is_found_again(store: Store, store_url: str) -> None:
    """Every word of it, by another process too."""
    asked = {"attributes": {"userName": "ada", "groups": ["g1"]}, "n": None}
    made, mine = accept(store, command=CREATE, turn="ada", account="", key="k1", asked=asked)

    assert mine
    assert made.id.startswith("op_")
    assert len(made.id) == 29
    assert made == Operation(
        id=made.id,
        source="aws",
        command=CREATE,
        account="",
        turn="ada",
        caller="isc",
        content="c1",
        key="k1",
        asked=asked,
        state="accepted",
        steps=(),
        answer={},
        accepted_at=made.accepted_at,
        ended_at=None,
        fence=1,
    )
    other = open_store(store_url)
    assert other.operations.operation(made.id) == made
    other.close()
    assert store.operations.operation("op_unknown") is None
    assert store.operations.operation("op_\0") is None


def test_steps_account_and_answer(store: Store) -> None:
    """The account stays known when later records do not name it."""
    made, _ = accept(store, command=CREATE, account="")

    known = store.operations.record(made, STEPS, "u1")
    again = store.operations.record(made, STEPS[:2])
    done = store.operations.end(made, "partly", {"problem": {"title": "ü"}})

    assert known == replace(made, steps=STEPS, account="u1")
    assert again == replace(made, steps=STEPS[:2], account="u1")
    assert done == replace(again, state="partly", answer={"problem": {"title": "ü"}}, ended_at=done.ended_at)
    assert done.ended_at is not None
    assert done.ended_at >= done.accepted_at
    assert store.operations.operation(made.id) == done


def test_ids_are_not_guessed(store: Store) -> None:
    """All differ, in all their length."""
    ids = {accept(store, f"c{number}")[0].id for number in range(50)}
    assert len({id_[3:13] for id_ in ids}) == len({id_[-10:] for id_ in ids}) == 50


@pytest.mark.parametrize("wish", [{"key": "k\0"}, {"turn": "\ud800"}, {"account": "x" * 513}, {"key": "k" * 100_000}])
def test_what_no_database_keeps(store: Store, wish: dict[str, str]) -> None:
    """It was sent: the caller hears of it, and nothing is accepted."""
    with pytest.raises(FixRequest):
        accept(store, **wish)
    with pytest.raises(CallUs):
        accept(store, asked={"clock": object()})
    assert store.operations.listed(None, False, 10) == []
    assert accept(store, turn="ü" * 512, account="\U0001f600" * 512, key="k" * 255, caller="c" * 512)[1]


# ---- the same wish


def test_the_same_content_is_the_same_operation(store: Store) -> None:
    """While it is unfinished, whoever asks; another source or content is another."""
    first, mine = accept(store)
    again, not_mine = accept(store, caller="iiq", owner="two")

    assert (mine, not_mine) == (True, False)
    assert again == first
    assert accept(store, source="other")[1]
    assert accept(store, "c2")[1]

    store.operations.end(first, "succeeded", {})
    later, mine = accept(store)
    assert mine
    assert later.id != first.id


@pytest.mark.parametrize(
    "other",
    [{"turn": "u1", "account": ""}, {"turn": "u2", "account": "u1"}, {"source": "other", "turn": "u2"}],
)
@pytest.mark.parametrize("ended", [False, True])
def test_the_same_content_after_another_change_of_the_subject_is_another_operation(
    store: Store, other: dict[str, str], ended: bool
) -> None:
    """What came between may have undone it. Who asks once more still joins; who waits, waits for all before it."""
    first, _ = accept(store, "remove")
    accept(store, "elsewhere", turn="u2", account="u2")
    accept(store, "unknown", turn="u2", account="")
    accept(store, "another", source="other", account="")
    assert not accept(store, "remove")[1]
    between, _ = accept(store, "add", **other)
    if ended:
        store.operations.end(between, "failed", {})

    again, mine = accept(store, "remove", owner="two")

    assert mine
    assert again.id != first.id
    assert accept(store, "remove", key="k1") == (again, False)
    store.operations.end(first, "succeeded", {})
    assert store.operations.turn_come(again) is ended
    assert accept(store, "remove")[0] == again
    assert accept(store, "remove", key="k1")[0] == again


def test_an_abandoned_operation_after_which_another_was_accepted_is_left_to_its_turn(store: Store) -> None:
    """It is not what is asked for now, and whoever looks for abandoned ones takes it."""
    first, _ = accept(store, "remove")
    between, _ = accept(store, "add")
    expire(store)

    again, mine = accept(store, "remove", owner="two")

    assert mine
    assert again.id not in (first.id, between.id)
    taken = [store.operations.take_abandoned("two", 30) for _ in range(3)]
    assert taken == [replace(first, fence=2), replace(between, fence=2), None]


def test_the_same_content_after_it_ended_is_another_operation(store: Store) -> None:
    """Without a key nothing that has ended is told again, whatever came since."""
    first, _ = accept(store, "remove")
    store.operations.end(first, "succeeded", {})
    between, _ = accept(store, "add")
    store.operations.end(between, "succeeded", {})

    again, mine = accept(store, "remove")
    assert mine
    assert again.id not in (first.id, between.id)


def test_a_key_answers_a_day(timed: Store, hand: Hand) -> None:
    """Finished too, with other content too; one second later it is free."""
    first, _ = accept(timed, key="k1")
    first = timed.operations.end(first, "succeeded", {"n": 1})

    hand.time += DAY
    assert accept(timed, key="k1") == (first, False)
    assert accept(timed, "c2", key="k1") == (first, False)
    hand.time += 1
    later, mine = accept(timed, "c2", key="k1")
    assert mine
    assert later.id != first.id
    assert accept(timed, "c3", key="k1") == (later, False)


def test_a_key_is_its_callers_and_its_sources(store: Store) -> None:
    """The same key of another, or somewhere else, says nothing."""
    first, _ = accept(store, key="k1")
    store.operations.end(first, "succeeded", {})

    assert accept(store, key="k1", caller="iiq")[1]
    assert accept(store, key="k1", source="other")[1]
    assert not accept(store, key="k1")[1]


def test_a_key_that_joins_stands_for_what_it_joined(store: Store) -> None:
    """After its end as well: asked again, nothing is done twice."""
    first, _ = accept(store, key="k1")
    joined, mine = accept(store, key="k2", caller="iiq")
    assert (joined.id, mine) == (first.id, False)
    assert joined.key == "k1"

    ended = store.operations.end(first, "succeeded", {})

    assert accept(store, key="k2", caller="iiq") == (ended, False)
    assert accept(store, key="k1") == (ended, False)


@pytest.mark.parametrize("key", ["", "k1"])
def test_an_abandoned_operation_goes_to_who_asks_again(store: Store, key: str) -> None:
    """The old owner may do nothing more."""
    first, _ = accept(store, key=key)
    store.operations.record(first, STEPS)
    expire(store)

    taken, mine = accept(store, key=key, owner="two")

    assert mine
    assert taken == replace(first, steps=STEPS, fence=2)
    assert accept(store, key=key, owner="one")[1] is False
    assert not store.operations.renew(first, 30)
    with pytest.raises(RetryLater, match=first.id):
        store.operations.record(first, ())
    with pytest.raises(RetryLater, match=first.id):
        store.operations.end(first, "failed", {})
    assert store.operations.operation(first.id) == taken
    assert store.operations.end(taken, "succeeded", {}).state == "succeeded"


def test_an_abandoned_operation_is_not_taken_by_other_content(store: Store) -> None:
    """Its key is refused by the caller; nobody runs it for that."""
    first, _ = accept(store, key="k1")
    expire(store)

    assert accept(store, "c2", key="k1", owner="two") == (first, False)


# ---- leases


def test_a_lease_to_the_second(timed: Store, hand: Hand) -> None:
    """Renewed it lasts from now; what is not taken over can be renewed late."""
    first, _ = accept(timed, lease=30)
    hand.time += 29.5
    assert not accept(timed)[1]
    assert timed.operations.renew(first, 30)
    hand.time += 29.5
    assert timed.operations.take_abandoned("two", 30) is None
    hand.time += 0.5
    assert timed.operations.renew(first, 30)
    hand.time += 30
    taken = timed.operations.take_abandoned("two", 30)
    assert taken == replace(first, fence=2)
    assert timed.operations.take_abandoned("three", 30) is None


def test_ended_is_ended(store: Store) -> None:
    """Nothing is recorded or renewed any more; the same owner hears its first end again."""
    first, _ = accept(store)
    ended = store.operations.end(first, "failed", {"why": "x"})

    assert not store.operations.renew(first, 30)
    with pytest.raises(RetryLater):
        store.operations.record(first, STEPS)
    assert store.operations.end(first, "succeeded", {}) == ended
    with pytest.raises(RetryLater):
        store.operations.end(replace(first, fence=2), "succeeded", {})
    with pytest.raises(CallUs):
        store.operations.end(first, "accepted", {})
    expire(store)
    assert store.operations.take_abandoned("two", 30) is None


def test_abandoned_ones_go_the_oldest_first(store: Store) -> None:
    """Of all sources; each once."""
    made = [accept(store, f"c{number}", source=f"s{number % 2}")[0] for number in range(4)]
    assert store.operations.take_abandoned("two", 30) is None
    expire(store)

    taken = [store.operations.take_abandoned("two", 30) for _ in range(5)]

    assert taken == [*(replace(each, fence=2) for each in made), None]


# ---- turns, and what came later


def test_turns_come_in_order_of_acceptance(store: Store) -> None:
    """Another turn waits for nobody; an end, however it is, lets the next one come."""
    first, second, third = (accept(store, f"c{number}")[0] for number in range(3))
    assert store.operations.turn_come(accept(store, "c4", turn="u2", account="u2")[0])
    assert store.operations.turn_come(accept(store, "c4", source="other", account="")[0])
    come = store.operations.turn_come

    assert [come(each) for each in (first, second, third)] == [True, False, False]
    store.operations.end(second, "failed", {})
    assert [come(each) for each in (first, third)] == [True, False]
    store.operations.end(first, "failed", {})
    assert come(third)


def test_turns_of_one_account_come_in_one_order_whatever_the_source(timed: Store, hand: Hand) -> None:
    """Also when the clock was put back; a userName has its turn within its source."""
    accept(timed, "first of all", turn="u2", account="u2")
    made = []
    for number in range(4):
        made.append(accept(timed, f"c{number}", source=f"s{number % 2}")[0])
        hand.time -= 3600
    assert [each.id for each in timed.operations.listed(None, False, 4)] == [each.id for each in made[::-1]]
    assert timed.operations.recent("u1", 60) == [_for_steps(each) for each in made]

    for place, each in enumerate(made):
        assert [timed.operations.turn_come(one) for one in made[place:]] == [True, *[False] * (3 - place)]
        assert timed.operations.later_on(each) is (each is not made[-1])
        timed.operations.end(each, "succeeded", {})
    same = [accept(timed, command=CREATE, turn="ada", account="", source=source)[0] for source in ("s0", "s1")]
    assert all(timed.operations.turn_come(each) for each in same)


def test_a_create_that_knows_its_account_goes_before_later_changes_of_it(store: Store) -> None:
    """It may be giving something yet; one that was accepted before it waits for nothing."""
    before, _ = accept(store, "c0", account="u1")
    made, _ = accept(store, "c1", command=CREATE, turn="ada", account="")
    change, _ = accept(store, "c2")
    other, _ = accept(store, "c3", command=CREATE, turn="eve", account="")
    store.operations.end(before, "succeeded", {})
    assert store.operations.turn_come(change)
    store.operations.record(made, (), "u1")

    assert not store.operations.turn_come(change)
    assert store.operations.turn_come(made)
    assert store.operations.turn_come(other)
    store.operations.end(made, "succeeded", {})
    assert store.operations.turn_come(change)


def test_turns_do_not_trust_the_clock(timed: Store, hand: Hand) -> None:
    """It was put back an hour between two acceptances."""
    first, _ = accept(timed, "c1")
    hand.time -= 3600
    second, _ = accept(timed, "c2")

    assert timed.operations.turn_come(first)
    assert not timed.operations.turn_come(second)
    assert timed.operations.later_on(first)
    assert timed.operations.listed("aws", False, 10) == [second, first]


def test_what_touched_the_account_later(store: Store) -> None:
    """By account, ended or not; an account that nobody knows is nobody's."""
    first, _ = accept(store, "c1", command=CREATE, turn="ada", account="")
    assert not store.operations.later_on(first)
    unknown, _ = accept(store, "c2", command=CREATE, turn="eve", account="")
    store.operations.record(first, (), "u1")
    assert not store.operations.later_on(first)
    accept(store, "c3", account="u2", source="other")
    assert not store.operations.later_on(first)
    later, _ = accept(store, "c4", account="u1", source="other")
    store.operations.end(later, "failed", {})

    assert store.operations.later_on(first)
    assert not store.operations.later_on(later)
    assert not store.operations.later_on(unknown)


def test_a_create_that_has_just_ended(timed: Store, hand: Hand) -> None:
    """Well, or partly, knowing its account, within a day of its end; the newest."""

    def create(state: str, account: str, command: str = CREATE) -> Operation:
        made, _ = accept(timed, command=command, turn="ada", account=account)
        return timed.operations.end(made, state, {})  # type: ignore[arg-type]

    created = timed.operations.created
    assert created("aws", "c1") is None
    create("failed", "u1")
    create("succeeded", "")
    create("succeeded", "u1", UPDATE)
    running, _ = accept(timed, command=CREATE, account="u1")
    assert created("aws", "c1") is None
    timed.operations.end(running, "failed", {})
    first = create("partly", "u1")
    assert created("aws", "c1") == first
    second = create("succeeded", "u1")
    assert created("aws", "c1") == second
    assert created("other", "c1") is created("aws", "c2") is created("aws", "\0") is None

    hand.time += DAY
    assert created("aws", "c1") == second
    hand.time += 1
    assert created("aws", "c1") is None


def test_what_was_done_to_an_account_lately(timed: Store, hand: Hand) -> None:
    """Unfinished, or ended in the last minutes, of any source, as accepted, with the steps as they are kept."""
    recorded = Recorded(Step(Verb.JOIN, "groups", "g1"), Result.FAILED, "does not show", acknowledged=True)
    earlier = Recorded(Step(Verb.JOIN, "groups", "g2"), Result.DONE, earlier=True)
    accepted = []
    for number, (account, source) in enumerate([("u1", "aws"), ("u1", "other"), ("u2", "aws"), ("u1", "aws")]):
        hand.time += 1
        made, _ = accept(timed, f"c{number}", source=source, account=account)
        accepted.append(timed.operations.record(made, [recorded, earlier]))
    first, second, third, fourth = accepted
    second = timed.operations.end(second, "failed", {})
    fourth = timed.operations.end(fourth, "succeeded", {})
    accepted_as_ended = [first, second, third, fourth]

    hand.time += 60
    assert timed.operations.recent("u1", 60) == [_for_steps(each) for each in (first, second, fourth)]
    assert timed.operations.recent("u1", 60)[0].steps == (recorded, earlier)
    assert timed.operations.recent(None, 60) == [_for_steps(each) for each in accepted_as_ended]
    hand.time += 1
    assert timed.operations.recent("u1", 60) == [_for_steps(first)]
    assert timed.operations.recent("u3", 60) == []


# ---- lists, and what is forgotten


def test_lists(store: Store) -> None:
    """The newest first, of one source or all, all or unfinished ones."""
    a, b, c = accept(store, "c1")[0], accept(store, "c2", source="other")[0], accept(store, "c3")[0]
    a = store.operations.end(a, "succeeded", {})

    listed = store.operations.listed
    assert listed(None, False, 10) == [c, b, a]
    assert listed(None, False, 2) == [c, b]
    assert listed(None, True, 10) == [c, b]
    assert listed("aws", False, 10) == [c, a]
    assert listed("aws", True, 10) == [c]
    assert listed("none", False, 10) == []


def test_sweeping(timed: Store, hand: Hand) -> None:
    """Thirty days after its end, never before it; keys go after their day."""
    first, _ = accept(timed, "c1", key="k1")
    unfinished, _ = accept(timed, "c2")
    hand.time += 100
    timed.operations.end(first, "succeeded", {})

    hand.time += 30 * DAY
    timed.sweep(keep=0)
    assert timed.operations.operation(first.id) is not None
    hand.time += 1
    timed.sweep(keep=0)

    assert timed.operations.listed(None, False, 10) == [unfinished]
    with timed._database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(operation_key)).scalar_one() == 0
    assert timed.operations.record(unfinished, STEPS).steps == STEPS


def test_a_full_disk_accepts_nothing(tmp_path: Path) -> None:
    """The caller is told to come again, and nothing half-made is there."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    first, _ = accept(store)
    engine = store._database.engine

    def limit(pages: str) -> None:
        engine.dispose()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limit("1")
    with pytest.raises(RetryLater, match="disk is full"):
        accept(store, "c2", asked={"x": "x" * 100_000})
    with pytest.raises(RetryLater, match="disk is full"):
        store.operations.end(first, "succeeded", {"x": "x" * 100_000})
    assert store.operations.listed(None, False, 10) == [first]
    limit("100000")
    assert accept(store, "c2")[1]
    store.close()


def test_a_database_that_is_gone(postgresql: Server) -> None:
    """Nothing is accepted, recorded or announced by half, and nobody is told that there is nothing."""
    url = postgresql.create_database()
    heard: list[str] = []
    store = open_store(url, audit_sink=heard.append)
    first, _ = accept(store)
    postgresql.drop_database(url)

    for ask in (
        lambda: accept(store),
        lambda: store.operations.operation(first.id),
        lambda: store.operations.turn_come(first),
        lambda: store.operations.renew(first, 30),
        lambda: store.operations.record(first, STEPS),
        lambda: store.operations.end(first, "succeeded", {}),
        lambda: store.operations.take_abandoned("two", 30),
        lambda: store.operations.later_on(first),
        lambda: store.operations.created("aws", "c1"),
        lambda: store.operations.listed(None, False, 1),
        lambda: store.stripped.journal("aws", "u1"),
        lambda: store.stripped.strip("aws", "u1", {}),
        lambda: store.stripped.all("aws"),
        lambda: store.audit.append({}),
    ):
        with pytest.raises(RetryLater):
            ask()
    assert heard == []
    store.close()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_database_that_is_locked(store: Store, store_url: str) -> None:
    """By another process, for longer than anybody waits."""
    first, _ = accept(store)
    store.close()
    with closing(sqlite3.connect(store_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        event.listen(
            store._database.engine, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout = 20") and None
        )
        for ask in (
            lambda: accept(store, "c2"),
            lambda: store.operations.record(first, STEPS),
            lambda: store.operations.end(first, "succeeded", {}),
            lambda: store.stripped.strip("aws", "u1", {}),
            lambda: store.audit.append({}),
        ):
            with pytest.raises(RetryLater, match="busy"):
                ask()
    assert store.operations.listed(None, False, 10) == [first]
    assert store.audit.head().count == 0
