"""account:delete."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import structlog

from connector import attributes
from connector.changing.planning import TAKE
from connector.changing.settling import failures
from connector.changing.steps import perform
from connector.commands.carrying import hands
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.commands.stripping import as_left, everything, kept_by, strip, unread
from connector.errors import AccountNotFound, ManagedElsewhere
from connector.model import Done, Event, Instance, Lane, OneAccount, Outcome, Step, User
from connector.reading.dressing import KIND_OF

log = structlog.get_logger(__name__)

LEFTOVERS = "left by deleted users"
"""Note in the store, by instance: what AWS would not take away, for test-connection to name until a census does."""


def delete(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """Take everything the user holds, see that it is gone, then delete the user. Absent already is success.

    AWS keeps the assignments of a deleted user, so they go first (aws-behaviour 23). What AWS tried to take and could
    not, because the AWS account is not ACTIVE, does not keep the user; any other failure does, a refusal too. The
    answer then is the account, undone.
    """
    if desk.source.managed_by == "external":
        raise ManagedElsewhere(
            'an identity provider owns the users of this source (managed_by = "external"): delete the user there'
        )
    gone = Present(desk, asked.id, Lane.CHANGE)
    unknown: list[str] = []
    try:
        whole, account, given = everything(desk, asked.id)
        outcomes = strip(desk, whole, account, given)
        if kept_by(outcomes):
            yield as_left(gone, whole, outcomes, "is kept")
            return
        kept = failures(outcomes)
        unknown = [f"{each.attribute}: {each.reason}" for each in unread(whole)]
        with whole.doubted_unless_seen():  # its answer may be lost, and the user gone
            whole.directory.delete_user(asked.id)
    except AccountNotFound:
        kept = _taken_after(desk, gone)
    gone.publish_gone()
    desk.stripped.restored(desk.source.name, asked.id)
    named = [*(f"{each.step.value}: {each.reason}" for each in kept), *unknown]
    _note_leftovers(desk, asked.id, named)
    yield Done({"leftovers": named} if named else {})


def _taken_after(desk: Desk, gone: Present) -> list[Outcome]:
    """Somebody else deleted the user, perhaps while we took: what it leaves behind is taken all the same. What is left.

    That is what was begun, what the newest snapshot knows, and what we gave it a moment ago.
    """
    begun = [each for each in desk.noted.open() if each.verb.gives is False]
    given = desk.noted.recent().given
    snapshot = desk.freshness.newest()
    known = list(begun)
    for type_ in (attributes.ASSIGNMENT, attributes.APPLICATION):
        facts = desk.records.about(snapshot, KIND_OF[type_.name], [gone.id]) if snapshot is not None else ()
        ids = [*(each.held for each in facts), *sorted(given.get(type_.attribute, ()))]
        known += [Step(TAKE[type_.attribute], type_.attribute, id_) for id_ in ids]
    steps = [each for place, each in enumerate(known) if each not in known[:place]]
    desk.noted.about_to(steps)
    outcomes = perform(steps, User(gone.id, {}), hands(desk, gone))
    desk.noted.came_of(outcomes)
    return failures(outcomes)


def _note_leftovers(desk: Desk, user_id: str, left: list[str]) -> None:
    if not left:
        return
    log.warning("user deleted, assignments left behind by AWS", account=user_id, left=left)
    instance = desk.directory(Lane.CHANGE).instance()
    added = [{"at": desk.clock.now(), "user": user_id, "left": each} for each in left]
    # Two deletes at once must not lose what one of them left.
    desk.records.change_note(
        desk.source.name, instance.note(LEFTOVERS), lambda kept: json.dumps([*json.loads(kept or "[]"), *added][-100:])
    )


def leftovers(desk: Desk, instance: Instance) -> list[dict[str, Any]]:
    """What AWS left behind of users deleted from the instance, oldest first: `at` (Unix seconds), `user`, `left`."""
    kept: list[dict[str, Any]] = json.loads(desk.records.note(desk.source.name, instance.note(LEFTOVERS)) or "[]")
    return kept
