"""What the core asks of the outside, in our words. The rooms behind: `aws`, `store`, `pace`.

Every method raises only `errors.ConnectorError`s. A list that was not read to its end raises; it is never short.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol

from connector.errors import ConnectorError
from connector.model import (
    Application,
    ApplicationAssignment,
    Assignment,
    AwsAccount,
    Fact,
    Family,
    Group,
    Instance,
    Lane,
    Membership,
    Operation,
    OperationState,
    Pair,
    PermissionSet,
    Policies,
    Principal,
    Recorded,
    Snapshot,
    Source,
    Ticket,
    User,
)
from connector.tokens import KeptToken


class Clock(Protocol):
    """Time, so that tests can own it."""

    def now(self) -> float:
        """Unix seconds."""

    def monotonic(self) -> float:
        """Seconds that never jump; for waits and deadlines."""

    def sleep(self, seconds: float) -> None:
        """Block the calling thread."""


class Patience(Protocol):
    """How long a command goes on without progress, and whether anybody still waits for it. Shared by its threads."""

    def progress(self) -> None:
        """AWS answered: the wait starts anew."""

    def remaining(self) -> float:
        """Seconds left before a lasting fault ends the command; never negative."""

    def check(self) -> None:
        """Raise `Cancelled` when the client left, else return."""

    def still_ours(self) -> None:
        """Asked after every wait, before each call that changes AWS.

        Raises `RetryLater` when another process has taken the change over, or the store does not say that none has.
        """


class Pace(Protocol):
    """The quota, shared by everything that calls AWS for one instance owner."""

    def take(self, owner: str, family: Family, lane: Lane, patience: Patience) -> None:
        """Block until one call may go out. A lane takes nothing while a higher one waits."""

    def slow_down(self, owner: str, family: Family) -> None:
        """AWS throttled us: somebody else uses the quota too."""


Submitted = Callable[[ConnectorError | None], None]
"""Hears None before a call goes out that AWS must not be sent twice, and an error when AWS answered that it did
nothing: in between, nobody knows whether it acted."""


class Reading(Protocol):
    """Questions to one source. Iterators page lazily; each is complete or raises."""

    def instance(self) -> Instance:
        """The instance, looked up once; `FixConfiguration` when there is none, or several and none is named."""

    def users(self) -> Iterator[User]: ...

    def groups(self) -> Iterator[Group]: ...

    def members(self, group_id: str) -> Iterator[Membership]: ...

    def memberships(self, user_id: str) -> Iterator[Membership]: ...

    def user(self, user_id: str) -> User:
        """`AccountNotFound` only when DescribeUser says the USER does not exist."""

    def group(self, group_id: str) -> Group | None:
        """None when DescribeGroup says the GROUP does not exist."""

    def user_id_of(self, attribute: str, value: str) -> str | None:
        """UserId by `userName` or `email`, None when nobody has it."""

    def permission_set_ids(self) -> Iterator[str]: ...

    def permission_set(self, permission_set_id: str) -> PermissionSet | None:
        """None when it was deleted."""

    def policies(self, permission_set_id: str) -> Policies | None:
        """What it allows, None when it was deleted. Four calls."""

    def aws_accounts(self) -> Iterator[AwsAccount]:
        """All members of the organisation; `AskPermission` when Organizations denies it."""

    def aws_account(self, aws_account_id: str) -> AwsAccount | None:
        """One member, read now; None when the organisation has no such member. `AskPermission` as above."""

    def aws_accounts_of(self, permission_set_id: str) -> Iterator[str]:
        """Ids of the AWS accounts a permission set is provisioned in; none when it was deleted."""

    def assignments_of_pair(self, pair: Pair) -> Iterator[Assignment]:
        """Everybody who holds the pair; nobody when its permission set was deleted."""

    def assignments_of(self, principal: Principal) -> Iterator[Assignment]:
        """What the principal can enter. For a user AWS mixes in rows of its groups: each keeps its own principal."""

    def applications(self) -> Iterator[Application]:
        """With `assignment_required` looked up."""

    def application(self, application_id: str) -> Application | None:
        """One of them, None when there is none of this id."""

    def application_names(self) -> Mapping[str, str]:
        """Names of all of them, by id: what a reader of one account needs, without a call for each."""

    def application_assignments(self, application: Application) -> Iterator[ApplicationAssignment]: ...

    def application_assignments_of(self, principal: Principal) -> Iterator[ApplicationAssignment]:
        """Each row keeps its own principal."""


class Changing(Protocol):
    """Changes to one source. None retries what AWS may have done; each says what it found."""

    def create_user(self, attributes: Mapping[str, str], submitted: Submitted) -> str:
        """New UserId. `AwsConflict` with reason UNIQUENESS_CONSTRAINT_VIOLATION when a unique value is taken."""

    def update_user(self, user: User, attributes: Mapping[str, str | None]) -> None:
        """Set (None clears) attributes if `user.revision` still holds; else `AwsConflict` CONCURRENT_MODIFICATION."""

    def delete_user(self, user_id: str) -> None:
        """Absent already is success."""

    def set_enabled(self, user_id: str, enabled: bool) -> None:
        """Through SCIM; `AccountNotFound` is never raised here."""

    def look_at_scim(self, user_id: str | None) -> None:
        """Return when `set_enabled` would be let in, else raise what it would raise. Changes nothing."""

    def join(self, group_id: str, user_id: str) -> bool:
        """False when already a member. `NotFoundInAws` when the group is gone."""

    def leave(self, group_id: str, user_id: str) -> bool:
        """False when not a member, or no such group."""

    def submit_assign(self, assignment: Assignment) -> Ticket: ...

    def submit_unassign(self, assignment: Assignment) -> Ticket: ...

    def ticket(self, ticket: Ticket) -> Ticket:
        """The ticket as it stands now."""

    def tickets_in_progress(self, deleting: bool) -> frozenset[str]:
        """Request ids of all assignment changes in flight, ours and others'. One call for up to 100."""

    def admit(self, application_arn: str, principal: Principal) -> None: ...

    def expel(self, application_arn: str, principal: Principal) -> bool:
        """False when it was not assigned."""


class Directory(Reading, Changing, Protocol):
    """AWS for one source, one lane and one patience."""


class Directories(Protocol):
    """Opens the directory of a source."""

    def open(self, source: Source, lane: Lane, patience: Patience) -> Directory: ...

    def calls(self, source: Source) -> Mapping[str, int]:
        """AWS calls made for the source since the service started, by operation, retries included."""


class Census(Protocol):
    """A census being made: the lease that only one process holds for a source."""

    @property
    def source(self) -> str: ...

    @property
    def started_at(self) -> float:
        """Unix seconds."""

    @property
    def mark(self) -> int:
        """Number of the newest mark when it began."""


class Records(Protocol):
    """The store. Numbers of snapshots grow by source; a snapshot once published never changes.

    `RetryLater` when the database does not answer, or a census has lost its lease; `CursorExpired` when a question
    names a snapshot that was swept: what is handed out is whole.
    """

    def latest(self, source: str) -> Snapshot | None: ...

    def snapshot(self, source: str, number: int) -> Snapshot | None:
        """None when it is unknown or swept."""

    def snapshot_at(self, source: str, moment: float) -> Snapshot | None:
        """The newest at that time (Unix seconds); None when there was none, or it is swept."""

    # a census
    def begin_census(self, source: str, owner: str, lease: float) -> Census | None:
        """Take the source's lease for `lease` seconds, or None while another holds it. A dead one's leftovers go."""

    def renew(self, census: Census, lease: float) -> bool:
        """False when the lease was lost; then nothing of this census may be published."""

    def stage(self, census: Census, facts: Iterable[Fact]) -> None:
        """Keep facts until publication. Invisible to everybody else."""

    def staged(self, census: Census, kind: str) -> Iterator[Fact]:
        """By id."""

    def are_staged(self, census: Census, kind: str, ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids are those of staged facts."""

    def staged_about(self, census: Census, kind: str, subjects: Iterable[str]) -> Sequence[Fact]:
        """The staged facts about any of the subjects."""

    def staged_among(self, census: Census, kind: str, ids: Iterable[str]) -> Sequence[Fact]:
        """Staged facts with one of these ids."""

    def unstage(self, census: Census, kind: str, ids: Iterable[str]) -> None:
        """Forget staged facts with one of these ids."""

    def restage(self, census: Census, subject: str, kinds: Sequence[str], facts: Iterable[Fact]) -> None:
        """Replace all staged facts of `kinds` about `subject`."""

    def publish(
        self,
        census: Census,
        kinds: Sequence[str],
        summary: Mapping[str, object],
        seen_changes: int,
        despite_doubts: bool = False,
    ) -> Snapshot | None:
        """Make the staged facts the next snapshot, in one transaction; facts of kinds not read are absent from it.

        What we changed after the mark `seen_changes` is as the newest snapshot has it, which these changes amend; only
        of the kinds that they read back, for of others the census may know more. None, and nothing done, where that one
        cannot say (there is none, it is of another configuration, it is doubted): `lay_out`, re-read what was changed
        by then and try again. `despite_doubts`, it is published all the same where only doubts speak
        against it, and is doubted itself.
        """

    def lay_out(self, census: Census, kinds: Sequence[str], summary: Mapping[str, object]) -> int:
        """Make the staged facts a snapshot that starts no list (`Snapshot.doubted`), for later changes to amend.

        The census goes on. Returns the number of the newest mark: what is marked after it need not be read again.
        """

    def abandon(self, census: Census, reason: str) -> None:
        """Give the lease back; `reason` is what those who wait for this census are told, empty when nothing failed."""

    def census_running(self, source: str) -> bool: ...

    def last_failure(self, source: str) -> tuple[float, str] | None:
        """When (Unix seconds) and why the last census ended without a snapshot, if no later one succeeded."""

    # own changes
    def mark_change(self, source: str, subject: str, kinds: Sequence[str]) -> int:
        """Note that a change of `subject` has ended; the mark's number.

        `kinds` are those of the facts that the newest snapshot is amended with; none where nothing could be read back.
        """

    def marks(self, source: str, after: int) -> tuple[int, frozenset[str]]:
        """Newest mark's number, and the subjects with a mark of a number above `after`."""

    def read_back(self, source: str, after: int) -> Mapping[str, Set[str]]:
        """Subjects with a mark of a number above `after`, by the kinds of the facts that were read back of them."""

    def amend(
        self,
        source: str,
        configuration: str,
        kinds: Sequence[str],
        about: Mapping[str, Iterable[Fact]],
        change: Operation | None = None,
        marked: bool = False,
    ) -> Snapshot | None:
        """Publish a snapshot where the facts of `kinds` are these, by subject; the newest one if they are already.

        Kinds that its census did not read stay absent. None, and nothing done, when there is no snapshot, or when the
        newest is of another configuration (`Snapshot.configuration`): what was read with one is not true of another.
        `RetryLater` when `change`, which they come from, has another owner: that one reads what came of it later.
        `marked`: each subject is given its mark (`mark_change`) in the same transaction, also where the answer is None,
        so that no census comes between the two and takes the subject from a snapshot that is not amended yet.
        """

    def owe_doubt(self, subject: str) -> None:
        """What became of the subject could not be read back, and the store could not be told (`doubt`).

        Until it can, `latest` shows this process that the snapshot of any source is doubted.
        """

    def doubt(self, source: str) -> None:
        """Publish the newest snapshot, if there is one, as one that lacks a change of ours (`Snapshot.doubted`).

        So are those that amend it; the next census ends it.
        """

    # reading a snapshot
    def one(self, snapshot: Snapshot, kind: str, id: str) -> Fact | None: ...

    def page(self, snapshot: Snapshot, kind: str, after: str, limit: int) -> Sequence[Fact]:
        """Up to `limit` facts with id > `after`, by id."""

    def about(self, snapshot: Snapshot, kind: str, subjects: Sequence[str]) -> Sequence[Fact]:
        """Facts about any of the subjects, by subject, then id. Any number of subjects."""

    def held(
        self, snapshot: Snapshot, kind: str, subjects: Sequence[str], *, gapless: bool = False
    ) -> Sequence[tuple[str, str]]:
        """(subject, held) of the facts about any of the subjects, as `about` has them, without the rest: for lists.

        `gapless` subjects are all there are from the first to the last, by id, so that none has to be looked for;
        subjects of other kinds may come with them.
        """

    def holding(self, snapshot: Snapshot, kind: str, held: str) -> Sequence[Fact]:
        """Facts that hold `held`, by id."""

    def tally(self, snapshot: Snapshot, kind: str) -> Mapping[str, int]:
        """How many facts hold each thing, by `held`."""

    def count(self, snapshot: Snapshot, kind: str) -> int: ...

    def changed(self, source: str, since: int, until: int, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
        """(kind, id) of facts of `kinds` that differ between two snapshots, each once, by kind and id."""

    def touched(self, source: str, since: int, until: int, kinds: Sequence[str]) -> Iterator[tuple[str, str]]:
        """As `changed`, and those that came and went, or changed and changed back, in between."""

    # what else is kept
    def note(self, source: str, key: str) -> str | None: ...

    def put_note(self, source: str, key: str, value: str) -> None: ...

    def change_note(self, source: str, key: str, change: Callable[[str | None], str]) -> None:
        """Put what `change` makes of the value, None where there is none; nobody changes it in between.

        `change` is called while others wait: it asks neither the store nor AWS.
        """

    def keep_note(self, source: str, key: str, value: str) -> str:
        """Put the value unless there is one already; what is there now. The same for all who ask at once."""

    def sweep(self, keep: float) -> None:
        """Forget snapshots that a newer one replaced more than `keep` seconds ago, and what only they needed."""


class Operations(Protocol):
    """Changes made durable. Leases and ages are on the store's clock. `RetryLater` when the store does not answer."""

    def accept(
        self,
        source: str,
        command: str,
        turn: str,
        account: str,
        caller: str,
        content: str,
        key: str,
        asked: Mapping[str, object],
        owner: str,
        lease: float,
        begin: Callable[[], None] = ...,
    ) -> tuple[Operation, bool]:
        """The operation for this wish, and whether this owner is to run it.

        In one transaction: with a `key` the caller used for the source within 24 h, that operation (whatever its
        content: comparing is the caller's business); else an unfinished operation of the source with the same content,
        for which the key now stands too, unless another with the same turn, or of any source with the same account, was
        accepted after it; else a new one, in state accepted, leased to `owner`. An unfinished one of the same content
        whose lease has run out is taken over. `FixRequest` when a text cannot be kept. `begin` is called once, when the
        store answers and before it keeps anything: what it raises leaves nothing kept.
        """

    def operation(self, id: str) -> Operation | None: ...

    def turn_come(self, operation: Operation) -> bool:
        """Whether none that was accepted before this one goes on: of the source with the turn, of any with the account.

        Accepted before and after is one order of the operations of all sources, the same for all who look.
        """

    def renew(self, operation: Operation, lease: float) -> bool:
        """False when another owner has taken it; then nothing more may be done for it."""

    def record(self, operation: Operation, steps: Sequence[Recorded], account: str | None = None) -> Operation:
        """Keep what is known of its steps (all of them), and its account. `RetryLater` when the lease was lost."""

    def end(self, operation: Operation, state: OperationState, answer: Mapping[str, object]) -> Operation:
        """Keep its answer and give the lease back. `RetryLater` when the lease was lost. Repeated: what was kept."""

    def take_abandoned(self, owner: str, lease: float) -> Operation | None:
        """An unfinished operation whose lease has run out, the oldest first, now leased to `owner`."""

    def later_on(self, operation: Operation) -> bool:
        """Whether another with the same account, which is known, was accepted after this one, in any source."""

    def recent(self, account: str | None, seconds: float) -> Sequence[Operation]:
        """Those with this account (None: with any) that are unfinished, or ended so many seconds ago at most.

        In the order in which they were accepted, of all sources: two may serve one instance. For their steps: what was
        asked and answered is left out.
        """

    def created(self, source: str, content: str) -> Operation | None:
        """The newest create of this content that ended within 24 h, succeeded or partly, and knows its account."""

    def listed(self, source: str | None, unfinished: bool, limit: int) -> Sequence[Operation]:
        """The newest first."""


class Stripped(Protocol):
    """What was taken from disabled users, to be given back."""

    def journal(self, source: str, user_id: str) -> Mapping[str, Sequence[str]] | None:
        """Ids taken, by account attribute; None when the user is not disabled by stripping."""

    def strip(self, source: str, user_id: str, held: Mapping[str, Sequence[str]]) -> Mapping[str, Sequence[str]]:
        """Note that these are about to be taken; what was noted before stays noted. Returns the whole journal."""

    def complete(self, source: str, user_id: str) -> None:
        """All of it was taken: from now on the user is disabled by stripping, though nothing was there to take."""

    def journals(self, user_id: str) -> Mapping[str, Sequence[str]]:
        """Ids taken from the user through any source, by account attribute."""

    def forget(self, user_id: str, revoked: Mapping[str, Sequence[str]]) -> None:
        """Take these ids, by account attribute, out of the user's journals of all sources: they are not to come back.

        They were revoked while the user was disabled, or it has them again.
        """

    def hand_over(self, source: str, user_id: str, others: Collection[str]) -> bool:
        """Whether one of these sources has the user disabled too: it is given the journal then, and gives it back."""

    def restored(self, source: str, user_id: str) -> None:
        """The user is enabled again, or deleted; its journal goes."""

    def disabled(self, source: str, user_id: str) -> bool:
        """Whether the user is among `all`, without reading the others."""

    def all(self, source: str) -> frozenset[str]:
        """UserIds that are disabled by stripping: those whose journal is complete."""


class Audit(Protocol):
    """The record of what was asked and what became of it: append-only, chained by hash."""

    def append(self, record: Mapping[str, object]) -> None:
        """Add a record; `RetryLater` when it cannot be kept, and then what it announces must not be done."""


class Tokens(Protocol):
    """Tokens of callers, known by their hashes."""

    def find(self, digest: bytes) -> KeptToken | None:
        """The token of that hash, expired or not."""

    def keep(self, token: KeptToken) -> None:
        """From now on it is known to every process."""

    def listed(self) -> Sequence[KeptToken]:
        """All that stand for themselves, by name, the oldest first."""

    def revoke(self, digest: bytes) -> bool:
        """Forget it, with all that were had for it; False when it was not known."""

    def shorten(self, digest: bytes, until: datetime) -> None:
        """Have it end then, unless it ends before."""

    def used(self, digest: bytes, at: float) -> None:
        """Note its last use."""
