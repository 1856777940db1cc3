"""One entitlement each: a group, a pair, an application, dressed from its facts. One renderer for list and read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from connector import attributes
from connector.model import Application, Entitlement, Fact, Group, Pair, Snapshot, Source
from connector.ports import Records
from connector.reading import facts, requestable
from connector.reading.catalogue import Catalogue


@dataclass(frozen=True, slots=True)
class Counts:
    """Who holds an entitlement directly."""

    users: int
    groups: int

    @classmethod
    def of(cls, given: Iterable[Fact], orphans: frozenset[str] = frozenset()) -> Counts:
        """Count assignment facts, orphans left out."""
        there = [each for each in given if orphan_name(each) not in orphans]
        groups = sum(by_group(each) for each in there)
        return cls(len(there) - groups, groups)


def by_group(fact: Fact) -> bool:
    """Whether an assignment fact is about a group."""
    return fact.body.get("type") == "GROUP"


def orphan_name(fact: Fact) -> str:
    """How the census names an orphan."""
    return f"{fact.held} of {fact.body.get('type')} {fact.subject}"


def group(source: Source, wanted: Group, members: int, held: Iterable[Fact] | None, names: Catalogue) -> Entitlement:
    """A group; `held` are the assignments it passes on, None when assignments were not read: then nothing is said."""
    own: dict[str, bool | tuple[str, ...]] = {"external": wanted.external}
    if held is not None:
        pairs = sorted({each.held for each in held})
        own["grants"] = tuple(sorted(names.pair(each) for each in pairs))
        own["permissionSetAssignments"] = tuple(pairs)
    return _entitlement(
        attributes.GROUP,
        wanted.id,
        (wanted.name, wanted.description),
        requestable.group(source, wanted),
        Counts(members, 0),
        own,
    )


def pair(
    records: Records, snapshot: Snapshot, wanted: Pair, counts: Counts, details: Fact | None, names: Catalogue
) -> Entitlement:
    """A pair; where `details` are None nothing is said of what its permission set allows: not read is not empty."""
    account = names.aws_account(wanted.aws_account_id)
    allows: dict[str, str | bool | tuple[str, ...]] = {}
    if details is not None:
        policies = facts.policies(details)
        allows = {
            "sessionDuration": str(details.body["sessionDuration"]),
            "managedPolicies": policies.managed,
            "customerManagedPolicies": policies.customer_managed,
            "hasInlinePolicy": policies.inline,
            "permissionsBoundary": policies.boundary,
        }
    return _entitlement(
        attributes.ASSIGNMENT,
        wanted.id,
        (names.pair(wanted.id), str(details.body["description"]) if details is not None else ""),
        requestable.pair(records, snapshot, wanted, account),
        counts,
        {
            "awsAccountId": wanted.aws_account_id,
            "awsAccountName": account.name,
            "awsAccountState": account.state,
            "permissionSetId": wanted.permission_set_id,
            "permissionSetName": names.permission_set(wanted.permission_set_id),
            **allows,
        },
    )


def application(wanted: Application, counts: Counts) -> Entitlement:
    """An application."""
    return _entitlement(
        attributes.APPLICATION,
        wanted.id,
        (wanted.name, wanted.description),
        requestable.application(wanted),
        counts,
        {
            "applicationArn": wanted.arn,
            "awsAccountId": wanted.aws_account_id,
            "enabled": wanted.enabled,
            "assignmentRequired": wanted.assignment_required,
        },
    )


def _entitlement(
    type_: attributes.EntitlementType,
    id_: str,
    named: tuple[str, str],
    refused: str,
    counts: Counts,
    own: Mapping[str, str | bool | int | tuple[str, ...]],
) -> Entitlement:
    name, description = named
    return Entitlement(
        id_,
        type_.name,
        {
            "id": id_,
            "type": type_.name,
            "displayName": name,
            "description": description,
            "requestable": not refused,
            "notRequestableReason": refused,
            "userCount": counts.users,
            "groupCount": counts.groups,
            **own,
        },
    )
