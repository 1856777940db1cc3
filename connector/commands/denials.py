"""What it costs when AWS denies what no list needs: the source is served without, and its operator is told.

By IAM action, in sentences that name the commands. What a list does need is not here: it fails, naming the action.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from connector.errors import AskPermission, FixConfiguration
from connector.model import Instance


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one denied action."""

    sentence: str
    fails: bool = False
    """Whether a command fails by it; else it only says less, or takes longer."""


COSTS: Final[Mapping[str, Cost]] = {
    "sso:DescribeInstance": Cost(
        "whether the instance has permission sets is guessed; where it has none, std:account:list and "
        "std:entitlement:list fail"
    ),
    "sso:ListAccountAssignmentsForPrincipal": Cost(
        "std:account:read, and every command that changes an account, reads it pair by pair, which is slow"
    ),
    "sso:ListApplicationAssignmentsForPrincipal": Cost(
        "std:account:read fails, and so does every command that changes an account", fails=True
    ),
    "organizations:DescribeOrganization": Cost(
        "the owner of the instance is taken for the management account: std:entitlement:list may call pairs of the "
        "management account requestable that cannot be given"
    ),
    "organizations:ListAccounts": Cost(
        "AWS accounts have no names and no State in std:account:list and std:entitlement:list"
    ),
    "organizations:DescribeAccount": Cost(
        "std:account:create and std:account:update try grants without looking at the State of the AWS account"
    ),
}
"""By action."""


def of_member(instance: Instance, denied: AskPermission) -> FixConfiguration:
    """The error of a caller that is a plain member of the organisation: no IAM policy of its own helps it."""
    return FixConfiguration(
        f"AWS denied {denied.action} to AWS account {instance.caller}, which does not own the Identity Center instance "
        f"({instance.owner} does) and seems to be no delegated administrator: such a member can only read its own "
        "access, whatever its IAM policies allow. Let the source call from the management account or from a delegated "
        "administrator for sso.amazonaws.com, for instance through its role_arn. If it is one, allow it "
        f"{denied.action} and organizations:ListAccounts.",
        request_id=denied.request_id,
    )
