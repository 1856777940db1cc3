"""The one error tree, named by what the caller does next.

Every room raises these and nothing else on purpose; `web` turns them into answers through one table
(`wire.problems`). `sentence` is public: it names the thing (id, attribute, IAM action) and says what to do.
It never holds a secret or a stack trace, and a path only where settings are read: its reader is the operator.
Foreign exceptions stay behind it as `__cause__`, for the log.

    ConnectorError
    ├── FixConfiguration        the operator changes a setting
    │   ├── ForeignAccount      an id of another identity store: not here, and no order to create it
    │   └── SourceNotFound      the caller named a source that is not configured
    ├── FixRequest              the caller sends something else
    │   ├── InvalidAttribute    an attribute that is unknown, read-only or has an impossible value
    │   ├── NotGrantable        an entitlement that is unknown or cannot be given now
    │   ├── TooLarge            a body or a frame over its limit
    │   ├── UnsupportedCommand
    │   └── CursorExpired       the page's snapshot is gone; start again
    ├── AskPermission           an IAM action is missing (`action`)
    ├── DoesNotExist
    │   ├── AccountNotFound     DescribeUser said so, and nothing else ever does
    │   ├── EntitlementNotFound
    │   └── OperationNotFound
    ├── Conflicts
    │   ├── AlreadyExists       a unique value is taken (`existing` holds the id)
    │   ├── DisableNotConfigured
    │   └── ManagedElsewhere    an identity provider owns this
    ├── RetryLater              (`after` seconds)
    │   ├── AwsThrottled
    │   ├── StillRunning        a change goes on behind the deadline (`operation` holds its id)
    │   └── Busy                our own limit
    ├── AwsFailed               AWS answered wrongly, not at all, or not in time
    │   ├── NotFoundInAws       a thing a call named is not there (`resource` is AWS's ResourceType)
    │   ├── AwsConflict         AWS's ConflictException (`reason`), for the room that asked to resolve
    │   └── GrantFailed         AWS took the change and then ended it as FAILED, with its reason
    ├── Unauthenticated         no token, or a wrong one
    ├── Forbidden               the token's scope or sources do not reach this
    ├── Cancelled               the client left; nobody hears this
    └── CallUs                  a defect of ours
"""

from __future__ import annotations


class ConnectorError(Exception):
    """Root of the tree. `str(error)` is the public sentence."""

    kind = "internal"
    retryable = False

    def __init__(self, sentence: str, *, request_id: str | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.request_id = request_id
        """The AWS request id, where AWS gave one."""
        self.unknown = False
        """Whether AWS may have done what it was asked to, or may still do it: no answer said that it did not."""

    def __str__(self) -> str:
        return f"{self.sentence} (AWS request id {self.request_id})" if self.request_id else self.sentence


class FixConfiguration(ConnectorError):
    """A setting of the service or of the source is wrong; the sentence names it."""

    kind = "source-misconfigured"


class ForeignAccount(FixConfiguration):
    """A UserId of another identity store: the source serves the wrong one, or the caller has the wrong id."""

    kind = "account-elsewhere"


class SourceNotFound(FixConfiguration):
    """The named source is not configured here."""

    kind = "source-not-found"


class FixRequest(ConnectorError):
    """The request is malformed; the sentence says where."""

    kind = "malformed"


class InvalidAttribute(FixRequest):
    """An attribute that is unknown, read-only, or has a value that cannot be."""

    kind = "invalid-attribute"


class NotGrantable(FixRequest):
    """An entitlement that is unknown, or cannot be given now."""

    kind = "not-grantable"


class TooLarge(FixRequest):
    """A body or a frame over its limit."""

    kind = "too-large"


class UnsupportedCommand(FixRequest):
    """A command type outside `COMMANDS`."""

    kind = "unsupported-command"


class CursorExpired(FixRequest):
    """The snapshot behind a cursor is gone."""

    kind = "cursor-expired"


class AskPermission(ConnectorError):
    """AWS denied a call."""

    kind = "aws-permission-missing"

    def __init__(self, sentence: str, *, action: str, request_id: str | None = None) -> None:
        super().__init__(sentence, request_id=request_id)
        self.action = action
        """The IAM action to grant, e.g. `identitystore:ListUsers`."""


class DoesNotExist(ConnectorError):
    """Something asked for is proven absent."""

    kind = "not-found"


class AccountNotFound(DoesNotExist):
    """DescribeUser said this user does not exist; nothing else may: SailPoint answers it by creating the account."""

    kind = "account-not-found"


class EntitlementNotFound(DoesNotExist):
    """No such entitlement in the source."""

    kind = "entitlement-not-found"


class OperationNotFound(DoesNotExist):
    """No operation with this id."""

    kind = "operation-not-found"


class Conflicts(ConnectorError):
    """The request contradicts what is there."""

    kind = "conflict"


class AlreadyExists(Conflicts):
    """A unique value is taken by another user."""

    def __init__(self, sentence: str, *, existing: str | None = None, request_id: str | None = None) -> None:
        super().__init__(sentence, request_id=request_id)
        self.existing = existing
        """UserId of the user that holds the value, when it could be found."""


class DisableNotConfigured(Conflicts):
    """Enable or disable was asked of a source that has no way to do it."""

    kind = "disable-not-configured"


class ManagedElsewhere(Conflicts):
    """An identity provider owns this object."""

    kind = "managed-elsewhere"


class RetryLater(ConnectorError):
    """The same request can succeed later."""

    kind = "retry-later"
    retryable = True

    def __init__(self, sentence: str, *, after: float = 30, request_id: str | None = None) -> None:
        super().__init__(sentence, request_id=request_id)
        self.after = after
        """Seconds to wait before trying again."""


class AwsThrottled(RetryLater):
    """AWS kept throttling until the deadline."""

    kind = "aws-throttled"


class StillRunning(RetryLater):
    """The change goes on; its operation tells how it ends."""

    kind = "still-running"

    def __init__(self, sentence: str, *, operation: str, after: float = 30) -> None:
        super().__init__(sentence, after=after)
        self.operation = operation


class Busy(RetryLater):
    """Too many requests for us."""

    kind = "busy"


class AwsFailed(ConnectorError):
    """AWS answered with a server fault, broke off, or did not answer until the deadline."""

    kind = "aws-failed"
    retryable = True


class NotFoundInAws(AwsFailed):
    """A call named something that AWS does not have. Only the account's own look-up may say `AccountNotFound`."""

    retryable = False

    def __init__(self, sentence: str, *, resource: str | None = None, request_id: str | None = None) -> None:
        super().__init__(sentence, request_id=request_id)
        self.resource = resource
        """AWS's `ResourceType`, where the service models one: USER, GROUP, GROUP_MEMBERSHIP, IDENTITY_STORE …"""


class AwsConflict(AwsFailed):
    """AWS's ConflictException where retrying it unchanged cannot help."""

    retryable = False

    def __init__(self, sentence: str, *, reason: str | None = None, request_id: str | None = None) -> None:
        super().__init__(sentence, request_id=request_id)
        self.reason = reason
        """AWS's `Reason`: UNIQUENESS_CONSTRAINT_VIOLATION or CONCURRENT_MODIFICATION."""


class GrantFailed(AwsFailed):
    """AWS accepted an assignment change and ended it as FAILED."""

    kind = "grant-failed"
    retryable = False


class Unauthenticated(ConnectorError):
    """No valid token."""

    kind = "unauthenticated"


class Forbidden(ConnectorError):
    """A valid token whose scope or sources do not reach this."""

    kind = "forbidden"


class Cancelled(ConnectorError):
    """The client left; the command stops at the next safe place."""

    kind = "cancelled"


class CallUs(ConnectorError):
    """A defect of this service."""

    kind = "internal"
