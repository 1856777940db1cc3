"""boto dicts to our nouns and back, through the attribute table; pure.

Absent stays absent: AWS has no empty strings, so an empty one is dropped. Dates become ISO 8601 in UTC. ARNs are cut
to the ids that governance knows; none is ever an identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from connector.attributes import SCALARS
from connector.model import (
    Application,
    Assignment,
    AwsAccount,
    Group,
    Membership,
    Pair,
    PermissionSet,
    Principal,
    User,
)

Raw = Mapping[str, Any]


def user(raw: Raw) -> User:
    """A member of ListUsers, or DescribeUser's answer (Identity Store API reference, "User")."""
    attributes = {}
    for each in SCALARS:
        member, *path = each.read
        node = raw.get(str(member))
        if node is None:  # most users have few of them
            continue
        if member == "ExternalIds":
            node = sorted(node, key=_issuer_and_id)
        text = _text(_at(node, path, any_case=each.enterprise) if path else node)
        if text:
            attributes[each.name] = text
    return User(raw["UserId"], attributes, raw.get("Revision"))


def _issuer_and_id(external: Raw) -> tuple[str, str]:
    return str(external.get("Issuer", "")), str(external.get("Id", ""))


def _at(node: Any, path: Iterable[str | int], *, any_case: bool) -> Any:
    for key in path:
        if isinstance(key, int):
            node = node[key] if isinstance(node, list) and len(node) > key else None
        elif not isinstance(node, dict):
            return None
        elif any_case and key not in node:
            # AWS does not document the case of the extension's keys; consumers show SCIM's camelCase and PascalCase.
            node = next((value for name, value in node.items() if name.lower() == key.lower()), None)
        else:
            node = node.get(key)
    return node


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return "" if value is None or isinstance(value, Mapping | list) else str(value)


def new_user(attributes: Mapping[str, str]) -> dict[str, Any]:
    """CreateUser's parameters for attributes by our names; empty ones are left out."""
    params: dict[str, Any] = {}
    for each in SCALARS:
        value = attributes.get(each.name)
        if value and each.writable:
            _put(params, each.read, value)
    for email in params.get("Emails", ()):
        email["Primary"] = True  # the only one there can be; Identity Center signs in and notifies by the primary one
    return params


def _put(node: dict[str, Any], path: tuple[str | int, ...], value: str) -> None:
    """Set a value inside dicts and one-element lists, making them as needed."""
    head, *rest = path
    if not rest:
        node[str(head)] = value
    elif rest[0] == 0:
        (element,) = node.setdefault(str(head), [{}])
        _put(element, tuple(rest[1:]), value)
    else:
        _put(node.setdefault(str(head), {}), tuple(rest), value)


def group(raw: Raw) -> Group:
    """A member of ListGroups, or DescribeGroup's answer."""
    return Group(
        raw["GroupId"], raw.get("DisplayName") or "", raw.get("Description") or "", bool(raw.get("ExternalIds"))
    )


def membership(raw: Raw) -> Membership:
    """A member of ListGroupMemberships and ListGroupMembershipsForMember. Groups hold users only, never groups."""
    return Membership(raw["GroupId"], raw["MemberId"]["UserId"], raw["MembershipId"])


def permission_set_id(arn: str) -> str:
    """`ps-…` of a permission set's ARN."""
    return arn.rsplit("/", 1)[-1]


def permission_set(raw: Raw) -> PermissionSet:
    """DescribePermissionSet's `PermissionSet`."""
    return PermissionSet(
        permission_set_id(raw["PermissionSetArn"]),
        raw.get("Name") or "",
        raw.get("Description") or "",
        str(raw.get("SessionDuration") or ""),
    )


def aws_account(raw: Raw) -> AwsAccount:
    """A member of Organizations' ListAccounts. `Status` was retired on 2026-09-09 in favour of `State`."""
    return AwsAccount(raw["Id"], raw.get("Name") or "", raw.get("State") or raw.get("Status") or "")


def principal(raw: Raw) -> Principal:
    """Whom a row of an assignment list names. Rows of a user's list may name a group: each keeps its own."""
    return Principal(raw["PrincipalType"], raw["PrincipalId"])


def assignment(raw: Raw) -> Assignment:
    """A row of ListAccountAssignments and ListAccountAssignmentsForPrincipal."""
    return Assignment(Pair(raw["AccountId"], permission_set_id(raw["PermissionSetArn"])), principal(raw))


def application_id(arn: str) -> str:
    """`apl-…` of an application's ARN."""
    return arn.rsplit("/", 1)[-1]


def application(raw: Raw, assignment_required: bool) -> Application:
    """A member of ListApplications, with what GetApplicationAssignmentConfiguration says."""
    arn = raw["ApplicationArn"]
    return Application(
        application_id(arn),
        arn,
        raw.get("Name") or "",
        raw.get("Description") or "",
        raw.get("ApplicationAccount") or arn.split(":")[4],
        raw.get("Status") != "DISABLED",
        assignment_required,
    )


def block_members(raw: Raw, block: str) -> list[dict[str, Any]]:
    """The elements of `emails`, `addresses` or `phoneNumbers` as UpdateUser takes them: lower-camel keys."""
    elements = raw.get(block[0].upper() + block[1:]) or ()
    return [{key[0].lower() + key[1:]: value for key, value in each.items()} for each in elements]
