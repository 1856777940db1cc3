"""The identitystore service: which operation is answered by whom.

Users, groups and memberships have rooms of their own; here are the identity stores and the table that dispatch.py uses.
UpdateIdentityStore (network rules) is not emulated.
"""

from connector.sandbox import groups, memberships, users
from connector.sandbox.call import Answer, Call, Operation, identity_store, may_see
from connector.sandbox.ordered import listed
from connector.sandbox.paging import page


def ListIdentityStores(call: Call) -> Answer:
    """The identity stores that the caller can see from this Region."""
    instances = call.organisation.instances.values()
    stores = [each.store for each in instances if call.region in each.regions and may_see(call, each)]
    return page(
        call,
        "IdentityStores",
        listed(stores),
        lambda each: {"IdentityStoreId": each.row.id, "IdentityStoreArn": each.row.arn},
    )


def DescribeIdentityStore(call: Call) -> Answer:
    """One identity store; network rules are never set here."""
    store = identity_store(call)
    return {"IdentityStoreId": store.id, "IdentityStoreArn": store.arn}


OPERATIONS: dict[str, Operation] = {
    "ListIdentityStores": ListIdentityStores,
    "DescribeIdentityStore": DescribeIdentityStore,
    "ListUsers": users.ListUsers,
    "DescribeUser": users.DescribeUser,
    "GetUserId": users.GetUserId,
    "CreateUser": users.CreateUser,
    "UpdateUser": users.UpdateUser,
    "DeleteUser": users.DeleteUser,
    "ListGroups": groups.ListGroups,
    "DescribeGroup": groups.DescribeGroup,
    "GetGroupId": groups.GetGroupId,
    "CreateGroup": groups.CreateGroup,
    "UpdateGroup": groups.UpdateGroup,
    "DeleteGroup": groups.DeleteGroup,
    "ListGroupMemberships": memberships.ListGroupMemberships,
    "ListGroupMembershipsForMember": memberships.ListGroupMembershipsForMember,
    "DescribeGroupMembership": memberships.DescribeGroupMembership,
    "GetGroupMembershipId": memberships.GetGroupMembershipId,
    "IsMemberInGroups": memberships.IsMemberInGroups,
    "CreateGroupMembership": memberships.CreateGroupMembership,
    "DeleteGroupMembership": memberships.DeleteGroupMembership,
}
