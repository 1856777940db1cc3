"""The permission-set operations of sso-admin, and where permission sets are provisioned.

They read and change instances.py through a Call. Policies are in policies.py, the asynchronous provisioning in
provisioning.py. A name never changes: UpdatePermissionSet has none.
"""

from typing import Any

from connector.sandbox.access import Pair, PermissionSet
from connector.sandbox.call import Answer, Call, Operation, with_permission_sets
from connector.sandbox.errors import conflict, not_found
from connector.sandbox.instances import Instance
from connector.sandbox.paging import page


def permission_set_named(instance: Instance, arn: str) -> PermissionSet:
    """The permission set with an ARN, or AWS's ResourceNotFoundException."""
    found = instance.permission_sets_by_arn.get(arn)
    if found is None:
        raise not_found(f"PermissionSet not found: {arn}")
    return found


def changeable(call: Call) -> tuple[Instance, PermissionSet]:
    """The permission set of the call, if this caller may change it.

    A delegated administrator may not touch what is provisioned in the management account (aws-behaviour 35).
    """
    instance = with_permission_sets(call)
    permission_set = permission_set_named(instance, call["PermissionSetArn"])
    refuse_delegated(call, instance, permission_set)
    return instance, permission_set


def refuse_delegated(call: Call, instance: Instance, permission_set: PermissionSet) -> None:
    """Raise AccessDeniedException where a delegated administrator reaches into the management account."""
    management = call.organisation.management_account
    if call.caller.kind == "delegated" and (permission_set.arn, management) in instance.pairs:
        raise call.deny("the permission set is provisioned in the management account")


def ListPermissionSets(call: Call) -> Answer:
    """A page of ARNs."""
    instance = with_permission_sets(call)
    return page(call, "PermissionSets", instance.permission_sets, lambda found: found.arn)


def DescribePermissionSet(call: Call) -> Answer:
    """One permission set, without its policies."""
    instance = with_permission_sets(call)
    return {"PermissionSet": described(permission_set_named(instance, call["PermissionSetArn"]))}


def CreatePermissionSet(call: Call) -> Answer:
    """Make a permission set with a new name."""
    instance = with_permission_sets(call)
    if call["Name"] in instance.permission_sets_by_name:
        raise conflict(f"PermissionSet with name {call['Name']} already exists.")
    made = instance.add_permission_set(
        PermissionSet(
            seq=call.organisation.next_seq(),
            arn=permission_set_arn(instance, call.organisation.hexadecimal(16)),
            name=call["Name"],
            created_at=call.now,
            description=call.get("Description"),
            session_duration=call.get("SessionDuration", "PT1H"),
            relay_state=call.get("RelayState"),
        )
    )
    if call.get("Tags"):
        instance.tags[made.arn] = {row["Key"]: row["Value"] for row in call["Tags"]}
    return {"PermissionSet": described(made)}


def permission_set_arn(instance: Instance, digits: str) -> str:
    """The ARN of a permission set: `…:::permissionSet/ssoins-…/ps-…`, without AWS account and Region."""
    return f"{instance.arn.split(':::')[0]}:::permissionSet/{instance.id}/ps-{digits}"


def UpdatePermissionSet(call: Call) -> Answer:
    """Change description, session duration, relay state; the pairs stay behind until provisioned again."""
    _, permission_set = changeable(call)
    permission_set.description = call.get("Description", permission_set.description)
    permission_set.session_duration = call.get("SessionDuration", permission_set.session_duration)
    permission_set.relay_state = call.get("RelayState", permission_set.relay_state)
    permission_set.revision += 1
    return {}


def DeletePermissionSet(call: Call) -> Answer:
    """Remove a permission set that is provisioned nowhere."""
    instance, permission_set = changeable(call)
    if len(permission_set.pairs):
        raise conflict("PermissionSet has ApplicationProfile associated with it.")
    instance.remove_permission_set(permission_set)
    return {}


def ListAccountsForProvisionedPermissionSet(call: Call) -> Answer:
    """The AWS accounts where a permission set is provisioned."""
    instance = with_permission_sets(call)
    permission_set = permission_set_named(instance, call["PermissionSetArn"])
    return page(
        call,
        "AccountIds",
        permission_set.pairs,
        lambda pair: pair.account_id if _asked_for(call, instance, pair) else None,
    )


def ListPermissionSetsProvisionedToAccount(call: Call) -> Answer:
    """The permission sets provisioned in an AWS account, also in a suspended one (aws-behaviour 31)."""
    instance = with_permission_sets(call)
    if call["AccountId"] not in call.organisation.accounts_by_id:
        raise not_found(f"AWS account not found: {call['AccountId']}")
    pairs = instance.pairs_by_account.get(call["AccountId"])
    if pairs is None:
        return {"PermissionSets": []}
    return page(
        call,
        "PermissionSets",
        pairs,
        lambda pair: pair.permission_set_arn if _asked_for(call, instance, pair) else None,
    )


def _asked_for(call: Call, instance: Instance, pair: Pair) -> bool:
    if hidden(call, pair.account_id):
        return False
    wanted = call.get("ProvisioningStatus")
    latest = pair.revision == instance.permission_sets_by_arn[pair.permission_set_arn].revision
    return wanted is None or latest == (wanted == "LATEST_PERMISSION_SET_PROVISIONED")


def hidden(call: Call, account_id: str) -> bool:
    """Whether an AWS account's access is kept from this caller; unproven on AWS (aws-behaviour 35), so an option."""
    return (
        call.options.hide_management_account
        and call.caller.kind == "delegated"
        and account_id == call.organisation.management_account
    )


def described(permission_set: PermissionSet) -> dict[str, Any]:
    """A permission set as DescribePermissionSet shows it."""
    shown: dict[str, Any] = {
        "Name": permission_set.name,
        "PermissionSetArn": permission_set.arn,
        "CreatedDate": permission_set.created_at,
        "SessionDuration": permission_set.session_duration,
    }
    if permission_set.description:
        shown["Description"] = permission_set.description
    if permission_set.relay_state:
        shown["RelayState"] = permission_set.relay_state
    return shown


OPERATIONS: dict[str, Operation] = {
    "ListPermissionSets": ListPermissionSets,
    "DescribePermissionSet": DescribePermissionSet,
    "CreatePermissionSet": CreatePermissionSet,
    "UpdatePermissionSet": UpdatePermissionSet,
    "DeletePermissionSet": DeletePermissionSet,
    "ListAccountsForProvisionedPermissionSet": ListAccountsForProvisionedPermissionSet,
    "ListPermissionSetsProvisionedToAccount": ListPermissionSetsProvisionedToAccount,
}
