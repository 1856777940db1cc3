"""Keeping what is ours while it is worked on, an operation or a census: a thread renews its lease.

Who lost it is told; what it records from then on, the store refuses.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from connector.errors import ConnectorError

log = structlog.get_logger(__name__)

LEASE: Final = 10.0
"""Seconds that work stays with an owner who shows no sign of life: short, because somebody waits for its answer."""


@contextmanager
def kept(what: str, renew: Callable[[float], bool], lost: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Renew the lease of `what` (its name in the log) until the block ends.

    `renew` is told for how many seconds and says whether the lease was still ours; when it was not, `lost` is called.
    """
    ended = threading.Event()

    def keep() -> None:
        while not ended.wait(LEASE / 3):
            try:
                if not renew(LEASE):
                    if not ended.is_set():  # else it was given back while we asked
                        log.warning("a lease was lost", what=what)
                        lost()
                    return
            except ConnectorError as failure:
                log.warning("a lease could not be renewed", what=what, why=str(failure))

    thread = threading.Thread(target=keep, name="lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
