"""The one gate for AWS faults: an error of a call in, one of our errors and whether to try again out.

Matched by service, operation, code and modelled field (`Reason`, `ResourceType`), never by text: AWS's wording
changes and differs by Region. AWS's own sentence is relayed where it helps an operator (who was denied, by which
policy), never where it may quote a signature. The table is complete for every call we make; a test walks botocore's
models and says when AWS adds something.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from connector.aws.sentences import ACTION_PREFIX, ERRORS, ErrorAnswer, Verdict
from connector.errors import AwsFailed, CallUs, ConnectorError, FixConfiguration, InvalidAttribute

ANY: Final = "*"


class BrokenAnswer(Exception):
    """An answer that is not whole: shorter than announced, not JSON, or without the member that it must have."""


class Again(Enum):
    """Why a call is worth repeating."""

    THROTTLED = "throttled"
    """Refused before anything was done; the quota is used up."""
    BROKEN = "broken"
    """No usable answer: AWS may or may not have acted."""
    BUSY = "busy"
    """An earlier write has not settled; nothing was done."""
    EXPIRED = "expired"
    """The credentials ran out; new ones may do."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One failed attempt, understood."""

    verdict: Verdict
    error: ConnectorError
    """What to raise when it is not tried again."""
    again: Again | None
    """Whether and why another attempt may succeed."""
    after: float | None = None
    """Seconds AWS asked us to wait, where it said so."""
    silent: bool = False
    """AWS said nothing, though the call may have reached it: nobody knows whether it acted."""
    unsent: bool = False
    """AWS never heard of the call."""


class Failed(Exception):
    """An attempt that its own room has understood already (SCIM)."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.verdict.value)
        self.fault = fault


_AGAIN: Final = {
    Verdict.THROTTLED: Again.THROTTLED,
    Verdict.BROKEN: Again.BROKEN,
    Verdict.BUSY: Again.BUSY,
    Verdict.EXPIRED: Again.EXPIRED,
}

_THROTTLING = (
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "SlowDown",
)
_SERVER = (
    "InternalServerException",
    "InternalServerError",
    "InternalFailure",
    "InternalError",
    "ServiceException",
    "ServiceUnavailable",
    "ServiceUnavailableException",
    "RequestTimeout",
    "RequestTimeoutException",
    "IDPCommunicationError",
)
_CREDENTIALS = (
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "IncompleteSignature",
    "IncompleteSignatureException",
    "MissingAuthenticationToken",
    "MissingAuthenticationTokenException",
    "RequestExpired",
    "AuthFailure",
    "NotAuthorized",
    "OptInRequired",
    "SubscriptionRequiredException",
    "MalformedPolicyDocument",
    "PackedPolicyTooLarge",
    "InvalidIdentityToken",
    "IDPRejectedClaim",
)

RULES: Final[Mapping[tuple[str, str, str, str], Verdict]] = {
    # any service, also codes that no model names
    **{(ANY, ANY, code, ANY): Verdict.THROTTLED for code in _THROTTLING},
    **{(ANY, ANY, code, ANY): Verdict.BROKEN for code in _SERVER},
    **{(ANY, ANY, code, ANY): Verdict.CREDENTIALS for code in _CREDENTIALS},
    (ANY, ANY, "ExpiredToken", ANY): Verdict.EXPIRED,
    (ANY, ANY, "ExpiredTokenException", ANY): Verdict.EXPIRED,
    (ANY, ANY, "RegionDisabledException", ANY): Verdict.REGION,
    (ANY, ANY, "AccessDenied", ANY): Verdict.DENIED,
    (ANY, ANY, "AccessDeniedException", ANY): Verdict.DENIED,
    (ANY, ANY, "UnauthorizedOperation", ANY): Verdict.DENIED,
    (ANY, ANY, "ValidationException", ANY): Verdict.REFUSED,
    (ANY, ANY, "ValidationError", ANY): Verdict.REFUSED,
    (ANY, ANY, "ServiceQuotaExceededException", ANY): Verdict.QUOTA,
    (ANY, ANY, "ResourceNotFoundException", ANY): Verdict.NOT_FOUND,
    # identitystore
    ("identitystore", ANY, "ResourceNotFoundException", "KMS_KEY_NOT_FOUND"): Verdict.KEY_UNUSABLE,
    ("identitystore", ANY, "ResourceNotFoundException", "IDENTITY_STORE"): Verdict.STORE_UNKNOWN,
    ("identitystore", ANY, "ResourceNotFoundException", "USER"): Verdict.NOT_FOUND,
    ("identitystore", ANY, "ResourceNotFoundException", "GROUP"): Verdict.NOT_FOUND,
    ("identitystore", ANY, "ResourceNotFoundException", "GROUP_MEMBERSHIP"): Verdict.NOT_FOUND,
    ("identitystore", ANY, "ResourceNotFoundException", "RESOURCE_POLICY"): Verdict.NOT_FOUND,
    ("identitystore", ANY, "ThrottlingException", "KMS_THROTTLING"): Verdict.THROTTLED,
    ("identitystore", ANY, "AccessDeniedException", "KMS_ACCESS_DENIED"): Verdict.KEY_DENIED,
    ("identitystore", ANY, "ValidationException", "KMS_INVALID_ARN"): Verdict.KEY_UNUSABLE,
    ("identitystore", ANY, "ValidationException", "KMS_INVALID_KEY_USAGE"): Verdict.KEY_UNUSABLE,
    ("identitystore", ANY, "ValidationException", "KMS_INVALID_STATE"): Verdict.KEY_UNUSABLE,
    ("identitystore", ANY, "ValidationException", "KMS_DISABLED"): Verdict.KEY_UNUSABLE,
    ("identitystore", "CreateUser", "ValidationException", ANY): Verdict.VALUES,
    ("identitystore", "UpdateUser", "ValidationException", ANY): Verdict.VALUES,
    # Both reasons are for the room that asked; repeating the call unchanged helps neither.
    ("identitystore", ANY, "ConflictException", ANY): Verdict.CONFLICT,
    ("identitystore", ANY, "ConflictException", "UNIQUENESS_CONSTRAINT_VIOLATION"): Verdict.CONFLICT,
    ("identitystore", ANY, "ConflictException", "CONCURRENT_MODIFICATION"): Verdict.CONFLICT,
    # sso-admin
    ("sso-admin", ANY, "ResourceNotFoundException", "KMS_NotFoundException"): Verdict.KEY_UNUSABLE,
    ("sso-admin", ANY, "ThrottlingException", "KMS_ThrottlingException"): Verdict.THROTTLED,
    ("sso-admin", ANY, "AccessDeniedException", "KMS_AccessDeniedException"): Verdict.KEY_DENIED,
    ("sso-admin", ANY, "ValidationException", "KMS_InvalidKeyUsageException"): Verdict.KEY_UNUSABLE,
    ("sso-admin", ANY, "ValidationException", "KMS_InvalidStateException"): Verdict.KEY_UNUSABLE,
    ("sso-admin", ANY, "ValidationException", "KMS_DisabledException"): Verdict.KEY_UNUSABLE,
    ("sso-admin", "CreateAccountAssignment", "ValidationException", ANY): Verdict.NOT_GRANTABLE,
    ("sso-admin", "CreateApplicationAssignment", "ValidationException", ANY): Verdict.NOT_GRANTABLE,
    # "Occurs when a conflict with a previous successful write is detected … try again" (SSO Admin API reference).
    ("sso-admin", ANY, "ConflictException", ANY): Verdict.BUSY,
    # organizations
    ("organizations", ANY, "AWSOrganizationsNotInUseException", ANY): Verdict.NO_ORGANIZATION,
    ("organizations", "DescribeAccount", "AccountNotFoundException", ANY): Verdict.NOT_FOUND,
    ("organizations", ANY, "ConcurrentModificationException", ANY): Verdict.BUSY,
    ("organizations", ANY, "InvalidInputException", ANY): Verdict.REFUSED,
    # sts: AssumeRole runs while another call is being signed
    ("sts", "AssumeRole", "AccessDenied", ANY): Verdict.ROLE_DENIED,
    ("sts", "AssumeRole", "AccessDeniedException", ANY): Verdict.ROLE_DENIED,
}
"""(service, operation, code, Reason or ResourceType) -> verdict; the most particular row counts."""


def verdict_of(service: str, operation: str, code: str, details: tuple[str, ...] = ()) -> Verdict | None:
    """The verdict of the table, or None when it has no row. `details` are the modelled fields' values."""
    for key in _keys(service, operation, code, details):
        if key in RULES:
            return RULES[key]
    return None


def _keys(service: str, operation: str, code: str, details: tuple[str, ...]) -> Iterator[tuple[str, str, str, str]]:
    for detail in (*details, ANY):
        for name in (operation, ANY):
            for family in (service, ANY):
                yield family, name, code, detail


def understand(service: str, operation: str, caught: Exception) -> Fault:
    """What a failed attempt of one call means. Raises nothing; an exception that AWS cannot cause becomes `CallUs`."""
    if isinstance(caught, Failed):
        return caught.fault
    if isinstance(caught, boto.ClientError):
        return _of_answer(service, operation, caught)
    return _without_answer(service, operation, caught)


def _of_answer(service: str, operation: str, caught: boto.ClientError) -> Fault:
    answer = _read(service, operation, caught)
    details = tuple(each for each in (answer.reason, answer.resource) if each)
    verdict = verdict_of(answer.service, answer.operation, answer.code, details)
    if verdict is None:
        verdict = _by_status(caught)
        # A gateway's own page about an answer that it did not get.
        return Fault(verdict, ERRORS[verdict](answer), _AGAIN.get(verdict), answer.after, verdict is Verdict.BROKEN)
    return Fault(verdict, ERRORS[verdict](answer), _AGAIN.get(verdict), answer.after)


def _read(service: str, operation: str, caught: boto.ClientError) -> ErrorAnswer:
    response: Mapping[str, Any] = caught.response
    if caught.operation_name == "AssumeRole":  # the fault of a call that signing another one needed
        service, operation = "sts", "AssumeRole"
    error = response.get("Error", {})
    return ErrorAnswer(
        service,
        operation,
        str(error.get("Code", "")),
        _one_line(str(error.get("Message") or response.get("Message") or "")),
        response.get("Reason"),
        response.get("ResourceType"),
        response.get("ResponseMetadata", {}).get("RequestId"),
        _retry_after(response),
    )


def _retry_after(response: Mapping[str, Any]) -> float | None:
    """Seconds AWS asks to wait: identitystore says it in the body, some front ends in a header (milliseconds)."""
    headers = response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    for value, unit in (
        (response.get("RetryAfterSeconds"), 1.0),
        (headers.get("x-amz-retry-after"), 0.001),
        (headers.get("retry-after"), 1.0),
    ):
        try:
            if value is not None:
                return max(0.0, float(value) * unit)
        except ValueError:
            continue  # Retry-After may be a date; our own backoff is as good
    return None


def _by_status(caught: boto.ClientError) -> Verdict:
    """A code that no row names, such as a load balancer's page: the HTTP status is all there is."""
    status = caught.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if status == 429:
        return Verdict.THROTTLED
    return Verdict.BROKEN if status >= 500 else Verdict.UNKNOWN


_SECRETS: Final = re.compile(
    r"""(?ix)\b(?:AKIA|ASIA)[A-Z0-9]{12,}
    |[\w-]*(?:token|signature|credential|secret\w*|password|external_?id|authorization)["']?\s*[=:]\s*(?:(?:bearer|basic)\s+)?\S+"""
)
"""What a text of AWS may quote of the request that it refuses."""


def _one_line(text: str) -> str:
    return " ".join(_SECRETS.sub("[hidden]", text).split())[:400]


# ---- faults without an answer ----------------------------------------------------------------------------------

_UNREACHABLE: Final = (
    boto.ConnectionError,  # no connection, proxies, TLS
    boto.HTTPClientError,  # read time-outs, resets
    ResponseParserError,  # XML that is cut off (STS)
    boto.MetadataRetrievalError,
    BrokenAnswer,
    OSError,
)
_UNSENT: Final = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError)
"""No connection was made, so AWS never heard of the call."""
_MISCONFIGURED: Final = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.InvalidConfigError,
    boto.ConfigParseError,
    boto.ConfigNotFound,
    boto.SSOError,
    boto.TokenRetrievalError,
    boto.NoAuthTokenError,
    boto.NoRegionError,
    boto.InvalidRegionError,
    boto.EndpointProviderError,
    boto.UnknownEndpointError,
    boto.InfiniteLoopConfigError,
    boto.RefreshWithMFAUnsupportedError,
)


def _without_answer(service: str, operation: str, caught: Exception) -> Fault:
    action = f"{ACTION_PREFIX[service]}:{operation}"
    if isinstance(caught, _UNREACHABLE):
        sentence = f"No usable answer from AWS to {action} ({_plain_name(caught)}){_where(service, caught)}."
        unsent = isinstance(caught, _UNSENT)
        return Fault(Verdict.BROKEN, AwsFailed(sentence), Again.BROKEN, unsent=unsent, silent=not unsent)
    if isinstance(caught, _MISCONFIGURED):
        return Fault(Verdict.CREDENTIALS, misconfigured(caught), None)
    if isinstance(caught, boto.ParamValidationError) and operation in ("CreateUser", "UpdateUser"):
        sentence = f"A value sent to {action} is empty or of the wrong kind."
        return Fault(Verdict.VALUES, InvalidAttribute(sentence), None)
    return Fault(Verdict.UNKNOWN, CallUs(f"{action} could not be made ({_plain_name(caught)})."), None)


def _where(service: str, caught: Exception) -> str:
    """Which endpoint was asked, where the fault says so, and which variable of the environment names it."""
    address = urlsplit(str(getattr(caught, "kwargs", {}).get("endpoint_url") or ""))
    if not address.netloc:
        return ""
    names = (f"AWS_ENDPOINT_URL_{service.replace('-', '_').upper()}", "AWS_ENDPOINT_URL")
    named = next((f", which {name} names" for name in names if os.environ.get(name)), "")
    return f" at {address.scheme}://{address.netloc.rpartition('@')[2]}{named}"


def misconfigured(caught: Exception) -> FixConfiguration:
    """A profile, Region or credential chain that cannot work. The text is withheld: it may quote a file's path."""
    return FixConfiguration(
        f"The connector has no working AWS credentials or Region ({_plain_name(caught)}): check its environment, "
        "profile, role and the source's region."
    )


def _plain_name(caught: Exception) -> str:
    return type(caught).__name__
