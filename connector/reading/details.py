"""What permission sets allow, for reviewers: description, session duration, policies.

Read from AWS by entitlement commands only, five calls a permission set, and put into the newest snapshot, so that
list and read say the same and a difference between two snapshots shows a policy that was changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from connector.errors import RetryLater
from connector.model import Fact, Pair, PermissionSet, Policies, Snapshot, Source
from connector.ports import Clock, Directory, Records
from connector.reading import facts
from connector.reading.together import together
from connector.reading.views import kinds_in
from connector.reading.work import THREADS, every

READ_AT: Final = "details read at"
"""Note in the store, by instance: JSON, when (Unix seconds) each permission set's details were read, and a digest of
what was read. A census that began before may put older details over them: these are not what was read then."""


def detailed(
    directory: Directory,
    records: Records,
    source: Source,
    clock: Clock,
    snapshot: Snapshot,
    only: str | None = None,
) -> Snapshot:
    """A snapshot with details as young as lists may be, of all its permission sets or `only` one: this one, or a newer.

    What is read goes into the newest snapshot, which may know other permission sets than `snapshot`: those that still
    lack details there are asked next. `RetryLater` when the newest one is of another configuration.
    """
    kept = _Kept(records, source, directory.instance().note(READ_AT), clock.now() - source.snapshot_max_age)
    while ask := kept.lacking(snapshot, only):
        began = clock.now()
        found = list(together(THREADS, lambda id_: asked(directory, id_), ask))
        amended = records.amend(
            source.name, snapshot.configuration, (facts.DETAILS,), {each.id: (each,) for each in found}
        )
        if amended is None:
            raise RetryLater(f"source {source.name} was read with another configuration meanwhile; ask again")
        kept.note(found, began)
        snapshot = amended
    return snapshot


def carried(records: Records, latest: Snapshot, ids: Iterable[str]) -> Iterator[Fact]:
    """Details that the next census takes over: those of permission sets that are still there."""
    there = set(ids)
    # Stores of earlier versions keep all details under one subject.
    return (replace(each, subject=each.id) for each in every(records, latest, facts.DETAILS) if each.id in there)


@dataclass
class _Kept:
    """Which details are young enough: read after `oldest`, and still what was read then."""

    records: Records
    source: Source
    key: str
    oldest: float
    """Unix seconds."""
    _young: dict[str, str] = field(default_factory=dict)
    """Digests of what this command has read itself: young however long the rest takes."""

    def lacking(self, snapshot: Snapshot, only: str | None) -> list[str]:
        """Permission sets of the snapshot whose details are missing there, or old; none where no details belong."""
        if facts.DETAILS not in kinds_in(snapshot):
            return []
        noted = self._noted()
        young = {id_: digest for id_, (at, digest) in noted.items() if at >= self.oldest} | self._young
        if only is None:
            there = {each.id: each for each in every(self.records, snapshot, facts.DETAILS)}
            wanted = sorted(_named(self.records, snapshot))
        else:
            one = self.records.one(snapshot, facts.DETAILS, only)
            there = {only: one} if one is not None else {}
            wanted = [only] if _names(self.records, snapshot, only) else []
        return [each for each in wanted if each not in there or young.get(each) != _digest(there[each])]

    def note(self, found: Iterable[Fact], at: float) -> None:
        """Remember what was read, at what time. What was noted long ago is of no more use."""
        read = {each.id: _digest(each) for each in found}
        self._young |= read
        noted = {id_: each for id_, each in self._noted().items() if each[0] >= self.oldest}
        noted |= {id_: (at, digest) for id_, digest in read.items()}
        self.records.put_note(self.source.name, self.key, json.dumps(noted))

    def _noted(self) -> dict[str, tuple[float, str]]:
        kept = json.loads(self.records.note(self.source.name, self.key) or "{}")
        return {id_: (at, digest) for id_, (at, digest) in kept.items()}


def _named(records: Records, snapshot: Snapshot) -> set[str]:
    """Permission sets of the snapshot: those of its census, and those made since, which its pairs alone name."""
    return {each.id for each in every(records, snapshot, facts.PERMISSION_SET)} | _of_pairs(records, snapshot)


def _names(records: Records, snapshot: Snapshot, id_: str) -> bool:
    known = records.one(snapshot, facts.PERMISSION_SET, id_) is not None
    return known or id_ in _of_pairs(records, snapshot)


def _of_pairs(records: Records, snapshot: Snapshot) -> set[str]:
    pairs = (Pair.parse(each.id) for each in every(records, snapshot, facts.PAIR))
    return {each.permission_set_id for each in pairs if each is not None}


def _digest(fact: Fact) -> str:
    return sha256(json.dumps(dict(fact.body), sort_keys=True).encode()).hexdigest()[:16]


def asked(directory: Directory, id_: str) -> Fact:
    """What AWS says now, five calls; empty ones when the permission set was deleted since the census."""
    return facts.of_details(
        directory.permission_set(id_) or PermissionSet(id_, ""), directory.policies(id_) or Policies()
    )
