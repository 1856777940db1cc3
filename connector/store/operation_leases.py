"""Who owns an operation: its row is locked, given to an owner, and written to only under that owner's fence.

Called inside the transactions of `operations` and `publications`, never opening one. A lease that ran out still counts
while nobody else took the operation: nothing can have come between.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, exists, select, update

from connector.errors import RetryLater
from connector.model import Operation
from connector.store.ledgers import ended, operation, unfinished


def lock(connection: Connection, *where: ColumnElement[bool]) -> Row[Any] | None:
    """The operation's row, ours until the transaction ends, if it is still so once whoever writes to it is done."""
    return connection.execute(select(operation).where(*where).with_for_update()).one_or_none()


def take(connection: Connection, id_: str, owner: str, until: float) -> None:
    """Give a locked operation to a new owner; the old one's fence is used up."""
    connection.execute(
        update(operation)
        .where(operation.c.id == id_)
        .values(fence=operation.c.fence + 1, lease_owner=owner, lease_until=until)
    )


def write(connection: Connection, mine: Operation, **columns: Any) -> bool:
    """Change the row of one who still owns it; False when it was taken over, or has ended."""
    held = and_(operation.c.id == mine.id, operation.c.fence == mine.fence, unfinished)
    return connection.execute(update(operation).where(held).values(columns)).rowcount == 1


def hold(connection: Connection, mine: Operation) -> bool:
    """Keep others from taking an operation over until the transaction ends; False when it was, or has ended."""
    return write(connection, mine, fence=mine.fence)


def ended_by(connection: Connection, mine: Operation) -> bool:
    """Whether this very owner has ended it."""
    this = and_(operation.c.id == mine.id, operation.c.fence == mine.fence, ended)
    return bool(connection.execute(select(exists().where(this))).scalar())


def abandoned(now: float) -> Select[Any]:
    """The id of the unfinished operation, the oldest, whose lease has run out."""
    return (
        select(operation.c.id).where(unfinished, operation.c.lease_until <= now).order_by(operation.c.number).limit(1)
    )


def lost(mine: Operation) -> RetryLater:
    """What an owner hears that was too slow."""
    return RetryLater(f"Another process took over operation {mine.id}; try again to hear how it ends.", after=5)
