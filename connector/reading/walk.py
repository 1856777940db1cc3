"""Which questions to ask: the choice of a walk, from the numbers known so far. Pure.

An assignment shows only when its pair or its principal is asked for, so a complete reading asks every pair or every
principal (aws-behaviour 21). The cheaper side wins; on a tie the pairs, because only they show orphans. Which pairs
there are is asked of the permission sets.
The other side's number may still be growing when it is too great already: nobody waits for the end of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import Final

PAGE: Final = 100
"""Largest page of the Identity Store and of sso-admin."""
ORGANIZATIONS_PAGE: Final = 20

PAIRS_BY_PERMISSION_SET: Final = "pairs by permission set"
ASSIGNMENTS_BY_PAIR: Final = "assignments by pair"
ASSIGNMENTS_BY_PRINCIPAL: Final = "assignments by principal"
MEMBERSHIPS_BY_GROUP: Final = "memberships by group"
MEMBERSHIPS_BY_USER: Final = "memberships by user"


def pages(rows: int, page: int = PAGE) -> int:
    """Calls to read `rows` rows: an empty list costs one too."""
    return max(1, ceil(rows / page))


@dataclass(frozen=True, slots=True)
class Walk:
    """One choice: what will be asked, how many calls it takes at least, and why not the other way."""

    name: str
    calls: int
    why: str


def pairs(permission_sets: int) -> Walk:
    """How the provisioned pairs are enumerated: always from the permission sets, which the instance itself lists.

    Fewer AWS accounts would take fewer calls, but which there are only Organizations says, and nothing proves that it
    names every one that has pairs (aws-behaviour 47).
    """
    return Walk(PAIRS_BY_PERMISSION_SET, permission_sets, "they show AWS accounts that Organizations does not list")


def assignments(pairs: int, users: int, groups: int, *, sweep: bool = False) -> Walk:
    """Assignments by pair or by principal.

    A user's rows repeat those of its groups, so a principal can take more than one page; the count is the least. A
    `sweep` looks for orphans, which only pairs show.
    """
    principals = users + groups
    if sweep:
        return Walk(ASSIGNMENTS_BY_PAIR, pairs, f"the sweep for orphans; at least {principals} principals otherwise")
    if pairs <= principals:
        return Walk(ASSIGNMENTS_BY_PAIR, pairs, f"at least {principals} principals otherwise; only pairs show orphans")
    return Walk(ASSIGNMENTS_BY_PRINCIPAL, principals, f"{pairs} pairs otherwise; orphans need a sweep by pair")


def memberships(groups: int, users: int) -> Walk:
    """Memberships by group or by user. Rows beyond one page are not known before; they count on both sides."""
    if groups <= users:
        return Walk(MEMBERSHIPS_BY_GROUP, groups, f"at least {users} users otherwise")
    return Walk(MEMBERSHIPS_BY_USER, users, f"{groups} groups otherwise")


SAMPLE: Final = 10
"""Principals whose answers tell how many pages an answer takes."""


def dearer(asked: int, calls: int, principals: int, pairs: int) -> bool:
    """Whether going on by principal costs more than beginning anew by pair.

    `calls` were needed for the `asked` of all `principals`. A user's rows repeat those of its groups, so how many
    pages an answer takes shows only on the way.
    """
    return asked >= SAMPLE and calls / asked * (principals - asked) > pairs
