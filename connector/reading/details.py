"""What permission sets allow, for reviewers: description, session duration, policies.

Read from AWS by entitlement commands only, five calls a permission set, and put into the newest snapshot, so that
list and read say the same and a difference between two snapshots shows a policy that was changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

from connector.model import Fact, PermissionSet, Policies, Snapshot, Source
from connector.ports import Clock, Directory, Records
from connector.reading import facts
from connector.reading.together import together
from connector.reading.work import THREADS, every

READ_AT: Final = "details read at"
"""Note in the store: JSON, when (Unix seconds) each permission set's details were read."""


def detailed(
    directory: Directory,
    records: Records,
    source: Source,
    clock: Clock,
    snapshot: Snapshot,
    only: str | None = None,
) -> Snapshot:
    """A snapshot with details as young as lists may be, of all permission sets or `only` one: this one, or a newer."""
    kept = {each.id: each for each in every(records, snapshot, facts.DETAILS)}
    read_at: dict[str, float] = json.loads(records.note(source.name, READ_AT) or "{}")
    known = (each.id for each in every(records, snapshot, facts.PERMISSION_SET))
    oldest = clock.now() - source.snapshot_max_age
    ask = [
        each
        for each in known
        if (only is None or each == only) and (each not in kept or read_at.get(each, 0.0) < oldest)
    ]
    if not ask:
        return snapshot
    for each in together(THREADS, lambda id_: _ask(directory, id_), ask):
        kept[each.id] = each
        read_at[each.id] = clock.now()
    amended = records.amend(source.name, facts.CATALOGUE, (facts.DETAILS,), kept.values())
    records.put_note(source.name, READ_AT, json.dumps(read_at))
    return amended or snapshot


def carried(records: Records, latest: Snapshot, ids: Iterable[str]) -> Iterable[Fact]:
    """Details that the next census takes over: those of permission sets that are still there."""
    there = set(ids)
    return (each for each in every(records, latest, facts.DETAILS) if each.id in there)


def _ask(directory: Directory, id_: str) -> Fact:
    """Empty ones when the permission set was deleted since the census."""
    return facts.of_details(
        directory.permission_set(id_) or PermissionSet(id_, ""), directory.policies(id_) or Policies()
    )
