"""What permission sets allow, for reviewers: description, session duration, policies.

Read from AWS by entitlement commands only, five calls a permission set, and kept in the store's notes as long as a
snapshot may answer lists, so that list and read say the same and nobody asks twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from connector.model import PermissionSet, Policies, Source
from connector.ports import Clock, Directory, Records
from connector.reading.together import together
from connector.reading.work import THREADS


@dataclass(frozen=True, slots=True)
class Details:
    """A permission set and its policies; both empty when it was deleted since the census."""

    permission_set: PermissionSet
    policies: Policies


def details(
    directory: Directory, records: Records, source: Source, clock: Clock, ids: Iterable[str]
) -> Mapping[str, Details]:
    """Details of the permission sets, by id."""
    found: dict[str, Details] = {}
    wanted = sorted(set(ids))
    for id_ in wanted:
        kept = _kept(records, source, clock, id_)
        if kept is not None:
            found[id_] = kept
    for each in together(THREADS, lambda id_: _ask(directory, id_), [id_ for id_ in wanted if id_ not in found]):
        found[each.permission_set.id] = each
        records.put_note(source.name, _key(each.permission_set.id), _written(each, clock.now()))
    return found


def _ask(directory: Directory, id_: str) -> Details:
    return Details(
        directory.permission_set(id_) or PermissionSet(id_, ""),
        directory.policies(id_) or Policies(),
    )


def _key(id_: str) -> str:
    return f"details of {id_}"


def _written(details: Details, now: float) -> str:
    return json.dumps({"at": now, **asdict(details)})


def _kept(records: Records, source: Source, clock: Clock, id_: str) -> Details | None:
    note = records.note(source.name, _key(id_))
    if note is None:
        return None
    kept = json.loads(note)
    if clock.now() - kept["at"] > source.snapshot_max_age:
        return None
    policies = kept["policies"]
    return Details(
        PermissionSet(**kept["permission_set"]),
        Policies(
            tuple(policies["managed"]), tuple(policies["customer_managed"]), policies["inline"], policies["boundary"]
        ),
    )
