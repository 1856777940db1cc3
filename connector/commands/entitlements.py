"""entitlement:list and entitlement:read, from a snapshot with the details of permission sets."""

from __future__ import annotations

from collections.abc import Iterator

from connector import attributes
from connector.changing.planning import malformed
from connector.commands.desk import Desk
from connector.errors import EntitlementNotFound, FixRequest
from connector.model import Event, Lane, ListEntitlements, OneEntitlement, Pair, Snapshot
from connector.reading import deltas
from connector.reading.details import detailed
from connector.reading.entitlements import Shelf
from connector.reading.single import Single


def list_all(desk: Desk, asked: ListEntitlements) -> Iterator[Event]:
    """Every entitlement of one type; with a state, only what changed since its snapshot."""
    snapshot = snapshot_of(desk, asked.type, Lane.CENSUS)
    since = deltas.of_state(desk.records, snapshot, asked.state) if asked.stateful else None
    if since is None:
        found = Shelf(desk.source, desk.records, snapshot).all(asked.type)
    else:
        found = deltas.entitlements(desk.source, desk.records, since, snapshot, asked.type)
    for entitlement in found:
        desk.patience.check()
        yield entitlement
    if asked.stateful:
        yield deltas.state(snapshot)


def read(desk: Desk, asked: OneEntitlement) -> Iterator[Event]:
    """One entitlement, as the list shows it; `EntitlementNotFound` when AWS says that it is gone."""
    type_ = attributes.ENTITLEMENT_TYPES.get(asked.type)
    if type_ is not None and desk.source.has(asked.type) and malformed(type_.attribute, asked.id):
        raise EntitlementNotFound(f"there is no {type_.label} {asked.id[:60]!r}")
    pair = Pair.parse(asked.id)
    snapshot = snapshot_of(desk, asked.type, Lane.LIVE, pair.permission_set_id if pair is not None else "")
    yield Single(desk.source, desk.records, snapshot, desk.directory(Lane.LIVE)).read(asked.type, asked.id)


def check_id(type_: str, id_: str) -> None:
    """`FixRequest` for what can be no id of the type, in capital letters or small ones.

    Not "not found": that is what many a client takes for taken away, and something else was meant.
    """
    kind = attributes.ENTITLEMENT_TYPES[type_]
    if malformed(kind.attribute, id_.lower()):
        raise FixRequest(f"{id_[:60]!r} is not the id of a {kind.label}.")


def snapshot_of(desk: Desk, type_: str, lane: Lane, only: str | None = None) -> Snapshot:
    """A fresh snapshot that shows the type: with details of all permission sets, or of `only` one."""
    snapshot = desk.freshness.snapshot(desk.patience)
    if type_ != attributes.ASSIGNMENT.name:
        return snapshot
    with desk.details:
        return detailed(desk.directory(lane), desk.records, desk.source, desk.clock, snapshot, only)
