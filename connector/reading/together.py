"""Doing the same thing to many items with a few threads, at most a window ahead, and stopping at the first failure.

Knows nothing of AWS or facts. Results come in any order; none is lost: a failure raises, after the others stopped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


def together(
    threads: int, ask: Callable[[Item], Answer], items: Iterable[Item], name: str = "together"
) -> Iterator[Answer]:
    """`ask(item)` for every item. The first exception is raised once the asks already under way have ended."""
    remaining = iter(items)
    stop = threading.Event()

    def guarded(item: Item) -> Answer:
        if stop.is_set():
            raise _Stopped
        return ask(item)

    pending: set[Future[Answer]] = set()
    with ThreadPoolExecutor(threads, thread_name_prefix=name) as pool:
        try:
            pending = {pool.submit(guarded, item) for item in islice(remaining, threads * 2)}
            while pending:
                finished, pending = wait(pending, return_when=FIRST_COMPLETED)
                for each in finished:
                    yield each.result()
                    pending.update(pool.submit(guarded, item) for item in islice(remaining, 1))
        finally:
            # Also when the consumer leaves: nothing may go on asking AWS behind its back.
            stop.set()
            for each in pending:
                each.cancel()


class _Stopped(Exception):
    """An ask that was not begun because another had failed."""
