"""Operations: changes made durable, each with an owner for as long as it shows signs of life (`ports.Operations`).

Operations are accepted one at a time, whatever their sources, so their numbers are the order in which they became
visible: two sources may serve one instance, and an account is the same account in both. After that only the operation's
own row is locked: whoever writes to it names its fence, and one whose operation was taken over is refused. Nothing here
knows what a command does.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Connection, FromClause, and_, exists, insert, or_, select, update

from connector.errors import CallUs
from connector.model import Operation, OperationState, Recorded
from connector.store.database import Database
from connector.store.facts import storable
from connector.store.ledgers import ended, operation, operation_head, unfinished
from connector.store.names import Names
from connector.store.operation_keys import DAY, Keys
from connector.store.operation_leases import abandoned, ended_by, lock, lost, take, write
from connector.store.operation_rows import PROJECTION, STEPS, check, dump, dump_steps, of_row

CREATE: Final = "std:account:create"

_this = operation.alias("this")
_other = operation.alias("other")


def _on_the_same(one: FromClause) -> ColumnElement[bool]:
    """Whether `_other` is on the same subject: of one turn in one source, or with one account, once a create knows its.

    A user's id is one user's, whatever the source. A userName is somebody else's in another identity store.
    """
    turn = and_(_other.c.source == one.c.source, _other.c.turn == one.c.turn)
    return or_(turn, and_(one.c.account != "", _other.c.account == one.c.account))


_joinable: Final = and_(
    unfinished,
    ~exists().where(_other.c.number > operation.c.number, _on_the_same(operation)),
)
"""Unfinished, and the last that was accepted on its subject: what came after it may undo what it does, and who asks for
the same once more wants that undone again. So at most one of a content, as those are of one turn."""


class Operations:
    """Operations of all sources."""

    def __init__(self, database: Database, sources: Names) -> None:
        self._database = database
        self._sources = sources
        self._keys = Keys(database)

    def accept(
        self,
        source: str,
        command: str,
        turn: str,
        account: str,
        caller: str,
        content: str,
        key: str,
        asked: Mapping[str, object],
        owner: str,
        lease: float,
        begin: Callable[[], None] = lambda: None,
    ) -> tuple[Operation, bool]:
        """The operation for this wish, and whether this owner is to run it (`ports.Operations.accept`)."""
        wish = {
            "command": check("command", command),
            "turn": check("turn", turn),
            "account": check("account", account),
            "caller": check("caller", caller),
            "content": check("content", content),
            "key": check("key", key),
            "asked": dump(asked),
        }
        number = self._sources.make(source)
        with self._database.writing() as connection:
            # Held until this one shows: nobody sees one that is accepted later before it.
            accepted = int(connection.execute(select(operation_head.c.number).with_for_update()).scalar_one())
            begin()
            now = self._database.now(connection)
            known = self._keys.operation(connection, number, caller, key, now) if key else None
            found = lock(connection, operation.c.id == known) if known else None
            if found is None:
                found = lock(connection, operation.c.source == number, operation.c.content == content, _joinable)
            if found is None:
                mine, id_ = True, _new(connection, number, accepted + 1, wish, owner, now, now + lease)
            else:
                mine, id_ = found.ended_at is None and found.content == content and found.lease_until <= now, found.id
                if mine:
                    take(connection, id_, owner, now + lease)
            if key and known != id_:
                self._keys.put(connection, number, caller, key, id_, now)
            return _read(connection, id_), mine

    def operation(self, id: str) -> Operation | None:
        """As it stands now."""
        if not storable(id):
            return None
        with self._database.reading() as connection:
            row = connection.execute(PROJECTION.where(operation.c.id == id)).one_or_none()
        return None if row is None else of_row(row)

    def turn_come(self, operation: Operation) -> bool:
        """Whether every operation on the same subject that was accepted before this one has ended."""
        # Each waits for lower numbers only, so that no two wait for each other.
        earlier = and_(_other.c.ended_at.is_(None), _on_the_same(_this), _other.c.number < _this.c.number)
        return not self._is_there(operation, earlier)

    def later_on(self, operation: Operation) -> bool:
        """Whether any operation with the same account, which is known, was accepted after this one."""
        later = and_(_other.c.account == _this.c.account, _this.c.account != "", _other.c.number > _this.c.number)
        return self._is_there(operation, later)

    def recent(self, account: str | None, seconds: float) -> Sequence[Operation]:
        """Those with the account, or any, that go on, or ended so many seconds ago at most, as they were accepted.

        Without what was asked and answered.
        """
        wanted = STEPS.order_by(operation.c.number)
        if account is not None:
            wanted = wanted.where(operation.c.account == account)
        with self._database.reading() as connection:
            since = self._database.now(connection) - seconds
            # Each half has an index of its own, which says in the same words what is in it.
            lately = or_(unfinished, and_(ended, operation.c.ended_at >= since))
            return [of_row(row) for row in connection.execute(wanted.where(lately))]

    def created(self, source: str, content: str) -> Operation | None:
        """The newest create of this content that ended well, or partly, within 24 h and knows its account."""
        number = self._sources.find(source)
        if number is None or not storable(content):
            return None
        with self._database.reading() as connection:
            row = connection.execute(
                PROJECTION.where(
                    operation.c.source == number,
                    operation.c.content == content,
                    operation.c.command == CREATE,
                    operation.c.state.in_(("succeeded", "partly")),
                    operation.c.account != "",
                    ended,
                    operation.c.ended_at >= self._database.now(connection) - DAY,
                )
                .order_by(operation.c.number.desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else of_row(row)

    def listed(self, source: str | None, unfinished: bool, limit: int) -> Sequence[Operation]:
        """The newest first."""
        wanted = PROJECTION.order_by(operation.c.number.desc())
        if source is not None:
            wanted = wanted.where(operation.c.source == self._sources.find(source))
        if unfinished:
            wanted = wanted.where(operation.c.ended_at.is_(None))
        with self._database.reading() as connection:
            return [of_row(row) for row in connection.execute(wanted.limit(limit))]

    # ---- by its owner --------------------------------------------------------------------------------------------

    def renew(self, operation: Operation, lease: float) -> bool:
        """Show a sign of life. False when it was lost, or has ended."""
        with self._database.writing() as connection:
            return write(connection, operation, lease_until=self._database.now(connection) + lease)

    def record(self, operation: Operation, steps: Sequence[Recorded], account: str | None = None) -> Operation:
        """Keep all its steps as they stand, and its account once that is known."""
        known = {} if account is None else {"account": check("account", account)}
        said = dump_steps(steps)
        with self._database.writing() as connection:
            if not write(connection, operation, steps=said, **known):
                raise lost(operation)
            return _read(connection, operation.id)

    def end(self, operation: Operation, state: OperationState, answer: Mapping[str, object]) -> Operation:
        """Keep how it ended, for good. The same owner may say it again when it did not hear that it was kept."""
        if state == "accepted":
            raise CallUs("An operation was to end as accepted.")
        said = dump(answer)
        with self._database.writing() as connection:
            now = self._database.now(connection)
            done = write(
                connection, operation, state=state, answer=said, ended_at=now, lease_owner=None, lease_until=None
            )
            if not done and not ended_by(connection, operation):
                raise lost(operation)
            return _read(connection, operation.id)

    def take_abandoned(self, owner: str, lease: float) -> Operation | None:
        """The oldest unfinished operation whose lease has run out; each goes to one of those who ask."""
        with self._database.reading() as connection:
            # Mostly there is none, and nobody should wait for a writer to hear that.
            if connection.execute(abandoned(self._database.now(connection))).one_or_none() is None:
                return None
        with self._database.writing() as connection:
            now = self._database.now(connection)
            id_ = connection.execute(abandoned(now).with_for_update(skip_locked=True)).scalar_one_or_none()
            if id_ is None:
                return None
            take(connection, id_, owner, now + lease)
            return _read(connection, id_)

    def _is_there(self, this: Operation, where: ColumnElement[bool]) -> bool:
        """Whether there is such an `_other`; what is compared is this one as it is kept, not as it was."""
        others = exists().where(where)
        with self._database.reading() as connection:
            return bool(connection.execute(select(others).where(_this.c.id == this.id)).scalar())


def _new(
    connection: Connection, source_number: int, number: int, wish: dict[str, str], owner: str, now: float, until: float
) -> str:
    # 156 bits: nobody finds another's operation by trying.
    id_ = "op_" + secrets.token_urlsafe(20)[:26]
    connection.execute(update(operation_head).values(number=number))
    connection.execute(
        insert(operation).values(
            id=id_,
            source=source_number,
            number=number,
            state="accepted",
            steps="[]",
            answer="{}",
            accepted_at=now,
            fence=1,
            lease_owner=owner,
            lease_until=until,
            **wish,
        )
    )
    return id_


def _read(connection: Connection, id_: str) -> Operation:
    return of_row(connection.execute(PROJECTION.where(operation.c.id == id_)).one())
