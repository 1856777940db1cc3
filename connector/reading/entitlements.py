"""What a snapshot says can be held: groups, pairs, applications, with what a reviewer needs to judge them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from connector import attributes
from connector.errors import EntitlementNotFound, FixConfiguration
from connector.model import Application, AwsAccount, Entitlement, Fact, Group, Pair, Snapshot, Source
from connector.ports import Records
from connector.reading import facts, requestable
from connector.reading.catalogue import Catalogue
from connector.reading.details import Details
from connector.reading.views import kinds_in
from connector.reading.work import PAGE, every

BATCH = 100
"""Permission sets whose details are asked for at once."""

AskDetails = Callable[[Iterable[str]], Mapping[str, Details]]
"""Details of permission sets, by id."""


@dataclass
class Shelf:
    """The entitlements of one snapshot."""

    source: Source
    records: Records
    snapshot: Snapshot
    details: AskDetails
    _names: Catalogue = field(init=False)
    _orphans: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._names = Catalogue(self.records, self.snapshot)
        self._orphans = frozenset(_texts(self.snapshot.summary.get("orphans")))

    def all(self, type_: str) -> Iterator[Entitlement]:
        """Every entitlement of the type, by id."""
        self._check(type_)
        self._names.load()
        if type_ == attributes.GROUP.name:
            return self._groups()
        return self._pairs() if type_ == attributes.ASSIGNMENT.name else self._applications()

    def one(self, type_: str, id_: str) -> Entitlement:
        """The entitlement, rendered as `all` renders it."""
        self._check(type_)
        if type_ == attributes.ASSIGNMENT.name:
            return self._one_pair(id_)
        kind = facts.GROUP if type_ == attributes.GROUP.name else facts.APPLICATION
        found = self.records.one(self.snapshot, kind, id_)
        if found is None:
            raise EntitlementNotFound(f"there is no {attributes.ENTITLEMENT_TYPES[type_].label} {id_!r}")
        if kind == facts.GROUP:
            held = [each for each in self.records.about(self.snapshot, facts.ASSIGNMENT, [id_]) if _by_group(each)]
            members = len(self.records.holding(self.snapshot, facts.MEMBERSHIP, id_))
            return self._group(facts.group(found), members, held)
        given = self.records.holding(self.snapshot, facts.APPLICATION_ASSIGNMENT, id_)
        return self._application(facts.application(found), _Counts.of(given, frozenset()))

    def _check(self, type_: str) -> None:
        known = attributes.ENTITLEMENT_TYPES.get(type_)
        if known is None or not self.source.has(type_):
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

    def _groups(self) -> Iterator[Entitlement]:
        members = self.records.tally(self.snapshot, facts.MEMBERSHIP)
        held: dict[str, list[Fact]] = defaultdict(list)
        for each in self._every(facts.ASSIGNMENT):
            if _by_group(each):
                held[each.subject].append(each)
        for each in self._every(facts.GROUP):
            yield self._group(facts.group(each), members.get(each.id, 0), held.get(each.id, []))

    def _group(self, group: Group, members: int, held: Iterable[Fact]) -> Entitlement:
        pairs = sorted({each.held for each in held})
        return self._entitlement(
            attributes.GROUP,
            group.id,
            group.name,
            group.description,
            requestable.group(self.source, group),
            _Counts(members, 0),
            {
                "grants": tuple(sorted(self._names.pair(each) for each in pairs)),
                "permissionSetAssignments": tuple(pairs),
                "external": group.external,
            },
        )

    # ---- pairs

    def _pairs(self) -> Iterator[Entitlement]:
        users: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        for each in self._every(facts.ASSIGNMENT):
            if not self._orphan(each):
                (groups if _by_group(each) else users)[each.held] += 1
        known = self.details(each.id for each in self._every(facts.PERMISSION_SET))
        for pair in self._offered():
            yield self._pair(pair, _Counts(users[pair.id], groups[pair.id]), known)

    def _one_pair(self, id_: str) -> Entitlement:
        pair = Pair.parse(id_)
        if pair is None or not self._offers(pair):
            raise EntitlementNotFound(f"there is no permission set assignment {id_!r}")
        given = self.records.holding(self.snapshot, facts.ASSIGNMENT, id_)
        return self._pair(pair, _Counts.of(given, self._orphans), self.details([pair.permission_set_id]))

    def _offered(self) -> Iterator[Pair]:
        """Pairs listed: those provisioned, or every permission set in every AWS account."""
        if self.source.entitlement_scope == "provisioned":
            for each in self._every(facts.PAIR):
                pair = Pair.parse(each.id)
                if pair is not None:
                    yield pair
            return
        permission_sets = [each.id for each in self._every(facts.PERMISSION_SET)]
        accounts = {each.id for each in self._every(facts.AWS_ACCOUNT)}
        accounts |= {each.id.partition(":")[0] for each in self._every(facts.PAIR)}
        for account in sorted(accounts):
            for permission_set in permission_sets:
                yield Pair(account, permission_set)

    def _offers(self, pair: Pair) -> bool:
        if self.records.one(self.snapshot, facts.PAIR, pair.id) is not None:
            return True
        return (
            self.source.entitlement_scope == "all"
            and self.records.one(self.snapshot, facts.PERMISSION_SET, pair.permission_set_id) is not None
            and (
                self.records.one(self.snapshot, facts.AWS_ACCOUNT, pair.aws_account_id) is not None
                or any(each.id.startswith(f"{pair.aws_account_id}:") for each in self._every(facts.PAIR))
            )
        )

    def _pair(self, pair: Pair, counts: _Counts, known: Mapping[str, Details]) -> Entitlement:
        account: AwsAccount = self._names.aws_account(pair.aws_account_id)
        details = known[pair.permission_set_id]
        policies = details.policies
        return self._entitlement(
            attributes.ASSIGNMENT,
            pair.id,
            self._names.pair(pair.id),
            details.permission_set.description,
            requestable.pair(self.records, self.snapshot, pair, account),
            counts,
            {
                "awsAccountId": pair.aws_account_id,
                "awsAccountName": account.name,
                "awsAccountState": account.state,
                "permissionSetId": pair.permission_set_id,
                "permissionSetName": self._names.permission_set(pair.permission_set_id),
                "sessionDuration": details.permission_set.session_duration,
                "managedPolicies": tuple(sorted(policies.managed)),
                "customerManagedPolicies": tuple(sorted(policies.customer_managed)),
                "hasInlinePolicy": policies.inline,
                "permissionsBoundary": policies.boundary,
            },
        )

    # ---- applications

    def _applications(self) -> Iterator[Entitlement]:
        users: Counter[str] = Counter()
        groups: Counter[str] = Counter()
        for each in self._every(facts.APPLICATION_ASSIGNMENT):
            (groups if _by_group(each) else users)[each.held] += 1
        for each in self._every(facts.APPLICATION):
            yield self._application(facts.application(each), _Counts(users[each.id], groups[each.id]))

    def _application(self, application: Application, counts: _Counts) -> Entitlement:
        return self._entitlement(
            attributes.APPLICATION,
            application.id,
            application.name,
            application.description,
            requestable.application(application),
            counts,
            {
                "applicationArn": application.arn,
                "awsAccountId": application.aws_account_id,
                "enabled": application.enabled,
                "assignmentRequired": application.assignment_required,
            },
        )

    # ---- all

    def _entitlement(
        self,
        type_: attributes.EntitlementType,
        id_: str,
        name: str,
        description: str,
        refused: str,
        counts: _Counts,
        own: Mapping[str, str | bool | int | tuple[str, ...]],
    ) -> Entitlement:
        return Entitlement(
            id_,
            type_.name,
            {
                "id": id_,
                "type": type_.name,
                "displayName": name,
                "description": description,
                "requestable": not refused,
                "notRequestableReason": refused,
                "userCount": counts.users,
                "groupCount": counts.groups,
                **own,
            },
        )

    def _orphan(self, fact: Fact) -> bool:
        return _name(fact) in self._orphans

    def _every(self, kind: str) -> Iterator[Fact]:
        if kind not in kinds_in(self.snapshot):
            return iter(())
        return every(partial(self._page, kind))

    def _page(self, kind: str, after: str) -> list[Fact]:
        return list(self.records.page(self.snapshot, kind, after, PAGE))


@dataclass(frozen=True, slots=True)
class _Counts:
    users: int
    groups: int

    @classmethod
    def of(cls, given: Iterable[Fact], orphans: frozenset[str]) -> _Counts:
        there = [each for each in given if _name(each) not in orphans]
        groups = sum(_by_group(each) for each in there)
        return cls(len(there) - groups, groups)


def _by_group(fact: Fact) -> bool:
    return fact.body.get("type") == "GROUP"


def _name(fact: Fact) -> str:
    """How the census names an orphan."""
    return f"{fact.held} of {fact.body.get('type')} {fact.subject}"


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, (list, tuple)) else []
