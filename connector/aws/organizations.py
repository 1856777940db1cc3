"""Names and states of AWS accounts, from AWS Organizations. Nothing here is needed to know who has access.

Callable from the management account or a delegated administrator only; where it is denied, callers go on with ids.
"""

from __future__ import annotations

from collections.abc import Iterator

import structlog

from connector.aws import translate
from connector.aws.calls import Line
from connector.aws.paging import listed
from connector.aws.sentences import NoOrganization
from connector.errors import NotFoundInAws
from connector.model import AwsAccount

log = structlog.get_logger()


def aws_accounts(line: Line) -> Iterator[AwsAccount]:
    """All members of the organisation, none where there is none; `AskPermission` when denied."""
    try:
        yield from map(translate.aws_account, listed(line, "organizations", "ListAccounts", "Accounts"))
    except NoOrganization:
        log.info("no organisation", source=line.source.name)


def aws_account(line: Line, aws_account_id: str) -> AwsAccount | None:
    """One member as it is now, None when the organisation has no such member; `AskPermission` when denied."""
    try:
        answer = line.call("organizations", "DescribeAccount", "Account", AccountId=aws_account_id)
    except (NotFoundInAws, NoOrganization):
        return None
    return translate.aws_account(answer["Account"])


def management(line: Line) -> str | None:
    """The management account's id; None when there is no organisation, `AskPermission` when denied."""
    try:
        answer = line.call("organizations", "DescribeOrganization", "Organization")
    except NoOrganization:
        return None
    # "MasterAccountId" is the API's name of the management account.
    found = answer["Organization"].get("MasterAccountId")
    return str(found) if found else None
