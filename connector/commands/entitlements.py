"""entitlement:list and entitlement:read, from a snapshot and the details of permission sets."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from connector.commands.desk import Desk
from connector.model import Event, Lane, ListEntitlements, OneEntitlement
from connector.reading import details
from connector.reading.entitlements import Shelf


def list_all(desk: Desk, asked: ListEntitlements) -> Iterator[Event]:
    """Every entitlement of one type."""
    for entitlement in _shelf(desk, Lane.CENSUS).all(asked.type):
        desk.patience.check()
        yield entitlement


def read(desk: Desk, asked: OneEntitlement) -> Iterator[Event]:
    """One entitlement, as the list shows it."""
    yield _shelf(desk, Lane.LIVE).one(asked.type, asked.id)


def _shelf(desk: Desk, lane: Lane) -> Shelf:
    def ask(ids: Iterable[str]) -> Mapping[str, details.Details]:
        return details.details(desk.directory(lane), desk.records, desk.source, desk.clock, ids)

    return Shelf(desk.source, desk.records, desk.freshness.snapshot(desk.patience), ask)
