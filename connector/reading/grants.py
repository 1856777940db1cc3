"""sso-admin's part of a census: permission sets, pairs, assignments, applications; and Organizations, for names."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from itertools import chain

from connector.errors import AskPermission
from connector.model import Assignment, Fact, Pair, Principal
from connector.ports import Directory
from connector.reading import details, facts, live, walk
from connector.reading.identities import Told
from connector.reading.principals import rows_of
from connector.reading.together import together
from connector.reading.work import THREADS, Work, every

NAMED = 20
"""How many AWS accounts or orphans a warning names; its count is exact."""


def read_aws_accounts(work: Work, pairs: Future[list[Pair]]) -> None:
    """Stage the organisation's AWS accounts; a warning when Organizations denies it, or leaves out some with pairs."""
    try:
        found = [facts.of_aws_account(each) for each in work.directory().aws_accounts()]
    except AskPermission as denied:
        # Names and State are decoration: pairs carry the ids. Said, and gone on without.
        work.warnings.append(f"AWS accounts have no names and no State: {denied}")
        return
    if not found:
        work.warnings.append("AWS accounts have no names and no State: Organizations lists none")
    work.stage(found)
    _warn_of_unlisted(work, {each.id for each in found}, work.wait_for(pairs))


def read_permission_sets(work: Work, told: Future[list[str]]) -> None:
    """Stage permission sets. Their ids are told at once: names are asked for beside everything else."""
    directory = work.directory()
    ids = list(directory.permission_set_ids())
    told.set_result(ids)
    _permission_set_names(work, directory, ids)


def read_assignments(work: Work, sets: Future[list[str]], found: Future[list[Pair]], told: Told) -> None:
    """Stage pairs, which are told at once, and assignments, by the cheaper walk."""
    directory = work.directory()
    pairs = _pairs(work, directory, work.wait_for(sets))
    found.set_result(pairs)
    users = work.at_least(told.users, lambda: len(pairs) - len(told.groups_so_far()))
    told.chosen.set()
    # The other groups are waited for only where they can tip the scales.
    known = told.groups_so_far()
    groups = _groups(work, directory, told) if len(pairs) > users + len(known) and not work.sweep else known
    choice = walk.assignments(len(pairs), users, len(groups), sweep=work.sweep)
    work.chose(choice)
    if choice.name == walk.ASSIGNMENTS_BY_PAIR:
        _by_pair(work, directory, pairs)
    elif not _by_principal(work, directory, groups, users, pairs):
        work.chose(walk.Walk(walk.ASSIGNMENTS_BY_PAIR, len(pairs), "principals took more pages than that"))
        _by_pair(work, directory, pairs)


def read_applications(work: Work) -> None:
    """Stage applications and who they are assigned to."""
    directory = work.directory()
    applications = list(directory.applications())
    work.stage(facts.of_application(each) for each in applications)
    asked = together(THREADS, lambda each: list(directory.application_assignments(each)), applications)
    work.stage(facts.of_application_assignment(row) for rows in asked for row in rows)


def _permission_set_names(work: Work, directory: Directory, ids: list[str]) -> None:
    """Names never change (UpdatePermissionSet has none to give), so only those not yet known are asked for."""
    latest = work.latest(directory.instance())
    known: dict[str, Fact] = {}
    if latest is not None:
        kept = every(work.records, latest, facts.PERMISSION_SET)
        known = {each.id: each for each in kept}
        work.stage(details.carried(work.records, latest, ids))
    work.stage(known[each] for each in ids if each in known)
    asked = together(THREADS, directory.permission_set, [each for each in ids if each not in known])
    work.stage(facts.of_permission_set(found) for found in asked if found is not None)


def _pairs(work: Work, directory: Directory, permission_sets: list[str]) -> list[Pair]:
    work.chose(walk.pairs(len(permission_sets)))

    def ask(id_: str) -> list[Pair]:
        return [Pair(each, id_) for each in directory.aws_accounts_of(id_)]

    return sorted(set(chain.from_iterable(together(THREADS, ask, permission_sets))))


def _warn_of_unlisted(work: Work, listed: set[str], pairs: list[Pair]) -> None:
    """Name the AWS accounts with pairs that Organizations, where it lists any, does not list."""
    missing = sorted({each.aws_account_id for each in pairs} - listed) if listed else []
    if missing:
        named = ", ".join(missing[:NAMED]) + (", …" if len(missing) > NAMED else "")
        work.warnings.append(
            f"{len(missing)} AWS accounts with pairs have no names and no State: Organizations does not list {named}"
        )


def _groups(work: Work, directory: Directory, told: Told) -> tuple[str, ...]:
    """Principals beside the users: also where nobody wants to see groups, pairs say how many hold them."""
    known = work.wait_for(told.groups)
    return tuple(each.id for each in directory.groups()) if known is None else known


def _by_pair(work: Work, directory: Directory, pairs: list[Pair]) -> None:
    def of_assignments() -> Iterator[Fact]:
        for rows in together(THREADS, lambda pair: list(directory.assignments_of_pair(pair)), pairs):
            for row in rows:
                work.principals.add(row.principal)
                yield facts.of_assignment(row)

    # Not the pairs alone: while others have the store, nothing would be asked of AWS.
    work.stage(chain(map(facts.of_pair, pairs), of_assignments()))


def _by_principal(work: Work, directory: Directory, groups: tuple[str, ...], users: int, pairs: list[Pair]) -> bool:
    """Users, then every group itself.

    A user's rows repeat those of its groups, but prove nothing about them: a member who leaves while he is asked takes
    them along, the last one all of them.
    False when it turned out dearer than asking every pair; what was staged until then is true all the same.
    """

    def ask(principal: Principal) -> tuple[Principal, list[Assignment]]:
        return principal, rows_of(directory, principal, lambda: directory.assignments_of(principal))

    known = set(pairs)
    work.stage(map(facts.of_pair, pairs))
    dearer = mixed = False

    def of_rows(asked: Principal, rows: list[Assignment]) -> Iterator[Fact]:
        for row in rows:
            if row.principal != asked:
                continue
            if row.pair not in known:  # provisioned since pairs were asked for
                yield facts.of_pair(row.pair)
            yield facts.of_assignment(row)

    def of_users() -> Iterator[Fact]:
        nonlocal dearer, mixed
        calls = 0
        asked_for = (Principal("USER", each.id) for each in work.staged(facts.USER))
        for answered, (asked, rows) in enumerate(together(THREADS, ask, asked_for), start=1):
            calls += walk.pages(len(rows))
            dearer = walk.dearer(answered, calls, users, len(pairs))
            if dearer:
                return
            mixed = mixed or any(row.principal.type == "GROUP" for row in rows)
            yield from of_rows(asked, rows)

    work.stage(of_users())
    if dearer:
        return False
    if mixed:
        live.note_group_rows(directory, work.records, work.source)
    answers = together(THREADS, ask, (Principal("GROUP", each) for each in groups))
    work.stage(chain.from_iterable(of_rows(asked, rows) for asked, rows in answers))
    work.warnings.append("assignments were read by principal: orphans are those of the last sweep by pair")
    return True
