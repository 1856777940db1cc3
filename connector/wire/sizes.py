"""How much one command may ask: far above what SailPoint sends, far below what would keep everybody else waiting.

Checked where inputs are loaded, before anything is made of them. A body of 2 MiB holds tens of thousands of changes,
and each of them may become a call to AWS, which takes some twenty a second.
"""

from __future__ import annotations

from typing import Final

from connector.errors import FixRequest

MOST_CHANGES: Final = 2_000
"""Changes of one command. SailPoint sends one for each attribute, or one for each value: some dozens."""
MOST_VALUES: Final = 5_000
"""Values of all changes of one command together, and of one attribute of a new account: there are only a few."""


def check_changes(count: int) -> None:
    """`FixRequest` when a command has more changes than it may have."""
    _check(count, MOST_CHANGES, "changes")


def check_values(count: int) -> None:
    """`FixRequest` when a command has more values than it may have."""
    _check(count, MOST_VALUES, "values")


def _check(count: int, most: int, what: str) -> None:
    if count > most:
        raise FixRequest(
            f"{count:,} {what} are too many for one command, which takes at most {most:,}; nothing was done. "
            "Send them in several commands."
        )
