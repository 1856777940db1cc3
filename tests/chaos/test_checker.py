"""The checker catches what is planted, and finds nothing where nothing is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checker import violations
from tests.chaos.history import DISABLED, EXISTS, History, Ran, Saw, World, Wrote

GROUP, PAIR, OTHER = "g-1", "123456789012:ps-1", "g-2"


def wrote(value: dict[str, bool | None], began: float, ended: float, said: Any = "yes", account: str = "ada") -> Wrote:
    return Wrote(account, value, began, ended, said, "update")


def saw(values: dict[str, bool], at: float, account: str = "ada") -> Saw:
    return Saw(account, values, at, at + 0.5, "read")


BEFORE = World({"ada": {OTHER}, "bob": set()}, frozenset({("1:ps-1", "gone-long-ago")}))
CLEAN = History(
    before=BEFORE,
    after=World({"ada": {GROUP}, "cyd": {PAIR}}, BEFORE.orphans),
    wrote=(
        wrote({GROUP: True}, 1, 2),
        wrote({PAIR: True}, 3, 4),
        wrote({PAIR: False, OTHER: False}, 5, 6),
        wrote({EXISTS: True, PAIR: True}, 1, 2, account="cyd"),
        wrote({EXISTS: False}, 3, 4, account="bob"),
    ),
    saw=(
        saw({EXISTS: True, GROUP: True, PAIR: False, OTHER: True}, 2.2),
        saw({EXISTS: True, GROUP: True, PAIR: True, OTHER: True}, 4.2),
        saw({EXISTS: True, GROUP: True, PAIR: False, OTHER: False}, 6.2),
        saw({EXISTS: False}, 4.5, "bob"),
    ),
    ran=(
        Ran("op_1", "ada", "succeeded", {GROUP: True}, 2),
        Ran("op_2", "ada", "succeeded", {PAIR: True}, 4),
        Ran("op_3", "ada", "succeeded", {PAIR: False, OTHER: False}, 6),
        Ran("op_4", "bob", "succeeded", {EXISTS: False}, 4),
    ),
)


def kinds(history: History) -> set[str]:
    return {each.kind for each in violations(history)}


def after(history: History, account: str, held: Iterable[str] | None, *, orphans: Any = ()) -> History:
    accounts = {name: has for name, has in history.after.accounts.items() if name != account}
    if held is not None:
        accounts[account] = set(held)
    return replace(history, after=World(accounts, history.after.orphans | set(orphans)))


def more(history: History, *events: Wrote | Saw | Ran) -> History:
    return replace(
        history,
        wrote=(*history.wrote, *(each for each in events if isinstance(each, Wrote))),
        saw=(*history.saw, *(each for each in events if isinstance(each, Saw))),
        ran=(*history.ran, *(each for each in events if isinstance(each, Ran))),
    )


def test_a_clean_history_passes() -> None:
    assert violations(CLEAN) == []


PLANTED = {
    "a grant that is not there": (after(CLEAN, "ada", []), {"lost grant", "a record that is not so"}),
    "a revoke that did nothing": (
        replace(after(CLEAN, "ada", [GROUP, PAIR]), saw=CLEAN.saw[:2]),
        {"lost revoke", "a record that is not so"},
    ),
    "a grant that came back": (after(CLEAN, "ada", [GROUP, PAIR]), {"resurrected grant", "a record that is not so"}),
    "a user that is gone": (after(CLEAN, "cyd", None), {"lost user"}),
    "a user that was there all the time": (after(CLEAN, "ada", None), {"lost user"}),
    "a user that came back": (after(CLEAN, "bob", []), {"resurrected user", "a record that is not so"}),
    "a list without an account": (more(CLEAN, saw({EXISTS: False}, 2.5)), {"short list"}),
    "a list without a new account": (more(CLEAN, saw({EXISTS: False}, 2.5, "cyd")), {"short list"}),
    "a list without a grant": (more(CLEAN, saw({GROUP: False}, 2.5)), {"a stale answer"}),
    "a list with what was taken": (more(CLEAN, saw({PAIR: True}, 6.5)), {"a stale answer"}),
    "a list with a deleted user": (more(CLEAN, saw({EXISTS: True}, 4.5, "bob")), {"a stale answer"}),
    "a list with what nobody gave": (more(CLEAN, saw({"g-9": True}, 2.5)), {"a stale answer"}),
    "a disabled account that looks enabled": (
        replace(more(CLEAN, wrote({DISABLED: True}, 7, 8), saw({DISABLED: False}, 8.5)), disabled=frozenset({"ada"})),
        {"a stale answer"},
    ),
    "a disabled account that is not disabled": (more(CLEAN, wrote({DISABLED: True}, 7, 8)), {"lost grant"}),
    "a last list without an account": (replace(CLEAN, listed={"ada": {GROUP}}), {"a last list that is not so"}),
    "a last list without a grant": (
        replace(CLEAN, listed={"ada": set(), "cyd": {PAIR}}),
        {"a last list that is not so"},
    ),
    "an operation that never ends": (
        more(CLEAN, Ran("op_9", "ada", "accepted", {}, None)),
        {"unfinished operation"},
    ),
    "an orphan": (after(CLEAN, "cyd", [PAIR], orphans=[(PAIR, "u-bob")]), {"orphan"}),
    "a record that is not so": (
        more(CLEAN, wrote({"g-3": True}, 7, 9, "nothing"), Ran("op_9", "ada", "succeeded", {"g-3": True}, 9)),
        {"a record that is not so"},
    ),
    "a user that nobody asked for": (after(CLEAN, "eve", []), {"unasked user"}),
    "a grant that nobody asked for": (after(CLEAN, "cyd", [PAIR, "g-9"]), {"unasked grant"}),
    "an unanswered grant that comes after its operation ended and a revoke": (
        more(after(CLEAN, "ada", [GROUP, "g-3"]), wrote({"g-3": True}, 7, 8, "nothing"), wrote({"g-3": False}, 9, 10)),
        {"lost revoke"},
    ),
}


@pytest.mark.parametrize(("planted", "found"), PLANTED.values(), ids=PLANTED)
def test_what_is_planted_is_found(planted: History, found: set[str]) -> None:
    assert kinds(planted) == found


ALLOWED = {
    "an unanswered grant that happened": more(
        after(CLEAN, "ada", [GROUP, "g-3"]), wrote({"g-3": True}, 7, 8, "nothing")
    ),
    "an unanswered grant that did not": more(CLEAN, wrote({"g-3": True}, 7, 8, "nothing")),
    "an unanswered grant still at work when it was revoked": more(
        after(CLEAN, "ada", [GROUP, "g-3"]), wrote({"g-3": True}, 7, 11, "nothing"), wrote({"g-3": False}, 9, 10)
    ),
    "a list made while it was given": more(CLEAN, saw({GROUP: False}, 1.5)),
    "a restore that may give anything": replace(more(after(CLEAN, "ada", []), wrote({GROUP: None}, 7, 8)), ran=()),
    "a last list that is the truth": replace(CLEAN, listed=CLEAN.after.accounts),
    "an orphan that was named": more(
        after(CLEAN, "cyd", [PAIR], orphans=[(PAIR, "u-bob")]),
        Ran("op_9", "bob", "succeeded", {EXISTS: False}, 10, frozenset({PAIR})),
    ),
    "an orphan that was there before": CLEAN,
    "a failed step": more(CLEAN, wrote({"g-3": True}, 7, 8, "no"), Ran("op_9", "ada", "partly", {"g-3": None}, 8)),
}


@pytest.mark.parametrize("history", ALLOWED.values(), ids=ALLOWED)
def test_what_may_be_is_not_accused(history: History) -> None:
    assert violations(history) == []


def test_a_violation_tells_its_story() -> None:
    (found,) = violations(replace(after(CLEAN, "ada", []), ran=()))
    assert "ada g-1" in str(found)
    assert "1.000..2.000 True  update: yes" in str(found)
    assert "AWS says False" in str(found)
