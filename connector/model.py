"""The nouns, frozen. Everything the rooms hand to each other is one of these.

No behaviour that needs a neighbour lives here, and nothing is ever read from or written to the outside.
Words are those of the README.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Final, Literal

PrincipalType = Literal["USER", "GROUP"]
Values = str | tuple[str, ...]

RESOURCE_ID: Final = re.compile(r"^([0-9a-f]{10}-)?[A-Fa-f0-9]{8}(-[A-Fa-f0-9]{4}){3}-[A-Fa-f0-9]{12}\Z")
"""UserId and GroupId, as sso-admin's PrincipalId takes them too. The Identity Store's newer ARN form is no identity."""
AWS_ACCOUNT_ID: Final = re.compile(r"^[0-9]{12}\Z")
PERMISSION_SET_ID: Final = re.compile(r"^ps-[a-zA-Z0-9-./]{16}\Z")
APPLICATION_ID: Final = re.compile(r"^apl-[a-zA-Z0-9]{16}\Z")


# ---- what a source is --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Source:
    """One Identity Center instance this service serves, as configured (docs/configuration.md)."""

    name: str
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = field(default=None, repr=False)
    instance_arn: str | None = None
    entitlement_types: tuple[str, ...] = ("group", "permissionSetAssignment")
    entitlement_scope: Literal["provisioned", "all"] = "provisioned"
    inherited: Literal["full", "none"] = "full"
    managed_by: Literal["identity-center", "external"] = "identity-center"
    external_groups: Literal["fixed", "changeable"] = "fixed"
    disable_by: Literal["scim", "strip", "refuse"] = "refuse"
    scim_endpoint: str | None = None
    scim_token_file: str | None = field(default=None, repr=False)
    on_existing: Literal["conflict", "adopt"] = "conflict"
    snapshot_max_age: float = 600.0
    """Seconds a snapshot answers lists before a new census is made."""
    read_deadline: float = 60.0
    """Seconds without progress after which a lasting AWS fault ends a command."""
    change_deadline: float = 45.0
    """Seconds the REST face waits for a change."""

    def has(self, entitlement_type: str) -> bool:
        """Whether the type is enabled."""
        return entitlement_type in self.entitlement_types


@dataclass(frozen=True, slots=True)
class Instance:
    """The Identity Center instance behind a source, as found, and who we are to it."""

    arn: str
    identity_store_id: str
    region: str
    """Its primary Region, where every call goes."""
    owner: str | None
    """AWS account that owns it."""
    name: str | None
    multi_account: bool
    """Whether it has permission sets: not so an account instance, or one without multi-account permissions."""
    caller: str
    """AWS account we call from."""
    caller_arn: str
    management: str | None
    """The organisation's management account, None when Organizations would not say."""
    denied: tuple[str, ...] = ()
    """IAM actions of the look-up that AWS denied; what they would have told is guessed."""

    def note(self, about: str) -> str:
        """Key of a note in the store about this instance: another one proves nothing (decision 0009)."""
        return f"{about} of {self.arn}"

    @property
    def partition(self) -> str:
        """aws, aws-cn, aws-us-gov …"""
        return self.arn.split(":")[1]

    @property
    def owned(self) -> bool:
        """Whether we call from the AWS account that owns the instance; else we are a delegated administrator."""
        return self.owner is None or self.owner == self.caller

    def permission_set_arn(self, permission_set_id: str) -> str:
        """ARN of a permission set of this instance (aws-behaviour 16)."""
        return f"arn:{self.partition}:sso:::permissionSet/{self.arn.rsplit('/', 1)[-1]}/{permission_set_id}"


# ---- what AWS holds ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class User:
    """An Identity Center user: single-valued attributes by our names (`attributes.SCALARS`), absent ones missing."""

    id: str
    attributes: Mapping[str, str]
    revision: str | None = None
    """Optimistic lock of the Identity Store; None where AWS does not return one."""
    stripped: bool = False
    """Disabled by taking all direct access away: our own journal says so, AWS knows nothing of it."""

    @property
    def disabled(self) -> bool:
        """Only an explicit DISABLED, or our own journal, disables."""
        return self.stripped or self.attributes.get("userStatus") == "DISABLED"

    @property
    def external(self) -> bool:
        """Whether an identity provider owns the user, as its ExternalIds suggest."""
        return "externalId" in self.attributes


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the identity store."""

    id: str
    name: str
    description: str = ""
    external: bool = False
    """Whether it carries an ExternalId: an identity provider keeps its members."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A user in a group."""

    group_id: str
    user_id: str
    membership_id: str


@dataclass(frozen=True, slots=True)
class PermissionSet:
    """A permission set's immutable name and what DescribePermissionSet says beside it."""

    id: str
    """`ps-…`"""
    name: str
    description: str = ""
    session_duration: str = ""
    """ISO 8601, e.g. PT1H."""


@dataclass(frozen=True, slots=True)
class Policies:
    """What a permission set allows, by name."""

    managed: tuple[str, ...] = ()
    """ARNs of AWS-managed policies."""
    customer_managed: tuple[str, ...] = ()
    """path + name of customer-managed policies."""
    inline: bool = False
    boundary: str = ""
    """ARN, or path + name, of the permissions boundary."""


@dataclass(frozen=True, slots=True)
class AwsAccount:
    """A member of the organisation."""

    id: str
    name: str = ""
    state: str = ""
    """ACTIVE, SUSPENDED, PENDING_CLOSURE …; empty when Organizations would not say."""


@dataclass(frozen=True, slots=True, order=True)
class Pair:
    """A permission set in an AWS account."""

    aws_account_id: str
    permission_set_id: str

    @property
    def id(self) -> str:
        """The entitlement id, `123456789012:ps-0123456789abcdef`."""
        return f"{self.aws_account_id}:{self.permission_set_id}"

    @classmethod
    def parse(cls, value: str) -> Pair | None:
        """The pair an entitlement id names, or None when it has not that shape."""
        aws_account_id, _, permission_set_id = value.partition(":")
        if not AWS_ACCOUNT_ID.match(aws_account_id) or not PERMISSION_SET_ID.match(permission_set_id):
            return None
        return cls(aws_account_id, permission_set_id)


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """Who an assignment is given to."""

    type: PrincipalType
    id: str


@dataclass(frozen=True, slots=True, order=True)
class Assignment:
    """A pair given to a principal."""

    pair: Pair
    principal: Principal


@dataclass(frozen=True, slots=True)
class Application:
    """An application of the instance."""

    id: str
    """`apl-…`, the last part of its ARN."""
    arn: str
    """Contains its owner's AWS account id: looked up, never rebuilt."""
    name: str
    description: str = ""
    aws_account_id: str = ""
    enabled: bool = True
    assignment_required: bool = True
    """False: everybody in the instance has access."""


@dataclass(frozen=True, slots=True, order=True)
class ApplicationAssignment:
    """An application given to a principal."""

    application_id: str
    principal: Principal
    application_arn: str = field(default="", compare=False)
    """Holds the AWS account that owns the application, so the id alone does not give it."""


# ---- what governance sees ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Refusal:
    """One step of a change that did not happen: the account attribute, the value, and why (one of `results`)."""

    attribute: str
    value: str
    reason: str
    kind: str = "grant-failed"
    """What the failure is called (`errors`)."""
    retryable: bool = False
    request_id: str = ""
    """AWS's, where there is one."""
    action: str = ""
    """IAM action that AWS denied."""


@dataclass(frozen=True, slots=True)
class Account:
    """A user with everything it holds: event of the account commands.

    `attributes` has the scalars AWS returned and one sorted tuple for each list attribute of the source.
    """

    id: str
    disabled: bool
    attributes: Mapping[str, Values]
    refusals: tuple[Refusal, ...] = ()
    deleted: bool = False
    undone: str = ""
    """Why a command that knows only done and not done (enable, disable, delete) is not done; empty when it is."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Something an account can hold: event of the entitlement commands."""

    id: str
    type: str
    attributes: Mapping[str, str | bool | int | tuple[str, ...]]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """What a stateful list hands back, to be sent with the next one."""

    state: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Done:
    """The answer of a command that has no object to show."""

    details: Mapping[str, object] = field(default_factory=dict)


Event = Account | Entitlement | State | Done


# ---- what a caller asks ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NoInput:
    """Input of test-connection, spec:read and discover-schema."""


@dataclass(frozen=True, slots=True)
class ListAccounts:
    """Input of account:list. With `stateful`, `state` is what the last list handed back, None the first time."""

    stateful: bool = False
    state: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class OneAccount:
    """Input of account:read, delete, enable and disable."""

    id: str


@dataclass(frozen=True, slots=True)
class NewAccount:
    """Input of account:create: flat attributes, entitlement attributes as tuples. Null and absent are the same."""

    attributes: Mapping[str, Values]


@dataclass(frozen=True, slots=True)
class ListEntitlements:
    """Input of entitlement:list."""

    type: str
    stateful: bool = False
    state: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class OneEntitlement:
    """Input of entitlement:read."""

    id: str
    type: str


# ---- a list, page by page ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Since:
    """What a caller has seen already: the snapshot of that id, or what there was at a moment (Unix seconds)."""

    snapshot: str = ""
    moment: float | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a walk over a list goes on."""

    snapshot: int
    """Number of the snapshot that it shows."""
    after: str = ""
    """Last id shown."""
    base: int | None = None
    """Number of the snapshot that differences are told to; 0: they were asked for, but all is told; None: not asked."""
    exact: bool = True
    """The caller has seen `base` itself, not just anything since."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list."""

    snapshot: Snapshot
    items: tuple[Account, ...] | tuple[Entitlement, ...]
    next: Place | None
    """None: this was the last."""
    since: str | None
    """Id of the snapshot that differences are told to; empty: they were asked for, but all is told; None: not asked."""


# ---- what is asked and done --------------------------------------------------------------------------------------


class Op(Enum):
    """How a change treats an attribute (SaaS Connectivity, account update)."""

    ADD = "Add"
    SET = "Set"
    REMOVE = "Remove"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing asked of an account. `values` is None where the caller sent none or null."""

    op: Op
    attribute: str
    values: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class ChangeAccount:
    """Input of account:update."""

    id: str
    changes: tuple[Change, ...]


class Verb(Enum):
    """What one step does."""

    CREATE = "create user"
    SET_ATTRIBUTES = "set attributes"
    JOIN = "join group"
    LEAVE = "leave group"
    ASSIGN = "assign"
    UNASSIGN = "unassign"
    ADMIT = "assign application"
    EXPEL = "unassign application"

    @property
    def gives(self) -> bool | None:
        """Whether it gives an entitlement, or takes one; None: neither."""
        if self in (Verb.JOIN, Verb.ASSIGN, Verb.ADMIT):
            return True
        return False if self in (Verb.LEAVE, Verb.UNASSIGN, Verb.EXPEL) else None


@dataclass(frozen=True, slots=True)
class Step:
    """One call's worth of a plan. `value` is the entitlement id; `attributes` only for SET_ATTRIBUTES (None clears)."""

    verb: Verb
    attribute: str
    value: str = ""
    attributes: Mapping[str, str | None] = field(default_factory=dict)


class Result(Enum):
    """What became of a step."""

    DONE = "done"
    ALREADY = "already"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A step and what became of it."""

    step: Step
    result: Result
    reason: str = ""
    retryable: bool = False
    kind: str = "grant-failed"
    """What the failure is called (`errors`)."""
    left_by_aws: bool = False
    """A removal that AWS took up and ended as FAILED, because the AWS account is not ACTIVE."""
    request_id: str = ""
    """AWS's, of what failed."""
    action: str = ""
    """IAM action that AWS denied."""
    acknowledged: bool = False
    """Failed only in that no reading has shown what AWS said was done."""
    unknown: bool = False
    """Failed only in that nobody saw how it ended: AWS may have done it, or may do it yet."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """An assignment change that AWS works on."""

    request_id: str
    """Empty when AWS had nothing to do."""
    deleting: bool
    status: Literal["IN_PROGRESS", "SUCCEEDED", "FAILED"]
    reason: str = ""
    """AWS's FailureReason."""
    absent: bool = False
    """A removal of what is not there any more: no such assignment, permission set or principal."""
    assignment: Assignment | None = None
    """What it is about, where AWS said so: a list of tickets does not."""


# ---- changes made durable ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for a change, and how it can be told from another wish for the same."""

    name: str = ""
    """Of the token."""
    key: str = ""
    """Idempotency-Key, empty without one."""
    request_id: str = ""


OperationState = Literal["accepted", "succeeded", "failed", "partly"]


@dataclass(frozen=True, slots=True)
class Recorded:
    """What is known of one step of an operation."""

    step: Step
    result: Result | None
    """None: about to be done, or done with an answer that was lost."""
    reason: str = ""
    acknowledged: bool = False
    unknown: bool = False
    """Both as in `Outcome`."""
    earlier: bool = False
    """By an operation that ended before this one began: it is not done again, and says nothing of what is there now."""

    @property
    def may_be_done(self) -> bool:
        """Whether AWS has done it for this operation, or may have, or may do it yet."""
        return not self.earlier and (self.result is not Result.FAILED or self.acknowledged or self.unknown)

    @property
    def certain(self) -> bool:
        """Whether what came of it is known."""
        return self.result is not None and not self.unknown


@dataclass(frozen=True, slots=True)
class Operation:
    """A change made durable."""

    id: str
    source: str
    command: str
    account: str
    """UserId; empty while a create does not know it."""
    turn: str
    """What operations wait for each other on: the UserId, or the userName a create takes."""
    caller: str
    content: str
    """Digest of command and input: the same content is the same wish."""
    key: str
    """Idempotency-Key of the caller, empty without one."""
    asked: Mapping[str, object]
    """The input, JSON-able, to run it again from."""
    state: OperationState
    steps: tuple[Recorded, ...]
    answer: Mapping[str, object]
    """What the caller was, or will be, told: JSON of the event, or of the error."""
    accepted_at: float
    """Unix seconds, on the store's clock."""
    ended_at: float | None
    fence: int
    """Grows with every owner; what an owner with an older one writes is refused."""


# ---- how reading goes on -----------------------------------------------------------------------------------------


class Lane(IntEnum):
    """Who goes first at the quota; lower goes first."""

    SUBMISSION = 0
    """Assignment changes on their way to AWS, and looks at whether they ended: each place of AWS's ten that stands
    empty meanwhile is lost."""
    CHANGE = 1
    """What else a change asks and does."""
    LIVE = 2
    CENSUS = 3


Family = Literal["sso-admin", "identitystore", "organizations"]
"""Services that share one quota."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing read from AWS, as the store keeps it.

    `kind` and `id` name it within a snapshot. `subject` is the principal it says something about (a user or group
    id) and `held` what that principal holds (a group, pair or application id); empty where there is none.
    `body` is what else is known, JSON-able.
    """

    kind: str
    id: str
    subject: str = ""
    held: str = ""
    body: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The facts of one census, plus our own later changes; immutable, numbered."""

    source: str
    number: int
    census: int
    """Number of the snapshot that the census published; `number` is greater when own changes followed."""
    completed_at: float
    """When the census was complete, Unix seconds."""
    summary: Mapping[str, object] = field(default_factory=dict)
    """Counts by kind, AWS calls by operation, seconds taken, warnings."""

    @property
    def configuration(self) -> str:
        """Fingerprint of the configuration its facts were read with. With another one it is somebody else's."""
        return str(self.summary.get("fingerprint", ""))

    @property
    def instance(self) -> str:
        """ARN of the instance they were read from."""
        return str(self.summary.get("instance", ""))

    @property
    def doubted(self) -> bool:
        """Whether it lacks a change of ours: true when it was made, but no answer to a new list."""
        return bool(self.summary.get("doubted"))

    @property
    def id(self) -> str:
        """Names it to callers: numbers begin anew in a new store, and are those of one source."""
        told = f"{self.source}\n{self.number}\n{self.completed_at!r}\n{self.summary.get('fingerprint')}"
        return f"{self.number}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"
