"""Asking together loses nothing and stops at the first failure."""

from __future__ import annotations

import threading

import pytest

from connector.reading.together import together


def test_every_answer_comes_once() -> None:
    assert sorted(together(4, lambda n: n * n, range(100))) == [n * n for n in range(100)]


def test_nothing_to_ask_is_nothing_to_answer() -> None:
    assert list(together(4, lambda n: n, [])) == []


def test_the_first_failure_is_raised_and_the_rest_is_not_begun() -> None:
    asked: list[int] = []

    def ask(n: int) -> int:
        asked.append(n)
        if n == 3:
            raise ValueError("three")
        return n

    with pytest.raises(ValueError, match="three"):
        list(together(2, ask, range(10_000)))
    assert len(asked) < 20


def test_a_consumer_that_leaves_stops_the_asking() -> None:
    asked = 0
    lock = threading.Lock()

    def ask(n: int) -> int:
        nonlocal asked
        with lock:
            asked += 1
        return n

    answers = together(2, ask, range(10_000))
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert asked < 20


def test_no_more_than_the_given_number_run_at_once() -> None:
    running = 0
    most = 0
    lock = threading.Lock()
    gate = threading.Barrier(3)

    def ask(n: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gate.wait(5)
        with lock:
            running -= 1
        return n

    assert len(list(together(3, ask, range(9)))) == 9
    assert most == 3


def test_nothing_is_begun_after_a_failure_while_the_consumer_is_busy() -> None:
    """Two threads and four in the queue: the thread that failed is free for the last."""
    busy, last, end = threading.Event(), threading.Event(), threading.Event()

    def ask(n: int) -> int:
        if n == 1:
            busy.wait(5)
            raise ValueError("one")
        if n == 2:
            end.wait(5)
        if n == 3:
            last.set()
        return n

    answers = together(2, ask, range(4))
    assert next(answers) == 0
    busy.set()
    begun = last.wait(0.2)
    end.set()
    with pytest.raises(ValueError, match="one"):
        list(answers)
    assert not begun


def test_a_failure_does_not_wait_for_what_is_under_way() -> None:
    hold = threading.Event()
    both = threading.Barrier(2)

    def ask(n: int) -> int:
        both.wait(5)
        if n == 0:
            raise ValueError("zero")
        hold.wait(5)
        return n

    try:
        with pytest.raises(ValueError, match="zero"):
            list(together(2, ask, range(2)))
        assert not hold.is_set()
    finally:
        hold.set()
