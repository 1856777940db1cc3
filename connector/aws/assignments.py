"""Who has which permission set in which AWS account, and changes of that.

Changes are asynchronous: AWS answers with a request id, works, and says SUCCEEDED or FAILED later (SSO Admin API,
"CreateAccountAssignment"). Nothing here waits for them. Repeating a change is safe: assigning twice is assigning, and
an assignment that is gone cannot be taken away again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final, Literal, cast

from connector.aws import instances, permissionsets, translate
from connector.aws.calls import Line
from connector.aws.paging import listed
from connector.aws.users import checked
from connector.errors import NotFoundInAws
from connector.model import Assignment, Instance, Pair, Principal, Ticket

Status = Literal["IN_PROGRESS", "SUCCEEDED", "FAILED"]

_WORD: Final = {False: "Creation", True: "Deletion"}


def of_pair(line: Line, instance: Instance, pair: Pair) -> Iterator[Assignment]:
    """Everybody who has the pair, also principals that no longer exist; nobody when its permission set is gone."""
    try:
        rows = listed(
            line,
            "sso-admin",
            "ListAccountAssignments",
            "AccountAssignments",
            AccountId=pair.aws_account_id,
            **permissionsets.named(instance, pair.permission_set_id),
        )
        yield from map(translate.assignment, rows)
    except NotFoundInAws:
        if permissionsets.described(line, instance, pair.permission_set_id) is not None:
            raise


def of_principal(line: Line, instance: Instance, principal: Principal) -> Iterator[Assignment]:
    """What the principal can enter. For a user AWS adds rows of his groups, which name the group."""
    checked(principal.id, principal.type.lower())
    rows = listed(
        line,
        "sso-admin",
        "ListAccountAssignmentsForPrincipal",
        "AccountAssignments",
        InstanceArn=instance.arn,
        PrincipalId=principal.id,
        PrincipalType=principal.type,
    )
    return map(translate.assignment, rows)


def submitted(line: Line, instance: Instance, assignment: Assignment) -> Ticket:
    """Ask AWS to make an assignment."""
    answer = line.call(
        "sso-admin",
        "CreateAccountAssignment",
        "AccountAssignmentCreationStatus",
        **_tuple(instance, assignment),
    )
    return _ticket(answer["AccountAssignmentCreationStatus"], deleting=False)


def withdrawn(line: Line, instance: Instance, assignment: Assignment) -> Ticket:
    """Ask AWS to delete an assignment; the ticket is `absent` when there is nothing to delete."""
    try:
        answer = line.call(
            "sso-admin",
            "DeleteAccountAssignment",
            "AccountAssignmentDeletionStatus",
            **_tuple(instance, assignment),
        )
    except NotFoundInAws as gone:
        instances.confirm(line, instance)
        return Ticket("", True, "SUCCEEDED", gone.sentence, absent=True)
    return _ended(line, instance, answer["AccountAssignmentDeletionStatus"], deleting=True)


def ticket(line: Line, instance: Instance, asked: Ticket) -> Ticket:
    """The ticket as it stands now; as it is when AWS had nothing to do."""
    if not asked.request_id:
        return asked
    word = _WORD[asked.deleting]
    answer = line.call(
        "sso-admin",
        f"DescribeAccountAssignment{word}Status",
        f"AccountAssignment{word}Status",
        **{"InstanceArn": instance.arn, f"AccountAssignment{word}RequestId": asked.request_id},
    )
    return _ended(line, instance, answer[f"AccountAssignment{word}Status"], deleting=asked.deleting)


def in_progress(line: Line, instance: Instance, deleting: bool) -> frozenset[str]:
    """Request ids of all changes in flight, ours and others'."""
    word = _WORD[deleting]
    rows = listed(
        line,
        "sso-admin",
        f"ListAccountAssignment{word}Status",
        f"AccountAssignments{word}Status",
        InstanceArn=instance.arn,
        Filter={"Status": "IN_PROGRESS"},
    )
    # Filtered again: a status that ended between two pages, or a filter that is ignored, must not look unfinished.
    return frozenset(row["RequestId"] for row in rows if row.get("Status") == "IN_PROGRESS")


def _ended(line: Line, instance: Instance, raw: dict[str, Any], deleting: bool) -> Ticket:
    """A ticket; for a deletion that FAILED, whether there is anything left to delete.

    AWS fails a deletion whose assignee or assignment it does not find, with prose for a reason. Prose proves nothing:
    the pair is read, and an assignment that is not listed is gone.
    """
    status = _ticket(raw, deleting)
    if not deleting or status.status != "FAILED" or status.assignment is None:
        return status
    absent = all(each != status.assignment for each in of_pair(line, instance, status.assignment.pair))
    return replace(status, absent=absent)


def _ticket(raw: dict[str, Any], deleting: bool) -> Ticket:
    about = None
    if "PrincipalId" in raw:
        pair = Pair(raw["TargetId"], translate.permission_set_id(raw["PermissionSetArn"]))
        about = Assignment(pair, translate.principal(raw))
    return Ticket(
        raw.get("RequestId") or "",
        deleting,
        cast("Status", raw["Status"]),
        str(raw.get("FailureReason") or ""),
        assignment=about,
    )


def _tuple(instance: Instance, assignment: Assignment) -> dict[str, str]:
    """An assignment has no id: these five name it."""
    return {
        **permissionsets.named(instance, assignment.pair.permission_set_id),
        "TargetId": assignment.pair.aws_account_id,
        "TargetType": "AWS_ACCOUNT",
        "PrincipalType": assignment.principal.type,
        "PrincipalId": checked(assignment.principal.id, assignment.principal.type.lower()),
    }
