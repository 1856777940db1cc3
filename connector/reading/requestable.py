"""Whether an entitlement can be given, and the sentence that says why not. Empty means it can.

The same sentences answer a reviewer (entitlement lists) and a caller who asks for it anyway.
"""

from __future__ import annotations

from connector.model import Application, AwsAccount, Group, Pair, Snapshot, Source
from connector.ports import Records
from connector.reading import facts


def group(source: Source, wanted: Group) -> str:
    """An identity provider undoes what we change in its groups, unless the operator says otherwise."""
    if source.managed_by == "external" and wanted.external and source.external_groups == "fixed":
        return (
            "an identity provider keeps the members of this group; change them there "
            '(or set external_groups = "changeable")'
        )
    return ""


def aws_account(account: AwsAccount) -> str:
    """Assignments to an AWS account that is not ACTIVE hang and then fail."""
    if account.state in ("", "ACTIVE"):
        return ""
    named = f"{account.name} ({account.id})" if account.name else account.id
    return f"AWS account {named} is {account.state}, not ACTIVE"


def pair(records: Records, snapshot: Snapshot, wanted: Pair, account: AwsAccount) -> str:
    """What stands against assigning the pair."""
    inactive = aws_account(account)
    if inactive:
        return inactive
    management = str(snapshot.summary.get("management") or "")
    if snapshot.summary.get("owned", True) or not management:
        return ""
    if wanted.aws_account_id == management:
        return "only the management account itself can give access to the management account"
    if records.one(snapshot, facts.PAIR, Pair(management, wanted.permission_set_id).id) is not None:
        return (
            "this permission set is also provisioned in the management account: a delegated administrator cannot "
            "assign it anywhere"
        )
    return ""


def application(wanted: Application) -> str:
    """What stands against assigning the application."""
    if not wanted.enabled:
        return "the application is disabled"
    if not wanted.assignment_required:
        return "everybody has access to this application without an assignment"
    return ""
