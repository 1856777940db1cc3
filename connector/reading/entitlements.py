"""What a snapshot says can be held: groups, pairs, applications, with what a reviewer needs to judge them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from connector import attributes
from connector.errors import FixConfiguration, RetryLater
from connector.model import Entitlement, Fact, Pair, Snapshot, Source
from connector.ports import Records
from connector.reading import entries, facts
from connector.reading.catalogue import Catalogue
from connector.reading.entries import Counts, by_group
from connector.reading.views import every_of, kinds_in


@dataclass
class Shelf:
    """The entitlements of one snapshot, whose details of permission sets are there (`details.detailed`).

    Where they are not, a pair raises `RetryLater`; or, `partial`, it says nothing of them, for comparing only.
    Who holds what is counted once, when it is first needed: a shelf that is kept answers page after page.
    """

    source: Source
    records: Records
    snapshot: Snapshot
    partial: bool = False
    _names: Catalogue = field(init=False)
    _orphans: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._names = Catalogue(self.records, self.snapshot)
        told = self.snapshot.summary.get("orphans")
        self._orphans = frozenset(str(each) for each in told) if isinstance(told, list) else frozenset()

    def all(self, type_: str, after: str = "") -> Iterator[Entitlement]:
        """Every entitlement of the type with an id > `after`, by id."""
        self.check(type_)
        if type_ == attributes.GROUP.name:
            return self._groups(after)
        return self._pairs(after) if type_ == attributes.ASSIGNMENT.name else self._applications(after)

    def check(self, type_: str) -> None:
        """Raise `FixConfiguration` for a type that the source or its instance does not have."""
        if type_ not in attributes.ENTITLEMENT_TYPES or not self.source.has(type_):
            enabled = ", ".join(self.source.entitlement_types)
            raise FixConfiguration(
                f"entitlement type {type_!r} is not enabled for source {self.source.name}; enabled are: {enabled} "
                "(setting entitlement_types)"
            )
        if type_ == attributes.ASSIGNMENT.name and facts.PAIR not in kinds_in(self.snapshot):
            raise FixConfiguration(
                f"the instance of source {self.source.name} has no permission sets: it is an account instance, or one "
                "without multi-account permissions; take permissionSetAssignment out of entitlement_types"
            )

    # ---- groups

    def _groups(self, after: str) -> Iterator[Entitlement]:
        for each in self._every(facts.GROUP, after):
            passed_on = self._passed_on.get(each.id, ()) if self.assignments_read else None
            members = self._members.get(each.id, 0)
            yield entries.group(self.source, facts.group(each), members, passed_on, self._all_names)

    @cached_property
    def _members(self) -> Mapping[str, int]:
        return self.records.tally(self.snapshot, facts.MEMBERSHIP)

    @cached_property
    def _passed_on(self) -> Mapping[str, list[Fact]]:
        held: dict[str, list[Fact]] = defaultdict(list)
        for each in self._every(facts.ASSIGNMENT):
            if by_group(each):
                held[each.subject].append(each)
        return held

    # ---- pairs

    def _pairs(self, after: str) -> Iterator[Entitlement]:
        users, groups = self._holders
        names = self._all_names
        for pair in self._offered(after):
            counts = Counts(users[pair.id], groups[pair.id])
            details = self._allows(pair, self._details.get(pair.permission_set_id))
            yield entries.pair(self.records, self.snapshot, pair, counts, details, names)

    @cached_property
    def _holders(self) -> tuple[Counter[str], Counter[str]]:
        """How many users, and how many groups, hold each pair."""
        users: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        for each in self._every(facts.ASSIGNMENT):
            if entries.orphan_name(each) not in self._orphans:
                (groups if by_group(each) else users)[each.held] += 1
        return users, groups

    @cached_property
    def _details(self) -> Mapping[str, Fact]:
        return {each.id: each for each in self._every(facts.DETAILS)}

    def _allows(self, pair: Pair, details: Fact | None) -> Fact | None:
        if details is None and not self.partial:
            raise RetryLater(f"what permission set {pair.permission_set_id} allows is not read yet; ask again")
        return details

    def _offered(self, after: str = "") -> Iterator[Pair]:
        """Pairs listed, by id: those provisioned, or every permission set in every AWS account."""
        narrow = self.source.entitlement_scope == "provisioned"
        provisioned = (Pair.parse(each.id) for each in self._every(facts.PAIR, after if narrow else ""))
        if narrow:
            yield from (each for each in provisioned if each is not None)
            return
        accounts = {each.id for each in self._every(facts.AWS_ACCOUNT)}
        accounts |= {each.aws_account_id for each in provisioned if each is not None}
        permission_sets = [each.id for each in self._every(facts.PERMISSION_SET)]
        every_pair = (Pair(account, each) for account in sorted(accounts) for each in permission_sets)
        yield from (each for each in every_pair if each.id > after)

    def counts(self, given: Iterable[Fact]) -> Counts:
        """Who holds a pair, orphans left out."""
        return Counts.of(given, self._orphans)

    def offers(self, pair: Pair) -> bool:
        """Whether the list shows the pair."""
        if self.source.entitlement_scope == "all":
            return pair in self._offered()
        return self.records.one(self.snapshot, facts.PAIR, pair.id) is not None

    # ---- applications

    def _applications(self, after: str) -> Iterator[Entitlement]:
        for each in self._every(facts.APPLICATION, after):
            yield entries.application(facts.application(each), Counts.of(self._admitted.get(each.id, ())))

    @cached_property
    def _admitted(self) -> Mapping[str, list[Fact]]:
        given: dict[str, list[Fact]] = defaultdict(list)
        for each in self._every(facts.APPLICATION_ASSIGNMENT):
            given[each.held].append(each)
        return given

    @property
    def assignments_read(self) -> bool:
        """Whether the snapshot has assignments: else nothing is said of them."""
        return facts.ASSIGNMENT in kinds_in(self.snapshot)

    @cached_property
    def _all_names(self) -> Catalogue:
        """Every name at once, for whole lists."""
        self._names.load()
        return self._names

    def _every(self, kind: str, after: str = "") -> Iterator[Fact]:
        return every_of(self.records, self.snapshot, kind, after)
