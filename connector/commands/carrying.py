"""Carrying a change out: plan, do, settle, publish. What create and update have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connector import attributes
from connector.changing import planning
from connector.changing.settling import settle
from connector.changing.steps import Hands, perform, set_attributes
from connector.commands import grantable
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.commands.taken import REASON, exists, holder
from connector.errors import AwsConflict, Conflicts, ManagedElsewhere
from connector.model import Account, Change, Op, Outcome, Principal, Refusal, Result, Step, User, Verb

ATTEMPTS = 5
"""Plans made for a user that others keep changing, before saying so."""


@dataclass(frozen=True, slots=True)
class Carried:
    """What came of it: the account as read back, and every step's outcome."""

    account: Account
    outcomes: tuple[Outcome, ...]
    changed: bool
    """Whether there was anything to do, as far as the account showed."""


def carry_out(desk: Desk, present: Present, changes: Sequence[Change]) -> Carried:
    """Bring the account where the changes want it, as part of the running operation.

    Raises only before anything is touched, or when the account cannot be read back; what failed on the way is in the
    outcomes.
    """
    before, plan, outcomes = _planned(desk, present, changes)
    _not_given_back(desk, present, changes)
    for _ in range(ATTEMPTS):
        desk.noted.about_to(plan.steps)
        if plan.attributes is None:
            break
        try:
            outcomes.append(set_attributes(plan.attributes, _user(present), hands(desk, present)))
            break
        except AwsConflict as conflict:
            if conflict.reason == REASON:
                # Attributes come first, so nothing was done yet: it is a refusal of the whole.
                if not desk.noted.resumed:  # else an earlier run may have done some of it
                    desk.noted.came_of([Outcome(each, Result.FAILED, "nothing was done") for each in plan.steps])
                _refuse_taken(present, plan.attributes, conflict)
            # Somebody changed the user since we read it: plan anew from what is there now.
            _, plan, outcomes = _planned(desk, present, changes)
    else:
        assert plan.attributes is not None  # the loop ends by break otherwise
        outcomes.append(Outcome(plan.attributes, Result.FAILED, "others keep changing this user", retryable=True))
    for steps in (plan.take, plan.give):
        outcomes += perform(steps, _user(present), hands(desk, present))
    unseen = planning.unseen(before, plan.take)
    changed = any(each.result is Result.FAILED or each.step not in unseen for each in outcomes)
    account, settled = before, outcomes
    if changed or any(each.result is Result.DONE for each in outcomes):
        account, settled = settle_noted(desk, present, before, outcomes)
    elif outcomes:
        account, settled = _looked_again(desk, present, changes, outcomes)
        changed = settled != outcomes
    # Also when nothing was done now: an earlier run that was interrupted may have done it.
    present.publish()
    return Carried(account, tuple(settled), changed)


def _looked_again(
    desk: Desk, present: Present, changes: Sequence[Change], outcomes: list[Outcome]
) -> tuple[Account, list[Outcome]]:
    """The account, and the outcomes, when nothing was there of what was to be taken.

    It may have come while we waited for our turn: what shows by now is taken, once.
    """
    with present.doubted_unless_seen():
        desk.noted.came_of(outcomes)
        account = present.account()
        take = planning.plan(desk.source, account, changes).take
    unseen = planning.unseen(account, take)
    shown = [each for each in take if each not in unseen]
    if not shown:
        return account, outcomes
    others = [each for each in outcomes if each.step not in shown]
    account, settled = perform_noted(desk, present, account, shown)
    return account, [*others, *settled]


def _not_given_back(desk: Desk, present: Present, changes: Sequence[Change]) -> None:
    """What is revoked while the user is stripped must not come back when it is enabled, through whichever source.

    Before anything is taken: interrupted, the change is run again, and finds what it has to take by its name.
    """
    kept = desk.stripped.journals(present.id)
    if kept:
        desk.stripped.forget(present.id, planning.revoked(kept, changes))


def _refuse_taken(present: Present, step: Step, conflict: AwsConflict) -> None:
    found = holder(present.directory, step.attributes, present.id)
    if found is None:
        raise conflict
    attribute, user_id = found
    raise exists(attribute, step.attributes[attribute], user_id, conflict) from conflict


def perform_noted(
    desk: Desk, present: Present, before: Account, steps: Sequence[Step], refused: Sequence[Outcome] = ()
) -> tuple[Account, list[Outcome]]:
    """Do the steps as part of the running operation, from intent to what shows; `refused` were not to be done."""
    desk.noted.about_to(steps)
    outcomes = [*refused, *perform(steps, _user(present), hands(desk, present))]
    return settle_noted(desk, present, before, outcomes)


def settle_noted(
    desk: Desk, present: Present, before: Account, outcomes: Sequence[Outcome]
) -> tuple[Account, list[Outcome]]:
    """The account once the outcomes show, noted before that wait and after it."""
    with present.doubted_unless_seen():
        desk.noted.came_of(outcomes)
        account, settled = settle(present.account, before, outcomes, desk.clock)
        desk.noted.came_of(settled)
    present.lagging |= any(each.acknowledged or each.unknown for each in settled)
    return account, settled


def refusals(outcomes: Sequence[Outcome]) -> tuple[Refusal, ...]:
    """Failed outcomes as the answer's `results`: one for each attribute and value."""
    return tuple(refusal for each in outcomes if each.result is Result.FAILED for refusal in _refused(each))


def hands(desk: Desk, present: Present) -> Hands:
    """What steps are done with."""
    pairs = attributes.ASSIGNMENT.attribute
    return Hands(present.directory, desk.writer, present.application_arn, lambda: desk.noted.given_lately(pairs))


def _planned(desk: Desk, present: Present, changes: Sequence[Change]) -> tuple[Account, planning.Plan, list[Outcome]]:
    """The account, what to do to it, and what a resumed change does not do any more."""
    account, plan = _as_it_is(desk, present, changes)
    if plan.attributes is not None and desk.source.managed_by == "external":
        issuer = account.attributes.get("externalIdIssuer")
        named = f" ({issuer})" if isinstance(issuer, str) else ""
        raise ManagedElsewhere(
            f"an identity provider{named} owns user {account.id}: change {plan.attributes.attribute} there "
            '(managed_by = "external")'
        )
    wanted, refused = desk.noted.sorted_out(plan.steps)
    plan = planning.Plan(
        plan.attributes if plan.attributes in wanted else None,
        tuple(each for each in plan.take if each in wanted),
        tuple(each for each in plan.give if each in wanted),
    )
    if plan.give and present.last is not None and present.last.user.stripped:
        raise Conflicts(f"user {account.id} is disabled; enable it before giving it anything")
    grantable.check(desk, present.directory, plan.give)
    return account, plan, refused


def _as_it_is(desk: Desk, present: Present, changes: Sequence[Change]) -> tuple[Account, planning.Plan]:
    """The account, and what to do to it, with what AWS was giving it or taking from it when we came.

    Lists lag behind: what we did ourselves in the last minutes is known from our records as well.
    """
    pairs, me = attributes.ASSIGNMENT.attribute, Principal("USER", present.id)
    came: frozenset[str] = frozenset()
    if any(each.op is Op.SET and each.attribute == pairs for each in changes):
        came = desk.writer.wait_for(me, deleting=False)
    account = present.account()
    unsettled = desk.noted.recent().also_given(pairs, came)
    plan = planning.plan(desk.source, account, changes, unsettled)
    if planning.already(account, changes, pairs):
        # It may be going, or have gone since we read. Said to be there already, it would be missed by nobody.
        unsettled = unsettled.also_taken(pairs, desk.writer.wait_for(me, deleting=True))
        account = present.account()
        plan = planning.plan(desk.source, account, changes, unsettled)
    unseen = [each for each in planning.unseen(account, plan.take) if each.verb is Verb.UNASSIGN]
    if unseen and desk.writer.wait_for(me, deleting=False):
        account = present.account()
        plan = planning.plan(desk.source, account, changes, unsettled)
    return account, plan


def _user(present: Present) -> User:
    assert present.last is not None  # an account was planned from
    return present.last.user


def _refused(outcome: Outcome) -> list[Refusal]:
    step = outcome.step
    parts: list[tuple[str, str]] = [(step.attribute, step.value)]
    if step.verb is Verb.SET_ATTRIBUTES:
        parts = [(name, value or "") for name, value in sorted(step.attributes.items())]
    return [
        Refusal(name, value, outcome.reason, outcome.kind, outcome.retryable, outcome.request_id, outcome.action)
        for name, value in parts
    ]
