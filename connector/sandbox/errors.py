"""The errors AWS answers with: code, message, HTTP status, modelled fields.

Raised by the operations, rendered by dispatch.py. The codes and fields are those of botocore's service models (a test
walks them); the messages follow AWS's style but nobody should read them by machine.
"""

from typing import Any


class AwsError(Exception):
    """An error answer of an AWS service."""

    def __init__(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields


def validation(message: str, **fields: Any) -> AwsError:
    """The request is malformed or asks for something that the service refuses."""
    return AwsError("ValidationException", message, **fields)


def conflict(message: str, reason: str | None = None) -> AwsError:
    """A ConflictException; identitystore gives a Reason, sso-admin none (there it means: try again)."""
    if reason is None:
        return AwsError("ConflictException", message)
    return AwsError("ConflictException", message, Reason=reason)


def not_in_store(kind: str, identifier: str | None = None) -> AwsError:
    """identitystore's ResourceNotFoundException, with its modelled fields."""
    fields = {"ResourceType": kind, "ResourceId": identifier} if identifier else {"ResourceType": kind}
    return AwsError("ResourceNotFoundException", f"{kind} not found.", 400, **fields)


def not_found(message: str) -> AwsError:
    """sso-admin's ResourceNotFoundException: it says what is missing in the message only."""
    return AwsError("ResourceNotFoundException", message)


def denied(arn: str, action: str, because: str = "no identity-based policy allows the {action} action") -> AwsError:
    """AccessDeniedException in IAM's words."""
    reason = because.format(action=action)
    return AwsError("AccessDeniedException", f"User: {arn} is not authorized to perform: {action} because {reason}")


def throttled(service: str, message: str = "Rate exceeded") -> AwsError:
    """The throttling error of each service; only identitystore says how long to wait (aws-behaviour 10)."""
    if service == "organizations":
        return AwsError("TooManyRequestsException", message, Type="RATE_EXCEEDED")
    if service == "identitystore":
        return AwsError("ThrottlingException", message, RetryAfterSeconds=1)
    if service == "sts":
        return AwsError("Throttling", message)
    return AwsError("ThrottlingException", message)


def internal(service: str) -> AwsError:
    """AWS failed."""
    code = {"organizations": "ServiceException", "sts": "InternalFailure"}.get(service, "InternalServerException")
    return AwsError(code, "An internal error occurred.", status=500)
