"""What AWS has to list, or not to list any more, by what we did ourselves: from operations to facts. Pure.

Only what AWS acknowledged is certain. What an operation still under way has begun says nothing: that operation tells
lists itself how it ended.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from connector.model import (
    ApplicationAssignment,
    Assignment,
    Fact,
    Membership,
    Operation,
    Pair,
    Principal,
    Step,
    Verb,
)
from connector.reading import facts

DELETE = "std:account:delete"


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact about an account, which has to be there, or to be gone."""

    fact: Fact
    """Of a user no more than its id."""
    there: bool
    certain: bool = True
    """Else AWS may do it yet, or never."""

    @property
    def name(self) -> tuple[str, str]:
        """Kind and id."""
        return self.fact.kind, self.fact.id


Claims = dict[tuple[str, str], Claim]
"""By name."""


def of(operations: Iterable[Operation], kinds: Collection[str]) -> Claims:
    """The last word on each fact of `kinds`, of operations in the order in which they were accepted."""
    found: Claims = {}
    for operation in operations:
        for each in operation.steps:
            fact = _about(operation.account, each.step)
            if fact is None or fact.kind not in kinds or not each.may_be_done:
                continue
            if each.certain or operation.ended_at is not None:
                found[fact.kind, fact.id] = Claim(fact, each.step.verb.gives is not False, each.certain)
            else:
                found.pop((fact.kind, fact.id), None)
        if operation.command == DELETE and operation.state == "succeeded":
            gone = Claim(_user(operation.account), there=False)
            left = {name: each for name, each in found.items() if each.fact.subject != operation.account}
            found = {**left, gone.name: gone}
    return found


def unnamed(operations: Iterable[Operation]) -> bool:
    """Whether a create ended of which nobody knows if it made a user, and which."""
    return any(
        each.step.verb is Verb.CREATE and not each.certain
        for operation in operations
        if operation.ended_at is not None and not operation.account
        for each in operation.steps
    )


def _user(id_: str) -> Fact:
    return Fact(facts.USER, id_, subject=id_)


def _about(account: str, step: Step) -> Fact | None:
    """The fact that a step makes, or unmakes."""
    me = Principal("USER", account)
    if not account:
        return None
    if step.verb is Verb.CREATE:
        return _user(account)
    if step.verb in (Verb.JOIN, Verb.LEAVE):
        return facts.of_membership(Membership(step.value, account, ""))
    if step.verb in (Verb.ADMIT, Verb.EXPEL):
        return facts.of_application_assignment(ApplicationAssignment(step.value, me))
    pair = Pair.parse(step.value) if step.verb in (Verb.ASSIGN, Verb.UNASSIGN) else None
    return None if pair is None else facts.of_assignment(Assignment(pair, me))
