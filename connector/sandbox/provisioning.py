"""Asynchronous requests: how they start, pass and end, and the operations that tell.

assignments.py starts creations and deletions here; the clock ends them: every sso-admin call first settles what is due.
A request ends as AWS ends it: SUCCEEDED and then visible in the lists, or FAILED with AWS's reason. Nothing runs in the
background.
"""

import heapq
import math
from typing import Any

from connector.sandbox.access import Assignment, Pair, Principal, Request
from connector.sandbox.call import Answer, Call, Operation, with_permission_sets
from connector.sandbox.errors import conflict, not_found, throttled, validation
from connector.sandbox.instances import Instance
from connector.sandbox.options import Options
from connector.sandbox.ordered import Ordered
from connector.sandbox.organisation import Organisation
from connector.sandbox.paging import page
from connector.sandbox.permission_sets import changeable


def start(
    call: Call, instance: Instance, kind: str, accounts: tuple[str, ...], principal: Principal | None = None
) -> Request:
    """Accept a request, or refuse it for the requests already under way."""
    if len(instance.in_flight) >= call.options.assignment_limit:
        raise throttled("sso-admin", "There are too many requests processing. Please try again later.")
    if call.options.one_write_per_account:
        busy = {account for request in instance.in_flight.values() for account in request.account_ids}
        if busy & set(accounts):
            # One role update per AWS account at a time (aws-behaviour 28); here a conflict means: try again.
            raise conflict("A previous operation on this account is still in progress. Please try again later.")
    return instance.add_request(
        Request(
            seq=call.organisation.next_seq(),
            id=call.organisation.uuid(),
            kind=kind,
            created_at=call.now,
            due_at=call.now + call.options.assignment_seconds,
            permission_set_arn=call["PermissionSetArn"],
            account_ids=accounts,
            principal=principal,
        )
    )


def settle(organisation: Organisation, options: Options, now: float) -> None:
    """End every request that is due, in the order in which they are due."""
    for instance in organisation.instances.values():
        while instance.due and instance.due[0][0] <= now:
            _, _, identifier = heapq.heappop(instance.due)
            request = instance.requests.get(identifier)
            if request is None:
                continue
            if request.status == "IN_PROGRESS":
                _finish(organisation, options, instance, request)
            elif not request.applied and request.status == "SUCCEEDED":
                _apply(organisation, instance, request)
            elif now >= _forgotten_at(options, request):
                instance.forget_request(request)


def _forgotten_at(options: Options, request: Request) -> float:
    if options.status_seconds is None:
        return math.inf
    return request.due_at + options.lag_seconds + options.status_seconds


def _finish(organisation: Organisation, options: Options, instance: Instance, request: Request) -> None:
    instance.in_flight.pop(request.id, None)
    request.failure = _failure(organisation, options, instance, request)
    request.status = "FAILED" if request.failure else "SUCCEEDED"
    if not request.failure:
        if options.lag_seconds:
            heapq.heappush(instance.due, (request.due_at + options.lag_seconds, request.seq, request.id))
        else:
            _apply(organisation, instance, request)
    if options.status_seconds is not None:
        heapq.heappush(instance.due, (_forgotten_at(options, request), organisation.next_seq(), request.id))


def _failure(organisation: Organisation, options: Options, instance: Instance, request: Request) -> str | None:
    """AWS's reason why a request fails, as seen in the field (aws-behaviour 24), or None."""
    for account_id in request.account_ids:
        account = organisation.accounts_by_id.get(account_id)
        if account is None or account.state != "ACTIVE":
            return (
                f"Received a 403 status error: Obtaining permissions to manage your AWS account '{account_id}' "
                "takes longer than usual. Please try again later."
            )
    if request.permission_set_arn not in instance.permission_sets_by_arn:
        return "Received a 404 status error: PermissionSet not found."
    if request.principal is None:
        return None
    return _principal_failure(options, instance, request, request.principal)


def _principal_failure(options: Options, instance: Instance, request: Request, principal: Principal) -> str | None:
    if request.kind == "deletion":
        key = (request.permission_set_arn, request.account_ids[0], principal)
        if key not in instance.assignments:
            return (
                None if options.missing_delete == "succeeded" else "Received a 404 status error: Assignment not found."
            )
        if options.orphan_delete == "succeeded":
            return None
    if principal_exists(instance, principal):
        return None
    return (
        f"Received a 404 status error: the {principal[0]} assignee {principal[1]} "
        f"was not found in directory {instance.store.id}"
    )


def principal_exists(instance: Instance, principal: Principal) -> bool:
    """Whether the identity store has the user or group."""
    known = instance.store.users_by_id if principal[0] == "USER" else instance.store.groups_by_id
    return principal[1] in known


def catch_up(organisation: Organisation, instance: Instance, key: tuple[str, str, Principal]) -> None:
    """Show what SUCCEEDED for an assignment and lags behind in lists: a write acts on what is, not on what is shown."""
    for request in instance.requests.values():
        about = (request.permission_set_arn, request.account_ids[0], request.principal)
        if about == key and request.status == "SUCCEEDED" and not request.applied:
            _apply(organisation, instance, request)


def _apply(organisation: Organisation, instance: Instance, request: Request) -> None:
    request.applied = True
    permission_set = instance.permission_sets_by_arn.get(request.permission_set_arn)
    if permission_set is None:
        return
    for account_id in request.account_ids:
        pair = instance.pairs.get((permission_set.arn, account_id))
        if request.kind == "creation" and request.principal is not None:
            if pair is None:
                seq = organisation.next_seq()
                instance.add_pair(Pair(seq, permission_set.arn, account_id, permission_set.revision))
            if (permission_set.arn, account_id, request.principal) not in instance.assignments:
                seq = organisation.next_seq()
                instance.add_assignment(Assignment(seq, permission_set.arn, account_id, request.principal))
        elif request.kind == "deletion" and request.principal is not None:
            assignment = instance.assignments.get((permission_set.arn, account_id, request.principal))
            if assignment is not None:
                instance.remove_assignment(assignment)
        elif pair is not None:
            pair.revision = permission_set.revision


def ProvisionPermissionSet(call: Call) -> Answer:
    """Bring one pair, or all pairs of a permission set, to its latest revision."""
    instance, permission_set = changeable(call)
    if call["TargetType"] == "AWS_ACCOUNT":
        if not call.get("TargetId"):
            raise validation("TargetId is required for the target type AWS_ACCOUNT")
        if (permission_set.arn, call["TargetId"]) not in instance.pairs:
            raise not_found(f"The permission set is not provisioned in the AWS account {call['TargetId']}")
        accounts: tuple[str, ...] = (call["TargetId"],)
    else:
        accounts = tuple(pair.account_id for pair in permission_set.pairs)
    request = start(call, instance, "provisioning", accounts)
    return {"PermissionSetProvisioningStatus": provisioning_status(request)}


def provisioning_status(request: Request) -> dict[str, Any]:
    """The status of a provisioning as Describe… shows it."""
    shown = {**brief(request), "PermissionSetArn": request.permission_set_arn}
    if len(request.account_ids) == 1:
        shown["AccountId"] = request.account_ids[0]
    if request.failure:
        shown["FailureReason"] = request.failure
    return shown


def brief(request: Request) -> dict[str, Any]:
    """The three things that the List…Status operations tell."""
    return {"Status": request.status, "RequestId": request.id, "CreatedDate": request.created_at}


def request_named(instance: Instance, kind: str, identifier: str) -> Request:
    """The request with an id, or AWS's ResourceNotFoundException."""
    request = instance.requests.get(identifier)
    if request is None or request.kind != kind:
        raise not_found(f"Request not found: {identifier}")
    return request


def status_page(call: Call, kind: str, member: str) -> Answer:
    """A page of the requests of a kind, filtered by status."""
    instance = with_permission_sets(call)
    wanted = call.get("Filter", {}).get("Status")
    found: Ordered[Request] = Ordered()
    running = wanted == "IN_PROGRESS"
    for request in instance.in_flight.values() if running else instance.requests_by_kind.get(kind, ()):
        if request.kind == kind and wanted in (None, request.status):
            found.add(request)
    return page(call, member, found, brief)


def DescribePermissionSetProvisioningStatus(call: Call) -> Answer:
    """One provisioning."""
    instance = with_permission_sets(call)
    request = request_named(instance, "provisioning", call["ProvisionPermissionSetRequestId"])
    return {"PermissionSetProvisioningStatus": provisioning_status(request)}


def ListPermissionSetProvisioningStatus(call: Call) -> Answer:
    """All of them."""
    return status_page(call, "provisioning", "PermissionSetsProvisioningStatus")


OPERATIONS: dict[str, Operation] = {
    "ProvisionPermissionSet": ProvisionPermissionSet,
    "DescribePermissionSetProvisioningStatus": DescribePermissionSetProvisioningStatus,
    "ListPermissionSetProvisioningStatus": ListPermissionSetProvisioningStatus,
}
