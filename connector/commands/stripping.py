"""Taking everything an account holds directly, as one part of a change: before a user is deleted, or to disable it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import replace

from connector import attributes
from connector.changing.planning import TAKE
from connector.changing.settling import failures
from connector.commands.carrying import perform_noted, refusals
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.model import Account, Lane, Outcome, Principal, Refusal, Result, Step


def held(account: Account) -> Mapping[str, Sequence[str]]:
    """Ids held directly, by account attribute."""
    found = {
        type_.attribute: account.attributes.get(type_.attribute, ()) for type_ in attributes.ENTITLEMENT_TYPES.values()
    }
    return {name: ids for name, ids in found.items() if ids and not isinstance(ids, str)}


def everything(desk: Desk, user_id: str) -> tuple[Present, Account, Mapping[str, Set[str]]]:
    """The account with all it holds directly, and ids, by account attribute, of what it holds though no list shows it.

    That is what we gave it a moment ago, and what AWS was still giving it when we came, whoever asked.
    """
    present = Present(desk, user_id, Lane.CHANGE, whole=True)
    present.seen()
    came = desk.writer.wait_for(Principal("USER", user_id), deleting=False)
    given = desk.noted.recent().also_given(attributes.ASSIGNMENT.attribute, came).given
    return present, present.account(), given


def strip(desk: Desk, present: Present, account: Account, given: Mapping[str, Set[str]]) -> list[Outcome]:
    """Take all it holds directly, as AWS lists it or as `given` names it."""
    steps = [
        Step(TAKE[name], name, id_)
        for name in TAKE
        if name in account.attributes
        for id_ in sorted({*held(account).get(name, ()), *given.get(name, ())})
    ]
    return perform_noted(desk, present, account, steps)[1] if steps else []


def taken(outcomes: Iterable[Outcome]) -> Mapping[str, Sequence[str]]:
    """Ids that AWS has taken, by account attribute, whether lists show it or not."""
    found: dict[str, list[str]] = defaultdict(list)
    for each in outcomes:
        if each.result is Result.DONE or each.acknowledged:
            found[each.step.attribute].append(each.step.value)
    return found


def kept_by(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """What keeps the user from being disabled or deleted: AWS did not take it, and can when it is asked again.

    What AWS leaves behind because its AWS account is not ACTIVE is no reason to wait.
    """
    return [each for each in failures(outcomes) if not each.left_by_aws]


def as_left(present: Present, whole: Present, outcomes: Sequence[Outcome], sentence: str) -> Account:
    """The account as it is after `strip`, published, with what was not taken; undone when something `kept_by` it is.

    `sentence` says what that means for the user ("is kept").
    """
    with present.doubted_unless_seen():
        account = present.account((*refusals(outcomes), *unread(whole)))
    present.lagging |= whole.lagging
    present.publish()
    if keeping := kept_by(outcomes):
        undone = f"user {present.id} {sentence}, because this could not be taken away: {told(keeping)}"
        account = replace(account, undone=undone)
    return account


def unread(present: Present) -> tuple[Refusal, ...]:
    """What may be left because it could not be read: never left unsaid."""
    denied = present.unread
    if denied is None:
        return ()
    return (
        Refusal(
            attributes.APPLICATION.attribute,
            "",
            f"what the user has been assigned directly is not taken, because {denied.action} is denied",
            denied.kind,
            request_id=denied.request_id or "",
            action=denied.action,
        ),
    )


def told(outcomes: Iterable[Outcome]) -> str:
    """What did not happen, and why, in one line."""
    return "; ".join(f"{each.step.attribute} {each.step.value}: {each.reason}" for each in outcomes)
