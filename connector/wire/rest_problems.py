"""Problem documents of the REST face (RFC 9457), and the one list of their types with what each means.

An error comes in, a status and the members of the document go out. Types are stable: programs match them. Their
addresses lead to the text below, on this service (`/problems/<name>`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from connector.errors import AlreadyExists, AskPermission, ConnectorError, RetryLater, StillRunning
from connector.model import Account, Refusal
from connector.wire.legible import legible
from connector.wire.problems import PROBLEMS
from connector.wire.rest_bodies import flat_account

TYPE: Final = "/problems/"
PARTLY: Final = "partly-done"
AFTER: Final = 30
"""Seconds to wait where nobody said how long."""

TEXTS: Final[Mapping[str, str]] = {
    "malformed": "The request cannot be understood as it is: its query, its cursor, its id or its body. Send it "
    "otherwise; sending it again does not help.",
    "unauthenticated": "No token was sent, or none that is known and valid. Send Authorization: Bearer <token>, or "
    "Basic with name:token.",
    "forbidden": "The token is valid, but its scope or its sources do not reach this.",
    "not-found": "There is nothing at this address.",
    "source-not-found": "No source of this name is configured here.",
    "account-not-found": "AWS says that there is no such user.",
    "account-elsewhere": "The id is that of a user of another identity store: the caller has the wrong id, or the "
    "source serves the wrong instance.",
    "entitlement-not-found": "The source has no such entitlement, or no such entitlement type.",
    "operation-not-found": "No such operation is known, or it ended more than 30 days ago.",
    "method-not-allowed": "The address exists, but not for this method; Allow names those it has.",
    "conflict": "It contradicts what is there, such as a user of the same name (existing holds its id).",
    "disable-not-configured": "The source has no way to enable or disable users: see its option disable_by.",
    "managed-elsewhere": "An identity provider owns this user, or the members of this group. Change it there.",
    "cursor-expired": "The snapshot behind the cursor is not kept any more. Start the walk again.",
    "too-large": "The body is larger than the service takes; the detail names the limit.",
    "unsupported-media-type": "The body has to be JSON in UTF-8, with Content-Type: application/json.",
    "invalid-attribute": "An attribute is unknown, read-only, or has an impossible value. Nothing was changed.",
    "not-grantable": "The entitlement is unknown or cannot be given now, such as on an AWS account that is not ACTIVE. "
    "Nothing was changed.",
    "busy": "Too many requests run at once. Send it again after Retry-After seconds.",
    "aws-failed": "AWS answered wrongly, not at all, or not in time.",
    "aws-permission-missing": "AWS denied a call. Allow the IAM action that the detail names.",
    "source-misconfigured": "A setting of the service or of the source is wrong; the detail names it.",
    "grant-failed": "AWS accepted the change and then ended it as FAILED; the detail holds AWS's reason.",
    "partly-done": "Some parts of the change were done and some failed. account is the account as it is now, results "
    "says what failed and why. Sending the same request again does the rest.",
    "aws-throttled": "AWS kept throttling. Send it again after Retry-After seconds.",
    "retry-later": "It cannot be answered now. Send it again after Retry-After seconds.",
    "still-running": "The change goes on. operation is its id; GET /v1/operations/<id> tells how it ends.",
    "internal": "A defect of this service. Its log names it by the request id in instance.",
}
"""What each type means and what to do, by its name."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """What all problems of a type have in common."""

    status: int
    title: str
    text: str


def _types() -> dict[str, ProblemType]:
    rows = {each.kind: row for each, row in PROBLEMS.items() if "kind" in each.__dict__}
    found = {kind: ProblemType(row.status, row.title, TEXTS[kind]) for kind, row in rows.items() if kind in TEXTS}
    # Those that only HTTP knows, and the one that is no error but an answer.
    found["not-found"] = ProblemType(404, "There is nothing here", TEXTS["not-found"])
    found["method-not-allowed"] = ProblemType(405, "The method is not allowed", TEXTS["method-not-allowed"])
    found["unsupported-media-type"] = ProblemType(415, "Send JSON", TEXTS["unsupported-media-type"])
    found[PARTLY] = ProblemType(502, "A part of it failed", TEXTS[PARTLY])
    return found


TYPES: Final[Mapping[str, ProblemType]] = _types()
"""By name."""


@dataclass(frozen=True, slots=True)
class Document:
    """A problem, ready to be sent."""

    status: int
    members: Mapping[str, Any]
    after: int | None = None
    """Seconds for Retry-After."""


def named(
    kind: str, detail: str, instance: str, *, retryable: bool = False, after: float | None = None, **more: Any
) -> Document:
    """A problem of the type `kind`, with more members; those that are None are left out."""
    type_ = TYPES[kind]
    members = {
        "type": TYPE + kind,
        "title": type_.title,
        "status": type_.status,
        "detail": legible(detail),
        "instance": instance,
        "retryable": retryable,
        **{name: value for name, value in more.items() if value is not None},
    }
    return Document(type_.status, members, None if after is None else max(1, round(after)))


def of_error(error: ConnectorError, instance: str) -> Document:
    """The problem an error is. `instance` is the id of the request."""
    return named(
        error.kind if error.kind in TYPES else "internal",
        error.sentence,
        instance,
        retryable=error.retryable,
        after=error.after if isinstance(error, RetryLater) else None,
        awsRequestId=error.request_id,
        action=error.action if isinstance(error, AskPermission) else None,
        existing=error.existing if isinstance(error, AlreadyExists) else None,
        operation=error.operation if isinstance(error, StillRunning) else None,
    )


def of_refusals(account: Account, instance: str, *, single: bool) -> Document:
    """The problem of a change of which something failed; `single`: it was one step, so nothing of it was done."""
    first = account.refusals[0]
    if single:
        kind = first.kind if first.kind in TYPES else "aws-failed"
        after = AFTER if TYPES[kind].status in (429, 503) else None
        return named(
            kind,
            _told(first),
            instance,
            retryable=first.retryable,
            after=after,
            awsRequestId=first.request_id or None,
            action=first.action or None,
        )
    return named(
        PARTLY,
        account.undone or "; ".join(map(_told, account.refusals)),
        instance,
        retryable=all(each.retryable for each in account.refusals),
        account=flat_account(account),
        results=results(account.refusals),
    )


def results(refusals: Sequence[Refusal]) -> list[dict[str, Any]]:
    """What failed, one entry for each attribute and value."""
    return [
        {
            "attribute": each.attribute,
            "value": each.value,
            "result": "failed",
            "reason": legible(each.reason),
            "type": TYPE + (each.kind if each.kind in TYPES else "aws-failed"),
            "retryable": each.retryable,
        }
        for each in refusals
    ]


def _told(refusal: Refusal) -> str:
    return f"{' '.join(filter(None, (refusal.attribute, refusal.value)))}: {refusal.reason}"
