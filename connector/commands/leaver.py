"""account:delete, disable and enable."""

from __future__ import annotations

import json
from collections.abc import Iterator

import structlog

from connector import attributes
from connector.changing.planning import TAKE
from connector.changing.settling import PAUSES, failures, settle
from connector.changing.steps import perform
from connector.commands.carrying import hands
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.errors import AccountNotFound, AwsFailed, DisableNotConfigured, GrantFailed, ManagedElsewhere
from connector.model import Account, Done, Event, Lane, OneAccount, Outcome, Step

log = structlog.get_logger(__name__)

LEFTOVERS = "left by deleted users"
"""Note in the store: what AWS would not take away, for test-connection to name until a census does."""


def delete(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """Take everything the user holds, see that it is gone, then delete the user. Absent already is success.

    AWS keeps the assignments of a deleted user, so they go first (reference aws §5 trap 1). What AWS cannot take
    because the AWS account is not ACTIVE does not keep the user; any other failure does.
    """
    if desk.source.managed_by == "external":
        raise ManagedElsewhere(
            'an identity provider owns the users of this source (managed_by = "external"): delete the user there'
        )
    with desk.turns.take(asked.id):
        present = Present(desk, asked.id, Lane.CHANGE, whole=True)
        try:
            account = present.account()
        except AccountNotFound:
            present.publish_gone()
            yield Done()
            return
        present.mark()
        left = _strip(desk, present, account)
        present.directory.delete_user(asked.id)
        present.publish_gone()
    _note_leftovers(desk, asked.id, left)
    yield Done({"leftovers": left} if left else {})


def enable(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """The account, enabled."""
    yield _switch(desk, asked.id, disabled=False)


def disable(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """The account, disabled."""
    yield _switch(desk, asked.id, disabled=True)


def _strip(desk: Desk, present: Present, account: Account) -> list[str]:
    """Take all it holds directly; returns what AWS left behind on AWS accounts that are not ACTIVE."""
    steps = [
        Step(TAKE[type_.name], type_.attribute, value)
        for type_ in attributes.ENTITLEMENT_TYPES.values()
        for value in account.attributes.get(type_.attribute, ())
    ]
    assert present.last is not None  # the account was read
    outcomes = perform(steps, present.last.user, hands(desk, present))
    _, settled = settle(present.account, account, outcomes, desk.clock)
    failed = failures(settled)
    kept_by = [each for each in failed if not each.left_by_aws]
    if kept_by:
        present.publish()
        raise GrantFailed(f"user {account.id} is kept, because this could not be taken away: {_told(kept_by)}")
    return [f"{each.step.value}: {each.reason}" for each in failed]


def _told(outcomes: list[Outcome]) -> str:
    return "; ".join(f"{each.step.attribute} {each.step.value}: {each.reason}" for each in outcomes)


def _note_leftovers(desk: Desk, user_id: str, left: list[str]) -> None:
    if not left:
        return
    log.warning("user deleted, assignments left behind by AWS", account=user_id, left=left)
    kept = json.loads(desk.records.note(desk.source.name, LEFTOVERS) or "[]")
    kept += [{"at": desk.clock.now(), "user": user_id, "left": each} for each in left]
    desk.records.put_note(desk.source.name, LEFTOVERS, json.dumps(kept[-100:]))


def _switch(desk: Desk, id_: str, *, disabled: bool) -> Account:
    source = desk.source
    if source.disable_by != "scim":
        raise DisableNotConfigured(
            f"source {source.name} cannot enable or disable users: AWS offers it through SCIM only; configure "
            'disable_by = "scim" with scim_endpoint and scim_token_file'
        )
    with desk.turns.take(id_):
        present = Present(desk, id_, Lane.CHANGE)
        account = present.account()
        if account.disabled is disabled:
            return account
        present.mark()
        present.directory.set_enabled(id_, not disabled)
        account = present.account()
        for pause in PAUSES:
            if account.disabled is disabled:
                break
            desk.clock.sleep(pause)
            account = present.account()
        present.publish()
    if account.disabled is not disabled:
        wanted = "DISABLED" if disabled else "ENABLED"
        raise AwsFailed(f"SCIM accepted the change, but user {id_} does not read as {wanted}; try again")
    return account
