"""AWS for one source, one lane and one patience: the rooms' questions and changes behind `ports.Directory`.

Opening a directory costs nothing. Clients are shared by all directories of a source, and so is what was found out
about its instance, for a few minutes: a configuration that is put right heals without a restart, and a failure is told
only to those who waited for the look-up.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from connector.aws import applications, assignments, groups, instances, organizations, permissionsets, scim, users
from connector.aws.calls import Line, Tally
from connector.aws.sessions import Sessions
from connector.errors import Cancelled, ConnectorError
from connector.model import (
    Application,
    ApplicationAssignment,
    Assignment,
    AwsAccount,
    Group,
    Instance,
    Lane,
    Membership,
    Pair,
    PermissionSet,
    Policies,
    Principal,
    Source,
    Ticket,
    User,
)
from connector.ports import Clock, Pace, Patience, Submitted

INSTANCE_AGE: Final = 300.0
"""Seconds after which the instance is looked up again."""


@dataclass(slots=True)
class _Known:
    """What is known of one source."""

    tally: Tally = field(default_factory=Tally)
    lock: threading.Lock = field(default_factory=threading.Lock)
    instance: Instance | None = None
    found_at: float = 0.0
    failure: ConnectorError | None = None
    """Of the last look-up, for those who waited for it and for nobody else."""
    failed_at: float = 0.0


class Directories:
    """Opens the directory of a source (`ports.Directories`). One for the whole service."""

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._pace = pace
        self._clock = clock
        self._sessions = Sessions()
        self._known: dict[Source, _Known] = {}

    def open(self, source: Source, lane: Lane, patience: Patience) -> Directory:
        """A directory for one request. May be shared by its threads."""
        known, own = self._of(source), Tally()
        region = self._sessions.region(source)
        # Until the owner of the instance is known, its few look-ups run beside the quota of that AWS account.
        line = Line(
            source,
            lane,
            patience,
            region,
            f"source {source.name}",
            self._sessions,
            self._pace,
            self._clock,
            (known.tally, own),
        )
        return Directory(line, known, own)

    def calls(self, source: Source) -> Mapping[str, int]:
        """AWS calls made for the source since the service started, by operation, retries included."""
        return self._of(source).tally.read()

    def close(self) -> None:
        """Close every connection to AWS."""
        self._sessions.close()

    def _of(self, source: Source) -> _Known:
        return self._known.setdefault(source, _Known())  # atomic: one for all threads


class Directory:
    """AWS for one source, one lane and one patience (`ports.Directory`)."""

    def __init__(self, line: Line, known: _Known, own: Tally) -> None:
        self._line = line
        self._known = known
        self._own = own

    def calls(self) -> Mapping[str, int]:
        """AWS calls made through this directory, by operation, retries included."""
        return self._own.read()

    # ---- the instance

    def instance(self) -> Instance:
        """The instance behind the source; see `instances.found`."""
        known = self._known
        arrived = self._line.clock.monotonic()
        while not known.lock.acquire(timeout=0.2):  # somebody else is looking it up: one look-up serves all
            self._line.patience.check()
        try:
            if known.failure is not None and known.failed_at >= arrived:
                raise known.failure  # it failed while we waited; to try in turn would add up everybody's patience
            now = self._line.clock.monotonic()
            if known.instance is None or now - known.found_at > INSTANCE_AGE:
                known.instance = None
                known.instance = self._look_up(known)
                known.found_at = self._line.clock.monotonic()
            return known.instance
        finally:
            known.lock.release()

    def _look_up(self, known: _Known) -> Instance:
        known.failure = None
        try:
            return instances.found(self._line)
        except Cancelled:
            raise  # our client left; those who wait still have theirs
        except ConnectorError as failure:
            known.failure, known.failed_at = failure, self._line.clock.monotonic()
            raise

    def _inside(self) -> tuple[Line, Instance]:
        instance = self.instance()
        return self._line.at(instance.owner or instance.caller, instance.region), instance

    def _store(self) -> tuple[Line, str]:
        line, instance = self._inside()
        return line, instance.identity_store_id

    def _first(self) -> tuple[Line, Instance]:
        """For assignment changes and looks at them; see `Lane.SUBMISSION`."""
        line, instance = self._inside()
        return replace(line, lane=Lane.SUBMISSION), instance

    # ---- reading

    def users(self) -> Iterator[User]:
        """All users."""
        return users.users(*self._store())

    def groups(self) -> Iterator[Group]:
        """All groups."""
        return groups.groups(*self._store())

    def members(self, group_id: str) -> Iterator[Membership]:
        """Everybody in a group; `NotFoundInAws` (GROUP) when it was deleted."""
        return groups.members(*self._store(), group_id)

    def memberships(self, user_id: str) -> Iterator[Membership]:
        """Every group a user is in; `NotFoundInAws` (USER) when he was deleted."""
        return groups.memberships(*self._store(), user_id)

    def user(self, user_id: str) -> User:
        """One user; `AccountNotFound` only when DescribeUser says the USER does not exist."""
        return users.described(*self._store(), user_id)

    def group(self, group_id: str) -> Group | None:
        """One group; None when DescribeGroup says the GROUP does not exist."""
        return groups.described(*self._store(), group_id)

    def user_id_of(self, attribute: str, value: str) -> str | None:
        """UserId by `userName` or `email`, None when nobody has it."""
        return users.id_of(*self._store(), attribute, value)

    def permission_set_ids(self) -> Iterator[str]:
        """All permission sets."""
        return permissionsets.ids(*self._inside())

    def permission_set(self, permission_set_id: str) -> PermissionSet | None:
        """One permission set; None when it does not exist."""
        return permissionsets.described(*self._inside(), permission_set_id)

    def policies(self, permission_set_id: str) -> Policies | None:
        """What a permission set allows; None when it does not exist."""
        return permissionsets.policies(*self._inside(), permission_set_id)

    def aws_accounts(self) -> Iterator[AwsAccount]:
        """All members of the organisation; `AskPermission` when denied."""
        return organizations.aws_accounts(self._inside()[0])

    def aws_account(self, aws_account_id: str) -> AwsAccount | None:
        """One member of the organisation, None when it has no such member; `AskPermission` when denied."""
        return organizations.aws_account(self._inside()[0], aws_account_id)

    def aws_accounts_of(self, permission_set_id: str) -> Iterator[str]:
        """AWS accounts a permission set is provisioned in."""
        return permissionsets.aws_accounts_of(*self._inside(), permission_set_id)

    def assignments_of_pair(self, pair: Pair) -> Iterator[Assignment]:
        """Everybody who has the pair."""
        return assignments.of_pair(*self._inside(), pair)

    def assignments_of(self, principal: Principal) -> Iterator[Assignment]:
        """What the principal can enter, rows of his groups included."""
        return assignments.of_principal(*self._inside(), principal)

    def applications(self) -> Iterator[Application]:
        """All applications."""
        return applications.applications(*self._inside())

    def application(self, application_id: str) -> Application | None:
        """One application."""
        return applications.application(*self._inside(), application_id)

    def application_names(self) -> dict[str, str]:
        """Names of all applications."""
        return applications.names(*self._inside())

    def application_assignments(self, application: Application) -> Iterator[ApplicationAssignment]:
        """Everybody who has the application."""
        return applications.assignments(self._inside()[0], application)

    def application_assignments_of(self, principal: Principal) -> Iterator[ApplicationAssignment]:
        """Applications the principal can use."""
        return applications.assignments_of(*self._inside(), principal)

    # ---- changing

    def create_user(self, attributes: Mapping[str, str], submitted: Submitted) -> str:
        """Id of the new user."""
        return users.created(*self._store(), attributes, submitted)

    def update_user(self, user: User, attributes: Mapping[str, str | None]) -> None:
        """Set or clear attributes if `user.revision` still holds."""
        users.updated(*self._store(), user, attributes)

    def delete_user(self, user_id: str) -> None:
        """Delete a user; absent already is success."""
        users.deleted(*self._store(), user_id)

    def set_enabled(self, user_id: str, enabled: bool) -> None:
        """Enable or disable a user through SCIM."""
        scim.set_enabled(self._inside()[0], user_id, enabled)

    def look_at_scim(self, user_id: str | None) -> None:
        """Whether SCIM lets us in; raises why not."""
        scim.look(self._inside()[0], user_id)

    def join(self, group_id: str, user_id: str) -> bool:
        """Put a user into a group; False when he is in it."""
        return groups.joined(*self._store(), group_id, user_id)

    def leave(self, group_id: str, user_id: str) -> bool:
        """Take a user out of a group; False when he is not in it."""
        return groups.left(*self._store(), group_id, user_id)

    def submit_assign(self, assignment: Assignment) -> Ticket:
        """Ask AWS to make an assignment."""
        return assignments.submitted(*self._first(), assignment)

    def submit_unassign(self, assignment: Assignment) -> Ticket:
        """Ask AWS to delete an assignment."""
        return assignments.withdrawn(*self._first(), assignment)

    def ticket(self, ticket: Ticket) -> Ticket:
        """The ticket as it stands now."""
        return assignments.ticket(*self._first(), ticket)

    def tickets_in_progress(self, deleting: bool) -> frozenset[str]:
        """Request ids of all assignment changes in flight."""
        return assignments.in_progress(*self._first(), deleting)

    def admit(self, application_arn: str, principal: Principal) -> None:
        """Assign an application."""
        applications.admitted(self._inside()[0], application_arn, principal)

    def expel(self, application_arn: str, principal: Principal) -> bool:
        """Unassign an application; False when it was not assigned."""
        return applications.expelled(*self._inside(), application_arn, principal)
