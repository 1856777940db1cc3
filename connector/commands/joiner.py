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
from connector.commands.taken import exists, holder
from connector.errors import AccountNotFound, AlreadyExists, AwsConflict, Conflicts, ManagedElsewhere
from connector.model import Account, Change, Event, Lane, NewAccount, Outcome, Result, Step, Verb
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
    present = Present(desk, user_id, Lane.CHANGE, made=True)
    carried = carry_out(desk, present, changes)
    account = replace(carried.account, refusals=refusals(carried.outcomes))
    if desk.noted.repeated and source.on_existing == "conflict":
        _refuse_changed(changes, scalars, account)
    yield account


def _gifts(changes: Sequence[Change]) -> list[Step]:
    return [
        Step(planning.GIVE[change.attribute], change.attribute, value)
        for change in changes
        for value in change.values or ()
    ]


def _found_or_made(desk: Desk, directory: Directory, scalars: Mapping[str, str]) -> str:
    """UserId: of the user an interrupted create had made, of a new one, or of one that this source adopts.

    An interrupted create has made a user only if it had sent CreateUser and no answer came: else whoever is there now
    is somebody else's, however alike.
    """
    step = Step(Verb.CREATE, "userName", scalars["userName"])
    user_id = _own(desk, directory, scalars) if desk.noted.unknown(step) else None
    result = Result.DONE
    if user_id is None:
        if reason := desk.noted.why_not():
            raise Conflicts(f"user {scalars['userName']} was not created: {reason}")
        try:
            user_id = directory.create_user(scalars, desk.noted.submitted(step))
        except AwsConflict as conflict:
            user_id, result = _resolved(desk, directory, scalars, conflict), Result.ALREADY
    desk.noted.account(user_id, Outcome(step, result))
    return user_id


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
    found = holder(directory, scalars)
    if found is None:
        raise conflict
    attribute, user_id = found
    if attribute != "userName":
        raise exists(attribute, scalars[attribute], user_id, conflict) from conflict
    earlier = desk.operations.created(desk.source.name, desk.noted.operation.content)
    if earlier is not None and earlier.account == user_id:
        # The same was asked before and its answer was lost: it is no conflict with itself.
        desk.noted.continue_from(earlier)
        return user_id
    if desk.source.on_existing == "adopt":
        return user_id
    advice = '; where creates shall take such users over, set the source option on_existing = "adopt"'
    raise exists(attribute, scalars[attribute], user_id, conflict, advice) from conflict


def _refuse_changed(asked: Sequence[Change], scalars: Mapping[str, str], account: Account) -> None:
    """A create answered once is answered again while the account is what was asked for, and is a conflict after that.

    What was taken since is not given again; nor may the answer look as if it had been.
    """
    refused = {(each.attribute, each.value) for each in account.refusals}
    different = [name for name, value in scalars.items() if account.attributes.get(name) != value]
    for change in asked:
        held = account.attributes.get(change.attribute, ())
        different += [
            f"{change.attribute} {value}"
            for value in change.values or ()
            if value not in held and (change.attribute, value) not in refused
        ]
    if account.disabled:
        different.append("disabled")
    if different:
        raise AlreadyExists(
            f"user {account.id} exists already: this very request created it, and it was changed since "
            f"({', '.join(different)}); update it instead",
            existing=account.id,
        )
