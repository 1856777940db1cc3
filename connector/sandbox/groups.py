"""The group operations of identitystore.

They read and change identities.py through a Call. Whether a change of a group's members changes its revision in AWS is
unknown (aws-behaviour 11): here it does not.
"""

from typing import Any

from connector.sandbox.call import Answer, Call, bare, identity_store
from connector.sandbox.errors import conflict, not_in_store, validation
from connector.sandbox.identities import Group, IdentityStore, Trace
from connector.sandbox.models import complaints_about, operation_model
from connector.sandbox.ordered import Ordered
from connector.sandbox.paging import page
from connector.sandbox.users import check_revision, traced

RESERVED_NAMES = {"administrator", "awsadministrators"}


def group_named(store: IdentityStore, identifier: str) -> Group:
    """The group with an id or ARN, or AWS's ResourceNotFoundException."""
    group = store.groups_by_id.get(bare(identifier))
    if group is None:
        raise not_in_store("GROUP", bare(identifier))
    return group


def group_arn(call: Call, group_id: str) -> str:
    """The ARN of a group."""
    return f"arn:{call.organisation.partition}:identitystore:::group/{group_id}"


def ListGroups(call: Call) -> Answer:
    """A page of groups, or the one with the filter's name."""
    store = identity_store(call)
    members = store.groups
    for row in call.get("Filters", ()):
        if row["AttributePath"] != "DisplayName":
            raise validation(f"Filtering by {row['AttributePath']} is not supported")
        members = Ordered()
        if group := store.groups_by_name.get(row["AttributeValue"]):
            members.add(group)
    return page(call, "Groups", members, lambda group: described(call, store, group))


def DescribeGroup(call: Call) -> Answer:
    """One group."""
    store = identity_store(call)
    return described(call, store, group_named(store, call["GroupId"]))


def GetGroupId(call: Call) -> Answer:
    """The id behind a display name or an external id."""
    store = identity_store(call)
    alternate = call["AlternateIdentifier"]
    if external := alternate.get("ExternalId"):
        group = store.groups_by_external_id.get((external["Issuer"], external["Id"]))
    elif alternate["UniqueAttribute"]["AttributePath"] == "displayName":
        group = store.groups_by_name.get(str(alternate["UniqueAttribute"]["AttributeValue"]))
    else:
        raise validation(f"{alternate['UniqueAttribute']['AttributePath']} is not a unique attribute of a group")
    if group is None:
        raise not_in_store("GROUP")
    return {"IdentityStoreId": store.id, "GroupId": group.id, "GroupArn": group_arn(call, group.id)}


def CreateGroup(call: Call) -> Answer:
    """Make a group; AWS needs its DisplayName although the model does not."""
    store = identity_store(call, write=True)
    name = call.get("DisplayName")
    _check_name(store, name, None)
    by = call.caller.arn
    group = store.add_group(
        Group(
            seq=call.organisation.next_seq(),
            id=f"{store.prefix}{call.organisation.uuid()}",
            name=str(name),
            description=call.get("Description"),
            trace=Trace(call.now, by, call.now, by),
        )
    )
    return _changed_answer(call, store, group)


def UpdateGroup(call: Call) -> Answer:
    """Change the display name or the description, all or none."""
    store = identity_store(call, write=True)
    group = group_named(store, call["GroupId"])
    check_revision(call, group.trace)
    changed: dict[str, Any] = {"displayName": group.name, "description": group.description}
    for row in call["Operations"]:
        if row["AttributePath"] not in changed:
            raise validation(f"Attribute path {row['AttributePath']} is not supported")
        changed[row["AttributePath"]] = row.get("AttributeValue")
    _check_name(store, changed["displayName"], group)
    _check_text("Description", changed["description"])
    del store.groups_by_name[group.name]
    group.name, group.description = changed["displayName"], changed["description"]
    store.groups_by_name[group.name] = group
    group.trace.touch(call.now, call.caller.arn)
    return _changed_answer(call, store, group)


def DeleteGroup(call: Call) -> Answer:
    """Remove a group and its memberships; its assignments stay behind."""
    store = identity_store(call, write=True)
    group = group_named(store, call["GroupId"])
    check_revision(call, group.trace)
    store.remove_group(group)
    return {}


def _check_name(store: IdentityStore, name: Any, group: Group | None) -> None:
    if not name:
        raise validation("displayName: The attribute displayName is required")
    _check_text("DisplayName", name)
    if name.lower() in RESERVED_NAMES:
        raise validation(f"displayName: {name} is a reserved name")
    if store.groups_by_name.get(name) not in (None, group):
        raise conflict("Duplicate GroupDisplayName", "UNIQUENESS_CONSTRAINT_VIOLATION")


def _check_text(member: str, value: Any) -> None:
    shape = operation_model("identitystore", "CreateGroup").input_shape
    if value is not None and shape is not None:
        complaints = complaints_about(shape.members[member], value, member)
        if complaints:
            raise validation("; ".join(complaints))


def _changed_answer(call: Call, store: IdentityStore, group: Group) -> Answer:
    return {
        "IdentityStoreId": store.id,
        "GroupId": group.id,
        "GroupArn": group_arn(call, group.id),
        "Revision": str(group.trace.revision),
    }


def described(call: Call, store: IdentityStore, group: Group) -> dict[str, Any]:
    """A group as DescribeGroup shows it."""
    shown = {**dict(_changed_answer(call, store, group)), "DisplayName": group.name, **traced(group.trace)}  # type: ignore[arg-type]
    if group.description:
        shown["Description"] = group.description
    if group.external_ids:
        shown["ExternalIds"] = group.external_ids
    return shown
