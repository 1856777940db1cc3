"""One account read from AWS now: the user, its memberships, its assignments, its applications.

The answer is facts like a census's, so that one renderer dresses both, plus what the user's groups hold. AWS mixes
group rows into a user's assignments but does not promise it (aws-behaviour 22): until a source has shown it once,
every group is asked as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain

from connector import attributes
from connector.errors import AskPermission, NotFoundInAws
from connector.model import ApplicationAssignment, Assignment, Fact, Pair, Principal, Source, User
from connector.ports import Directory, Records
from connector.reading import facts
from connector.reading.principals import rows_of
from connector.reading.together import together
from connector.reading.work import THREADS

GROUP_ROWS = "group rows are listed for users"
APPLICATION_GROUP_ROWS = "application group rows are listed for users"


@dataclass(frozen=True, slots=True)
class Live:
    """An account as AWS has it now."""

    user: User
    facts: tuple[Fact, ...]
    """About the user: the user itself, memberships, direct assignments of every kind."""
    through_groups: tuple[Fact, ...]
    """Assignments of every kind of the user's groups."""
    kinds: tuple[str, ...]
    """Kinds about a user that were read."""
    application_arns: Mapping[str, str] = field(default_factory=dict)
    """ARNs of the applications met, by id."""


def note_group_rows(directory: Directory, records: Records, source: Source, note: str = GROUP_ROWS) -> None:
    """Remember that the source's instance lists group rows for users. Another instance proves nothing."""
    records.put_note(source.name, directory.instance().note(note), "seen")


def _group_rows_listed(directory: Directory, records: Records, source: Source, seen: bool, note: str) -> bool:
    """Whether it does: they are `seen` now, or were before."""
    if records.note(source.name, directory.instance().note(note)) == "seen":
        return True
    if seen:
        note_group_rows(directory, records, source, note)
    return seen


def read(directory: Directory, records: Records, source: Source, user_id: str, *, stripped: bool) -> Live:
    """The account, or `AccountNotFound` when AWS says the user does not exist.

    `stripped`: our own journal says that it is disabled.
    """
    user = replace(directory.user(user_id), stripped=stripped)
    try:
        return _held(directory, records, source, user)
    except NotFoundInAws:
        directory.user(user_id)  # says so when the user was deleted while we read
        raise


def _held(directory: Directory, records: Records, source: Source, user: User) -> Live:
    about: list[Fact] = [facts.of_user(user)]
    through: list[Fact] = []
    kinds = [facts.USER]
    groups: list[str] = []
    arns: dict[str, str] = {}
    if source.has(attributes.GROUP.name) or source.inherited == "full":
        memberships = [facts.of_membership(each) for each in directory.memberships(user.id)]
        groups = [each.held for each in memberships]
        about += memberships
        kinds.append(facts.MEMBERSHIP)
    if source.has(attributes.ASSIGNMENT.name) and directory.instance().multi_account:
        kinds.append(facts.ASSIGNMENT)
        for row in _assignments(directory, records, source, user.id, groups):
            (about if row.principal.type == "USER" else through).append(facts.of_assignment(row))
    if source.has(attributes.APPLICATION.name):
        kinds.append(facts.APPLICATION_ASSIGNMENT)
        for given in _applications(directory, records, source, user.id, groups):
            arns[given.application_id] = given.application_arn
            (about if given.principal.type == "USER" else through).append(facts.of_application_assignment(given))
    return Live(user, tuple(about), tuple(through), tuple(kinds), arns)


def _assignments(
    directory: Directory, records: Records, source: Source, user_id: str, groups: list[str]
) -> Iterator[Assignment]:
    """Direct ones, and those of `groups` where the source wants inherited access."""
    me = Principal("USER", user_id)
    wanted = set(groups) if source.inherited == "full" else set()
    try:
        rows = list(directory.assignments_of(me))
    except AskPermission:
        yield from _by_pair(directory, me, wanted)
        return
    yield from (row for row in rows if row.principal == me)
    of_groups = [row for row in rows if row.principal.type == "GROUP"]
    inherited = {row for row in of_groups if row.principal.id in wanted}
    if not _group_rows_listed(directory, records, source, bool(of_groups), GROUP_ROWS) and wanted:
        asked = [Principal("GROUP", each) for each in sorted(wanted)]
        for found in together(
            THREADS, lambda each: rows_of(directory, each, lambda: directory.assignments_of(each)), asked
        ):
            inherited.update(row for row in found if row.principal.id in wanted)
    yield from sorted(inherited)


def _by_pair(directory: Directory, me: Principal, groups: set[str]) -> Iterator[Assignment]:
    """Where asking by principal is denied: every provisioned pair is asked who holds it.

    Which pairs there are is asked as well. Those of the last census would not do: what was provisioned since would look
    as if nobody had it.
    """
    wanted = {me, *(Principal("GROUP", each) for each in groups)}
    permission_sets = list(directory.permission_set_ids())
    pairs = chain.from_iterable(
        together(THREADS, lambda id_: [Pair(each, id_) for each in directory.aws_accounts_of(id_)], permission_sets)
    )
    for found in together(THREADS, lambda pair: list(directory.assignments_of_pair(pair)), pairs):
        yield from (row for row in found if row.principal in wanted)


def _applications(
    directory: Directory, records: Records, source: Source, user_id: str, groups: list[str]
) -> Iterator[ApplicationAssignment]:
    me = Principal("USER", user_id)
    wanted = set(groups) if source.inherited == "full" else set()
    rows = set(directory.application_assignments_of(me))
    mixed = any(row.principal.type == "GROUP" for row in rows)
    if not _group_rows_listed(directory, records, source, mixed, APPLICATION_GROUP_ROWS) and wanted:
        for group in (Principal("GROUP", each) for each in sorted(wanted)):
            rows.update(rows_of(directory, group, partial(directory.application_assignments_of, group)))
    for row in sorted(rows):
        if row.principal == me or row.principal.id in wanted:
            yield row
