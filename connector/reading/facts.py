"""Nouns to facts and back: the only place that knows how a snapshot spells things.

Facts come from a census or a live read, go to the store, and come back here as nouns. Nothing is asked of AWS.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from connector.model import (
    Application,
    ApplicationAssignment,
    Assignment,
    AwsAccount,
    Fact,
    Group,
    Membership,
    Pair,
    PermissionSet,
    Policies,
    Principal,
    PrincipalType,
    User,
)

USER: Final = "user"
GROUP: Final = "group"
MEMBERSHIP: Final = "membership"
PERMISSION_SET: Final = "permission_set"
DETAILS: Final = "details"
AWS_ACCOUNT: Final = "aws_account"
PAIR: Final = "pair"
ASSIGNMENT: Final = "assignment"
APPLICATION: Final = "application"
APPLICATION_ASSIGNMENT: Final = "application_assignment"

ABOUT_A_USER: Final = (USER, MEMBERSHIP, ASSIGNMENT, APPLICATION_ASSIGNMENT)
"""Kinds with facts whose subject is a user: what a live read of an account replaces."""


def of_user(user: User) -> Fact:
    body: dict[str, object] = {"attributes": dict(user.attributes)}
    if user.revision is not None:
        body["revision"] = user.revision
    if user.stripped:
        body["stripped"] = True
    return Fact(USER, user.id, subject=user.id, body=body)


def user(fact: Fact) -> User:
    return User(
        fact.id,
        cast(Mapping[str, str], fact.body["attributes"]),
        cast("str | None", fact.body.get("revision")),
        fact.body.get("stripped") is True,
    )


def of_group(group: Group) -> Fact:
    return Fact(
        GROUP,
        group.id,
        body={"name": group.name, "description": group.description, "external": group.external},
    )


def group(fact: Fact) -> Group:
    return Group(fact.id, str(fact.body["name"]), str(fact.body["description"]), bool(fact.body["external"]))


def of_membership(membership: Membership) -> Fact:
    return Fact(
        MEMBERSHIP,
        f"{membership.group_id}/{membership.user_id}",
        subject=membership.user_id,
        held=membership.group_id,
        body={"id": membership.membership_id},
    )


def of_permission_set(permission_set: PermissionSet) -> Fact:
    """Only the name, which never changes: the rest is catalogue detail, read by entitlement lists."""
    return Fact(PERMISSION_SET, permission_set.id, body={"name": permission_set.name})


def of_details(permission_set: PermissionSet, policies: Policies) -> Fact:
    """What a reviewer needs to know of a permission set beside its name."""
    return Fact(
        DETAILS,
        permission_set.id,
        subject=permission_set.id,
        body={
            "description": permission_set.description,
            "sessionDuration": permission_set.session_duration,
            "managed": sorted(policies.managed),
            "customerManaged": sorted(policies.customer_managed),
            "inline": policies.inline,
            "boundary": policies.boundary,
        },
    )


def policies(fact: Fact) -> Policies:
    body = fact.body
    return Policies(
        tuple(cast("list[str]", body["managed"])),
        tuple(cast("list[str]", body["customerManaged"])),
        bool(body["inline"]),
        str(body["boundary"]),
    )


def of_aws_account(aws_account: AwsAccount) -> Fact:
    return Fact(AWS_ACCOUNT, aws_account.id, body={"name": aws_account.name, "state": aws_account.state})


def aws_account(fact: Fact) -> AwsAccount:
    return AwsAccount(fact.id, str(fact.body["name"]), str(fact.body["state"]))


def of_pair(pair: Pair) -> Fact:
    return Fact(PAIR, pair.id, subject=pair.id)


def of_assignment(assignment: Assignment) -> Fact:
    principal = assignment.principal
    return Fact(
        ASSIGNMENT,
        f"{assignment.pair.id}/{principal.type}/{principal.id}",
        subject=principal.id,
        held=assignment.pair.id,
        body={"type": principal.type},
    )


def principal(fact: Fact) -> Principal:
    """Who an assignment or an application assignment is given to."""
    return Principal(cast(PrincipalType, fact.body["type"]), fact.subject)


def of_application(application: Application) -> Fact:
    return Fact(
        APPLICATION,
        application.id,
        body={
            "arn": application.arn,
            "name": application.name,
            "description": application.description,
            "awsAccountId": application.aws_account_id,
            "enabled": application.enabled,
            "assignmentRequired": application.assignment_required,
        },
    )


def application(fact: Fact) -> Application:
    body = fact.body
    return Application(
        fact.id,
        str(body["arn"]),
        str(body["name"]),
        str(body["description"]),
        str(body["awsAccountId"]),
        bool(body["enabled"]),
        bool(body["assignmentRequired"]),
    )


def of_application_assignment(assignment: ApplicationAssignment) -> Fact:
    given_to = assignment.principal
    return Fact(
        APPLICATION_ASSIGNMENT,
        f"{assignment.application_id}/{given_to.type}/{given_to.id}",
        subject=given_to.id,
        held=assignment.application_id,
        body={"type": given_to.type},
    )
