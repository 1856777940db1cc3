"""account:create: a user, then what it shall hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from connector.changing import planning
from connector.commands import grantable
from connector.commands.carrying import carry_out, refusals
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.errors import AccountNotFound, AlreadyExists, AwsConflict, Conflicts, ManagedElsewhere
from connector.model import Change, Event, Lane, NewAccount, Step
from connector.ports import Directory

CLOCKS_APART: Final = 300.0
"""Seconds by which AWS's clock and the store's may differ."""


def create(desk: Desk, asked: NewAccount) -> Iterator[Event]:
    """The new account as read back. When it exists but something could not be given, the answer says what."""
    source = desk.source
    if source.managed_by == "external":
        raise ManagedElsewhere(
            'an identity provider owns the users of this source (managed_by = "external"): create the user there'
        )
    scalars = planning.new_attributes(source, asked.attributes)
    changes = planning.new_entitlements(source, asked.attributes)
    directory = desk.directory(Lane.CHANGE)
    if not desk.noted.resumed:
        grantable.check(desk, directory, _gifts(changes))
    user_id = desk.noted.operation.account or _found_or_made(desk, directory, scalars)
    desk.noted.account(user_id)
    present = Present(desk, user_id, Lane.CHANGE, made=True)
    carried = carry_out(desk, present, changes)
    yield replace(carried.account, refusals=refusals(carried.outcomes))


def _gifts(changes: Sequence[Change]) -> list[Step]:
    return [
        Step(planning.GIVE[change.attribute], change.attribute, value)
        for change in changes
        for value in change.values or ()
    ]


def _found_or_made(desk: Desk, directory: Directory, scalars: Mapping[str, str]) -> str:
    """UserId: of the user an interrupted create had made, of a new one, or of one that this source adopts."""
    if desk.noted.resumed:
        own = _own(desk, directory, scalars)
        if own is not None:
            return own
        if reason := desk.noted.why_not():
            raise Conflicts(f"user {scalars['userName']} was not created: {reason}")
    try:
        return directory.create_user(scalars)
    except AwsConflict as conflict:
        return _resolved(desk, directory, scalars, conflict)


def _own(desk: Desk, directory: Directory, scalars: Mapping[str, str]) -> str | None:
    """The user this operation made before it was interrupted: same attributes, and not older than the operation."""
    named = directory.user_id_of("userName", scalars["userName"])
    if named is None:
        return None
    try:
        user = directory.user(named)
    except AccountNotFound:
        return None
    same = all(user.attributes.get(name) == value for name, value in scalars.items())
    since = datetime.fromtimestamp(desk.noted.operation.accepted_at - CLOCKS_APART, UTC)
    created = user.attributes.get("createdAt")
    return named if same and created is not None and datetime.fromisoformat(created) >= since else None


def _resolved(desk: Desk, directory: Directory, scalars: Mapping[str, str], conflict: AwsConflict) -> str:
    """Whose the taken value is: our own earlier answer's, one to adopt, or somebody else's."""
    # AWS's message does not say which unique value is taken; look, userName first.
    named = directory.user_id_of("userName", scalars["userName"])
    if named is not None:
        earlier = desk.operations.created(desk.source.name, desk.noted.operation.content)
        if earlier is not None and earlier.account == named:
            # The same was asked before and its answer was lost: it is no conflict with itself.
            desk.noted.continue_from(earlier)
            return named
        if desk.source.on_existing == "adopt":
            return named
        raise AlreadyExists(
            f"a user with userName {scalars['userName']} exists already: {named}; where creates shall take such "
            'users over, set the source option on_existing = "adopt"',
            existing=named,
            request_id=conflict.request_id,
        ) from conflict
    email = scalars.get("email")
    mailed = directory.user_id_of("email", email) if email else None
    if mailed is not None:
        raise AlreadyExists(
            f"a user with email {email} exists already: {mailed}", existing=mailed, request_id=conflict.request_id
        ) from conflict
    raise conflict
