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
from connector.commands.stripping import everything, held, left, strip, taken
from connector.errors import AwsFailed, DisableNotConfigured, RetryLater
from connector.model import Account, Event, Lane, OneAccount, Principal, Step


def enable(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """The account, enabled."""
    present = _present(desk, asked)
    if desk.source.disable_by == "strip":
        yield _restore(desk, present)
    else:
        yield _through_scim(desk, present, disabled=False)


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
    if account.disabled is disabled:
        return account
    with present.doubted_unless_seen():
        present.directory.set_enabled(present.id, not disabled)
        account = present.account()
        for pause in PAUSES:
            if account.disabled is disabled:
                break
            desk.clock.sleep(pause)
            account = present.account()
    present.lagging = account.disabled is not disabled
    present.publish()
    if present.lagging:
        wanted = "DISABLED" if disabled else "ENABLED"
        raise AwsFailed(f"SCIM accepted the change, but user {present.id} does not read as {wanted}; try again")
    return account


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
    account = present.account(refusals(left_there))
    present.publish()
    return account


def _restore(desk: Desk, present: Present) -> Account:
    """Give back what still exists, and name what does not. Only then does the journal go."""
    account = present.account()
    journal = desk.stripped.journal(desk.source.name, present.id)
    if journal is None:
        return account
    unsettled, pairs = desk.noted.recent(), attributes.ASSIGNMENT.attribute
    if set(journal.get(pairs, ())).intersection(held(account).get(pairs, ())):
        # What AWS is taking just now is not back, though it is listed.
        going = desk.writer.wait_for(Principal("USER", present.id), deleting=True)
        unsettled = unsettled.also_taken(pairs, going)
        account = present.account()
    there = {name: set(ids).difference(unsettled.taken.get(name, ())) for name, ids in held(account).items()}
    missing = {name: [id_ for id_ in ids if id_ not in there.get(name, ())] for name, ids in journal.items()}
    steps = [Step(GIVE[name], name, id_) for name, ids in missing.items() for id_ in ids]
    wanted, refused = desk.noted.sorted_out(steps)
    account, settled = perform_noted(desk, present, account, wanted, refused)
    if any(each.retryable for each in failures(settled)):
        present.publish()
        raise RetryLater(f"user {present.id} has not got everything back yet; enable it again")
    desk.stripped.restored(desk.source.name, present.id)
    account = present.account()
    present.publish()
    return replace(account, refusals=refusals(settled))
