"""The policies of permission sets: AWS-managed, customer-managed, inline, and the permissions boundary.

They read and change instances.py through a Call. Every change raises the permission set's revision, so that its pairs
count as not provisioned with the latest until ProvisionPermissionSet. No policy is ever evaluated.
"""

from connector.sandbox.access import PermissionSet
from connector.sandbox.call import Answer, Call, Operation, with_permission_sets
from connector.sandbox.errors import AwsError, conflict, not_found, validation
from connector.sandbox.ordered import listed
from connector.sandbox.paging import page
from connector.sandbox.permission_sets import changeable, permission_set_named

POLICY_LIMIT = 20  # aws-behaviour 18: AWS- and customer-managed together


def _read(call: Call) -> PermissionSet:
    return permission_set_named(with_permission_sets(call), call["PermissionSetArn"])


def ListManagedPoliciesInPermissionSet(call: Call) -> Answer:
    """The AWS-managed policies."""
    rows = [{"Name": name, "Arn": arn} for arn, name in _read(call).managed_policies.items()]
    return page(call, "AttachedManagedPolicies", listed(rows), lambda each: each.row)


def AttachManagedPolicyToPermissionSet(call: Call) -> Answer:
    """Attach an AWS-managed policy; twice is a conflict."""
    _, permission_set = changeable(call)
    arn = call["ManagedPolicyArn"]
    if arn in permission_set.managed_policies:
        raise conflict(f"Policy {arn} is already attached.")
    _refuse_too_many(permission_set)
    permission_set.managed_policies[arn] = arn.rsplit("/", 1)[1]
    permission_set.revision += 1
    return {}


def DetachManagedPolicyFromPermissionSet(call: Call) -> Answer:
    """Detach an AWS-managed policy."""
    _, permission_set = changeable(call)
    if permission_set.managed_policies.pop(call["ManagedPolicyArn"], None) is None:
        raise not_found(f"Policy {call['ManagedPolicyArn']} is not attached.")
    permission_set.revision += 1
    return {}


def ListCustomerManagedPolicyReferencesInPermissionSet(call: Call) -> Answer:
    """The customer-managed policies, by name and path."""
    rows = [{"Name": name, "Path": path} for name, path in _read(call).customer_policies]
    return page(call, "CustomerManagedPolicyReferences", listed(rows), lambda each: each.row)


def AttachCustomerManagedPolicyReferenceToPermissionSet(call: Call) -> Answer:
    """Attach a customer-managed policy; twice is a conflict."""
    _, permission_set = changeable(call)
    key = _reference(call)
    if key in permission_set.customer_policies:
        raise conflict(f"Policy {key[1]}{key[0]} is already attached.")
    _refuse_too_many(permission_set)
    permission_set.customer_policies[key] = None
    permission_set.revision += 1
    return {}


def DetachCustomerManagedPolicyReferenceFromPermissionSet(call: Call) -> Answer:
    """Detach a customer-managed policy."""
    _, permission_set = changeable(call)
    key = _reference(call)
    if key not in permission_set.customer_policies:
        raise not_found(f"Policy {key[1]}{key[0]} is not attached.")
    del permission_set.customer_policies[key]
    permission_set.revision += 1
    return {}


def _reference(call: Call) -> tuple[str, str]:
    reference = call["CustomerManagedPolicyReference"]
    return reference["Name"], reference.get("Path", "/")


def _refuse_too_many(permission_set: PermissionSet) -> None:
    if len(permission_set.managed_policies) + len(permission_set.customer_policies) >= POLICY_LIMIT:
        raise AwsError("ServiceQuotaExceededException", f"A permission set holds at most {POLICY_LIMIT} policies.")


def GetInlinePolicyForPermissionSet(call: Call) -> Answer:
    """The inline policy; an empty text when there is none."""
    return {"InlinePolicy": _read(call).inline_policy}


def PutInlinePolicyToPermissionSet(call: Call) -> Answer:
    """Set the inline policy."""
    _, permission_set = changeable(call)
    permission_set.inline_policy = call["InlinePolicy"]
    permission_set.revision += 1
    return {}


def DeleteInlinePolicyFromPermissionSet(call: Call) -> Answer:
    """Remove the inline policy."""
    _, permission_set = changeable(call)
    if not permission_set.inline_policy:
        raise not_found("The permission set has no inline policy.")
    permission_set.inline_policy = ""
    permission_set.revision += 1
    return {}


def GetPermissionsBoundaryForPermissionSet(call: Call) -> Answer:
    """The permissions boundary; none is ResourceNotFoundException."""
    boundary = _read(call).boundary
    if boundary is None:
        raise not_found("The permission set has no permissions boundary.")
    return {"PermissionsBoundary": boundary}


def PutPermissionsBoundaryToPermissionSet(call: Call) -> Answer:
    """Set the permissions boundary to one policy of either kind."""
    _, permission_set = changeable(call)
    if len(call["PermissionsBoundary"]) != 1:
        raise validation("Exactly one of ManagedPolicyArn and CustomerManagedPolicyReference is required.")
    permission_set.boundary = call["PermissionsBoundary"]
    permission_set.revision += 1
    return {}


def DeletePermissionsBoundaryFromPermissionSet(call: Call) -> Answer:
    """Remove the permissions boundary."""
    _, permission_set = changeable(call)
    if permission_set.boundary is None:
        raise not_found("The permission set has no permissions boundary.")
    permission_set.boundary = None
    permission_set.revision += 1
    return {}


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        ListManagedPoliciesInPermissionSet,
        AttachManagedPolicyToPermissionSet,
        DetachManagedPolicyFromPermissionSet,
        ListCustomerManagedPolicyReferencesInPermissionSet,
        AttachCustomerManagedPolicyReferenceToPermissionSet,
        DetachCustomerManagedPolicyReferenceFromPermissionSet,
        GetInlinePolicyForPermissionSet,
        PutInlinePolicyToPermissionSet,
        DeleteInlinePolicyFromPermissionSet,
        GetPermissionsBoundaryForPermissionSet,
        PutPermissionsBoundaryToPermissionSet,
        DeletePermissionsBoundaryFromPermissionSet,
    )
}
