"""Judges a history: pure, and it shares nothing with the service.

Every account is a set of registers: one for each entitlement, one for the user itself. Changes write them, answers and
the world show them. A value may be shown when some change could have left it: none that was acknowledged began after
that one had ended and was over before the value was shown. That is a regular register (Lamport 1986): changes that
overlap may come in either order, changes that were never answered may have happened or not.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tests.chaos.history import DISABLED, EXISTS, History, Ran, Saw, World

NEVER = -math.inf


@dataclass(frozen=True, order=True)
class Violation:
    """Something that must not be."""

    kind: str
    account: str
    value: str
    story: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.account} {self.value}\n{self.story}"


@dataclass(frozen=True)
class _Write:
    value: bool | None
    began: float
    ended: float
    sure: bool
    what: str


Registers = dict[tuple[str, str], list[_Write]]


def violations(history: History) -> list[Violation]:
    """Everything that is wrong; none for a run in which nothing was."""
    registers = _registers(history)
    found = [
        *_unfinished(history.ran),
        *_shown(registers, history.saw, history.before),
        *_final(registers, history),
        *_recorded(history),
        *_listed(history),
        *_orphans(history),
    ]
    return sorted(set(found))


def _registers(history: History) -> Registers:
    registers: Registers = defaultdict(list)
    for account, held in history.before.accounts.items():
        registers[account, EXISTS].append(_Write(True, NEVER, NEVER, True, "was there"))
        for each in held:
            registers[account, each].append(_Write(True, NEVER, NEVER, True, "was held"))
    for wrote in history.wrote:
        for name, value in wrote.values.items():
            write = _Write(value, wrote.began, wrote.ended, wrote.said == "yes", f"{wrote.what}: {wrote.said}")
            registers[wrote.account, name].append(write)
    return registers


def _allowed(writes: Sequence[_Write], value: bool, began: float, ended: float) -> bool:
    """Whether a register may show the value between two times."""
    nothing = _Write(False, NEVER, NEVER, True, "was not")
    candidates = writes if any(each.ended == NEVER for each in writes) else [nothing, *writes]
    for each in candidates:
        if each.value is not None and each.value is not value:
            continue
        over = (later for later in candidates if later.sure and later.began > each.ended and later.ended < began)
        if each.began <= ended and not any(over):
            return True
    return False


def _shown(registers: Registers, saw: Iterable[Saw], before: World) -> Iterator[Violation]:
    """What answers showed: lists are never short, and show what was acknowledged."""
    for each in saw:
        for name, value in each.values.items():
            writes = registers.get((each.account, name), [])
            if not _allowed(writes, value, each.began, each.ended):
                kind = "short list" if name == EXISTS and not value else "a stale answer"
                story = _story(writes, f"{each.what} showed {value} at {each.began:.3f}..{each.ended:.3f}")
                yield Violation(kind, each.account, name, story)


def _final(registers: Registers, history: History) -> Iterator[Violation]:
    """What is in AWS once all is over."""
    for (account, name), writes in registers.items():
        held = history.after.accounts.get(account)
        if name != EXISTS and held is None:
            continue  # a user that is gone holds nothing; whether it may be gone is asked of the user
        value = _true(history, account, name)
        if not _allowed(writes, value, math.inf, math.inf):
            yield Violation(_kind(history, account, name, value), account, name, _story(writes, f"AWS says {value}"))
    known = {account for account, _ in registers}
    for account in set(history.after.accounts) - known:
        yield Violation("unasked user", account, EXISTS, "nobody asked for it")
    for account, held in history.after.accounts.items():
        for name in held:
            if (account, name) not in registers and account in known:
                yield Violation("unasked grant", account, name, "nobody asked for it")


def _true(history: History, account: str, name: str) -> bool:
    held = history.after.accounts.get(account)
    if name == DISABLED:
        return account in history.disabled
    return held is not None and (name == EXISTS or name in held)


def _kind(history: History, account: str, name: str, value: bool) -> str:
    if name == EXISTS:
        return "resurrected user" if value else "lost user"
    if not value:
        return "lost grant"
    taken = max(each.ended for each in history.wrote if each.account == account and each.values.get(name) is False)
    gone = any(
        each.account == account and each.values.get(name) is False and each.began > taken for each in history.saw
    )
    return "resurrected grant" if gone else "lost revoke"


def _unfinished(ran: Iterable[Ran]) -> Iterator[Violation]:
    for each in ran:
        if each.ended is None or each.state == "accepted":
            yield Violation("unfinished operation", each.account, each.id, f"still {each.state}")


def _recorded(history: History) -> Iterator[Violation]:
    """What the service's own records say last of a value is what AWS says: nothing unknown stays unknown."""
    last: dict[tuple[str, str], tuple[Ran, bool | None]] = {}
    for each in history.ran:
        for name, value in each.outcomes.items():
            last[each.account, name] = (each, value)
    for (account, name), (ran, value) in last.items():
        held = history.after.accounts.get(account)
        true = _true(history, account, name)
        if value is not None and value is not true and not (name != EXISTS and held is None):
            story = f"  operation {ran.id} ended as {ran.state} and recorded {value}; AWS says {true}"
            yield Violation("a record that is not so", account, name, story)


def _listed(history: History) -> Iterator[Violation]:
    """The list that is made when all is over is the truth."""
    if history.listed is None:
        return
    after = history.after.accounts
    for account in sorted(after.keys() | history.listed.keys()):
        shown, true = history.listed.get(account), after.get(account)
        if shown != true:
            yield Violation("a last list that is not so", account, "", f"  it shows {shown}; AWS says {true}")


def _orphans(history: History) -> Iterator[Violation]:
    said = {pair for each in history.ran for pair in each.leftovers}
    for pair, principal in history.after.orphans - history.before.orphans:
        if pair not in said:
            yield Violation("orphan", principal, pair, "an assignment outlived its user, and nobody said so")


def _story(writes: Sequence[_Write], ending: str) -> str:
    lines = [
        f"  {each.began:.3f}..{each.ended:.3f} {each.value!s:5} {each.what}"
        for each in sorted(writes, key=lambda each: each.began)
    ]
    return "\n".join([*lines[-12:], f"  {ending}"])
