"""A changing command made an operation: accepted, run under a lease, ended with its answer (decision 0006).

The command inside stays a generator from desk and input to events. Here it is decided whether it runs at all, whether
somebody runs it already, and what a repetition is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import structlog

from connector.changing.journal import POLL, Journal
from connector.commands import asked as asking
from connector.commands import trail
from connector.commands.asked import Input
from connector.commands.desk import Desk
from connector.errors import CallUs, Conflicts, ConnectorError, RetryLater
from connector.lease import LEASE, kept
from connector.model import Account, Event, NewAccount, Operation, OperationState
from connector.patience import Held

log = structlog.get_logger(__name__)

Run = Callable[[Desk, Any], Iterator[Event]]


def durable(command: str, run: Run) -> Run:
    """The command as an operation."""

    def durably(desk: Desk, asked: Input) -> Iterator[Event]:
        turn, account = _turn(asked)
        content = asking.content(command, asked)
        operation, ours = desk.operations.accept(
            desk.source.name,
            command,
            turn,
            account,
            desk.asker.name,
            content,
            desk.asker.key,
            asking.to_json(asked),
            desk.owner,
            LEASE,
            desk.acceptance.begin,
        )
        desk.acceptance.became(operation.id)
        if operation.content != content:
            raise Conflicts("this Idempotency-Key was used for another request; use a new key for a new request")
        if operation.ended_at is None:
            operation = carry(desk, operation, run) if ours else _wait(desk, operation)
        yield asking.told_again(operation.answer)

    return durably


def carry(desk: Desk, operation: Operation, run: Run) -> Operation:
    """Run an operation that is ours to its end, and record it. What the command raises becomes its answer.

    Raises only when the store fails: then nothing more is known here, and the operation is taken up again later.
    """
    with kept(f"operation {operation.id}", partial(desk.operations.renew, operation)) as hold:
        journal = Journal(desk.operations, operation, desk.clock, resumed=operation.fence > 1)
        journal.await_turn()
        try:
            desk.audit.append(trail.intent(operation, desk.asker))
            ours = replace(desk, journal=journal, patience=Held(desk.patience, hold))
            event = next(run(ours, asking.from_json(operation.asked)))
        except ConnectorError as failure:
            _doubt_what_it_did(desk, journal)
            state: OperationState = "failed"
            answer = asking.answer_of_error(failure)
        except Exception:
            log.exception("defect in a change", operation=operation.id)
            _doubt_what_it_did(desk, journal)
            state, answer = "failed", asking.answer_of_error(CallUs("the change ended in a defect; see the log"))
        else:
            state = "partly" if isinstance(event, Account) and event.refusals else "succeeded"
            answer = asking.answer_of(event)
        ended = desk.operations.end(journal.operation, state, answer)
    try:
        desk.audit.append(trail.outcome(ended, desk.asker))
    except ConnectorError as failure:
        # The change is made: who asked is told so. The operation itself is the record of how it ended.
        log.error("the outcome of an operation could not be audited", operation=ended.id, why=str(failure))
    log.info("operation ended", operation=ended.id, command=ended.command, account=ended.account, state=state)
    return ended


def _doubt_what_it_did(desk: Desk, journal: Journal) -> None:
    """Lists ask AWS anew about a change that fails, and may have changed AWS all the same: it has read nothing back.

    What was interrupted may have done anything before.
    """
    if journal.operation.fence > 1 or journal.acted():
        try:
            desk.freshness.doubt(journal.operation.account)
        except ConnectorError:
            desk.records.owe_doubt(journal.operation.account)
            raise


def _wait(desk: Desk, operation: Operation) -> Operation:
    """The same is being done already: its answer is ours."""
    while operation.ended_at is None:
        desk.clock.sleep(POLL)
        found = desk.operations.operation(operation.id)
        if found is None:
            raise RetryLater("the operation that was doing this is gone; ask again")
        operation = found
    return operation


def _turn(asked: Input) -> tuple[str, str]:
    """What the operation waits for others on, and the account it is about, if known."""
    if isinstance(asked, NewAccount):
        name = asked.attributes.get("userName", "")
        return f"userName {name if isinstance(name, str) else ' '.join(name)}".casefold(), ""
    return asked.id, asked.id


def resume(desk: Desk, operation: Operation, run: Run | None) -> None:
    """Finish, or report, an operation whose owner is gone; ours since. A command that is no more ends as failed."""
    log.info("taking up an operation", operation=operation.id, command=operation.command)
    if run is None:
        gone = CallUs(f"this version has no command {operation.command}")
        desk.freshness.doubt(operation.account)
        desk.operations.end(operation, "failed", asking.answer_of_error(gone))
    else:
        carry(desk, operation, run)
