"""One complete read of a source: asks AWS, writes facts, publishes them together or not at all.

Users, groups and memberships come from the Identity Store (`identities`), permission sets, pairs, assignments and
applications from sso-admin (`grants`), names and State of AWS accounts from Organizations. They are read side by
side, each at its own pace. A question that stays unanswered ends the census: nothing here ever shortens a list.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from functools import partial
from typing import Final

import structlog

from connector import attributes
from connector.errors import RetryLater
from connector.lease import kept
from connector.model import RESOURCE_ID, Instance, Pair, Principal, PrincipalType, Snapshot, Source
from connector.ports import Clock
from connector.reading import facts, grants, identities, rereading
from connector.reading.principals import exists
from connector.reading.together import together
from connector.reading.work import THREADS, Abandoned, Work

log = structlog.get_logger(__name__)

ROUNDS: Final = 3
"""Times that a census reads accounts again which were changed meanwhile, before it leaves the rest to the next list."""


def kinds_of(source: Source, instance: Instance) -> tuple[str, ...]:
    """Kinds of facts a census of this source reads. What is not read is absent, never empty."""
    read = [facts.USER]
    if source.has(attributes.GROUP.name) or source.inherited == "full":
        read += [facts.GROUP, facts.MEMBERSHIP]
    if source.has(attributes.ASSIGNMENT.name) and instance.multi_account:
        read += [facts.PERMISSION_SET, facts.DETAILS, facts.AWS_ACCOUNT, facts.PAIR, facts.ASSIGNMENT]
    if source.has(attributes.APPLICATION.name):
        read += [facts.APPLICATION, facts.APPLICATION_ASSIGNMENT]
    return tuple(read)


def make(work: Work, clock: Clock, fingerprint: str) -> Snapshot:
    """Read everything and publish it. Raises the first failure, after every thread has stopped.

    `fingerprint` names the configuration the facts were read with.
    """
    with kept(f"census of {work.source.name}", partial(work.records.renew, work.census), work.failed.set):
        return _make(work, clock, fingerprint)


def _make(work: Work, clock: Clock, fingerprint: str) -> Snapshot:
    started = clock.monotonic()
    before = dict(work.directories.calls(work.source))
    instance = work.directory().instance()
    kinds = kinds_of(work.source, instance)
    _warn_of_limits(work, instance)
    _read_services(work, kinds)
    doubted = rereading.read_again(work, instance, kinds, (), work.census.mark, clock.monotonic() - started)
    orphans, swept = _orphans(work, kinds, instance, clock)
    calls = {name: count - before.get(name, 0) for name, count in work.directories.calls(work.source).items()}
    snapshot = _publish(
        work,
        instance,
        kinds,
        {
            "fingerprint": fingerprint,
            "instance": instance.arn,
            "kinds": list(kinds),
            "owned": instance.owned,
            # An organisation instance belongs to the management account (aws-behaviour 15).
            "management": instance.management or instance.owner or "",
            "orphans": orphans,
            "swept": swept,
            "walks": work.walks,
            "by_pair": work.by_pair,
            "calls": {name: count for name, count in calls.items() if count},
            "seconds": round(clock.monotonic() - started, 3),
            "warnings": work.warnings,
        },
        doubted,
        lambda: clock.monotonic() - started,
    )
    log.info(
        "census published",
        source=work.source.name,
        snapshot=snapshot.number,
        calls=sum(calls.values()),
        seconds=snapshot.summary["seconds"],
        walks=work.walks,
        warnings=work.warnings,
    )
    return snapshot


def _warn_of_limits(work: Work, instance: Instance) -> None:
    if not instance.multi_account and work.source.has(attributes.ASSIGNMENT.name):
        work.warnings.append(
            "this instance has no permission sets (an account instance, or one without multi-account permissions): "
            "only users and groups are read"
        )
    if not instance.owned:
        work.warnings.append(owned_elsewhere(instance))


def owned_elsewhere(instance: Instance) -> str:
    """What a caller that is not the instance's owner has to know. Test-connection says it in the same words, once."""
    return (
        f"we call from AWS account {instance.caller}, the instance belongs to {instance.owner}: access to the "
        "management account may be invisible and cannot be changed from here: no Set, disable or delete takes it away"
    )


def _read_services(work: Work, kinds: tuple[str, ...]) -> None:
    told = identities.Told()
    permission_sets: Future[list[str]] = Future()
    pairs: Future[list[Pair]] = Future()
    tasks: list[Callable[[], None]] = [
        lambda: identities.read_users(work, told),
        lambda: identities.read_groups(work, kinds, told),
    ]
    if facts.ASSIGNMENT in kinds:
        tasks.append(lambda: grants.read_aws_accounts(work, pairs))
        tasks.append(lambda: grants.read_permission_sets(work, permission_sets))
        tasks.append(lambda: grants.read_assignments(work, permission_sets, pairs, told))
    else:
        told.chosen.set()
    if facts.APPLICATION in kinds:
        tasks.append(lambda: grants.read_applications(work))
    _side_by_side(work, tasks)


def _side_by_side(work: Work, tasks: list[Callable[[], None]]) -> None:
    failures: list[BaseException] = []

    def run(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as failure:
            failures.append(failure)
            work.failed.set()

    threads = [threading.Thread(target=run, args=(task,), name="census", daemon=True) for task in tasks]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    if work.failed.is_set():
        told = (each for each in failures if not isinstance(each, Abandoned))
        # Nobody has anything to tell where it is the lease that was lost.
        raise next(told, RetryLater("another process took over the reading of this source; try again"))


def _orphans(work: Work, kinds: tuple[str, ...], instance: Instance, clock: Clock) -> tuple[list[str], float]:
    """Assignments whose principal AWS says no longer exists, and when they were looked for (Unix seconds, 0 for never).

    Proved by Describe, not by absence from a list.
    """
    if facts.ASSIGNMENT not in kinds:
        return [], 0.0
    if not work.by_pair:
        return _known_orphans(work, instance)
    unlisted = _unlisted(work, "USER", facts.USER)
    if facts.GROUP in kinds:
        unlisted |= _unlisted(work, "GROUP", facts.GROUP)
    directory = work.directory()
    asked = together(THREADS, lambda each: (each, exists(directory, each)), unlisted)
    absent = {each for each, there in asked if not there}
    theirs = work.records.staged_about(work.census, facts.ASSIGNMENT, {each.id for each in absent}) if absent else ()
    given = ((facts.principal(each), each.held) for each in theirs)
    orphans = sorted(f"{pair} of {each.type} {each.id}" for each, pair in given if each in absent)
    if orphans:
        named = ", ".join(orphans[: grants.NAMED]) + (", …" if len(orphans) > grants.NAMED else "")
        belong = "1 assignment belongs" if len(orphans) == 1 else f"{len(orphans)} assignments belong"
        work.warnings.append(f"{belong} to principals that no longer exist: {named}")
    return orphans, clock.now()


def _unlisted(work: Work, type_: PrincipalType, kind: str) -> set[Principal]:
    """Principals of one type that assignments name and the list of them does not."""
    named = {each.id: each for each in work.principals if each.type == type_}
    return {named[each] for each in named.keys() - work.are_staged(kind, named)}


def _known_orphans(work: Work, instance: Instance) -> tuple[list[str], float]:
    """Those the last reading by pair found, and when: a reading by principal cannot see any."""
    latest = work.latest(instance)
    told = latest.summary.get("orphans") if latest else None
    return [str(each) for each in told] if isinstance(told, list) else [], swept_at(latest)


def swept_at(snapshot: Snapshot | None) -> float:
    """When its assignments, or those it took its orphans from, were last read by pair; Unix seconds, 0 for never."""
    told = snapshot.summary.get("swept") if snapshot is not None else None
    return float(told) if isinstance(told, (int, float)) else 0.0


def _publish(
    work: Work,
    instance: Instance,
    kinds: tuple[str, ...],
    summary: Mapping[str, object],
    doubted: bool,
    elapsed: Callable[[], float],
) -> Snapshot:
    """Publish. Our own changes are never undone by a list: what we changed meanwhile is as its change read it back.

    Where no snapshot of ours has that, ours is laid out for them to be put on top. Accounts changed before are read
    again, and so is what contradicts our changes then; however many changes there are meanwhile, nobody reads after
    them, nor for long after those that could not be read back. What stays doubtful (or is `doubted`), the next list
    asks anew.
    """
    seen, rounds = work.census.mark, 0
    while (
        snapshot := work.records.publish(
            work.census, kinds, _told(summary, doubted), seen, despite_doubts=rounds >= ROUNDS
        )
    ) is None:
        rounds += 1
        before, seen = seen, work.records.lay_out(work.census, kinds, summary)
        _, changed = work.records.marks(work.source.name, before)
        log.info("accounts were changed while the census ran", source=work.source.name, accounts=len(changed))
        accounts = [each for each in changed if RESOURCE_ID.match(each)]
        doubted |= rereading.read_again(work, instance, kinds, accounts, seen, elapsed())
        # Somebody may have been made whom nobody knows, after the users were read.
        doubted |= "" in changed
    return snapshot


def _told(summary: Mapping[str, object], doubted: bool) -> Mapping[str, object]:
    return {**summary, "doubted": True} if doubted else summary
