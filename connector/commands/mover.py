"""account:update: Add, Set and Remove on any writable attribute."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from connector.commands.carrying import carry_out, refusals
from connector.commands.desk import Desk
from connector.commands.present import Present
from connector.model import ChangeAccount, Done, Event, Lane


def update(desk: Desk, asked: ChangeAccount) -> Iterator[Event]:
    """The account as read back, with what failed; `{}` when nothing had to change."""
    carried = carry_out(desk, Present(desk, asked.id, Lane.CHANGE), asked.changes)
    if not carried.changed:
        yield Done()
    else:
        yield replace(carried.account, refusals=refusals(carried.outcomes))
