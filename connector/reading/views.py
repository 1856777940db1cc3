"""What facts add up to: accounts. One renderer dresses an account, whoever asked and wherever its facts came from."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from connector import attributes
from connector.model import Account, Fact, Refusal, Snapshot, Source, User, Values
from connector.ports import Records
from connector.reading import facts
from connector.reading.catalogue import Catalogue
from connector.reading.live import Live
from connector.reading.work import PAGE, every

BATCH = 500
"""Accounts rendered from one round of queries."""

Through = Mapping[str, Sequence[Fact]]
"""What each group holds: assignments of every kind, by group id."""


def account(
    source: Source,
    kinds: Iterable[str],
    about: Iterable[Fact],
    through: Through,
    names: Catalogue,
    refusals: tuple[Refusal, ...] = (),
) -> Account:
    """An account from the facts about its user and what its groups hold. `kinds` are the kinds that were read."""
    user: User | None = None
    held: dict[str, list[str]] = defaultdict(list)
    for fact in about:
        if fact.kind == facts.USER:
            user = facts.user(fact)
        else:
            held[fact.kind].append(fact.held)
    if user is None:
        raise ValueError("facts about an account have no user among them")
    inherited = [(group, fact) for group in sorted(held[facts.MEMBERSHIP]) for fact in through.get(group, ())]
    lists = _lists(source, set(kinds), held, inherited, names)
    # In the table's order: the store forgets any other, and the same account reads the same everywhere.
    scalars = {name: user.attributes[name] for name in attributes.BY_NAME if name in user.attributes}
    return Account(user.id, user.disabled, {**scalars, **lists}, refusals)


def _lists(
    source: Source,
    kinds: set[str],
    held: Mapping[str, list[str]],
    inherited: Sequence[tuple[str, Fact]],
    names: Catalogue,
) -> dict[str, Values]:
    """The list attributes of the types that are enabled and were read; a type that was not read is absent."""
    lists: dict[str, Values] = {}
    for type_, kind in (
        (attributes.GROUP, facts.MEMBERSHIP),
        (attributes.ASSIGNMENT, facts.ASSIGNMENT),
        (attributes.APPLICATION, facts.APPLICATION_ASSIGNMENT),
    ):
        if not source.has(type_.name) or kind not in kinds:
            continue
        lists[type_.attribute] = tuple(sorted(set(held.get(kind, ()))))
        if type_.inherited is not None and source.inherited == "full":
            lists[type_.inherited] = tuple(sorted({fact.held for _, fact in inherited if fact.kind == kind}))
    if any(type_.inherited in lists for type_ in attributes.ENTITLEMENT_TYPES.values()):
        lists[attributes.INHERITED_ACCESS] = tuple(
            sorted({f"{_readable(fact, names)} via {names.group(group)}" for group, fact in inherited})
        )
    return lists


def _readable(fact: Fact, names: Catalogue) -> str:
    return names.pair(fact.held) if fact.kind == facts.ASSIGNMENT else names.application(fact.held)


def kinds_in(snapshot: Snapshot) -> tuple[str, ...]:
    """Kinds of facts the snapshot's census read."""
    read = snapshot.summary["kinds"]
    return tuple(str(each) for each in read) if isinstance(read, (list, tuple)) else ()


def every_of(records: Records, snapshot: Snapshot, kind: str) -> Iterator[Fact]:
    """Every fact of one kind, by id, a page in memory at a time; none of a kind that was not read."""
    if kind not in kinds_in(snapshot):
        return iter(())
    return every(lambda after: records.page(snapshot, kind, after, PAGE))


def of_live(source: Source, live: Live, names: Catalogue, refusals: tuple[Refusal, ...] = ()) -> Account:
    """The account a live read found."""
    through: dict[str, list[Fact]] = defaultdict(list)
    for fact in live.through_groups:
        through[fact.subject].append(fact)
    return account(source, live.kinds, live.facts, through, names, refusals)


def accounts(source: Source, records: Records, snapshot: Snapshot) -> Iterator[Account]:
    """Every account of the snapshot, by UserId, some hundreds in memory at a time."""
    dresser = Dresser(source, records, snapshot)
    after = ""
    while users := records.page(snapshot, facts.USER, after, BATCH):
        yield from dresser.dress(users)
        after = users[-1].id


class Dresser:
    """Dresses accounts of one snapshot, with the groups' access and the names loaded once."""

    def __init__(self, source: Source, records: Records, snapshot: Snapshot) -> None:
        self._source = source
        self._records = records
        self.snapshot = snapshot
        self._kinds = kinds_in(snapshot)
        self._names = Catalogue(records, snapshot)
        self._names.load()
        self.through: Through = self._group_access() if source.inherited == "full" else {}

    def dress(self, users: Sequence[Fact]) -> Iterator[Account]:
        """The accounts of `users`, facts of kind `user`, in their order."""
        ids = [each.id for each in users]
        about: dict[str, list[Fact]] = defaultdict(list)
        for kind in facts.ABOUT_A_USER[1:]:
            if kind in self._kinds:
                for fact in self._records.about(self.snapshot, kind, ids):
                    about[fact.subject].append(fact)
        for user in users:
            yield account(self._source, self._kinds, (user, *about[user.id]), self.through, self._names)

    def _group_access(self) -> dict[str, list[Fact]]:
        through: dict[str, list[Fact]] = defaultdict(list)
        for kind in (facts.ASSIGNMENT, facts.APPLICATION_ASSIGNMENT):
            for fact in every_of(self._records, self.snapshot, kind):
                if fact.body.get("type") == "GROUP":
                    through[fact.subject].append(fact)
        return dict(through)
