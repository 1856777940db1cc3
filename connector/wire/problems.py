"""The one table that turns the error tree into answers of both faces (docs/saas-face.md, docs/rest-face.md).

An error comes in; a status and a type, or the text of the SaaS face, go out. Nothing else chooses a status.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from connector import errors
from connector.errors import ConnectorError
from connector.wire.legible import legible


@dataclass(frozen=True, slots=True)
class Problem:
    """How one kind of error is answered."""

    status: int
    """On the REST face."""
    title: str
    """On the REST face; the same for every error of the kind."""
    saas_status: int = 500
    """On the SaaS face: SailPoint's runtime answers every failed command with 500, and the door has its own."""
    saas_type: Literal["generic", "notFound"] = "generic"
    """notFound is an order to SailPoint: create the account."""


PROBLEMS: Final[dict[type[ConnectorError], Problem]] = {
    errors.FixConfiguration: Problem(502, "The source is misconfigured"),
    errors.ForeignAccount: Problem(404, "The id is of another identity store"),
    errors.SourceNotFound: Problem(404, "There is no such source"),
    errors.FixRequest: Problem(400, "The request is malformed"),
    errors.InvalidAttribute: Problem(422, "An attribute cannot be that"),
    errors.NotGrantable: Problem(422, "The entitlement cannot be given"),
    errors.TooLarge: Problem(413, "Too large"),
    errors.UnsupportedCommand: Problem(400, "There is no such command"),
    errors.CursorExpired: Problem(410, "The cursor has expired"),
    errors.AskPermission: Problem(502, "An AWS permission is missing"),
    errors.DoesNotExist: Problem(404, "It does not exist"),
    errors.AccountNotFound: Problem(404, "There is no such account", saas_type="notFound"),
    errors.EntitlementNotFound: Problem(404, "There is no such entitlement"),
    errors.OperationNotFound: Problem(404, "There is no such operation"),
    errors.Conflicts: Problem(409, "It conflicts with what is there"),
    errors.AlreadyExists: Problem(409, "It exists already"),
    errors.DisableNotConfigured: Problem(409, "The source has no way to disable"),
    errors.ManagedElsewhere: Problem(409, "It is managed elsewhere"),
    errors.RetryLater: Problem(503, "Try again later"),
    errors.AwsThrottled: Problem(503, "AWS throttles"),
    errors.StillRunning: Problem(504, "The change is still running"),
    errors.Busy: Problem(429, "Too many requests", saas_status=429),
    errors.AwsFailed: Problem(502, "AWS failed"),
    errors.NotFoundInAws: Problem(502, "AWS does not have it"),
    errors.AwsConflict: Problem(502, "AWS reports a conflict"),
    errors.GrantFailed: Problem(502, "AWS did not grant it"),
    errors.Unauthenticated: Problem(401, "A valid token is needed", saas_status=401),
    errors.Forbidden: Problem(403, "The token does not reach this", saas_status=403),
    errors.Cancelled: Problem(499, "The client left", saas_status=499),
    errors.CallUs: Problem(500, "A defect of this service"),
    errors.ConnectorError: Problem(500, "A defect of this service"),
}


def problem_of(error: ConnectorError) -> Problem:
    """The row of an error: that of its class, or of the nearest class above it."""
    return next(PROBLEMS[each] for each in type(error).__mro__ if each in PROBLEMS)


def saas_text(error: ConnectorError) -> str:
    """What the SaaS face says: first line and second line as SailPoint's runtime, and nothing after them.

    It can always be written in UTF-8, whatever a caller or AWS put into the sentence.
    """
    return f"{problem_of(error).saas_type} error: \n + ConnectorError: {legible(str(error))}"
