"""Changes of one account wait for each other; those of two do not."""

from __future__ import annotations

import threading

from connector.changing.turns import Turns


def test_the_second_change_of_an_account_waits_and_another_account_does_not() -> None:
    turns = Turns()
    order: list[str] = []
    started = threading.Event()

    def second() -> None:
        started.set()
        with turns.take("u1"):
            order.append("second")

    with turns.take("u1"):
        thread = threading.Thread(target=second)
        thread.start()
        assert started.wait(5)
        with turns.take("u2"):
            order.append("other")
        order.append("first")
    thread.join(5)
    assert order == ["other", "first", "second"]
    assert turns._held == {}
