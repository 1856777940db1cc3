"""Which Identity Center instance a source means, and who we are to it.

One read of ListInstances in the source's Region decides; DescribeInstance, GetCallerIdentity and DescribeOrganization
say the rest. Everything later goes to the instance's primary Region: additional Regions serve no permission-set or
assignment reads (IAM Identity Center user guide, "API support in additional Regions"). Nothing is guessed between two
instances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import structlog

from connector.aws import organizations
from connector.aws.calls import Answer, Line
from connector.aws.paging import listed
from connector.errors import AskPermission, FixConfiguration
from connector.model import Instance

log = structlog.get_logger()

Row = dict[str, Any]
Known = TypeVar("Known")


def found(line: Line) -> Instance:
    """The source's instance; `FixConfiguration` with what to change when there is not exactly one that works."""
    row = _chosen(line, list(listed(line, "sso-admin", "ListInstances", "Instances")))
    owner = row.get("OwnerAccountId")
    inside = line.at(owner or line.owner, row.get("PrimaryRegion") or line.region)
    with ThreadPoolExecutor(3, thread_name_prefix="instance") as pool:  # everything else waits for these answers
        asked_who = pool.submit(inside.call, "sts", "GetCallerIdentity", "Account")
        asked_where = pool.submit(_permitted, lambda: organizations.management(inside))
        asked_what = pool.submit(_permitted, lambda: _described_by_aws(inside, row["InstanceArn"]))
    identity = asked_who.result()
    management, no_management = asked_where.result()
    described, no_description = asked_what.result()
    return Instance(
        arn=row["InstanceArn"],
        identity_store_id=row["IdentityStoreId"],
        region=inside.region,
        owner=owner,
        name=row.get("Name"),
        multi_account=_multi_account(described or {}, row, management),
        caller=identity["Account"],
        caller_arn=identity["Arn"],
        management=management,
        denied=tuple(each for each in (no_management, no_description) if each is not None),
    )


def confirm(line: Line, instance: Instance) -> None:
    """Return when the instance is still there, else raise.

    sso-admin's ResourceNotFoundException names no resource: before it may mean "this permission set was deleted", the
    instance itself has to be seen.
    """
    rows = listed(line, "sso-admin", "ListInstances", "Instances")
    if all(row["InstanceArn"] != instance.arn for row in rows):
        raise FixConfiguration(f"The Identity Center instance {instance.arn} is not there any more.")


def _chosen(line: Line, rows: Sequence[Row]) -> Row:
    source = line.source
    if source.instance_arn is not None:
        rows = [row for row in rows if row["InstanceArn"] == source.instance_arn]
    if not rows:
        raise _elsewhere(line)
    if len(rows) > 1:
        raise FixConfiguration(
            f"Source {source.name} sees several Identity Center instances in {line.region}; set its instance_arn to "
            f"one of: {'; '.join(_described(row) for row in rows)}."
        )
    (row,) = rows
    status = row.get("Status") or "ACTIVE"
    if status != "ACTIVE":
        reason = f" ({row['StatusReason']})" if row.get("StatusReason") else ""
        raise FixConfiguration(f"The Identity Center instance {row['InstanceArn']} is {status}{reason}, not ACTIVE.")
    return row


def _elsewhere(line: Line) -> FixConfiguration:
    """In a Region without the instance ListInstances answers an empty list, not an error: look in all of them."""
    source = line.source
    wanted = f"instance {source.instance_arn}" if source.instance_arn else "instance"
    rows = list(listed(line, "sso-admin", "ListInstances", "Instances", RegionScope="ALL_REGIONS"))
    if source.instance_arn is not None:
        rows = [row for row in rows if row["InstanceArn"] == source.instance_arn]
    if any(row.get("PrimaryRegion") not in (None, line.region) for row in rows):
        places = "; ".join(f"{row.get('PrimaryRegion')}: {_described(row)}" for row in rows)
        return FixConfiguration(
            f"Source {source.name} has no Identity Center {wanted} in Region {line.region}, but elsewhere: {places}. "
            "Set the source's region."
        )
    return FixConfiguration(
        f"Source {source.name} finds no Identity Center {wanted} in Region {line.region}: check its region, its "
        "instance_arn, and that it calls from the organisation's management account, a delegated administrator, or "
        "the AWS account that owns the instance."
    )


def _described(row: Row) -> str:
    name = f" {row['Name']}" if row.get("Name") else ""
    return f"{row['InstanceArn']}{name} (owner {row.get('OwnerAccountId') or 'unknown'})"


def _permitted(ask: Callable[[], Known | None]) -> tuple[Known | None, str | None]:
    """The answer; where AWS denies it, the action that is missing: the source can be served without."""
    try:
        return ask(), None
    except AskPermission as refused:
        log.warning("a part of the instance was not looked up", missing=refused.action)
        return None, refused.action


def _described_by_aws(line: Line, arn: str) -> Answer:
    return line.call("sso-admin", "DescribeInstance", "InstanceArn", InstanceArn=arn)


def _multi_account(described: Answer, row: Row, management: str | None) -> bool:
    """Whether the instance has permission sets.

    An organisation's instance may have been made without them (PermissionSetsEnabled, since 2026-08); an account
    instance, which belongs to a member of the organisation, never has them.
    """
    enabled = described.get("PermissionSetsEnabled")
    if enabled is not None:
        return bool(enabled)
    return management is None or row.get("OwnerAccountId") in (None, management)
