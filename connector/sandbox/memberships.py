"""The membership operations of identitystore.

They read and change identities.py through a Call. Groups hold users only: there are no nested groups (aws-behaviour 5).
"""

from typing import Any

from connector.sandbox.call import Answer, Call, bare, identity_store
from connector.sandbox.errors import conflict, not_in_store, validation
from connector.sandbox.groups import group_named
from connector.sandbox.identities import IdentityStore, Membership
from connector.sandbox.paging import page
from connector.sandbox.users import user_named


def ListGroupMemberships(call: Call) -> Answer:
    """A page of a group's members."""
    store = identity_store(call)
    group = group_named(store, call["GroupId"])
    return page(call, "GroupMemberships", group.members, lambda found: described(call, store, found))


def ListGroupMembershipsForMember(call: Call) -> Answer:
    """A page of a user's groups."""
    store = identity_store(call)
    user = user_named(store, call["MemberId"]["UserId"])
    return page(call, "GroupMemberships", user.memberships, lambda found: described(call, store, found))


def DescribeGroupMembership(call: Call) -> Answer:
    """One membership."""
    store = identity_store(call)
    return described(call, store, _named(store, call["MembershipId"]))


def GetGroupMembershipId(call: Call) -> Answer:
    """The id of a user's membership in a group."""
    store = identity_store(call)
    group = group_named(store, call["GroupId"])
    user = user_named(store, call["MemberId"]["UserId"])
    found = store.membership_of(group.id, user.id)
    if found is None:
        raise not_in_store("GROUP_MEMBERSHIP")
    return _named_answer(call, store, found)


def IsMemberInGroups(call: Call) -> Answer:
    """Whether a user is in each of up to 100 groups."""
    store = identity_store(call)
    user = user_named(store, call["MemberId"]["UserId"])
    held = {found.group_id for found in user.memberships}
    results = []
    for identifier in call["GroupIds"]:
        group = group_named(store, identifier)
        results.append({"GroupId": group.id, "MemberId": {"UserId": user.id}, "MembershipExists": group.id in held})
    return {"Results": results}


def CreateGroupMembership(call: Call) -> Answer:
    """Put a user into a group; a second time is a conflict."""
    store = identity_store(call, write=True)
    group = group_named(store, call["GroupId"])
    user = user_named(store, call["MemberId"]["UserId"])
    if store.membership_of(group.id, user.id):
        raise conflict("Member and Group relationship already exists.", "UNIQUENESS_CONSTRAINT_VIOLATION")
    if not user.enabled and not call.options.disabled_may_join:
        # A disabled user cannot be added to a group (aws-behaviour 8, said of the console).
        raise validation("A disabled user cannot be added to a group")
    made = Membership(
        call.organisation.next_seq(),
        f"{store.prefix}{call.organisation.uuid()}",
        group.id,
        user.id,
        call.now,
        call.caller.arn,
    )
    return _named_answer(call, store, store.add_membership(made))


def DeleteGroupMembership(call: Call) -> Answer:
    """Take a user out of a group."""
    store = identity_store(call, write=True)
    store.remove_membership(_named(store, call["MembershipId"]))
    return {}


def _named(store: IdentityStore, identifier: str) -> Membership:
    found = store.memberships.get(bare(identifier))
    if found is None:
        raise not_in_store("GROUP_MEMBERSHIP", bare(identifier))
    return found


def _named_answer(call: Call, store: IdentityStore, found: Membership) -> dict[str, Any]:
    return {
        "IdentityStoreId": store.id,
        "MembershipId": found.id,
        "MembershipArn": f"arn:{call.organisation.partition}:identitystore:::membership/{found.id}",
    }


def described(call: Call, store: IdentityStore, found: Membership) -> dict[str, Any]:
    """A membership as DescribeGroupMembership shows it."""
    return {
        **_named_answer(call, store, found),
        "GroupId": found.group_id,
        "MemberId": {"UserId": found.user_id},
        "CreatedAt": found.created_at,
        "CreatedBy": found.created_by,
        "UpdatedAt": found.created_at,
        "UpdatedBy": found.created_by,
    }
