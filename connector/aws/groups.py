"""Groups of the identity store and who is in them. Groups hold users only (the API's MemberId has no other kind).

Memberships come by group or by user; each row carries its MembershipId, which only leaving needs.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.aws import translate
from connector.aws.calls import Line
from connector.aws.paging import listed
from connector.aws.users import checked
from connector.errors import AwsConflict, NotFoundInAws
from connector.model import Group, Membership

UNIQUENESS = "UNIQUENESS_CONSTRAINT_VIOLATION"


def groups(line: Line, store: str) -> Iterator[Group]:
    """All groups, 100 a call."""
    return map(translate.group, listed(line, "identitystore", "ListGroups", "Groups", IdentityStoreId=store))


def described(line: Line, store: str, group_id: str) -> Group | None:
    """One group as it is now, None when AWS says that this GROUP does not exist."""
    checked(group_id, "group")
    try:
        answer = line.call("identitystore", "DescribeGroup", "GroupId", IdentityStoreId=store, GroupId=group_id)
    except NotFoundInAws as absent:
        if absent.resource != "GROUP":
            raise
        return None
    return translate.group(answer)


def members(line: Line, store: str, group_id: str) -> Iterator[Membership]:
    """Everybody in a group; `NotFoundInAws` with resource GROUP when it was deleted."""
    rows = listed(
        line,
        "identitystore",
        "ListGroupMemberships",
        "GroupMemberships",
        IdentityStoreId=store,
        GroupId=checked(group_id, "group"),
    )
    return map(translate.membership, rows)


def memberships(line: Line, store: str, user_id: str) -> Iterator[Membership]:
    """Every group a user is in; `NotFoundInAws` with resource USER when he was deleted."""
    rows = listed(
        line,
        "identitystore",
        "ListGroupMembershipsForMember",
        "GroupMemberships",
        IdentityStoreId=store,
        MemberId={"UserId": checked(user_id, "user")},
    )
    return map(translate.membership, rows)


def joined(line: Line, store: str, group_id: str, user_id: str) -> bool:
    """Put a user into a group; False when he is in it. `NotFoundInAws` when either does not exist."""
    checked(group_id, "group")
    try:
        line.call(
            "identitystore",
            "CreateGroupMembership",
            "MembershipId",
            IdentityStoreId=store,
            GroupId=group_id,
            MemberId={"UserId": checked(user_id, "user")},
        )
    except AwsConflict as conflict:
        # Also what a repetition meets after an answer was lost: he is a member, which is all that was asked.
        if conflict.reason != UNIQUENESS:
            raise
        return False
    return True


def left(line: Line, store: str, group_id: str, user_id: str) -> bool:
    """Take a user out of a group; False when he is not in it, or either does not exist."""
    checked(group_id, "group")
    member = {"UserId": checked(user_id, "user")}
    try:
        found = line.call(
            "identitystore",
            "GetGroupMembershipId",
            "MembershipId",
            IdentityStoreId=store,
            GroupId=group_id,
            MemberId=member,
        )
        line.call(
            "identitystore",
            "DeleteGroupMembership",
            IdentityStoreId=store,
            MembershipId=found["MembershipId"],
        )
    except NotFoundInAws as absent:
        # Membership, group or user: each means that he is not in it. Unnamed, it could be the identity store.
        if absent.resource is None:
            raise
        return False
    return True
