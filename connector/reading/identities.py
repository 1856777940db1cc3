"""The Identity Store's part of a census: users, and beside them groups and memberships."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field, replace

from connector.model import Membership, Principal
from connector.reading import facts, walk
from connector.reading.principals import rows_of
from connector.reading.together import together
from connector.reading.work import THREADS, Growing, Work


@dataclass(frozen=True, slots=True)
class Told:
    """What this part tells the others as soon as it knows."""

    users: Growing = field(default_factory=Growing)
    groups: Future[tuple[str, ...] | None] = field(default_factory=Future)
    """Ids of all of them; None where they are not read."""
    chosen: threading.Event = field(default_factory=threading.Event)
    """Set by those who read assignments once they know enough users to choose how."""

    def groups_so_far(self) -> tuple[str, ...]:
        """All of them; none before they are known, or where they are not read."""
        return self.groups.result() or () if self.groups.done() else ()


def read_users(work: Work, told: Told) -> None:
    """Stage users. A page names the next one, so that they come one after the other."""
    stripped = work.stripped()
    found = (replace(each, stripped=each.id in stripped) for each in work.directory().users())
    work.stage(told.users.counted(facts.of_user(each) for each in found))
    told.users.all.set_result(told.users.so_far)


def read_groups(work: Work, kinds: tuple[str, ...], told: Told) -> None:
    """Stage groups and memberships, where asked for."""
    if facts.GROUP not in kinds:
        told.groups.set_result(None)
        return
    groups = [facts.of_group(each) for each in work.directory().groups()]
    work.stage(groups)
    told.groups.set_result(tuple(each.id for each in groups))
    _memberships(work, told, [each.id for each in groups])


def _memberships(work: Work, told: Told, groups: list[str]) -> None:
    choice = walk.memberships(len(groups), work.at_least(told.users, lambda: len(groups)))
    work.chose(choice)
    directory = work.directory()
    by_group = choice.name == walk.MEMBERSHIPS_BY_GROUP

    def ask(principal: Principal) -> list[Membership]:
        question = directory.members if by_group else directory.memberships
        return rows_of(directory, principal, lambda: question(principal.id))

    asked = iter(
        [Principal("GROUP", id_) for id_ in groups]
        if by_group
        else (Principal("USER", each.id) for each in work.staged(facts.USER))
    )

    def at_first() -> Iterator[Principal]:
        """While others wait for the number of users: all threads would leave that list a few of our calls."""
        while not (told.chosen.is_set() or told.users.all.done()):
            each = next(asked, None)
            if each is None:
                return
            yield each

    for threads, some in ((1, at_first()), (THREADS, asked)):
        work.stage(facts.of_membership(each) for rows in together(threads, ask, some) for each in rows)
