"""What differs between two snapshots, as accounts and entitlements: the delta applied to the old list is the new list.

The store tells which facts differ; who could be touched by them is rendered from both snapshots and compared, so that
only what a reader would see changed is sent.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Final

from connector.model import Account, Entitlement, Snapshot, Source, State
from connector.ports import Records
from connector.reading import facts
from connector.reading.dressing import PassedOn
from connector.reading.entitlements import Shelf
from connector.reading.views import BATCH, Dresser, kinds_in

SNAPSHOT: Final = "snapshot"
COMPLETED: Final = "completedAt"
CONFIGURATION: Final = "configuration"
NAMED: Final = (facts.GROUP, facts.PERMISSION_SET, facts.AWS_ACCOUNT, facts.APPLICATION)
"""Kinds whose names show in what is inherited."""


def state(snapshot: Snapshot) -> State:
    """What a stateful list hands back: the snapshot it showed, and the configuration it was read with.

    Numbers begin anew in a new store and are those of one source: the time of its census tells a snapshot from others.
    """
    return State(
        {
            SNAPSHOT: str(snapshot.number),
            COMPLETED: repr(snapshot.completed_at),
            CONFIGURATION: snapshot.configuration,
        }
    )


def of_state(records: Records, snapshot: Snapshot, told: Mapping[str, str] | None) -> Snapshot | None:
    """The snapshot a state names; None when it is unknown, expired, or of another source, store or configuration."""
    found = base(records, snapshot, told)
    if found is None or told is None:
        return None
    return found if all(told.get(name) == value for name, value in state(found).state.items()) else None


def base(records: Records, snapshot: Snapshot, told: Mapping[str, str] | None) -> Snapshot | None:
    """The snapshot that `told` numbers; None when it is unknown, expired or of another configuration: then list all."""
    number = (told or {}).get(SNAPSHOT, "")
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        return None
    found = records.snapshot(snapshot.source, int(number))
    if found is None or found.number > snapshot.number or kinds_in(found) != kinds_in(snapshot):
        return None
    return found if found.configuration == snapshot.configuration else None


def accounts(source: Source, records: Records, old: Snapshot, new: Snapshot) -> Iterator[Account]:
    """Accounts that are new or look different in `new`, and the deleted ones, by UserId."""
    return Delta(source, records, old, new).accounts()


def entitlements(source: Source, records: Records, old: Snapshot, new: Snapshot, type_: str) -> Iterator[Entitlement]:
    """Entitlements of one type that are new or look different in `new`, and the deleted ones, by id."""
    # The old snapshot may have been shown by another list, which needs no details of permission sets.
    was = _Ahead(Shelf(source, records, old, partial=True).all(type_))
    for now in Shelf(source, records, new).all(type_):
        yield from was.gone_before(now.id)
        if was.take(now.id) != now:
            yield now
    yield from was.gone_before(None)


@dataclass
class Delta:
    """What became of accounts from one snapshot to another. One that is kept answers page after page."""

    source: Source
    records: Records
    old: Snapshot
    new: Snapshot
    exact: bool = True
    """The reader saw `old` itself. Else it may have seen any snapshot since, and everything touched since is told: what
    came and went in between, too."""

    def accounts(self, after: str = "") -> Iterator[Account]:
        """Accounts with UserId > `after` that are new or different, and the deleted ones, by UserId."""
        touched = iter(self._touched[bisect_right(self._touched, after) :])
        while ids := list(islice(touched, BATCH)):
            was = _dressed(self.records, self._before, ids) if self.exact else {}
            now = _dressed(self.records, self._after, ids)
            for id_ in ids:
                if id_ in now:
                    if now[id_] != was.get(id_):
                        yield now[id_]
                elif id_ in was or not self.exact:
                    yield Account(id_, id_ in was and was[id_].disabled, {"userId": id_}, deleted=True)

    @cached_property
    def _before(self) -> Dresser:
        return Dresser(self.source, self.records, self.old)

    @cached_property
    def _after(self) -> Dresser:
        return Dresser(self.source, self.records, self.new)

    @cached_property
    def _touched(self) -> list[str]:
        return sorted(_touched(self.source, self.records, self._before, self._after, exact=self.exact))


def _touched(source: Source, records: Records, before: Dresser, after: Dresser, *, exact: bool) -> set[str]:
    """Users that any differing fact is about, directly or through a group; not `exact`: any fact that ever differed."""
    users: set[str] = set()
    groups: set[str] = set()
    names: set[str] = set()
    kinds = [each for each in kinds_in(after.snapshot) if each not in (facts.PAIR, facts.DETAILS)]
    differing = records.changed if exact else records.touched
    for kind, id_ in differing(after.snapshot.source, before.snapshot.number, after.snapshot.number, kinds):
        if kind == facts.USER:
            users.add(id_)
        elif kind == facts.MEMBERSHIP:
            users.add(id_.rpartition("/")[2])
        elif kind in (facts.ASSIGNMENT, facts.APPLICATION_ASSIGNMENT):
            _, type_, principal = id_.rsplit("/", 2)
            (groups if type_ == "GROUP" else users).add(principal)
        elif kind in NAMED:
            names.add(id_)
    if source.inherited == "full":
        groups |= names | _passing_on(before.through, names) | _passing_on(after.through, names)
        for group in groups:
            for dresser in (before, after):
                users.update(each.subject for each in records.holding(dresser.snapshot, facts.MEMBERSHIP, group))
    return users


def _passing_on(through: Mapping[str, PassedOn], names: set[str]) -> set[str]:
    """Groups that pass on something whose permission set, AWS account or application is among `names`."""
    if not names:
        return set()
    return {
        group
        for group, passed in through.items()
        if any(id_ in names or not names.isdisjoint(id_.split(":")) for ids in passed.held.values() for id_ in ids)
    }


def _dressed(records: Records, dresser: Dresser, ids: list[str]) -> dict[str, Account]:
    return {each.id: each for each in dresser.dress(records.about(dresser.snapshot, facts.USER, ids))}


class _Ahead:
    """A sorted stream of the old list, walked beside the new one."""

    def __init__(self, stream: Iterator[Entitlement]) -> None:
        self._stream = stream
        self._next = next(stream, None)

    def gone_before(self, id_: str | None) -> Iterator[Entitlement]:
        """Old ones that come before `id_` and are in the new list no more."""
        while self._next is not None and (id_ is None or self._next.id < id_):
            yield Entitlement(self._next.id, self._next.type, {"id": self._next.id}, deleted=True)
            self._next = next(self._stream, None)

    def take(self, id_: str) -> Entitlement | None:
        """The old one of this id."""
        if self._next is None or self._next.id != id_:
            return None
        found, self._next = self._next, next(self._stream, None)
        return found
