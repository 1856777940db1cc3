"""account:enable and account:disable, by the means the source has: SCIM, or taking all direct access away.

AWS disables users through SCIM and the console only (aws-behaviour 7). Where there is no SCIM endpoint, a source can
strip: what a user holds directly is journalled, then taken; the user counts as disabled while the journal is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from connector import attributes
from connector.changing.planning import GIVE
from connector.changing.settling import PAUSES, failures
from connector.commands.carrying import perform_noted, refusals
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.commands.stripping import everything, held, left, strip, taken, unread
from connector.errors import AwsFailed, DisableNotConfigured, RetryLater
from connector.model import Account, Event, Lane, OneAccount, Principal, Step


def enable(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """The account, enabled. What was stripped is given back, however the source disables by now."""
    stripped = desk.stripped.journal(desk.source.name, asked.id) is not None
    present = Present(desk, asked.id, Lane.CHANGE) if stripped else _present(desk, asked)
    if not stripped and desk.source.disable_by == "scim":
        yield _through_scim(desk, present, disabled=False)
        return
    account = _restore(desk, present)
    if desk.source.disable_by == "scim":
        account = replace(_through_scim(desk, present, disabled=False), refusals=account.refusals)
    yield account


def disable(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """The account, disabled."""
    present = _present(desk, asked)
    if desk.source.disable_by == "strip":
        yield _strip(desk, present)
    else:
        yield _through_scim(desk, present, disabled=True)


def _present(desk: Desk, asked: OneAccount) -> Present:
    if desk.source.disable_by == "refuse":
        raise DisableNotConfigured(
            f"source {desk.source.name} cannot enable or disable users: AWS offers it through SCIM only; configure "
            'disable_by = "scim" with scim_endpoint and scim_token_file, or disable_by = "strip"'
        )
    return Present(desk, asked.id, Lane.CHANGE)


def _through_scim(desk: Desk, present: Present, *, disabled: bool) -> Account:
    account = present.account()
    if _in_aws(account) is disabled:
        return account
    with present.doubted_unless_seen():
        present.directory.set_enabled(present.id, not disabled)
        account = present.account()
        for pause in PAUSES:
            if _in_aws(account) is disabled:
                break
            desk.clock.sleep(pause)
            account = present.account()
    present.lagging = _in_aws(account) is not disabled
    present.publish()
    if present.lagging:
        wanted = "DISABLED" if disabled else "ENABLED"
        raise AwsFailed(f"SCIM accepted the change, but user {present.id} does not read as {wanted}; try again")
    return account


def _in_aws(account: Account) -> bool:
    """Whether AWS has it disabled. Our journal is no reason to leave a user enabled there."""
    return account.attributes.get("userStatus") == "DISABLED"


def _strip(desk: Desk, present: Present) -> Account:
    """Journal first, then take: whatever interrupts this, what was taken can be given back.

    What AWS cannot take, because the AWS account is not ACTIVE, does not keep the user enabled. The answer names it: it
    is open to the user again as soon as the AWS account is.
    """
    whole, account = everything(desk, present.id)
    desk.stripped.strip(desk.source.name, present.id, held(account))
    outcomes = strip(desk, whole, account)
    # With what was there although no list showed it: we had given it a moment ago.
    desk.stripped.strip(desk.source.name, present.id, taken(outcomes))
    left_there = left(whole, outcomes, "user {} is not disabled yet, because this could not be taken away: {}")
    desk.stripped.complete(desk.source.name, present.id)
    account = present.account((*refusals(left_there), *unread(whole)))
    present.publish()
    return account


def _restore(desk: Desk, present: Present) -> Account:
    """Give back what still exists, and name what does not. Only then does the journal go."""
    journal = desk.stripped.journal(desk.source.name, present.id)
    if journal is None:
        return present.account()
    whole = Present(desk, present.id, Lane.CHANGE, whole=True)
    account = whole.account()
    unsettled, pairs = desk.noted.recent(), attributes.ASSIGNMENT.attribute
    if set(journal.get(pairs, ())).intersection(held(account).get(pairs, ())):
        # What AWS is taking just now is not back, though it is listed.
        going = desk.writer.wait_for(Principal("USER", present.id), deleting=True)
        unsettled = unsettled.also_taken(pairs, going)
        account = whole.account()
    there = {name: set(ids).difference(unsettled.taken.get(name, ())) for name, ids in held(account).items()}
    missing = {name: [id_ for id_ in ids if id_ not in there.get(name, ())] for name, ids in journal.items()}
    steps = [Step(GIVE[name], name, id_) for name, ids in missing.items() for id_ in ids]
    wanted, refused = desk.noted.sorted_out(steps)
    account, settled = perform_noted(desk, whole, account, wanted, refused)
    if any(each.retryable for each in failures(settled)):
        whole.publish()
        raise RetryLater(f"user {present.id} has not got everything back yet; enable it again")
    desk.stripped.restored(desk.source.name, present.id)
    account = present.account()
    present.publish()
    return replace(account, refusals=refusals(settled))
