"""The account-assignment operations of sso-admin.

They read instances.py and start requests in provisioning.py through a Call; the rows of the lists are rendered here.
An assignment whose principal was deleted stays where it is: only its pair still shows it (aws-behaviour 23).
"""

import json
from typing import Any

from connector.sandbox.access import Assignment, Principal, Request
from connector.sandbox.call import Answer, Call, Operation, with_permission_sets
from connector.sandbox.errors import not_found
from connector.sandbox.instances import Instance
from connector.sandbox.ordered import Ordered
from connector.sandbox.paging import Sources, chained_page, page
from connector.sandbox.permission_sets import hidden, permission_set_named, refuse_delegated
from connector.sandbox.provisioning import brief, catch_up, principal_exists, request_named, start, status_page


def CreateAccountAssignment(call: Call) -> Answer:
    """Start giving a pair to a principal; that it is held already is no error (aws-behaviour 25)."""
    instance = _writable(call)
    request = start(call, instance, "creation", (call["TargetId"],), _principal(call))
    return {"AccountAssignmentCreationStatus": status(request)}


def DeleteAccountAssignment(call: Call) -> Answer:
    """Start taking a pair from a principal."""
    instance = _writable(call)
    key = (call["PermissionSetArn"], call["TargetId"], _principal(call))
    if call.options.lag_seconds:
        catch_up(call.organisation, instance, key)
    if key not in instance.assignments and call.options.missing_delete == "not_found":
        raise not_found("Assignment not found.")
    request = start(call, instance, "deletion", (call["TargetId"],), _principal(call))
    return {"AccountAssignmentDeletionStatus": status(request)}


def _principal(call: Call) -> Principal:
    return call["PrincipalType"], call["PrincipalId"]


def _writable(call: Call) -> Instance:
    instance = with_permission_sets(call)
    permission_set = permission_set_named(instance, call["PermissionSetArn"])
    if call["TargetId"] not in call.organisation.accounts_by_id:
        raise not_found(f"AWS account not found: {call['TargetId']}")
    if call.caller.kind == "delegated" and call["TargetId"] == call.organisation.management_account:
        raise call.deny("a delegated administrator cannot manage access in the management account")
    refuse_delegated(call, instance, permission_set)
    return instance


def DescribeAccountAssignmentCreationStatus(call: Call) -> Answer:
    """One creation."""
    instance = with_permission_sets(call)
    request = request_named(instance, "creation", call["AccountAssignmentCreationRequestId"])
    return {"AccountAssignmentCreationStatus": status(request)}


def DescribeAccountAssignmentDeletionStatus(call: Call) -> Answer:
    """One deletion."""
    instance = with_permission_sets(call)
    request = request_named(instance, "deletion", call["AccountAssignmentDeletionRequestId"])
    return {"AccountAssignmentDeletionStatus": status(request)}


def ListAccountAssignmentCreationStatus(call: Call) -> Answer:
    """All creations, in brief."""
    return status_page(call, "creation", "AccountAssignmentsCreationStatus")


def ListAccountAssignmentDeletionStatus(call: Call) -> Answer:
    """All deletions, in brief."""
    return status_page(call, "deletion", "AccountAssignmentsDeletionStatus")


def status(request: Request) -> dict[str, Any]:
    """The status of a request as Describe… shows it."""
    assert request.principal is not None
    shown = {
        **brief(request),
        "TargetId": request.account_ids[0],
        "TargetType": "AWS_ACCOUNT",
        "PermissionSetArn": request.permission_set_arn,
        "PrincipalType": request.principal[0],
        "PrincipalId": request.principal[1],
    }
    if request.failure:
        shown["FailureReason"] = request.failure
    return shown


def ListAccountAssignments(call: Call) -> Answer:
    """The assignments of one pair, those of deleted principals too."""
    instance = with_permission_sets(call)
    permission_set_named(instance, call["PermissionSetArn"])
    if call["AccountId"] not in call.organisation.accounts_by_id:
        raise not_found(f"AWS account not found: {call['AccountId']}")
    pair = instance.pairs.get((call["PermissionSetArn"], call["AccountId"]))
    if pair is None or hidden(call, pair.account_id):
        return {"AccountAssignments": []}
    return page(call, "AccountAssignments", pair.assignments, wire)


def ListAccountAssignmentsForPrincipal(call: Call) -> Answer:
    """What a principal holds; for a user also what the user's groups hold, as rows of the groups (aws-behaviour 22)."""
    instance = with_permission_sets(call)
    principal = _principal(call)
    if not principal_exists(instance, principal) and call.options.absent_principal == "not_found":
        # Unproven for AWS (aws-behaviour 23), so an option.
        raise not_found(f"{principal[0]} not found: {principal[1]}")
    wanted = call.get("Filter", {}).get("AccountId")
    sources = _held(call, instance, principal)
    if wanted:
        sources = [(number, _in_account(members, wanted)) for number, members in sources]
    return chained_page(
        call, "AccountAssignments", sources, lambda row: None if hidden(call, row.account_id) else wire(row)
    )


def _held(call: Call, instance: Instance, principal: Principal) -> Sources[Assignment]:
    """The principal's own assignments first, then those of each group, numbered by the membership."""
    nothing: Ordered[Assignment] = Ordered()
    sources = [(0, instance.by_principal.get(principal, nothing))]
    user = instance.store.users_by_id.get(principal[1])
    if user is not None and principal[0] == "USER" and call.options.group_rows:
        for membership in user.memberships:
            held = instance.by_principal.get(("GROUP", membership.group_id))
            if held is not None:
                sources.append((membership.seq, held))
    return sources


def _in_account(members: Ordered[Assignment], account_id: str) -> Ordered[Assignment]:
    found: Ordered[Assignment] = Ordered()
    for row in members:
        if row.account_id == account_id:
            found.add(row)
    return found


def wire(row: Assignment) -> bytes:
    """A row of either list."""
    return json.dumps(
        {
            "AccountId": row.account_id,
            "PermissionSetArn": row.permission_set_arn,
            "PrincipalType": row.principal[0],
            "PrincipalId": row.principal[1],
        }
    ).encode()


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        CreateAccountAssignment,
        DeleteAccountAssignment,
        DescribeAccountAssignmentCreationStatus,
        DescribeAccountAssignmentDeletionStatus,
        ListAccountAssignmentCreationStatus,
        ListAccountAssignmentDeletionStatus,
        ListAccountAssignments,
        ListAccountAssignmentsForPrincipal,
    )
}
