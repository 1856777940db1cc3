"""What AWS has to list, or not to list any more, by what we did ourselves: from operations to facts. Pure.

Only what AWS acknowledged is certain. What an operation still under way has begun says nothing: that operation tells
lists itself how it ended.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from connector import attributes
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
ATTRIBUTE = "attribute"
"""Kind of a claim about one attribute of a user: its name in the body, its value held, empty where it was cleared."""


@dataclass(frozen=True, slots=True)
class Claim:
    """One fact about an account, which has to be there, or to be gone."""

    fact: Fact
    """Of a user no more than its id."""
    there: bool
    certain: bool = True
    """Else AWS may do it yet, or never."""

    @property
    def kind(self) -> str:
        """Of the fact that shows it."""
        return facts.USER if self.fact.kind == ATTRIBUTE else self.fact.kind

    @property
    def name(self) -> tuple[str, str]:
        """Kind and id."""
        return self.fact.kind, self.fact.id


Claims = dict[tuple[str, str], Claim]
"""By name."""


def of(operations: Iterable[Operation], kinds: Collection[str]) -> Claims:
    """The last word on each fact of `kinds`, of operations in the order in which they were accepted."""
    found: dict[str, Claims] = defaultdict(dict)
    for operation in operations:
        mine = found[operation.account]
        for each in operation.steps:
            if not each.may_be_done:
                continue
            for name in _along(each.step):
                mine.pop((ATTRIBUTE, f"{operation.account}/{name}"), None)
            for fact in _about(operation.account, each.step):
                claim = Claim(fact, each.step.verb.gives is not False, each.certain)
                if claim.kind not in kinds:
                    continue
                if each.certain or operation.ended_at is not None:
                    mine[claim.name] = claim
                else:
                    mine.pop(claim.name, None)
        if operation.command == DELETE and operation.state == "succeeded":
            # Nothing has to be there any more. What was taken before is gone all the same.
            taken = {name: each for name, each in mine.items() if each.certain and not each.there}
            gone = Claim(_user(operation.account), there=False)
            found[operation.account] = {**taken, gone.name: gone}
    return {name: each for mine in found.values() for name, each in mine.items()}


def met(claim: Claim, found: Mapping[tuple[str, str], Fact]) -> bool:
    """Whether what was found of its account, by kind and id, is as it has to be."""
    if claim.fact.kind != ATTRIBUTE:
        return (claim.name in found) is claim.there
    user = found.get((facts.USER, claim.fact.subject))
    if user is None:
        return True  # that it is missing is another claim's affair
    value = facts.user(user).attributes.get(str(claim.fact.body["name"]), "")
    # AWS may normalise what it is given.
    return value.strip().casefold() == claim.fact.held.strip().casefold()


def applied(claim: Claim, user: Fact) -> Fact:
    """The user with the attribute as it has to be."""
    found = facts.user(user)
    changed = {**found.attributes, str(claim.fact.body["name"]): claim.fact.held}
    return facts.of_user(replace(found, attributes={name: value for name, value in changed.items() if value}))


def unnamed(operations: Iterable[Operation]) -> bool:
    """Whether a create ended of which nobody knows if it made a user, and which."""
    return any(
        each.step.verb is Verb.CREATE and not each.certain
        for operation in operations
        if operation.ended_at is not None and not operation.account
        for each in operation.steps
    )


def _along(step: Step) -> Iterator[str]:
    """Attributes that may go along with those that a step clears: an e-mail address takes its type with it."""
    cleared = {name for name, value in step.attributes.items() if not value}
    for block in attributes.BLOCKS.values():
        if any(each.name in cleared for each in block):
            yield from (each.name for each in block if each.name not in step.attributes)


def _user(id_: str) -> Fact:
    return Fact(facts.USER, id_, subject=id_)


def _about(account: str, step: Step) -> Iterator[Fact]:
    """The facts that a step makes, or unmakes."""
    me = Principal("USER", account)
    if not account:
        return
    if step.verb is Verb.CREATE:
        yield _user(account)
    elif step.verb is Verb.SET_ATTRIBUTES:
        for name, value in step.attributes.items():
            yield Fact(ATTRIBUTE, f"{account}/{name}", account, value or "", {"name": name})
    elif step.verb in (Verb.JOIN, Verb.LEAVE):
        yield facts.of_membership(Membership(step.value, account, ""))
    elif step.verb in (Verb.ADMIT, Verb.EXPEL):
        yield facts.of_application_assignment(ApplicationAssignment(step.value, me))
    elif (pair := Pair.parse(step.value)) is not None:
        yield facts.of_assignment(Assignment(pair, me))
