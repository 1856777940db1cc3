"""AWS's places: ten at a time, one in an AWS account, the longest row first, and nobody overtaken for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import given
from hypothesis import strategies as st

from connector.changing.places import IN_FLIGHT, OVERTAKEN, Places


class Row:
    """Changes that wait for a place, each a thread; `ends` lets the one of an AWS account that has one end."""

    def __init__(self, places: Places) -> None:
        self.places = places
        self.began: list[str] = []
        self.most = 0
        self._running: dict[str, threading.Event] = {}
        self._changed = threading.Condition()
        self._threads: list[threading.Thread] = []

    def asks(self, name: str) -> None:
        """One more change in the AWS account before the colon; returns when it has a place, or waits for one."""
        account = name.partition(":")[0]
        with self._changed:
            before = len(self.began) + sum(map(self.places.waiting, self._accounts()))

        def run() -> None:
            with self.places.take(account):
                end = threading.Event()
                with self._changed:
                    assert account not in self._running
                    self._running[account] = end
                    self.began.append(name)
                    self.most = max(self.most, len(self._running))
                    self._changed.notify_all()
                assert end.wait(20)

        thread = threading.Thread(target=run, name=name)
        self._threads.append(thread)
        thread.start()
        with self._changed:
            came = self._changed.wait_for(
                lambda: len(self.began) + sum(map(self.places.waiting, self._accounts())) > before, 10
            )
        assert came

    def ends(self, account: str, begins: int = 1) -> None:
        """The change in that AWS account ends; returns when so many others have begun."""
        with self._changed:
            wanted = len(self.began) + begins
            self._running.pop(account).set()
            assert self._changed.wait_for(lambda: len(self.began) >= wanted, 10)

    def running(self) -> list[str]:
        """AWS accounts with a change under way."""
        with self._changed:
            return list(self._running)

    def _accounts(self) -> set[str]:
        return {each.name.partition(":")[0] for each in self._threads}

    def join(self) -> None:
        """End everything."""
        while any(each.is_alive() for each in self._threads):
            with self._changed:
                for each in list(self._running):
                    self._running.pop(each).set()
                self._changed.wait(0.01)


@contextmanager
def row() -> Iterator[Row]:
    made = Row(Places())
    try:
        yield made
    finally:
        made.join()


def _fill(row: Row) -> None:
    for number in range(IN_FLIGHT):
        row.asks(f"full {number}")


def test_ten_at_a_time() -> None:
    with row() as made:
        _fill(made)
        made.asks("another")
        assert "another" not in made.began
        made.ends("full 3")
        assert made.began[-1] == "another"


def test_one_in_an_aws_account_while_there_is_room_for_others() -> None:
    with row() as made:
        made.asks("a:1")
        made.asks("a:2")
        made.asks("b:1")
        assert made.began == ["a:1", "b:1"]
        made.ends("a")
        assert made.began == ["a:1", "b:1", "a:2"]


def test_the_longest_row_goes_first_and_within_it_who_came_first() -> None:
    with row() as made:
        _fill(made)
        for each in ("short:1", "long:1", "long:2", "long:3", "middle:1", "middle:2"):
            made.asks(each)
        for number in range(3):
            made.ends(f"full {number}")
        assert made.began[IN_FLIGHT:] == ["long:1", "middle:1", "short:1"]


def test_nobody_is_overtaken_for_ever() -> None:
    """Changes keep coming in two AWS accounts, and each has two waiting; a single one gets its place all the same."""
    with row() as made:
        for number in range(IN_FLIGHT - 1):
            made.asks(f"full {number}")
        made.asks("x:0")
        made.asks("single")
        for number in range(1, 3):
            made.asks(f"x:{number}")
            made.asks(f"y:{number}")
        turns = 0
        while "single" not in made.began:
            (busy,) = {"x", "y"} & set(made.running())
            made.ends(busy)
            turns += 1
            made.asks(f"{busy}:{turns + 2}")
            assert turns <= OVERTAKEN + 1


@given(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=60))
def test_everybody_gets_a_place(accounts: list[str]) -> None:
    """Whatever comes: never more than ten, one in an AWS account, and each once (`Row` asserts the second)."""
    with row() as made:
        for number, account in enumerate(accounts):
            made.asks(f"{account}:{number}")
    assert sorted(made.began) == sorted(f"{each}:{number}" for number, each in enumerate(accounts))
    assert made.most <= IN_FLIGHT
