"""account:list from a snapshot, account:read from AWS."""

from __future__ import annotations

from collections.abc import Iterator

from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.model import Event, ListAccounts, OneAccount
from connector.reading import views


def list_all(desk: Desk, asked: ListAccounts) -> Iterator[Event]:
    """Every account of a fresh snapshot."""
    snapshot = desk.freshness.snapshot(desk.patience)
    for account in views.accounts(desk.source, desk.records, snapshot):
        desk.patience.check()
        yield account


def read(desk: Desk, asked: OneAccount) -> Iterator[Event]:
    """One account, live."""
    yield Present(desk, asked.id).account()
