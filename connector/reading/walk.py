"""Which questions to ask: the choice of a walk, from the numbers known so far. Pure.

An assignment shows only when its pair or its principal is asked for, so a complete reading asks every pair or every
principal (aws-behaviour 21). The cheaper side wins; on a tie the pairs, because only they show orphans.
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
PAIRS_BY_AWS_ACCOUNT: Final = "pairs by AWS account"
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


def pairs(permission_sets: int, aws_accounts: int | None, unlisted: int = 0) -> Walk:
    """From which side to enumerate the provisioned pairs.

    `aws_accounts` is None when Organizations would not say; 0 says nothing either, because whatever has permission sets
    belongs to an AWS account. `unlisted` are AWS accounts with pairs in the last census that Organizations does not
    list now: being moved, or lost from its answer. AWS does not document what it tells about the pairs of such a one,
    and permission sets show them all.
    """
    if not aws_accounts:
        return Walk(PAIRS_BY_PERMISSION_SET, permission_sets, "the AWS accounts are not known")
    if permission_sets <= aws_accounts:
        return Walk(PAIRS_BY_PERMISSION_SET, permission_sets, f"at least {aws_accounts} AWS accounts otherwise")
    if unlisted:
        return Walk(PAIRS_BY_PERMISSION_SET, permission_sets, f"{unlisted} AWS accounts with pairs are not listed")
    return Walk(PAIRS_BY_AWS_ACCOUNT, aws_accounts, f"{permission_sets} permission sets otherwise")


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
