"""Who is calling, from where: the Authorization header's access key and credential scope.

Signatures are not checked. The scope's Region decides which Region is called; the access key decides the caller: a key
handed out by AssumeRole is that role, three well-known keys are the three kinds of AWS account, any other key is
whatever the option `caller` says. Permissions beyond the kind of AWS account are the option `deny`'s business.
"""

import re
from dataclasses import dataclass

from connector.sandbox.errors import AwsError
from connector.sandbox.organisation import Organisation

KEYS = {
    "AKIAMANAGEMENT000000": "management",
    "AKIADELEGATED0000000": "delegated",
    "AKIAMEMBER0000000000": "member",
}
_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/\d{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request")


@dataclass(frozen=True)
class Caller:
    """The identity behind a request; `kind` is management, delegated or member."""

    account_id: str
    arn: str
    user_id: str
    kind: str


def caller_of(organisation: Organisation, authorization: str | None, default: str, now: float) -> tuple[Caller, str]:
    """The caller and the Region of a request; raise what AWS answers to missing, unknown or expired credentials."""
    found = _CREDENTIAL.search(authorization or "")
    if found is None:
        raise AwsError("MissingAuthenticationTokenException", "Missing Authentication Token", status=403)
    key, region = found.group(1), found.group(2)
    session = organisation.sessions.get(key)
    if session is not None:
        if session.expires_at <= now:
            raise AwsError("ExpiredTokenException", "The security token included in the request is expired")
        kind = kind_of(organisation, session.account_id)
        return Caller(session.account_id, session.arn, session.user_id, kind), region
    if key.startswith("ASIA"):
        raise AwsError("UnrecognizedClientException", "The security token included in the request is invalid.")
    return _user(organisation, KEYS.get(key, default)), region


def kind_of(organisation: Organisation, account_id: str) -> str:
    """What an AWS account may do in the organisation."""
    if account_id == organisation.management_account:
        return "management"
    return "delegated" if account_id in organisation.delegated_administrators else "member"


def _user(organisation: Organisation, kind: str) -> Caller:
    account_id = account_of(organisation, kind)
    arn = f"arn:{organisation.partition}:iam::{account_id}:user/sandbox"
    return Caller(account_id, arn, f"AIDASANDBOX{kind.upper():0<10}"[:21], kind)


def account_of(organisation: Organisation, kind: str) -> str:
    """The first AWS account of a kind."""
    for account in organisation.accounts:
        if kind_of(organisation, account.id) == kind:
            return account.id
    raise AwsError("InvalidClientTokenId", f"The organisation has no AWS account of the kind {kind}.", status=403)
