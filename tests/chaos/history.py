"""What a run leaves behind: calls with what was said to them, what lists and reads showed, operations, and the world.

Times are Unix seconds of one machine. An entitlement is an id of a group or of a pair; an account is named by its
userName, which nobody gives twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from typing import Final, Literal

Said = Literal["yes", "no", "nothing"]
"""Acknowledged, refused or failed, or no answer at all."""
EXISTS: Final = "exists"
"""Stands beside entitlements: whether the user is there."""
DISABLED: Final = "disabled"
"""Likewise: whether the account is disabled."""


@dataclass(frozen=True)
class Wrote:
    """A change that somebody asked for: what it would make of one account."""

    account: str
    values: Mapping[str, bool | None]
    """True: there afterwards; False: gone; None: either."""
    began: float
    ended: float
    """When nothing more can come of it: with its answer, or with the end of its operation where none came."""
    said: Said
    what: str = ""
    """For people."""


@dataclass(frozen=True)
class Saw:
    """What one answer showed of one account. What it does not name was not shown."""

    account: str
    values: Mapping[str, bool]
    began: float
    ended: float
    what: str = ""


@dataclass(frozen=True)
class Ran:
    """An operation, as the service recorded it."""

    id: str
    account: str
    state: str
    outcomes: Mapping[str, bool | None]
    """What it recorded of each value: True or False as it left it, None where it does not know or failed."""
    ended: float | None
    leftovers: Set[str] = frozenset()
    """Pairs it said AWS left behind."""


@dataclass(frozen=True)
class World:
    """What is true in AWS."""

    accounts: Mapping[str, Set[str]]
    """Entitlements held directly, by userName."""
    orphans: Set[tuple[str, str]] = frozenset()
    """Pair and principal of assignments whose principal does not exist."""


@dataclass(frozen=True)
class History:
    """A run from its beginning to its end."""

    before: World
    after: World
    wrote: tuple[Wrote, ...] = ()
    saw: tuple[Saw, ...] = ()
    ran: tuple[Ran, ...] = ()
    """In the order in which they were accepted."""
    listed: Mapping[str, Set[str]] | None = None
    """What the last list shows, when all is over."""
    disabled: frozenset[str] = field(default_factory=frozenset)
    """Accounts the service shows as disabled at the end."""
