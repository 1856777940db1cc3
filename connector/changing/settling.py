"""Seeing that a change holds: AWS answers before every reader of it agrees, so what was done is read until it shows.

Reading is handed in; this room never reads by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from connector.model import Account, Outcome, Result, Step, Values, Verb
from connector.ports import Clock

PAUSES: Final = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Seconds between readings. AWS documents no bound for read-after-write; this is how long we look before saying so."""


def settle(
    read: Callable[[], Account], before: Account | None, outcomes: Sequence[Outcome], clock: Clock
) -> tuple[Account, list[Outcome]]:
    """The account as it is once every successful outcome shows, and the outcomes; those that never show have failed.

    `before` is the account as it was planned from: an attribute has settled when its old value is gone, because AWS may
    normalise the new one.
    """
    done = [each for each in outcomes if each.result is not Result.FAILED]
    account = read()
    for pause in PAUSES:
        if all(_shows(account, before, each.step) for each in done):
            break
        clock.sleep(pause)
        account = read()
    return account, [_judged(account, before, each) for each in outcomes]


def _judged(account: Account, before: Account | None, outcome: Outcome) -> Outcome:
    if outcome.result is Result.FAILED or _shows(account, before, outcome.step):
        return outcome
    return replace(
        outcome,
        result=Result.FAILED,
        reason=f"AWS said it was done, but {sum(PAUSES):.0f} s later it does not show; read the account again",
        retryable=True,
        kind="aws-failed",
        acknowledged=True,
    )


def _shows(account: Account, before: Account | None, step: Step) -> bool:
    if step.verb is Verb.SET_ATTRIBUTES:
        old = before.attributes if before is not None else {}
        return not any(_still_old(account, old, name, value) for name, value in step.attributes.items())
    held = account.attributes.get(step.attribute, ())
    return (step.value in held) is bool(step.verb.gives)


def _still_old(account: Account, old: Mapping[str, Values], name: str, value: str | None) -> bool:
    now = account.attributes.get(name)
    return now != value and now == old.get(name)


def failures(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Those that failed."""
    return [each for each in outcomes if each.result is Result.FAILED]
