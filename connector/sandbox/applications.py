"""The application operations of sso-admin: reading applications, and who is assigned to them.

They read and change instances.py through a Call. Assignments of applications are synchronous. Applications are made by
the seeds and the control endpoint.
"""

from typing import Any

from connector.sandbox.access import Application, ApplicationAssignment, Principal
from connector.sandbox.call import Answer, Call, Operation, administered
from connector.sandbox.errors import not_found, validation
from connector.sandbox.instances import Instance
from connector.sandbox.ordered import Ordered
from connector.sandbox.paging import APPLICATIONS_MAXIMUM, Sources, chained_page, page
from connector.sandbox.provisioning import principal_exists


def _named(call: Call) -> tuple[Instance, Application]:
    arn = call["ApplicationArn"]
    for instance in call.organisation.instances.values():
        if arn in instance.applications_by_arn:
            return administered(call, instance.arn), instance.applications_by_arn[arn]
    raise not_found(f"Application not found: {arn}")


def ListApplications(call: Call) -> Answer:
    """A page of applications: never more than 50, whatever MaxResults says."""
    instance = administered(call, call["InstanceArn"])
    wanted = call.get("Filter", {})

    def shown(found: Application) -> dict[str, Any] | None:
        right = wanted.get("ApplicationAccount") in (None, found.account_id) and wanted.get("ApplicationProvider") in (
            None,
            found.provider_arn,
        )
        return described(instance, found) if right else None

    return page(call, "Applications", instance.applications, shown, maximum=APPLICATIONS_MAXIMUM)


def DescribeApplication(call: Call) -> Answer:
    """One application."""
    instance, application = _named(call)
    return described(instance, application)


def ListApplicationAssignments(call: Call) -> Answer:
    """The direct assignments of an application."""
    _, application = _named(call)
    return page(call, "ApplicationAssignments", application.assignments, _row)


def ListApplicationAssignmentsForPrincipal(call: Call) -> Answer:
    """What a principal is assigned to, for a user also through groups (the model: use this to test access)."""
    instance = administered(call, call["InstanceArn"])
    principal: Principal = (call["PrincipalType"], call["PrincipalId"])
    if not principal_exists(instance, principal):
        raise not_found(f"{principal[0]} not found: {principal[1]}")
    if call.caller.kind == "delegated" and not call.get("Filter"):
        # The model: a member account has to give a filter for the organisation's instance.
        raise validation("A filter is required when calling from a member account.")
    wanted = call.get("Filter", {}).get("ApplicationArn")
    return chained_page(
        call,
        "ApplicationAssignments",
        _held(call, instance, principal),
        lambda found: _row(found) if wanted in (None, found.application_arn) else None,
    )


def _held(call: Call, instance: Instance, principal: Principal) -> Sources[ApplicationAssignment]:
    nothing: Ordered[ApplicationAssignment] = Ordered()
    sources = [(0, instance.applications_by_principal.get(principal, nothing))]
    if principal[0] == "USER" and call.options.group_rows:
        for membership in instance.store.users_by_id[principal[1]].memberships:
            held = instance.applications_by_principal.get(("GROUP", membership.group_id))
            if held is not None:
                sources.append((membership.seq, held))
    return sources


def CreateApplicationAssignment(call: Call) -> Answer:
    """Give an application to a principal; that it is held already is no error here (unproven for AWS)."""
    instance, application = _named(call)
    principal: Principal = (call["PrincipalType"], call["PrincipalId"])
    if not principal_exists(instance, principal):
        raise not_found(f"{principal[0]} not found: {principal[1]}")
    if principal not in application.by_principal:
        seq = call.organisation.next_seq()
        instance.add_application_assignment(ApplicationAssignment(seq, application.arn, principal))
    return {}


def DeleteApplicationAssignment(call: Call) -> Answer:
    """Take an application from a principal; idempotent in the model."""
    instance, application = _named(call)
    found = application.by_principal.get((call["PrincipalType"], call["PrincipalId"]))
    if found is not None:
        instance.remove_application_assignment(found)
    return {}


def DescribeApplicationAssignment(call: Call) -> Answer:
    """One direct assignment."""
    _, application = _named(call)
    found = application.by_principal.get((call["PrincipalType"], call["PrincipalId"]))
    if found is None:
        raise not_found("Application assignment not found.")
    return _row(found)


def GetApplicationAssignmentConfiguration(call: Call) -> Answer:
    """Whether an assignment is required; if not, every user has access."""
    return {"AssignmentRequired": _named(call)[1].assignment_required}


def PutApplicationAssignmentConfiguration(call: Call) -> Answer:
    """Change that."""
    _named(call)[1].assignment_required = call["AssignmentRequired"]
    return {}


def _row(found: ApplicationAssignment) -> dict[str, Any]:
    return {
        "ApplicationArn": found.application_arn,
        "PrincipalType": found.principal[0],
        "PrincipalId": found.principal[1],
    }


def described(instance: Instance, application: Application) -> dict[str, Any]:
    """An application as DescribeApplication shows it."""
    shown = {
        "ApplicationArn": application.arn,
        "ApplicationProviderArn": application.provider_arn,
        "Name": application.name,
        "ApplicationAccount": application.account_id,
        "InstanceArn": instance.arn,
        "IdentityStoreArn": instance.store.arn,
        "Status": application.status,
        "PortalOptions": {"Visibility": "ENABLED"},
        "CreatedDate": application.created_at,
        "CreatedFrom": instance.region,
    }
    if application.description:
        shown["Description"] = application.description
    return shown


OPERATIONS: dict[str, Operation] = {
    operation.__name__: operation
    for operation in (
        ListApplications,
        DescribeApplication,
        ListApplicationAssignments,
        ListApplicationAssignmentsForPrincipal,
        CreateApplicationAssignment,
        DeleteApplicationAssignment,
        DescribeApplicationAssignment,
        GetApplicationAssignmentConfiguration,
        PutApplicationAssignmentConfiguration,
    )
}
