"""Keeping what is ours while it is worked on, an operation or a census: a thread renews its lease.

Who lost it is told; what it records from then on, the store refuses. What it does elsewhere nobody refuses: before
that, it asks the store whether it is still its own (`Hold.prove`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from connector.errors import ConnectorError, RetryLater

log = structlog.get_logger(__name__)

LEASE: Final = 10.0
"""Seconds that work stays with an owner who shows no sign of life: short, because somebody waits for its answer."""


class Hold:
    """What `kept` keeps, in the hands of those who work on it. Thread-safe."""

    def __init__(self, what: str, renew: Callable[[float], bool]) -> None:
        self._what = what
        self._renew = renew
        self._lost = threading.Event()

    def renew(self) -> bool:
        """Whether it is still ours, for `LEASE` seconds more. Once lost, it is lost for good."""
        if not self._lost.is_set() and not self._renew(LEASE):
            self._lost.set()
        return not self._lost.is_set()

    def check(self) -> None:
        """Raise `RetryLater` when it is known to be lost; asks nobody."""
        if self._lost.is_set():
            raise RetryLater(f"Another process took over {self._what}; try again to hear how it ends.", after=5)

    def prove(self) -> None:
        """Return when the store says that it is still ours; else `RetryLater`.

        A thread that renews proves nothing: the whole process may have stood still since.
        """
        self.renew()
        self.check()


@contextmanager
def kept(what: str, renew: Callable[[float], bool], lost: Callable[[], None] = lambda: None) -> Iterator[Hold]:
    """Renew the lease of `what` (its name in the log) until the block ends.

    `renew` is told for how many seconds and says whether the lease was still ours; when it was not, `lost` is called.
    """
    ended, hold = threading.Event(), Hold(what, renew)

    def keep() -> None:
        while not ended.wait(LEASE / 3):
            try:
                if not hold.renew():
                    if not ended.is_set():  # else it was given back while we asked
                        log.warning("a lease was lost", what=what)
                        lost()
                    return
            except ConnectorError as failure:
                log.warning("a lease could not be renewed", what=what, why=str(failure))

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield hold
    finally:
        ended.set()
        thread.join()
