"""Doing the same thing to many items with a few threads, at most a window ahead, and stopping at the first failure.

Knows nothing of AWS or facts. Results come in any order; none is lost: the first failure raises, and nothing is begun
after it.
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
    """`ask(item)` for every item. The first exception is raised at once.

    Asks under way then are not waited for: each would have a patience of its own to lose. They end by themselves, and
    what they say is dropped.
    """
    remaining = iter(items)
    stop = threading.Event()
    failures: list[BaseException] = []

    def guarded(item: Item) -> Answer:
        if stop.is_set():
            raise _Stopped
        try:
            return ask(item)
        except BaseException as failure:
            # Here, not where it is seen: until then this thread would have begun the next one.
            failures.append(failure)
            stop.set()
            raise

    pending: set[Future[Answer]] = set()
    pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
    try:
        pending = {pool.submit(guarded, item) for item in islice(remaining, threads * 2)}
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for each in finished:
                if failures:
                    raise failures[0]
                yield each.result()
                pending.update(pool.submit(guarded, item) for item in islice(remaining, 1))
    finally:
        # Also when the consumer leaves: nothing may go on asking AWS behind its back.
        stop.set()
        pool.shutdown(wait=not failures, cancel_futures=True)


class _Stopped(Exception):
    """An ask that was not begun because another had failed."""
