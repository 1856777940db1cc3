"""account:list from a snapshot, account:read from AWS."""

from __future__ import annotations

from collections.abc import Iterator

from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.model import Event, ListAccounts, OneAccount
from connector.reading import deltas, views


def list_all(desk: Desk, asked: ListAccounts) -> Iterator[Event]:
    """Every account of a fresh snapshot; with a state, only what changed since its snapshot."""
    snapshot = desk.freshness.snapshot(desk.patience)
    since = deltas.of_state(desk.records, snapshot, asked.state) if asked.stateful else None
    if since is None:
        found = views.accounts(desk.source, desk.records, snapshot)
    else:
        found = deltas.accounts(desk.source, desk.records, since, snapshot)
    for account in found:
        desk.patience.check()
        yield account
    if asked.stateful:
        yield deltas.state(snapshot)


def read(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """One account, live."""
    yield Present(desk, asked.id).account()
