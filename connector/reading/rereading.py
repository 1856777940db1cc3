"""What a census reads again before it is published: accounts that changed meanwhile, and those of which AWS's lists
contradict a change of ours that AWS acknowledged (`claims`).

An account is asked for live, and nothing of an older snapshot takes the place of an answer. Where AWS contradicts us
even then, what we did counts for a minute, but as doubted; after that AWS is believed: somebody else changed it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import structlog

from connector.errors import AccountNotFound
from connector.lag import OUTWEIGHS, RECENT
from connector.model import Fact, Instance, Lane, Pair
from connector.reading import claims, facts, live
from connector.reading.claims import Claim, Claims
from connector.reading.together import together
from connector.reading.work import THREADS, Work

log = structlog.get_logger(__name__)


def read_again(
    work: Work, instance: Instance, kinds: tuple[str, ...], changed: Collection[str], seen: int, elapsed: float
) -> bool:
    """Read the `changed` accounts again, and those of which what is staged contradicts us. Whether a doubt is left.

    What a change read back after the mark `seen` takes the place of what is staged anyhow, and contradicts nothing.
    Lists were asked for during the last `elapsed` seconds: what ended before may be missing in the first of them.
    """
    settled = work.records.read_back(work.source.name, seen)
    known: dict[str, list[Claim]] = defaultdict(list)
    for each in claims.of(work.recent(instance.arn, RECENT + elapsed), kinds).values():
        known[each.fact.subject].append(each)
    unsettled = [each for each in chain(*known.values()) if each.fact.subject not in settled.get(each.kind, ())]
    contradicted = {each.fact.subject for each in _contradicted(work, unsettled)}
    lately = list(work.recent(instance.arn, OUTWEIGHS))
    again = _Again(work, instance, kinds, known, claims.of(lately, kinds), work.stripped())
    doubts = list(together(THREADS, again.read, sorted(contradicted.union(changed))))
    return any(doubts) or claims.unnamed(lately)


def _contradicted(work: Work, known: Iterable[Claim]) -> list[Claim]:
    by_kind: dict[str, list[Claim]] = defaultdict(list)
    for each in known:
        by_kind[each.fact.kind].append(each)
    found = []
    for kind, some in by_kind.items():
        if kind == claims.ATTRIBUTE:
            users = {each.fact.subject for each in some}
            staged = {(each.kind, each.id): each for each in work.records.staged_among(work.census, facts.USER, users)}
            found += [each for each in some if not claims.met(each, staged)]
            continue
        there = work.are_staged(kind, [each.fact.id for each in some])
        found += [each for each in some if (each.fact.id in there) is not each.there]
    return found


@dataclass(frozen=True, slots=True)
class _Again:
    work: Work
    instance: Instance
    kinds: tuple[str, ...]
    known: Mapping[str, Sequence[Claim]]
    """By account."""
    outweighing: Claims
    """Those that also count for more than a live answer."""
    stripped: Collection[str]
    """Who our journal says is disabled. Who is from now on is changed meanwhile, and marked."""

    def read(self, account: str) -> bool:
        """Stage the account as AWS has it now. Whether that leaves a doubt about what we did to it."""
        work = self.work
        mine = self.known.get(account, ())
        user = next((each for each in mine if each.fact.kind == facts.USER), None)
        try:
            found = live.read(
                work.directories.open(work.source, Lane.LIVE, work.patience()),
                work.records,
                work.source,
                account,
                stripped=account in self.stripped,
            ).facts
        except AccountNotFound:
            if user is not None and user.there and self._outweighs(user):
                self._keep(account, mine)
                return True
            log.info("an account was deleted", source=work.source.name, account=account)
            return self._without(account, mine)
        if user is not None and not user.there and self._outweighs(user):
            self._without(account, mine)
            return True
        return self._settle(account, mine, found)

    def _without(self, account: str, mine: Iterable[Claim]) -> bool:
        """Stage that there is no such user. Whether AWS still lists for him what it took from him a moment ago.

        It keeps the assignments of a user who is deleted, but for those that were taken first (aws-behaviour 23).
        """
        self._stage(account, (), (facts.USER, facts.MEMBERSHIP))
        listed = [each for each in _contradicted(self.work, mine) if each.certain and not each.there]
        kept = [each for each in listed if self._outweighs(each)]
        for each in kept:
            self.work.records.unstage(self.work.census, each.fact.kind, [each.fact.id])
        return bool(kept)

    def _settle(self, account: str, mine: Iterable[Claim], found: Iterable[Fact]) -> bool:
        """Stage what was found as our claims want it. Whether they wanted anything else."""
        staged = {(each.kind, each.id): each for each in found if each.kind in self.kinds}
        doubted = False
        for each in mine:
            if claims.met(each, staged) or each.fact.kind == facts.USER:
                continue
            if not each.certain:
                # AWS goes on with an assignment for minutes; all else it does at once.
                doubted |= each.fact.kind == facts.ASSIGNMENT or self._outweighs(each)
            elif self._outweighs(each):
                log.warning("AWS does not show our change", source=self.work.source.name, fact=each.fact.id)
                doubted = True
                if each.fact.kind == claims.ATTRIBUTE:
                    user = facts.USER, account
                    staged[user] = claims.applied(each, staged[user])
                elif not each.there:
                    del staged[each.name]
                elif self._can_be_held(each.fact):
                    staged[each.name] = each.fact
        self._stage(account, staged.values())
        return doubted

    def _stage(self, account: str, found: Collection[Fact], about: Iterable[str] = facts.ABOUT_A_USER) -> None:
        read = [kind for kind in about if kind in self.kinds]
        self.work.records.restage(self.work.census, account, read, found)
        self._provision(found)

    def _provision(self, found: Iterable[Fact]) -> None:
        """A first assignment provisions its pair."""
        given = (Pair.parse(each.held) for each in found if each.kind == facts.ASSIGNMENT)
        self.work.stage(facts.of_pair(pair) for pair in given if pair is not None)

    def _keep(self, account: str, mine: Iterable[Claim]) -> None:
        """Of a user that we made a moment ago and AWS does not find: what the census has, what we know, and its name.

        The name is as our own change read it back.
        """
        work, latest = self.work, self.work.latest(self.instance)
        given = [
            each.fact for each in _contradicted(work, mine) if each.there and each.certain and self._outweighs(each)
        ]
        found = [each for each in given if each.kind in facts.ABOUT_A_USER[1:] and self._can_be_held(each)]
        if latest is not None and any(each.kind == facts.USER for each in given):
            name = work.records.one(latest, facts.USER, account)
            found += [name] if name is not None else []
        work.stage(found)
        self._provision(found)

    def _outweighs(self, claim: Claim) -> bool:
        return self.outweighing.get(claim.name) == claim

    def _can_be_held(self, fact: Fact) -> bool:
        """Whether the census has what is held: who deleted it has revoked it as well."""
        pair = Pair.parse(fact.held)
        kind, id_ = {
            facts.MEMBERSHIP: (facts.GROUP, fact.held),
            facts.APPLICATION_ASSIGNMENT: (facts.APPLICATION, fact.held),
            facts.ASSIGNMENT: (facts.PERMISSION_SET, pair.permission_set_id if pair is not None else ""),
        }[fact.kind]
        return id_ in self.work.are_staged(kind, [id_])
