"""Lists a page at a time: the same snapshots and the same accounts and entitlements as the list commands show.

A first page takes a fresh snapshot, made now when there is none; the pages after it stay with it, so that one walk
shows one snapshot whatever changes meanwhile. A full page is always followed by another, which may be empty.
"""

from __future__ import annotations

from itertools import islice
from typing import Final

from connector import attributes
from connector.commands.desk import Desk
from connector.commands.entitlements import snapshot_of
from connector.errors import CursorExpired, EntitlementNotFound
from connector.model import Account, Entitlement, Lane, Page, Place, Since, Snapshot, Source
from connector.reading import deltas, facts
from connector.reading.lists import Lists

UNCERTAIN: Final = 24 * 3600.0
"""Seconds before a date from which everything is told: a date says neither which snapshot its caller saw, nor how long
the caller took to read it, nor, in IdentityIQ's form, in which time zone it is meant."""


def accounts(desk: Desk, lists: Lists, limit: int, place: Place | None = None, since: Since | None = None) -> Page:
    """A page of accounts, by UserId. `since` on the first page alone: only what changed, if that can be told."""
    if place is None:
        snapshot = desk.freshness.snapshot(desk.patience)
        place = _start(desk, snapshot, since)
    else:
        snapshot = _kept(desk, place.snapshot)
    if not place.base:
        users = desk.records.page(snapshot, facts.USER, place.after, limit)
        dresser = lists.dresser(desk.source, desk.records, snapshot)
        return _page(
            snapshot, place, tuple(dresser.dress(users, gapless=True)), limit, None if place.base is None else ""
        )
    base = snapshot if place.base == snapshot.number else _kept(desk, place.base)
    delta = lists.delta(desk.source, desk.records, base, snapshot, exact=place.exact)
    return _page(snapshot, place, tuple(islice(delta.accounts(place.after), limit)), limit, base.id)


def entitlements(desk: Desk, lists: Lists, type_: str, limit: int, place: Place | None = None) -> Page:
    """A page of entitlements of one type, by id."""
    check_type(desk.source, type_)
    if place is None:
        snapshot = snapshot_of(desk, type_, Lane.CENSUS)
        place = Place(snapshot.number)
    else:
        snapshot = _kept(desk, place.snapshot)
    shelf = lists.shelf(desk.source, desk.records, snapshot)
    return _page(snapshot, place, tuple(islice(shelf.all(type_, place.after), limit)), limit)


def check_type(source: Source, type_: str) -> None:
    """`EntitlementNotFound` for a type that the source does not have: there it is absent, like anything in it."""
    if not source.has(type_) or type_ not in attributes.ENTITLEMENT_TYPES:
        enabled = ", ".join(source.entitlement_types)
        raise EntitlementNotFound(
            f"source {source.name} has no entitlement type {type_[:60]!r}; it has {enabled} (setting entitlement_types)"
        )


def _start(desk: Desk, snapshot: Snapshot, since: Since | None) -> Place:
    """The first place of a walk; from the beginning of a whole list when `since` is unknown or too long ago."""
    if since is None:
        return Place(snapshot.number)
    number = since.snapshot.partition("-")[0]
    if since.moment is not None:
        known = since.moment <= desk.clock.now() + UNCERTAIN
        found = desk.records.snapshot_at(desk.source.name, since.moment - UNCERTAIN) if known else None
        number = str(found.number) if found is not None else ""
    base = deltas.base(desk.records, snapshot, {deltas.SNAPSHOT: number})
    if base is None or (since.moment is None and base.id != since.snapshot):
        return Place(snapshot.number, base=0)
    return Place(snapshot.number, base=base.number, exact=since.moment is None)


def _kept(desk: Desk, number: int) -> Snapshot:
    """The snapshot of a walk that goes on; `CursorExpired` when it is swept, or of another configuration."""
    found = desk.records.snapshot(desk.source.name, number)
    if found is None or found.summary.get("fingerprint") != desk.freshness.fingerprint:
        raise CursorExpired(f"Snapshot {number} of source {desk.source.name} is not kept any more; start again.")
    return found


def _page(
    snapshot: Snapshot,
    place: Place,
    items: tuple[Account, ...] | tuple[Entitlement, ...],
    limit: int,
    since: str | None = None,
) -> Page:
    following = Place(place.snapshot, items[-1].id, place.base, place.exact) if len(items) == limit else None
    return Page(snapshot, items, following, since)
