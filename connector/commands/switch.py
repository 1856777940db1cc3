"""account:enable and account:disable, by the means the source has: SCIM, or taking all direct access away.

AWS disables users through SCIM and the console only (aws-behaviour 7). Where there is no SCIM endpoint, a source can
strip: what a user holds directly is journalled, then taken; the user counts as disabled while the journal is there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector import attributes
from connector.changing.planning import GIVE
from connector.changing.settling import PAUSES, failures
from connector.commands import grantable
from connector.commands.carrying import perform_noted, refusals
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.commands.stripping import as_left, everything, held, kept_by, strip, taken, told
from connector.errors import AwsFailed, Conflicts, ConnectorError, DisableNotConfigured, NotGrantable
from connector.model import Account, Event, Lane, OneAccount, Outcome, Principal, Refusal, Result, Step, Verb

STATUS: Final = "userStatus"


def enable(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """The account, enabled. What was stripped is given back, however the source disables by now.

    While another source has the user disabled nothing is: what this one took is that one's to give back.

    First of all AWS itself has to have it enabled: it puts nobody into a group whom it has disabled.
    """
    journal = desk.stripped.journal(desk.source.name, asked.id)
    present = _present(desk, asked) if journal is None else Present(desk, asked.id, Lane.CHANGE)
    if desk.source.disable_by == "scim":
        account = _through_scim(desk, present, disabled=False)
    else:
        account = present.account()
        if _in_aws(account):
            raise Conflicts(
                f"user {asked.id} is disabled in Identity Center itself, and no access that is given back enables it: "
                "enable it in the Identity Center console, or where its identity provider does so through SCIM, then "
                "send this again"
            )
    if journal is None:
        # An earlier run that was interrupted may have given all of it back, and told no list.
        present.publish()
        yield account
    elif desk.stripped.hand_over(desk.source.name, asked.id, desk.others):
        yield _handed_over(present, journal)
    else:
        yield _restore(desk, present, journal)


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
    """The account once AWS has it so.

    Where we have just said the opposite it is asked for, whatever the account shows: that may be from before then,
    and our own last word counts in lists.
    """
    account = present.account()
    wanted = "DISABLED" if disabled else "ENABLED"
    step = Step(Verb.SET_ATTRIBUTES, STATUS, attributes={STATUS: wanted})
    if _in_aws(account) is disabled and desk.noted.recent().attributes.get(STATUS) in (None, wanted):
        # An earlier run that was interrupted may have done it, and told no list. What else it began is not there yet.
        if desk.noted.unknown(step):
            desk.noted.came_of([Outcome(step, Result.ALREADY)])
        present.publish()
        return account
    if not disabled:
        _refuse_unless_wanted(desk, present, step)
    desk.noted.about_to([step])
    with present.doubted_unless_seen():
        _set_enabled(desk, present, step, not disabled)
        account = present.account()
        for pause in PAUSES:
            if _in_aws(account) is disabled:
                break
            desk.clock.sleep(pause)
            account = present.account()
    present.lagging = _in_aws(account) is not disabled
    present.publish()
    if present.lagging:
        unseen = f"SCIM accepted the change, but user {present.id} does not read as {wanted}; try again"
        desk.noted.came_of([Outcome(step, Result.FAILED, unseen, acknowledged=True)])
        raise AwsFailed(unseen)
    return account


def _refuse_unless_wanted(desk: Desk, present: Present, step: Step) -> None:
    """Enabling is giving: once interrupted it is not repeated after somebody has disabled the user, or too late."""
    wanted, refused = desk.noted.sorted_out([step])
    if wanted:
        return
    reason = "it had been, and was disabled since; ask again if it is still wanted"
    if refused:
        desk.noted.came_of(refused)
        reason = refused[0].reason
    raise Conflicts(f"user {present.id} was not enabled: {reason}")


def _set_enabled(desk: Desk, present: Present, step: Step, enabled: bool) -> None:
    """Through SCIM, and noted as what any other change of an attribute is: a census is held against it."""
    try:
        present.directory.set_enabled(present.id, enabled)
    except ConnectorError as failure:
        desk.noted.came_of([Outcome(step, Result.FAILED, str(failure), unknown=failure.unknown)])
        raise
    desk.noted.came_of([Outcome(step, Result.DONE)])


def _in_aws(account: Account) -> bool:
    """Whether AWS has it disabled. Our journal is no reason to leave a user enabled there."""
    return account.attributes.get(STATUS) == "DISABLED"


def _strip(desk: Desk, present: Present) -> Account:
    """Journal first, then take: whatever interrupts this, what was taken can be given back.

    What AWS cannot take, because the AWS account is not ACTIVE, does not keep the user enabled. The answer names it: it
    is open to the user again as soon as the AWS account is.
    """
    whole, account, given = everything(desk, present.id)
    desk.stripped.strip(desk.source.name, present.id, held(account))
    outcomes = strip(desk, whole, account, given)
    # With what was there although no list showed it: it had been given a moment ago.
    desk.stripped.strip(desk.source.name, present.id, taken(outcomes))
    if not kept_by(outcomes):
        desk.stripped.complete(desk.source.name, present.id)
    return as_left(present, whole, outcomes, "is not disabled yet")


def _handed_over(present: Present, journal: Mapping[str, Sequence[str]]) -> Account:
    """The account, which has nothing back, and what that is."""
    reason = "the user is disabled through another source as well, and is given this back when it is enabled there"
    refused = [Refusal(name, id_, reason, Conflicts.kind) for name, ids in journal.items() for id_ in ids]
    with present.doubted_unless_seen():
        account = present.account(tuple(refused))
    present.publish()
    return account


def _restore(desk: Desk, present: Present, journal: Mapping[str, Sequence[str]]) -> Account:
    """Give back what still exists, and name what does not.

    What could not be given back stays in the journal, and the user as disabled as it was: it is not forgotten before
    AWS has it back, says that it is no more, or somebody revokes it. The answer is undone as long as there is any.
    """
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
    gone, owed = _told_apart(whole, failures(settled))
    if owed:
        still = {(each.step.attribute, each.step.value) for each in owed}
        back = {name: [id_ for id_ in ids if (name, id_) not in still] for name, ids in journal.items()}
        desk.stripped.forget(present.id, back)
    else:
        desk.stripped.restored(desk.source.name, present.id)
    with present.doubted_unless_seen():
        account = present.account(refusals([*gone, *owed]))
    present.lagging |= whole.lagging
    present.publish()
    if owed:
        account = replace(
            account,
            undone=f"user {present.id} has not got everything back yet: {told(owed)}; enable it again, or remove from "
            "it what it shall not get back",
        )
    return account


def _told_apart(present: Present, failed: Iterable[Outcome]) -> tuple[list[Outcome], list[Outcome]]:
    """What is not given back because AWS says that it is no more, and what is still to be given back."""
    gone, owed = [], []
    for each in failed:
        if what := grantable.gone(present.directory, each.step):
            reason = f"{what} no longer exists, so this is not given back"
            gone.append(replace(each, reason=reason, kind=NotGrantable.kind, retryable=False))
        else:
            owed.append(each)
    return gone, owed
