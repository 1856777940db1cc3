"""One renderer dresses an account, whoever asked and wherever its facts came from. Pure, but for names looked up."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from connector import attributes
from connector.model import Account, Fact, Refusal, Source, User, Values
from connector.reading import facts
from connector.reading.catalogue import Catalogue

KIND_OF = {
    attributes.GROUP.name: facts.MEMBERSHIP,
    attributes.ASSIGNMENT.name: facts.ASSIGNMENT,
    attributes.APPLICATION.name: facts.APPLICATION_ASSIGNMENT,
}
"""Kind of facts that says who holds an entitlement of a type."""

Held = Mapping[str, Collection[str]]
"""Ids that a user holds directly, by kind of fact."""


@dataclass(frozen=True, slots=True)
class PassedOn:
    """What one group passes on to its members."""

    held: Held
    """Ids by kind of fact."""
    readable: tuple[str, ...]
    """`AdministratorAccess on Data (123456789012) via Admins`"""


def passed_on(assignments: Iterable[Fact], names: Catalogue) -> dict[str, PassedOn]:
    """What each group passes on, by group id, from assignment facts of every kind; those of users are left out."""
    through: dict[str, list[Fact]] = defaultdict(list)
    for fact in assignments:
        if fact.body.get("type") == "GROUP":
            through[fact.subject].append(fact)
    return {group: _passed_on(group, found, names) for group, found in through.items()}


def account(
    source: Source,
    kinds: Collection[str],
    user: User,
    held: Held,
    through: Mapping[str, PassedOn],
    names: Catalogue,
    refusals: tuple[Refusal, ...] = (),
) -> Account:
    """An account from its user, what it holds, and what its groups pass on. `kinds` are the kinds that were read."""
    lists: dict[str, Values] = {}
    inherited: list[str] = []
    passed = [through[each] for each in held.get(facts.MEMBERSHIP, ()) if each in through]
    for type_ in attributes.ENTITLEMENT_TYPES.values():
        kind = KIND_OF[type_.name]
        if not source.has(type_.name) or kind not in kinds:
            continue  # not read: absent, never empty
        lists[type_.attribute] = tuple(sorted(set(held.get(kind, ()))))
        if type_.inherited is not None and source.inherited == "full":
            inherited.append(type_.inherited)
            lists[type_.inherited] = tuple(sorted({id_ for each in passed for id_ in each.held.get(kind, ())}))
    if inherited:
        lists[attributes.INHERITED_ACCESS] = tuple(sorted({text for each in passed for text in each.readable}))
    # In the table's order: the store forgets any other, and the same account reads the same everywhere.
    scalars = {name: user.attributes[name] for name in attributes.BY_NAME if name in user.attributes}
    return Account(user.id, user.disabled, {**scalars, **lists}, refusals)


def _passed_on(group: str, found: Iterable[Fact], names: Catalogue) -> PassedOn:
    held: dict[str, list[str]] = defaultdict(list)
    readable = []
    for fact in found:
        held[fact.kind].append(fact.held)
        what = names.pair(fact.held) if fact.kind == facts.ASSIGNMENT else names.application(fact.held)
        readable.append(f"{what} via {names.group(group)}")
    return PassedOn(dict(held), tuple(readable))
