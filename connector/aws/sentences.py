"""What an AWS fault is called in our words: one verdict, one builder, one public sentence.

`faults` decides the verdict; here it becomes an error of `connector.errors`. Sentences name the IAM action and what to
do; AWS's own text is relayed where it says more (which policy denied whom), and withheld where it may quote a request.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from connector.errors import (
    AskPermission,
    AwsConflict,
    AwsFailed,
    AwsThrottled,
    ConnectorError,
    FixConfiguration,
    InvalidAttribute,
    NotFoundInAws,
    NotGrantable,
)

ACTION_PREFIX: Final = {
    "sso-admin": "sso",
    "identitystore": "identitystore",
    "organizations": "organizations",
    "sts": "sts",
}
"""IAM's name of a service, where it is not the SDK's (Service Authorization Reference)."""


class Verdict(Enum):
    """What an AWS fault means to us; each has one builder in `ERRORS`."""

    THROTTLED = "throttled"
    BROKEN = "broken"
    BUSY = "busy"
    EXPIRED = "expired"
    CREDENTIALS = "credentials"
    REGION = "region"
    DENIED = "denied"
    ROLE_DENIED = "role denied"
    KEY_DENIED = "key denied"
    KEY_UNUSABLE = "key unusable"
    STORE_UNKNOWN = "store unknown"
    NOT_FOUND = "not found"
    CONFLICT = "conflict"
    VALUES = "values"
    NOT_GRANTABLE = "not grantable"
    REFUSED = "refused"
    QUOTA = "quota"
    NO_ORGANIZATION = "no organisation"
    UNKNOWN = "unknown"


class NoOrganization(FixConfiguration):
    """The calling AWS account is in no organisation; this room goes on without names."""


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """An error answer, as far as the builders need it."""

    service: str
    operation: str
    code: str
    text: str
    reason: str | None
    resource: str | None
    request_id: str | None
    after: float | None

    @property
    def action(self) -> str:
        return f"{ACTION_PREFIX[self.service]}:{self.operation}"


def _said(answer: ErrorAnswer) -> str:
    return f" AWS says: {answer.text}" if answer.text else ""


def _denied(answer: ErrorAnswer) -> ConnectorError:
    return AskPermission(
        f"AWS denied {answer.action}; the connector's role needs this permission.{_said(answer)}",
        action=answer.action,
        request_id=answer.request_id,
    )


def _role_denied(answer: ErrorAnswer) -> ConnectorError:
    return AskPermission(
        "AWS denied sts:AssumeRole on the source's role_arn: the connector's own identity needs this permission, and "
        f"the role's trust policy must name that identity and the source's external_id.{_said(answer)}",
        action="sts:AssumeRole",
        request_id=answer.request_id,
    )


def _key_denied(answer: ErrorAnswer) -> ConnectorError:
    return AskPermission(
        f"AWS denied {answer.action} because the identity store is encrypted with a customer managed KMS key: "
        "grant the connector's role kms:Decrypt on that key.",
        action="kms:Decrypt",
        request_id=answer.request_id,
    )


def _key_unusable(answer: ErrorAnswer) -> ConnectorError:
    return FixConfiguration(
        f"{answer.action} failed because the customer managed KMS key of the Identity Center instance cannot be used "
        f"({answer.reason}): enable or repair the key, and let the connector's role use kms:Decrypt on it.",
        request_id=answer.request_id,
    )


def _store_unknown(answer: ErrorAnswer) -> ConnectorError:
    return FixConfiguration(
        f"AWS does not know the identity store that {answer.action} asked: check the source's region, role_arn and "
        "instance_arn.",
        request_id=answer.request_id,
    )


def _credentials(answer: ErrorAnswer) -> ConnectorError:
    # AWS's text is withheld: for a wrong signature it quotes the signed request.
    return FixConfiguration(
        f"AWS does not accept the connector's credentials ({answer.code} from {answer.action}): check the keys, "
        "profile or role that the service runs with, and the machine's clock.",
        request_id=answer.request_id,
    )


def _region(answer: ErrorAnswer) -> ConnectorError:
    return FixConfiguration(
        "AWS STS is not active in the source's Region: activate the Region or change the source's region.",
        request_id=answer.request_id,
    )


def _not_found(answer: ErrorAnswer) -> ConnectorError:
    what = f"the {answer.resource.replace('_', ' ').lower()}" if answer.resource else "something"
    return NotFoundInAws(
        f"AWS does not have {what} that {answer.action} asked for.{_said(answer)}",
        resource=answer.resource,
        request_id=answer.request_id,
    )


def _conflict(answer: ErrorAnswer) -> ConnectorError:
    return AwsConflict(
        f"AWS refused {answer.action}: {answer.reason or answer.code}.{_said(answer)}",
        reason=answer.reason,
        request_id=answer.request_id,
    )


def _values(answer: ErrorAnswer) -> ConnectorError:
    return InvalidAttribute(
        f"AWS does not accept the values sent to {answer.action}.{_said(answer)}", request_id=answer.request_id
    )


def _not_grantable(answer: ErrorAnswer) -> ConnectorError:
    return NotGrantable(f"AWS refused {answer.action}.{_said(answer)}", request_id=answer.request_id)


def _refused(answer: ErrorAnswer) -> ConnectorError:
    return lasting(f"AWS refused {answer.action} as invalid ({answer.code}).{_said(answer)}", answer.request_id)


def _quota(answer: ErrorAnswer) -> ConnectorError:
    return lasting(f"{answer.action} would exceed a quota of Identity Center.{_said(answer)}", answer.request_id)


def _throttled(answer: ErrorAnswer) -> ConnectorError:
    return AwsThrottled(
        f"AWS kept throttling {answer.action}: other tools may be using the same quota.",
        after=max(1.0, answer.after or 30.0),
        request_id=answer.request_id,
    )


def _broken(answer: ErrorAnswer) -> ConnectorError:
    return AwsFailed(f"{answer.action} failed in AWS ({answer.code}).", request_id=answer.request_id)


def _busy(answer: ErrorAnswer) -> ConnectorError:
    return AwsFailed(
        f"{answer.action} kept conflicting with an earlier change in AWS.{_said(answer)}", request_id=answer.request_id
    )


def _no_organization(answer: ErrorAnswer) -> ConnectorError:
    return NoOrganization(
        f"{answer.action}: the AWS account that the connector calls from is not in an organisation.",
        request_id=answer.request_id,
    )


def _unknown(answer: ErrorAnswer) -> ConnectorError:
    return lasting(f"{answer.action} failed in AWS ({answer.code or 'no error code'}).", answer.request_id)


def lasting(sentence: str, request_id: str | None = None) -> AwsFailed:
    """An `AwsFailed` that the same request would meet again."""
    error = AwsFailed(sentence, request_id=request_id)
    error.retryable = False
    return error


ERRORS: Final[Mapping[Verdict, Callable[[ErrorAnswer], ConnectorError]]] = {
    Verdict.THROTTLED: _throttled,
    Verdict.BROKEN: _broken,
    Verdict.BUSY: _busy,
    Verdict.EXPIRED: _credentials,
    Verdict.CREDENTIALS: _credentials,
    Verdict.REGION: _region,
    Verdict.DENIED: _denied,
    Verdict.ROLE_DENIED: _role_denied,
    Verdict.KEY_DENIED: _key_denied,
    Verdict.KEY_UNUSABLE: _key_unusable,
    Verdict.STORE_UNKNOWN: _store_unknown,
    Verdict.NOT_FOUND: _not_found,
    Verdict.CONFLICT: _conflict,
    Verdict.VALUES: _values,
    Verdict.NOT_GRANTABLE: _not_grantable,
    Verdict.REFUSED: _refused,
    Verdict.QUOTA: _quota,
    Verdict.NO_ORGANIZATION: _no_organization,
    Verdict.UNKNOWN: _unknown,
}
