"""The Identity Store's part of a census: users, groups, memberships."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from connector.model import Fact
from connector.reading import facts, walk
from connector.reading.together import together
from connector.reading.work import THREADS, Work


@dataclass(frozen=True, slots=True)
class Members:
    """What the other parts need to know of the identity store."""

    users: int
    groups: tuple[str, ...]
    without: tuple[str, ...]
    """Groups without members: no user's answer can show what they hold."""


def read(work: Work, kinds: tuple[str, ...]) -> Members:
    """Stage users and, where asked for, groups and memberships."""
    directory = work.directory()
    users = _Counted(facts.of_user(each) for each in directory.users())
    work.stage(users)
    if facts.GROUP not in kinds:
        return Members(users.count, (), ())
    groups = [facts.of_group(each) for each in directory.groups()]
    work.stage(groups)
    return _memberships(work, users.count, [each.id for each in groups])


def _memberships(work: Work, users: int, groups: list[str]) -> Members:
    choice = walk.memberships(len(groups), users)
    work.chose(choice)
    directory = work.directory()
    by_group = choice.name == walk.MEMBERSHIPS_BY_GROUP
    ask = directory.members if by_group else directory.memberships
    asked: Iterable[str] = groups if by_group else (each.id for each in work.staged(facts.USER))
    with_members: set[str] = set()
    for found in together(THREADS, lambda id_: [facts.of_membership(each) for each in ask(id_)], asked):
        with_members.update(each.held for each in found)
        work.stage(found)
    return Members(users, tuple(groups), tuple(each for each in groups if each not in with_members))


class _Counted:
    """An iterable that knows afterwards how much went through."""

    def __init__(self, items: Iterable[Fact]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[Fact]:
        for each in self._items:
            self.count += 1
            yield each
