"""The organizations service, as far as a connector reads it.

It reads organisation.py through a Call: the AWS accounts with their State, the organisation, the delegated
administrators. Nothing is changed through the API; AWS accounts are suspended and renamed at the control endpoint.
"""

from typing import Any

from connector.sandbox.call import Answer, Call, Operation
from connector.sandbox.errors import AwsError
from connector.sandbox.ordered import Ordered
from connector.sandbox.organisation import AwsAccount, Organisation
from connector.sandbox.paging import ORGANIZATIONS_MAXIMUM, page

# What the retired Status still says for a State (aws-behaviour 34); the other states have none.
_STATUS = {"ACTIVE": "ACTIVE", "SUSPENDED": "SUSPENDED", "PENDING_CLOSURE": "PENDING_CLOSURE"}


def ListAccounts(call: Call) -> Answer:
    """A page of AWS accounts, at most 20; for the management account and delegated administrators only."""
    _refuse_member(call)
    return page(
        call,
        "Accounts",
        call.organisation.accounts,
        lambda account: {**described(account), "Paths": [account.path]},
        maximum=ORGANIZATIONS_MAXIMUM,
    )


def DescribeAccount(call: Call) -> Answer:
    """One AWS account."""
    _refuse_member(call)
    account = call.organisation.accounts_by_id.get(call["AccountId"])
    if account is None:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return {"Account": {**described(account), "Paths": [account.path]}}


def DescribeOrganization(call: Call) -> Answer:
    """The organisation; any of its AWS accounts may ask."""
    organisation = call.organisation
    management = organisation.accounts_by_id[organisation.management_account]
    return {
        "Organization": {
            "Id": organisation.id,
            "Arn": organisation_arn(organisation),
            "FeatureSet": "ALL",
            "MasterAccountArn": management.arn,
            "MasterAccountId": management.id,
            "MasterAccountEmail": management.email,
            "AvailablePolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        }
    }


def ListDelegatedAdministrators(call: Call) -> Answer:
    """The AWS accounts that administer IAM Identity Center on behalf of the management account."""
    _refuse_member(call)
    found: Ordered[AwsAccount] = Ordered()
    if call.get("ServicePrincipal", "sso.amazonaws.com") == "sso.amazonaws.com":
        for account_id in call.organisation.delegated_administrators:
            found.add(call.organisation.accounts_by_id[account_id])
    since = call.organisation.delegated_administrators
    return page(
        call,
        "DelegatedAdministrators",
        found,
        lambda account: {**described(account), "DelegationEnabledDate": since[account.id]},
        maximum=ORGANIZATIONS_MAXIMUM,
    )


def _refuse_member(call: Call) -> None:
    if call.caller.kind == "member":
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")


def organisation_arn(organisation: Organisation) -> str:
    """The ARN of the organisation."""
    return (
        f"arn:{organisation.partition}:organizations::{organisation.management_account}:organization/{organisation.id}"
    )


def described(account: AwsAccount) -> dict[str, Any]:
    """An AWS account with the fields that every answer shows."""
    shown = {
        "Id": account.id,
        "Arn": account.arn,
        "Email": account.email,
        "Name": account.name,
        "State": account.state,
        "JoinedMethod": account.joined_method,
        "JoinedTimestamp": account.joined_at,
    }
    if account.state in _STATUS:
        shown["Status"] = _STATUS[account.state]
    return shown


OPERATIONS: dict[str, Operation] = {
    "ListAccounts": ListAccounts,
    "DescribeAccount": DescribeAccount,
    "DescribeOrganization": DescribeOrganization,
    "ListDelegatedAdministrators": ListDelegatedAdministrators,
}
