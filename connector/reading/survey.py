"""How big a source is and what a census of it will ask: counted from AWS, with the fewest calls that tell.

For operators (`idc-connector walk`). The choices are those of `walk`, from the same numbers a census has.
"""

from __future__ import annotations

from dataclasses import dataclass

from connector import attributes
from connector.errors import AskPermission
from connector.model import Source
from connector.ports import Directory
from connector.reading import walk
from connector.reading.together import together
from connector.reading.walk import Walk, pages
from connector.reading.work import THREADS


@dataclass(frozen=True, slots=True)
class Survey:
    """Numbers of one source, and the walks a census will choose from them."""

    users: int
    groups: int
    permission_sets: int
    aws_accounts: int | None
    """None when Organizations denies it."""
    pairs: int
    applications: int
    walks: tuple[Walk, ...]
    calls: dict[str, int]
    """Calls a census makes at least, by service; pages of members and assignments beyond the first come on top."""

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.calls.values())


def survey(directory: Directory, source: Source) -> Survey:
    """Count all kinds of things a source has, but read no membership and no assignment."""
    instance = directory.instance()
    users = sum(1 for _ in directory.users())
    with_groups = source.has(attributes.GROUP.name) or source.inherited == "full"
    groups = sum(1 for _ in directory.groups()) if with_groups else 0
    calls = {"identitystore": pages(users)}
    walks: list[Walk] = []
    if with_groups:
        memberships = walk.memberships(groups, users)
        walks.append(memberships)
        calls["identitystore"] += pages(groups) + memberships.calls
    # ListInstances and DescribeInstance, DescribeOrganization: asked by whoever opens a source.
    calls |= {"sso-admin": 2, "organizations": 1}
    applications = 0
    if source.has(attributes.APPLICATION.name):
        applications = len(directory.application_names())
        # Each tells apart from the list whether it asks for assignments, and then which it has.
        calls["sso-admin"] += pages(applications) + 2 * applications
    if not (source.has(attributes.ASSIGNMENT.name) and instance.multi_account):
        return Survey(users, groups, 0, None, 0, applications, tuple(walks), calls)
    permission_sets = list(directory.permission_set_ids())
    aws_accounts = _aws_accounts(directory)
    enumeration = walk.pairs(len(permission_sets))
    found = together(THREADS, lambda id_: sum(1 for _ in directory.aws_accounts_of(id_)), permission_sets)
    pairs = sum(found)
    assignments = walk.assignments(pairs, users, groups)
    # Names are kept after the first census.
    names = pages(len(permission_sets)) + len(permission_sets)
    calls["sso-admin"] += names + enumeration.calls + assignments.calls
    calls["organizations"] += pages(len(aws_accounts), walk.ORGANIZATIONS_PAGE) if aws_accounts is not None else 1
    return Survey(
        users,
        groups,
        len(permission_sets),
        None if aws_accounts is None else len(aws_accounts),
        pairs,
        applications,
        (*walks, enumeration, assignments),
        calls,
    )


def _aws_accounts(directory: Directory) -> list[str] | None:
    try:
        return [each.id for each in directory.aws_accounts()]
    except AskPermission:
        return None
