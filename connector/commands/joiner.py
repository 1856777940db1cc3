"""account:create: a user, then what it shall hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from connector import attributes
from connector.changing import planning
from connector.commands import grantable
from connector.commands.carrying import carry_out, refusals
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.errors import AlreadyExists, AwsConflict, ManagedElsewhere
from connector.model import Event, Lane, NewAccount, Step
from connector.ports import Directory


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
    grantable.check(
        desk,
        directory,
        [
            Step(planning.GIVE[type_.name], type_.attribute, value)
            for type_ in attributes.ENTITLEMENT_TYPES.values()
            for change in changes
            if change.attribute == type_.attribute
            for value in change.values or ()
        ],
    )
    with desk.turns.take(f"userName {scalars['userName'].casefold()}"):
        user_id = _create_or_adopt(desk, directory, scalars)
    with desk.turns.take(user_id):
        present = Present(desk, user_id, Lane.CHANGE)
        present.mark()
        carried = carry_out(desk, present, changes)
        present.publish()
    yield replace(carried.account, refusals=refusals(carried.outcomes))


def _create_or_adopt(desk: Desk, directory: Directory, scalars: Mapping[str, str]) -> str:
    """UserId of the new user, or of the one that has the userName where the source adopts."""
    try:
        return directory.create_user(scalars)
    except AwsConflict as conflict:
        # AWS's message does not say which unique value is taken; look, userName first.
        named = directory.user_id_of("userName", scalars["userName"])
        if named is not None and desk.source.on_existing == "adopt":
            return named
        if named is not None:
            raise AlreadyExists(
                f"a user with userName {scalars['userName']} exists already: {named}",
                existing=named,
                request_id=conflict.request_id,
            ) from conflict
        email = scalars.get("email")
        mailed = directory.user_id_of("email", email) if email else None
        if mailed is not None:
            raise AlreadyExists(
                f"a user with email {email} exists already: {mailed}", existing=mailed, request_id=conflict.request_id
            ) from conflict
        raise
