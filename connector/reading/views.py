"""What facts add up to: accounts of a snapshot, streamed, and the one that a live read found."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain

from connector.model import Account, Fact, Refusal, Snapshot, Source
from connector.ports import Records
from connector.reading import dressing, facts
from connector.reading.catalogue import Catalogue
from connector.reading.live import Live
from connector.reading.work import every

BATCH = 500
"""Accounts rendered from one round of queries."""


def kinds_in(snapshot: Snapshot) -> tuple[str, ...]:
    """Kinds of facts the snapshot's census read."""
    read = snapshot.summary["kinds"]
    return tuple(str(each) for each in read) if isinstance(read, (list, tuple)) else ()


def every_of(records: Records, snapshot: Snapshot, kind: str, after: str = "") -> Iterator[Fact]:
    """Every fact of one kind with an id > `after`, by id, a page in memory at a time; none of a kind not read."""
    if kind not in kinds_in(snapshot):
        return iter(())
    return every(records, snapshot, kind, after)


def of_live(source: Source, live: Live, names: Catalogue, refusals: tuple[Refusal, ...] = ()) -> Account:
    """The account a live read found."""
    held: dict[str, list[str]] = defaultdict(list)
    for fact in live.facts:
        held[fact.kind].append(fact.held)
    through = dressing.passed_on(live.through_groups, names)
    return dressing.account(source, live.kinds, live.user, held, through, names, refusals)


def accounts(source: Source, records: Records, snapshot: Snapshot) -> Iterator[Account]:
    """Every account of the snapshot, by UserId, some hundreds in memory at a time."""
    dresser = Dresser(source, records, snapshot)
    after = ""
    while users := records.page(snapshot, facts.USER, after, BATCH):
        yield from dresser.dress(users, gapless=True)
        after = users[-1].id


class Dresser:
    """Dresses accounts of one snapshot, with the groups' access and the names loaded once."""

    def __init__(self, source: Source, records: Records, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._source = source
        self._records = records
        self._kinds = kinds_in(snapshot)
        self._names = Catalogue(records, snapshot)
        self._names.load()
        given = (facts.ASSIGNMENT, facts.APPLICATION_ASSIGNMENT) if source.inherited == "full" else ()
        self.through = dressing.passed_on(
            chain.from_iterable(every_of(records, snapshot, kind) for kind in given), self._names
        )

    def dress(self, users: Sequence[Fact], *, gapless: bool = False) -> Iterator[Account]:
        """The accounts of `users`, facts of kind `user`, in their order; `gapless`: all from the first to the last."""
        ids = [each.id for each in users]
        held: dict[str, dict[str, list[str]]] = {id_: defaultdict(list) for id_ in ids}
        for kind in facts.ABOUT_A_USER[1:]:
            if kind in self._kinds:
                for subject, what in self._records.held(self.snapshot, kind, ids, gapless=gapless):
                    if subject in held:
                        held[subject][kind].append(what)
        for user in users:
            yield dressing.account(
                self._source, self._kinds, facts.user(user), held[user.id], self.through, self._names
            )
