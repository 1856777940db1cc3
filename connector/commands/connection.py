"""test-connection: is the source configured, are we who we should be, and may we read what lists need?

One cheap read per permission class, on the first object found. The first denied one that a list needs ends it with
the IAM action to grant; what a list can do without becomes a warning, told to the caller and to the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

import structlog

from connector import attributes
from connector.commands.denials import COSTS, of_member
from connector.commands.desk import Desk
from connector.commands.leaver import leftovers
from connector.errors import AccountNotFound, AskPermission, Cancelled, ConnectorError
from connector.model import Done, Event, Instance, Lane, NoInput, Pair, Principal, User
from connector.ports import Directory
from connector.reading.census import owned_elsewhere

FIRST = 20
"""Users looked at for signs of an identity provider: part of the one page that is read anyway."""

POLICY_ACTIONS = (
    "sso:ListManagedPoliciesInPermissionSet",
    "sso:ListCustomerManagedPolicyReferencesInPermissionSet",
    "sso:GetInlinePolicyForPermissionSet",
    "sso:GetPermissionsBoundaryForPermissionSet",
)
"""What `Directory.policies` calls."""

Found = TypeVar("Found")

log = structlog.get_logger(__name__)


def test(desk: Desk, asked: NoInput) -> Iterator[Event]:
    """`Done` whose details say what was found (docs/rest-face.md, the source itself)."""
    probe = Probe(desk)
    found = probe.run()
    for warning in (*probe.failing, *probe.warnings):
        # SailPoint's protocol has no place for them.
        log.warning("connection tested", source=desk.source.name, warning=warning)
    yield Done(found)


@dataclass
class Probe:
    """One test of one source."""

    desk: Desk
    permissions: list[str] = field(default_factory=list)
    failing: list[str] = field(default_factory=list)
    """Warnings because of which a command fails that is no list."""
    warnings: list[str] = field(default_factory=list)
    directory: Directory = field(init=False)

    def __post_init__(self) -> None:
        self.directory = self.desk.directory(Lane.LIVE)

    def run(self) -> dict[str, object]:
        """What was found; raises the first thing that has to be put right."""
        instance = self.directory.instance()
        try:
            users = self._look(instance)
        except AskPermission as denied:
            if denied.action.startswith(("sso:", "identitystore:")) and self._member(instance):
                raise of_member(instance, denied) from denied
            raise
        self._switch(users)
        self._hints(instance, users)
        return {
            "source": self.desk.source.name,
            "instance": instance.arn,
            "identityStore": instance.identity_store_id,
            "region": instance.region,
            "caller": instance.caller_arn,
            "owner": instance.owner or "",
            "permissions": self.permissions,
            "warnings": [*self.failing, *self.warnings],
        }

    def _look(self, instance: Instance) -> list[User]:
        for action in instance.denied:
            self._cost(action, action)
        users = self._identities()
        if self.desk.source.has(attributes.ASSIGNMENT.name):
            if instance.multi_account:
                self._assignments(instance, users)
            else:
                self.warnings.append(
                    "this instance has no permission sets (an account instance, or one without multi-account "
                    "permissions): only users and groups are served"
                )
        if self.desk.source.has(attributes.APPLICATION.name):
            self._applications(users)
        return users

    def _identities(self) -> list[User]:
        directory = self.directory
        users = self._read("identitystore:ListUsers", directory.users(), FIRST)
        for user in users[:1]:
            with suppress(AccountNotFound):  # deleted between two calls; the permission is there
                directory.user(user.id)
            self.permissions.append("identitystore:DescribeUser")
        if not self.desk.source.has(attributes.GROUP.name) and self.desk.source.inherited == "none":
            return users
        for group in self._read("identitystore:ListGroups", directory.groups()):
            directory.group(group.id)
            self.permissions.append("identitystore:DescribeGroup")
            self._read("identitystore:ListGroupMemberships", directory.members(group.id))
        for user in users[:1]:
            self._read("identitystore:ListGroupMembershipsForMember", directory.memberships(user.id))
        return users

    def _assignments(self, instance: Instance, users: list[User]) -> None:
        directory = self.directory
        for id_ in self._read("sso:ListPermissionSets", directory.permission_set_ids()):
            directory.permission_set(id_)
            directory.policies(id_)
            self.permissions += ["sso:DescribePermissionSet", *POLICY_ACTIONS]
            for account in self._read("sso:ListAccountsForProvisionedPermissionSet", directory.aws_accounts_of(id_)):
                self._read("sso:ListAccountAssignments", directory.assignments_of_pair(Pair(account, id_)))
        for user in users[:1]:
            self._can_do_without(
                "sso:ListAccountAssignmentsForPrincipal",
                directory.assignments_of(Principal("USER", user.id)),
            )
        self._can_do_without("organizations:ListAccounts", directory.aws_accounts())
        some = instance.management or instance.owner or instance.caller
        self._can_do_without("organizations:DescribeAccount", map(directory.aws_account, [some]))

    def _applications(self, users: list[User]) -> None:
        for application in self._read("sso:ListApplications", self.directory.applications()):
            self.permissions.append("sso:GetApplicationAssignmentConfiguration")
            self._read("sso:ListApplicationAssignments", self.directory.application_assignments(application))
        for user in users[:1]:
            self._can_do_without(
                "sso:ListApplicationAssignmentsForPrincipal",
                self.directory.application_assignments_of(Principal("USER", user.id)),
            )

    def _switch(self, users: list[User]) -> None:
        source = self.desk.source
        if source.disable_by == "refuse":
            self.warnings.append(
                'enable and disable are refused (disable_by = "refuse"): AWS offers them through SCIM only '
                '(disable_by = "scim"); "strip" takes direct access away and gives it back'
            )
        if source.disable_by != "strip" and (stripped := self.desk.stripped.all(source.name)):
            self.warnings.append(
                f'{len(stripped)} users are still disabled by stripping, though disable_by is "{source.disable_by}": '
                "std:account:enable gives back what was taken from them"
            )
        if source.disable_by != "scim":
            return
        try:
            self.directory.look_at_scim(users[0].id if users else None)
        except Cancelled:
            raise
        except ConnectorError as error:
            self.failing.append(f"std:account:enable and std:account:disable fail: {error}")

    def _read(self, action: str, found: Iterable[Found], count: int = 1) -> list[Found]:
        """The first few, which is one page; the action is permitted when nothing is raised."""
        first = list(islice(found, count))
        self.permissions.append(action)
        return first

    def _can_do_without(self, action: str, found: Iterable[object]) -> None:
        try:
            self._read(action, found)
        except AskPermission as denied:
            self._cost(action, denied.action)

    def _cost(self, action: str, denied: str) -> None:
        """`denied` is the action itself, or another that it needs, such as kms:Decrypt."""
        cost = COSTS[action]
        (self.failing if cost.fails else self.warnings).append(f"{denied} is denied: {cost.sentence}")

    def _member(self, instance: Instance) -> bool:
        """Whether we call from a plain member of the organisation: only its administrators may list AWS accounts."""
        if instance.owned or instance.caller == instance.management:
            return False
        try:
            next(iter(self.directory.aws_accounts()), None)
        except AskPermission:
            return True
        return False

    def _hints(self, instance: Instance, users: list[User]) -> None:
        source = self.desk.source
        if not instance.owned:
            self.warnings.append(owned_elsewhere(instance))
        external = sum(user.external for user in users)
        if source.managed_by == "identity-center" and external > len(users) / 2:
            self.warnings.append(
                f"{external} of the first {len(users)} users carry an ExternalId: an identity provider seems to own "
                'them; consider managed_by = "external"'
            )
        newest = self.desk.freshness.newest()
        if newest is not None:
            known = newest.summary.get("warnings")
            self.warnings += [
                str(each) for each in (known if isinstance(known, list) else ()) if str(each) not in self.warnings
            ]
        since = newest.completed_at if newest is not None else 0.0
        for left in leftovers(self.desk, instance):
            if left["at"] > since:
                self.warnings.append(f"deleted user {left['user']} left behind: {left['left']}")
