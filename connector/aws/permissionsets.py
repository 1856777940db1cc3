"""Permission sets: which there are, what they are called, what they allow, and where they are provisioned.

SSO Admin API (2020-07-20). A permission set deleted while we read is absent, not a fault; but sso-admin's
ResourceNotFoundException names no resource, so it is believed only after the instance was seen to be there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from connector.aws import instances, translate
from connector.aws.calls import Line
from connector.aws.paging import listed
from connector.errors import NotFoundInAws
from connector.model import Instance, PermissionSet, Policies


def ids(line: Line, instance: Instance) -> Iterator[str]:
    """`ps-…` of every permission set, 100 a call."""
    rows = listed(line, "sso-admin", "ListPermissionSets", "PermissionSets", InstanceArn=instance.arn)
    return map(translate.permission_set_id, rows)


def described(line: Line, instance: Instance, permission_set_id: str) -> PermissionSet | None:
    """Name and description, None when it does not exist."""
    try:
        answer = line.call("sso-admin", "DescribePermissionSet", "PermissionSet", **named(instance, permission_set_id))
    except NotFoundInAws:
        instances.confirm(line, instance)
        return None
    return translate.permission_set(answer["PermissionSet"])


def policies(line: Line, instance: Instance, permission_set_id: str) -> Policies | None:
    """What it allows, None when it does not exist. Four calls."""
    which = named(instance, permission_set_id)
    try:
        # First: none is a ResourceNotFoundException too, and means "no boundary" when the set is seen afterwards.
        boundary = _boundary(line, which)
        managed = listed(line, "sso-admin", "ListManagedPoliciesInPermissionSet", "AttachedManagedPolicies", **which)
        customer = listed(
            line,
            "sso-admin",
            "ListCustomerManagedPolicyReferencesInPermissionSet",
            "CustomerManagedPolicyReferences",
            **which,
        )
        inline = line.call("sso-admin", "GetInlinePolicyForPermissionSet", **which).get("InlinePolicy")
        return Policies(
            managed=tuple(sorted(each["Arn"] for each in managed)),
            customer_managed=tuple(sorted(_reference(each) for each in customer)),
            inline=bool(inline),
            boundary=boundary,
        )
    except NotFoundInAws:
        if described(line, instance, permission_set_id) is not None:
            raise
        return None


def _boundary(line: Line, which: dict[str, str]) -> str:
    try:
        answer = line.call("sso-admin", "GetPermissionsBoundaryForPermissionSet", **which)
    except NotFoundInAws:
        return ""
    boundary: dict[str, Any] = answer.get("PermissionsBoundary") or {}
    if boundary.get("ManagedPolicyArn"):
        return str(boundary["ManagedPolicyArn"])
    reference = boundary.get("CustomerManagedPolicyReference")
    return _reference(reference) if reference else ""


def _reference(raw: dict[str, Any]) -> str:
    return f"{raw.get('Path') or '/'}{raw['Name']}"


def aws_accounts_of(line: Line, instance: Instance, permission_set_id: str) -> Iterator[str]:
    """AWS accounts it is provisioned in, also where nobody has it; none when it does not exist."""
    try:
        yield from listed(
            line,
            "sso-admin",
            "ListAccountsForProvisionedPermissionSet",
            "AccountIds",
            **named(instance, permission_set_id),
        )
    except NotFoundInAws:
        if described(line, instance, permission_set_id) is not None:
            raise


def named(instance: Instance, permission_set_id: str) -> dict[str, str]:
    """The two parameters that name a permission set."""
    return {"InstanceArn": instance.arn, "PermissionSetArn": instance.permission_set_arn(permission_set_id)}
