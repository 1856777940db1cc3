"""Users, groups and memberships of one identity store, with their indexes.

Written by the seeds, the identitystore operations and SCIM; read by them, by assignments.py (does the principal exist?)
and by the oracle's dump. Attributes are kept in AWS's wire form (PascalCase); no rule of AWS is enforced here.
"""

from dataclasses import dataclass, field
from typing import Any

from connector.sandbox.ordered import Ordered


@dataclass(slots=True)
class Trace:
    """Who made and changed an object, and when; the revision changes with every change."""

    created_at: float
    created_by: str
    updated_at: float
    updated_by: str
    revision: int = 1

    def touch(self, at: float, by: str) -> None:
        """Note a change."""
        self.updated_at = at
        self.updated_by = by
        self.revision += 1


@dataclass(slots=True)
class Membership:
    """A user in a group."""

    seq: int
    id: str
    group_id: str
    user_id: str
    created_at: float
    created_by: str


@dataclass(slots=True)
class User:
    """A user; `attributes` is what CreateUser takes, `extension` the enterprise attributes in SCIM's spelling."""

    seq: int
    id: str
    attributes: dict[str, Any]
    trace: Trace
    extension: dict[str, Any] = field(default_factory=dict)
    external_ids: list[dict[str, str]] = field(default_factory=list)
    enabled: bool = True
    memberships: Ordered[Membership] = field(default_factory=Ordered)
    wire: dict[str, bytes] = field(default_factory=dict)  # rendered once until it changes

    @property
    def name(self) -> str:
        """The userName."""
        return str(self.attributes["UserName"])

    def touch(self, at: float, by: str) -> None:
        """Note a change and forget the rendered forms."""
        self.trace.touch(at, by)
        self.wire.clear()


@dataclass(slots=True)
class Group:
    """A group."""

    seq: int
    id: str
    name: str
    description: str | None
    trace: Trace
    external_ids: list[dict[str, str]] = field(default_factory=list)
    members: Ordered[Membership] = field(default_factory=Ordered)


@dataclass
class IdentityStore:
    """One identity store; `prefix` starts the ids of its objects."""

    id: str
    arn: str
    prefix: str
    owner_account: str
    users: Ordered[User] = field(default_factory=Ordered)
    users_by_id: dict[str, User] = field(default_factory=dict)
    users_by_name: dict[str, User] = field(default_factory=dict)
    users_by_email: dict[str, User] = field(default_factory=dict)
    users_by_external_id: dict[tuple[str, str], User] = field(default_factory=dict)
    groups: Ordered[Group] = field(default_factory=Ordered)
    groups_by_id: dict[str, Group] = field(default_factory=dict)
    groups_by_name: dict[str, Group] = field(default_factory=dict)
    groups_by_external_id: dict[tuple[str, str], Group] = field(default_factory=dict)
    memberships: dict[str, Membership] = field(default_factory=dict)

    def add_user(self, user: User) -> User:
        """Take a user in."""
        self.users.add(user)
        self.users_by_id[user.id] = user
        self.index_user(user)
        return user

    def index_user(self, user: User) -> None:
        """Make a user findable by name, e-mail address and external ids."""
        self.users_by_name[user.name.lower()] = user
        for address in emails_of(user):
            self.users_by_email[address] = user
        for external in user.external_ids:
            self.users_by_external_id[external["Issuer"], external["Id"]] = user

    def forget_user(self, user: User) -> None:
        """Undo `index_user`, before a change or a deletion."""
        self.users_by_name.pop(user.name.lower(), None)
        for address in emails_of(user):
            self.users_by_email.pop(address, None)
        for external in user.external_ids:
            self.users_by_external_id.pop((external["Issuer"], external["Id"]), None)

    def remove_user(self, user: User, keep_memberships: bool = False) -> None:
        """Remove a user, and the memberships unless told to keep them."""
        self.forget_user(user)
        self.users.remove(user)
        del self.users_by_id[user.id]
        if not keep_memberships:
            for membership in list(user.memberships):
                self.remove_membership(membership)

    def add_group(self, group: Group) -> Group:
        """Take a group in."""
        self.groups.add(group)
        self.groups_by_id[group.id] = group
        self.groups_by_name[group.name] = group
        for external in group.external_ids:
            self.groups_by_external_id[external["Issuer"], external["Id"]] = group
        return group

    def remove_group(self, group: Group) -> None:
        """Remove a group and its memberships."""
        self.groups.remove(group)
        del self.groups_by_id[group.id]
        self.groups_by_name.pop(group.name, None)
        for external in group.external_ids:
            self.groups_by_external_id.pop((external["Issuer"], external["Id"]), None)
        for membership in list(group.members):
            self.remove_membership(membership)

    def add_membership(self, membership: Membership) -> Membership:
        """Put a user into a group."""
        self.memberships[membership.id] = membership
        self.groups_by_id[membership.group_id].members.add(membership)
        self.users_by_id[membership.user_id].memberships.add(membership)
        return membership

    def remove_membership(self, membership: Membership) -> None:
        """Take a user out of a group."""
        self.memberships.pop(membership.id, None)
        if group := self.groups_by_id.get(membership.group_id):
            group.members.remove(membership)
        if user := self.users_by_id.get(membership.user_id):
            user.memberships.remove(membership)

    def membership_of(self, group_id: str, user_id: str) -> Membership | None:
        """The membership of a user in a group; looks through the user's few, not the group's many."""
        user = self.users_by_id.get(user_id)
        if user is None:
            return None
        return next((found for found in user.memberships if found.group_id == group_id), None)


def emails_of(user: User) -> list[str]:
    """A user's e-mail addresses, as they are compared."""
    return [row["Value"].lower() for row in user.attributes.get("Emails", ()) if "Value" in row]
