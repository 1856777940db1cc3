"""Changes of the REST face: run the command, wait for it, and say truthfully what came of it.

A change that outlasts the source's `change_deadline` goes on and is answered with the id of an operation; how it ends
is told there in the same words as it would have been here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from flask import Response, g

from connector.commands.desk import Desk
from connector.errors import RetryLater, StillRunning
from connector.model import Account, OneAccount
from connector.web.rest.answers import json_answer, problem_answer
from connector.web.rest.face import Face, asked_source, face, peer
from connector.wire.inputs import Input
from connector.wire.rest_bodies import flat_account
from connector.wire.rest_problems import of_refusals


@dataclass(frozen=True, slots=True)
class Asked:
    """One change."""

    command: str
    input: Input
    single: bool = False
    """One step, so that nothing is done when it fails."""
    success: int = 200
    request_id: str = field(default_factory=lambda: str(g.request_id))


def change(asked: Asked) -> Response:
    """Do it and answer."""
    here, deadline = face(), asked_source().change_deadline
    job = here.job(asked.command, lambda desk: _run(here, desk, asked))
    if not job.done_within(deadline, peer()):
        if operation := job.accepted(peer()):
            raise StillRunning(
                f"The change goes on after {deadline:g} seconds; operation {operation} tells how it ends.",
                operation=operation,
            )
        if not job.done_within(0, peer()):
            raise RetryLater("The store does not take the change; nothing was done. Try again later.")
    account = job.result()
    if account is None:
        nothing = Response(status=204)
        del nothing.headers["Content-Type"]
        return nothing
    if account.refusals:
        return problem_answer(of_refusals(account, asked.request_id, single=asked.single))
    return json_answer(flat_account(account), asked.success)


def _run(here: Face, desk: Desk, asked: Asked) -> Account | None:
    """The account as it is afterwards; None when it is deleted."""
    shown = [each for each in here.run(desk, asked.command, asked.input) if isinstance(each, Account)]
    if not shown and asked.command == "std:account:update":
        # Nothing had to change, and the command says only that.
        id_ = getattr(asked.input, "id", "")
        shown = [each for each in here.run(desk, "std:account:read", OneAccount(id_)) if isinstance(each, Account)]
    return shown[-1] if shown else None
