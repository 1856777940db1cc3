"""Applications of the instance and who may use them. Assigning and unassigning are immediate (SSO Admin API).

An application's ARN holds the id of the AWS account that owns it and cannot be rebuilt from `apl-…`: it is listed.
"""

from __future__ import annotations

from collections.abc import Iterator

from connector.aws import instances, translate
from connector.aws.calls import Answer, Line
from connector.aws.paging import listed
from connector.aws.users import checked
from connector.errors import NotFoundInAws
from connector.model import Application, ApplicationAssignment, Instance, Principal


def applications(line: Line, instance: Instance) -> Iterator[Application]:
    """All applications; whether assignment is required costs a call for each."""
    for row in _rows(line, instance):
        found = _configured(line, instance, row)
        if found is not None:
            yield found


def application(line: Line, instance: Instance, application_id: str) -> Application | None:
    """One application, None when the instance has none of this id."""
    for row in _rows(line, instance):
        if translate.application_id(row["ApplicationArn"]) == application_id:
            return _configured(line, instance, row)
    return None


def names(line: Line, instance: Instance) -> dict[str, str]:
    """Names of all applications, by id: one list, however many there are."""
    return {translate.application_id(row["ApplicationArn"]): row.get("Name") or "" for row in _rows(line, instance)}


def _rows(line: Line, instance: Instance) -> Iterator[translate.Raw]:
    return listed(line, "sso-admin", "ListApplications", "Applications", InstanceArn=instance.arn)


def _configured(line: Line, instance: Instance, row: translate.Raw) -> Application | None:
    try:
        configuration = line.call(
            "sso-admin",
            "GetApplicationAssignmentConfiguration",
            "AssignmentRequired",
            ApplicationArn=row["ApplicationArn"],
        )
    except NotFoundInAws:
        instances.confirm(line, instance)  # deleted since it was listed, if the instance is still there
        return None
    return translate.application(row, bool(configuration["AssignmentRequired"]))


def assignments(line: Line, application: Application) -> Iterator[ApplicationAssignment]:
    """Everybody to whom the application is assigned."""
    for row in listed(
        line,
        "sso-admin",
        "ListApplicationAssignments",
        "ApplicationAssignments",
        ApplicationArn=application.arn,
    ):
        yield ApplicationAssignment(application.id, translate.principal(row), application.arn)


def assignments_of(line: Line, instance: Instance, principal: Principal) -> Iterator[ApplicationAssignment]:
    """Applications the principal can use; a user's list may have rows of his groups, which name the group."""
    checked(principal.id, principal.type.lower())
    for row in listed(
        line,
        "sso-admin",
        "ListApplicationAssignmentsForPrincipal",
        "ApplicationAssignments",
        InstanceArn=instance.arn,
        PrincipalId=principal.id,
        PrincipalType=principal.type,
    ):
        arn = row["ApplicationArn"]
        yield ApplicationAssignment(translate.application_id(arn), translate.principal(row), arn)


def admitted(line: Line, application_arn: str, principal: Principal) -> None:
    """Assign the application. `NotFoundInAws` when it does not exist."""
    named = _named(application_arn, principal)

    def lost(_: float) -> Answer | None:
        try:
            return line.call("sso-admin", "DescribeApplicationAssignment", "PrincipalId", **named)
        except NotFoundInAws:
            return None

    line.call("sso-admin", "CreateApplicationAssignment", None, lost, **named)


def expelled(line: Line, instance: Instance, application_arn: str, principal: Principal) -> bool:
    """Unassign the application; False when AWS does not know the assignment or the application."""
    try:
        line.call("sso-admin", "DeleteApplicationAssignment", **_named(application_arn, principal))
    except NotFoundInAws:
        instances.confirm(line, instance)
        return False
    return True


def _named(application_arn: str, principal: Principal) -> dict[str, str]:
    return {
        "ApplicationArn": application_arn,
        "PrincipalType": principal.type,
        "PrincipalId": checked(principal.id, principal.type.lower()),
    }
