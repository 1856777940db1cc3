"""From what is asked and what is there to the steps between. Pure: nothing is asked of AWS here.

Every refusal comes before the first step, so a request that is wrong anywhere changes nothing. Changes are applied in
their order to a copy of the account; the steps are the difference, which makes every plan safe to replay. Some things
are more than the difference: what is named to be taken is taken, whether the account shows it or not, and what is named
to be given is given again where it is known to go (`Unsettled`). A reading can lag behind AWS, and a revoke that is
answered without being made is lost; so is a grant. So an attribute is set again that was set to something else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Final

from connector import attributes
from connector.errors import InvalidAttribute
from connector.model import APPLICATION_ID, RESOURCE_ID, Account, Change, Op, Pair, Source, Step, Verb

GIVE = {
    attributes.GROUP.attribute: Verb.JOIN,
    attributes.ASSIGNMENT.attribute: Verb.ASSIGN,
    attributes.APPLICATION.attribute: Verb.ADMIT,
}
"""What gives an entitlement, by the account attribute that holds it."""
TAKE = {
    attributes.GROUP.attribute: Verb.LEAVE,
    attributes.ASSIGNMENT.attribute: Verb.UNASSIGN,
    attributes.APPLICATION.attribute: Verb.EXPEL,
}
"""What takes one away."""
_SHAPES: Final[Mapping[str, tuple[Callable[[str], object], str]]] = {
    attributes.GROUP.attribute: (RESOURCE_ID.match, "the id of a group (not its name)"),
    attributes.ASSIGNMENT.attribute: (Pair.parse, "the id of a permission set assignment, <AWS account id>:<ps-…>"),
    attributes.APPLICATION.attribute: (APPLICATION_ID.match, "the id of an application, apl-…"),
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in the order they are done: attributes, then what is taken, then what is given."""

    attributes: Step | None = None
    take: tuple[Step, ...] = ()
    give: tuple[Step, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        """All of them."""
        first = (self.attributes,) if self.attributes is not None else ()
        return (*first, *self.take, *self.give)


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What a reading may not show yet: entitlement ids by account attribute, and values of attributes."""

    given: Mapping[str, Set[str]] = field(default_factory=dict)
    """There, though it may not be listed."""
    taken: Mapping[str, Set[str]] = field(default_factory=dict)
    """Gone, or going, though it may be listed."""
    attributes: Mapping[str, str | None] = field(default_factory=dict)
    """As they are, though the account may show something else."""

    def also_given(self, attribute: str, ids: Set[str]) -> Unsettled:
        """With these; an empty id names nothing that could be taken."""
        return replace(self, given={**self.given, attribute: (ids - {""}) | self.given.get(attribute, frozenset())})

    def also_taken(self, attribute: str, ids: Set[str]) -> Unsettled:
        """With these."""
        return replace(self, taken={**self.taken, attribute: ids | self.taken.get(attribute, frozenset())})


SETTLED: Final = Unsettled()
"""There is no such thing."""


@dataclass
class _Wanted:
    """The account as it should be, so far."""

    scalars: dict[str, str | None]
    lists: dict[str, list[str]] = field(default_factory=dict)
    named: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Ids that were named to be taken, or may be there and were not named to stay, by account attribute."""
    again: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Ids that were named to be there, and go."""
    unsettled: set[str] = field(default_factory=set)
    """Attributes that were named, and have lately been set to something else than is wanted, whatever shows."""


def plan(source: Source, account: Account, changes: Sequence[Change], unsettled: Unsettled = SETTLED) -> Plan:
    """Steps that bring `account` where `changes` want it. Raises `InvalidAttribute` before anything is decided."""
    wanted = _Wanted({name: value for name, value in account.attributes.items() if isinstance(value, str)})
    enabled = [each for each in attributes.ENTITLEMENT_TYPES.values() if source.has(each.name)]
    for type_ in enabled:
        wanted.lists[type_.attribute] = list(_listed(account, type_.attribute))
    for change in changes:
        _apply(source, account, wanted, change, unsettled)
    return Plan(_attribute_step(account, wanted), *_entitlement_steps(account, wanted, enabled))


def malformed(attribute: str, value: str) -> str:
    """Why `value` can be no id of what the account attribute holds; empty when it can be one."""
    matches, expected = _SHAPES[attribute]
    return "" if matches(value) else f"{value!r} in {attribute} is no id: expected {expected}"


def revoked(kept: Mapping[str, Sequence[str]], changes: Sequence[Change]) -> Mapping[str, Sequence[str]]:
    """Ids that the changes do not want the account to have, among those `kept` to be given back (both by attribute).

    Named by a Remove, or not named by a Set. Capital letters name no other thing. What a later change of the same
    request adds again is given by the plan, and need not be kept.
    """
    gone: dict[str, list[str]] = defaultdict(list)
    for change in changes:
        if change.op is Op.ADD or change.values is None:
            continue
        named = {each.casefold() for each in change.values}
        gone[change.attribute] += [
            each for each in kept.get(change.attribute, ()) if (each.casefold() in named) is (change.op is Op.REMOVE)
        ]
    return gone


def already(account: Account, changes: Sequence[Change], attribute: str) -> bool:
    """Whether any of the changes wants something to be there, in `attribute`, that the account shows."""
    shown = {each.casefold() for each in _listed(account, attribute)}
    wanted = (each for each in changes if each.op is not Op.REMOVE and each.attribute == attribute)
    return any(value.casefold() in shown for change in wanted for value in change.values or ())


def unseen(account: Account, steps: Iterable[Step]) -> list[Step]:
    """Those that take what the account does not show."""
    shown = {attribute: set(_listed(account, attribute)) for attribute in TAKE}
    return [each for each in steps if each.verb.gives is False and each.value not in shown[each.attribute]]


def new_attributes(source: Source, given: Mapping[str, str | tuple[str, ...]]) -> dict[str, str]:
    """Attributes of a user to be created, checked: known, writable, complete; displayName defaults to the full name."""
    scalars: dict[str, str] = {}
    for name, value in given.items():
        if _type_of(source, name) is not None:
            continue
        row = _row(name)
        if not row.writable:
            raise InvalidAttribute(f"attribute {name} is read-only: Identity Center sets it itself")
        text = _single(name, value if isinstance(value, tuple) else (value,))
        if text:
            scalars[name] = _checked(row, text)
    if "displayName" not in scalars and "givenName" in scalars and "familyName" in scalars:
        scalars["displayName"] = f"{scalars['givenName']} {scalars['familyName']}"
    missing = [row.name for row in attributes.SCALARS if row.required and row.name not in scalars]
    if missing:
        # displayName is never missing alone: it is made of the names.
        needed = ", ".join(each for each in missing if each != "displayName")
        default = " (displayName is made of both names, unless it is given)" if "displayName" in missing else ""
        raise InvalidAttribute(f"a user needs {needed}{default}")
    return scalars


def new_entitlements(source: Source, given: Mapping[str, str | tuple[str, ...]]) -> list[Change]:
    """The entitlement attributes of a create, as changes."""
    changes = []
    for name, value in given.items():
        values = tuple(each for each in ((value,) if isinstance(value, str) else value) if each)
        if _type_of(source, name) is not None and values:
            changes.append(Change(Op.ADD, name, values))
    return changes


def _apply(source: Source, account: Account, wanted: _Wanted, change: Change, unsettled: Unsettled) -> None:
    if _type_of(source, change.attribute) is not None:
        _apply_to_list(wanted, change, unsettled)
    elif change.attribute in _read_only_lists():
        _ignore_or_refuse(change, _listed(account, change.attribute))
    else:
        row = _row(change.attribute)
        current = account.attributes.get(row.name)
        if not row.writable:
            _ignore_or_refuse(change, (current,) if isinstance(current, str) else ())
        else:
            _apply_to_scalar(wanted, row, change, unsettled)


def _apply_to_list(wanted: _Wanted, change: Change, unsettled: Unsettled) -> None:
    held = wanted.lists[change.attribute]
    if change.values is None:
        # "Set to null" could mean "take everything": a missing value must never do that. An empty array may.
        raise InvalidAttribute(f"{change.op.value} of {change.attribute} needs a value: name what to change")
    given = unsettled.given.get(change.attribute, frozenset())
    as_held = {each.casefold(): each for each in (*given, *held)}  # capital letters name no other thing
    values = [as_held.get(each.casefold(), each) for each in change.values]
    if change.op is Op.REMOVE:
        taken = set(values)
        for each in sorted(taken.difference(held)):
            if why := malformed(change.attribute, each):
                raise InvalidAttribute(why)
        wanted.named[change.attribute] |= taken
        wanted.lists[change.attribute] = [each for each in held if each not in taken]
        return
    wanted.again[change.attribute] |= unsettled.taken.get(change.attribute, frozenset()) & set(values)
    if change.op is Op.SET:
        wanted.named[change.attribute] |= given
    kept = held if change.op is Op.ADD else []
    wanted.lists[change.attribute] = list(dict.fromkeys((*kept, *values)))


def _apply_to_scalar(wanted: _Wanted, row: attributes.Attribute, change: Change, unsettled: Unsettled) -> None:
    text = _single(row.name, change.values or ())
    if change.op is Op.REMOVE:
        if text and wanted.scalars.get(row.name) != text:
            return
        text = ""
    elif change.op is Op.ADD and not text:
        raise InvalidAttribute(f"Add of {row.name} needs a value")
    if not text and row.required:
        raise InvalidAttribute(f"attribute {row.name} cannot be cleared: Identity Center requires it")
    wanted.scalars[row.name] = _checked(row, text) if text else None
    if (unsettled.attributes.get(row.name, text) or "") == text:
        wanted.unsettled.discard(row.name)
    else:
        wanted.unsettled.add(row.name)


def _ignore_or_refuse(change: Change, current: Iterable[str]) -> None:
    """Provisioning forms send read-only attributes back unchanged or null; anything else is a mistake."""
    asked = {each for each in change.values or () if each}
    if asked and asked != set(current):
        raise InvalidAttribute(f"attribute {change.attribute} is read-only")


def _attribute_step(account: Account, wanted: _Wanted) -> Step | None:
    changed = {
        name: value
        for name, value in wanted.scalars.items()
        if (value or None) != account.attributes.get(name) or name in wanted.unsettled
    }
    if not changed:
        return None
    return Step(Verb.SET_ATTRIBUTES, ", ".join(sorted(changed)), attributes=changed)


def _entitlement_steps(
    account: Account, wanted: _Wanted, enabled: Iterable[attributes.EntitlementType]
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    take: list[Step] = []
    give: list[Step] = []
    for type_ in enabled:
        held = set(_listed(account, type_.attribute))
        final = set(wanted.lists[type_.attribute])
        taken = (held | wanted.named[type_.attribute]) - final
        take += [Step(TAKE[type_.attribute], type_.attribute, value) for value in sorted(taken)]
        given = final - (held - wanted.again[type_.attribute])
        give += [Step(GIVE[type_.attribute], type_.attribute, value) for value in sorted(given)]
    return tuple(take), tuple(give)


def _type_of(source: Source, name: str) -> attributes.EntitlementType | None:
    """The enabled entitlement type behind an attribute name; a type that is not enabled is refused by its setting."""
    type_ = attributes.of_attribute(name)
    if type_ is not None and not source.has(type_.name):
        raise InvalidAttribute(
            f"attribute {name} is not part of source {source.name}: entitlement type {type_.name} is not enabled "
            "(setting entitlement_types)"
        )
    return type_


def _row(name: str) -> attributes.Attribute:
    row = attributes.BY_NAME.get(name)
    if row is None:
        raise InvalidAttribute(attributes.unknown(name, attributes.ORDER))
    return row


def _read_only_lists() -> set[str]:
    inherited = {each.inherited for each in attributes.ENTITLEMENT_TYPES.values() if each.inherited is not None}
    return inherited | {attributes.INHERITED_ACCESS}


def _listed(account: Account, name: str) -> tuple[str, ...]:
    value = account.attributes.get(name, ())
    return value if isinstance(value, tuple) else (value,)


def _single(name: str, values: Sequence[str]) -> str:
    if len(values) > 1:
        raise InvalidAttribute(f"attribute {name} takes one value, not {len(values)}")
    return values[0] if values else ""


def _checked(row: attributes.Attribute, text: str) -> str:
    if len(text) > row.max_length:
        raise InvalidAttribute(f"attribute {row.name} takes at most {row.max_length} characters, not {len(text)}")
    return text
