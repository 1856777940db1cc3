"""Pages of a list, on a real store with a clock of the test: where a walk begins, goes on and ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from connector.commands import pages
from connector.commands.desk import Desk
from connector.errors import CursorExpired
from connector.model import Account, Fact, Page, Place, Since, Snapshot, Source, User
from connector.reading import facts
from connector.reading.lists import Lists
from connector.store import Store, open_store

DAY = 24 * 3600.0
USERS = [f"u{number}" for number in range(5)]


@dataclass
class Clock:
    """Moved by hand."""

    time: float = 1_800_000_000.0

    def now(self) -> float:
        return self.time

    monotonic = now

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@dataclass
class Walker:
    """A source whose snapshots the test publishes."""

    store: Store
    clock: Clock
    lists: Lists = field(default_factory=Lists)
    newest: Snapshot | None = None
    fingerprint: str = "f"

    def publish(self, titles: dict[str, str]) -> Snapshot:
        """A census that found these users, by their title."""
        census = self.store.begin_census("default", "test", 60)
        assert census is not None
        self.store.stage(census, (_user(id_, title) for id_, title in titles.items()))
        mark, _ = self.store.marks("default", 0)
        summary = {"fingerprint": self.fingerprint, "kinds": [facts.USER]}
        self.newest = self.store.publish(census, [facts.USER], summary, mark)
        assert self.newest is not None
        return self.newest

    def page(self, limit: int = 100, place: Place | None = None, since: Since | None = None) -> Page:
        freshness = SimpleNamespace(snapshot=lambda patience: self.newest, fingerprint=self.fingerprint)
        desk: Any = SimpleNamespace(
            source=Source("default", entitlement_types=(), inherited="none"),
            records=self.store,
            freshness=freshness,
            patience=None,
            clock=self.clock,
        )
        return pages.accounts(cast(Desk, desk), self.lists, limit, place, since)


def _user(id_: str, title: str) -> Fact:
    return facts.of_user(User(id_, {"userId": id_, "title": title}))


def shown(page: Page) -> dict[str, object]:
    """Titles by id; None for who is gone."""
    return {
        each.id: None if each.deleted else each.attributes["title"] for each in page.items if isinstance(each, Account)
    }


@pytest.fixture
def walker(tmp_path: Path) -> Iterator[Walker]:
    clock = Clock()
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock)
    yield Walker(store, clock)
    store.close()


def test_a_walk_ends_with_a_page_that_is_not_full(walker: Walker) -> None:
    walker.publish(dict.fromkeys(USERS, "a"))
    first = walker.page(2)
    second = walker.page(2, first.next)
    third = walker.page(2, second.next)

    assert [list(shown(each)) for each in (first, second, third)] == [["u0", "u1"], ["u2", "u3"], ["u4"]]
    assert third.next is None
    assert walker.page(5).next is not None
    assert walker.page(5, walker.page(5).next).items == ()


def test_a_date_tells_everything_since_a_day_before(walker: Walker) -> None:
    """A title that changed and changed back is told, and who came and went: its caller may have seen that."""
    walker.publish({"u0": "a", "u1": "a", "u2": "a"})
    walker.clock.time += DAY
    walker.publish({"u0": "b", "u1": "a", "u2": "a", "u3": "a"})
    walker.clock.time += DAY / 2
    looked = walker.clock.time
    last = walker.publish({"u0": "a", "u1": "a", "u2": "c"})

    page = walker.page(since=Since(moment=looked))

    assert shown(page) == {"u0": "a", "u2": "c", "u3": None}
    assert page.snapshot == last
    assert page.since is not None
    assert page.since.startswith("1-")


def test_a_snapshot_tells_exactly_what_differs(walker: Walker) -> None:
    first = walker.publish({"u0": "a", "u1": "a", "u2": "a"})
    walker.publish({"u0": "b", "u1": "a", "u3": "a"})
    walker.publish({"u0": "a", "u1": "z"})
    walk = [walker.page(1, since=Since(snapshot=first.id))]
    while (place := walk[-1].next) is not None:
        walk.append(walker.page(1, place))

    assert {name: title for each in walk for name, title in shown(each).items()} == {"u1": "z", "u2": None}
    assert {each.since for each in walk} == {first.id}


@pytest.mark.parametrize("moment", [0.0, 1_800_000_000.0, 1_800_000_000.0 + DAY - 1, 1_800_000_000.0 + 9 * DAY])
def test_a_date_that_cannot_be_told_from_gives_the_whole_list(walker: Walker, moment: float) -> None:
    """Before we began, or not yet: a whole list, and it says so."""
    walker.publish({"u0": "a"})
    walker.clock.time += DAY / 2
    walker.publish({"u0": "a", "u1": "a"})
    page = walker.page(since=Since(moment=moment))

    assert (len(page.items), page.since) == (2, "")


def test_a_walk_whose_snapshot_is_swept_has_expired(walker: Walker) -> None:
    walker.publish(dict.fromkeys(USERS, "a"))
    first = walker.page(2)
    walker.publish(dict.fromkeys(USERS, "b"))
    walker.clock.time += 3600
    walker.store.sweep(3600 * 2)
    assert len(walker.page(2, first.next).items) == 2  # replaced an hour ago, and still there
    walker.store.sweep(60)

    with pytest.raises(CursorExpired):
        walker.page(2, first.next)


def test_a_walk_over_another_configuration_has_expired(walker: Walker) -> None:
    """Its pages would show other attributes than those before."""
    walker.publish(dict.fromkeys(USERS, "a"))
    first = walker.page(2)
    walker.fingerprint = "another"

    with pytest.raises(CursorExpired):
        walker.page(2, first.next)
