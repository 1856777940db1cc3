"""The identitystore service: which operation is answered by whom.

Users, groups and memberships have rooms of their own; here are the identity stores and the table that dispatch.py uses.
UpdateIdentityStore (network rules) is not emulated.
"""

from connector.sandbox import groups, memberships, users
from connector.sandbox.call import Answer, Call, Operation, identity_store, may_see
from connector.sandbox.instances import Instance
from connector.sandbox.ordered import Ordered
from connector.sandbox.paging import page


class _Listed:
    """An identity store with a place in the list."""

    def __init__(self, seq: int, instance: Instance) -> None:
        self.seq = seq
        self.instance = instance


def ListIdentityStores(call: Call) -> Answer:
    """The identity stores that the caller can see from this Region."""
    listed: Ordered[_Listed] = Ordered()
    for number, instance in enumerate(call.organisation.instances.values()):
        if call.region in instance.regions and may_see(call, instance):
            listed.add(_Listed(number, instance))
    return page(
        call,
        "IdentityStores",
        listed,
        lambda row: {"IdentityStoreId": row.instance.store.id, "IdentityStoreArn": row.instance.store.arn},
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
