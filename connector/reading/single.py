"""One entitlement, dressed as lists dress it, and never one that AWS says is gone.

That it exists, and what a group or an application is called, is asked of AWS now. Who holds it, what a group passes on
and what a permission set allows come from the snapshot, as in the list; of an entitlement made since, they are asked
as well: not read is not nobody.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from connector import attributes
from connector.errors import AskPermission, EntitlementNotFound, RetryLater
from connector.model import AwsAccount, Entitlement, Fact, Pair, Principal, Snapshot, Source
from connector.ports import Directory, Records
from connector.reading import details, entries, facts
from connector.reading.catalogue import Catalogue
from connector.reading.entitlements import Shelf
from connector.reading.entries import Counts, by_group
from connector.reading.principals import rows_of


@dataclass
class Single:
    """Entitlements one by one, from a snapshot with the details of the permission set and from AWS."""

    source: Source
    records: Records
    snapshot: Snapshot
    directory: Directory
    _shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.source, self.records, self.snapshot)

    def read(self, type_: str, id_: str) -> Entitlement:
        """The entitlement; `EntitlementNotFound` when AWS has no such thing. `id_` has the shape of the type's ids."""
        self._shelf.check(type_)
        find = {
            attributes.GROUP.name: self._group,
            attributes.ASSIGNMENT.name: self._pair,
            attributes.APPLICATION.name: self._application,
        }
        found = find[type_](id_)
        if found is None:
            raise EntitlementNotFound(f"there is no {attributes.ENTITLEMENT_TYPES[type_].label} {id_!r}")
        return found

    # ---- groups

    def _group(self, id_: str) -> Entitlement | None:
        group = self.directory.group(id_)
        if group is None:
            return None
        known = self.records.one(self.snapshot, facts.GROUP, id_) is not None
        if not known:
            members = len(rows_of(self.directory, Principal("GROUP", id_), lambda: self.directory.members(id_)))
            held = self._passed_on(Principal("GROUP", id_)) if self._shelf.assignments_read else None
        else:
            members = len(self.records.holding(self.snapshot, facts.MEMBERSHIP, id_))
            rows = self.records.about(self.snapshot, facts.ASSIGNMENT, [id_]) if self._shelf.assignments_read else None
            held = None if rows is None else [each for each in rows if by_group(each)]
        return entries.group(self.source, group, members, held, self._names(known))

    def _passed_on(self, group: Principal) -> list[Fact]:
        try:
            rows = rows_of(self.directory, group, lambda: self.directory.assignments_of(group))
        except AskPermission as denied:
            raise RetryLater(
                f"group {group.id} was made after the source was read, and what it opens cannot be asked by itself "
                f"({denied.action} is denied); it is known when the source is read again"
            ) from denied
        return [facts.of_assignment(each) for each in rows if each.principal == group]

    # ---- pairs

    def _pair(self, id_: str) -> Entitlement | None:
        pair = Pair.parse(id_)
        if pair is None:
            return None
        known = self.records.one(self.snapshot, facts.PAIR, id_) is not None
        if self.directory.permission_set(pair.permission_set_id) is None or not self._offers(pair, known):
            return None
        given = self.records.holding(self.snapshot, facts.ASSIGNMENT, id_) if known else self._holders(pair)
        allowed = self.records.one(self.snapshot, facts.DETAILS, pair.permission_set_id)
        return entries.pair(
            self.records,
            self.snapshot,
            pair,
            self._shelf.counts(given),
            allowed or details.asked(self.directory, pair.permission_set_id),
            self._names(known),
        )

    def _offers(self, pair: Pair, known: bool) -> bool:
        """Whether a list made now would show the pair; `known` to be provisioned by the snapshot."""
        account = self._aws_account(pair)
        if account is not None and (known or (self.source.entitlement_scope == "all" and account.state)):
            return True
        if account is not None and self._shelf.offers(pair):
            return True
        # An AWS account that left the organisation may still have it.
        return pair.aws_account_id in self.directory.aws_accounts_of(pair.permission_set_id)

    def _aws_account(self, pair: Pair) -> AwsAccount | None:
        """The AWS account as it is now, None when AWS knows none; what the snapshot says where AWS denies it."""
        try:
            return self.directory.aws_account(pair.aws_account_id)
        except AskPermission:
            return self._names(known=True).aws_account(pair.aws_account_id)

    def _holders(self, pair: Pair) -> Iterable[Fact]:
        return [facts.of_assignment(each) for each in self.directory.assignments_of_pair(pair)]

    # ---- applications

    def _application(self, id_: str) -> Entitlement | None:
        application = self.directory.application(id_)
        if application is None:
            return None
        if self.records.one(self.snapshot, facts.APPLICATION, id_) is not None:
            given = self.records.holding(self.snapshot, facts.APPLICATION_ASSIGNMENT, id_)
        else:
            rows = self.directory.application_assignments(application)
            given = [facts.of_application_assignment(each) for each in rows]
        return entries.application(application, Counts.of(given))

    # ---- all

    def _names(self, known: bool) -> Catalogue:
        """The names that lists show; of what they do not show yet, names from AWS."""
        return Catalogue(self.records, self.snapshot, None if known else self.directory)
