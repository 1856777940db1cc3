"""A process that dies in the middle of a census. Run by `test_crashes` with a store's URL and where to stop.

It says `there` when it has come to that place, then waits to be killed.
"""

from __future__ import annotations

import sys
import time

from sqlalchemy import event

from connector.model import Fact
from connector.store import open_store

KINDS = ("user", "group")


def main(url: str, place: str) -> None:
    """Make a census up to `place`."""
    store = open_store(url)
    census = store.begin_census("aws", "doomed", 0.0)
    assert census is not None
    store.stage(census, [Fact("user", f"u{number}") for number in range(100)])
    if place == "staged":
        stop()
    engine = store._database.engine
    if place == "publishing":
        # Facts are turned over, the snapshot is not recorded yet.
        event.listen(engine, "before_cursor_execute", lambda *event: stop() if "INTO snapshot" in event[2] else None)
    if place == "committing":
        event.listen(engine, "commit", lambda _connection: stop())
    if place == "published":
        store._tidy = lambda *_: stop()  # type: ignore[method-assign]
    store.publish(census, KINDS, {}, 0)


def stop() -> None:
    """Wait for the end."""
    print("there", flush=True)  # noqa: T201
    time.sleep(60)


if __name__ == "__main__":
    main(*sys.argv[1:])
