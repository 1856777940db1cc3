"""The Identity Store's part of a census: users, groups, memberships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field

from connector.model import Fact, Membership, Principal
from connector.reading import facts, walk
from connector.reading.principals import rows_of
from connector.reading.together import together
from connector.reading.work import THREADS, Work


@dataclass(frozen=True, slots=True)
class Groups:
    """What the other parts need to know of the groups."""

    ids: tuple[str, ...]
    without: tuple[str, ...]
    """Groups without members: no user's answer can show what they hold."""


@dataclass(frozen=True, slots=True)
class Told:
    """What this part tells the others as soon as it knows."""

    users: Future[int] = field(default_factory=Future)
    groups: Future[Groups] = field(default_factory=Future)


def read(work: Work, kinds: tuple[str, ...], told: Told) -> None:
    """Stage users and, where asked for, groups and memberships."""
    directory = work.directory()
    users = _Counted(facts.of_user(each) for each in directory.users())
    work.stage(users)
    told.users.set_result(users.count)
    if facts.GROUP not in kinds:
        told.groups.set_result(Groups((), ()))
        return
    groups = [facts.of_group(each) for each in directory.groups()]
    work.stage(groups)
    told.groups.set_result(_memberships(work, users.count, [each.id for each in groups]))


def _memberships(work: Work, users: int, groups: list[str]) -> Groups:
    choice = walk.memberships(len(groups), users)
    work.chose(choice)
    directory = work.directory()
    by_group = choice.name == walk.MEMBERSHIPS_BY_GROUP

    def ask(principal: Principal) -> list[Membership]:
        question = directory.members if by_group else directory.memberships
        return rows_of(directory, principal, lambda: question(principal.id))

    asked = (
        (Principal("GROUP", id_) for id_ in groups)
        if by_group
        else (Principal("USER", each.id) for each in work.staged(facts.USER))
    )
    with_members: set[str] = set()
    for found in together(THREADS, ask, asked):
        with_members.update(each.group_id for each in found)
        work.stage(facts.of_membership(each) for each in found)
    return Groups(tuple(groups), tuple(each for each in groups if each not in with_members))


class _Counted:
    """An iterable that knows afterwards how much went through."""

    def __init__(self, items: Iterable[Fact]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[Fact]:
        for each in self._items:
            self.count += 1
            yield each
