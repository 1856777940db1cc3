"""Changes of the REST face: run the command, wait for it, and say truthfully what came of it.

A change that outlasts the source's `change_deadline` goes on and is answered with the id of an operation; how it ends
is told there in the same words as it would have been here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from flask import Response, g

from connector.commands.desk import Desk
from connector.errors import ConnectorError, StillRunning
from connector.model import Account, OneAccount
from connector.web.rest.answers import json_answer, problem_answer
from connector.web.rest.face import Face, asked_source, face, peer
from connector.web.rest.job import Job
from connector.web.rest.kept import Operation
from connector.wire.inputs import Input
from connector.wire.rest_bodies import flat_account
from connector.wire.rest_problems import of_error, of_refusals, results

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """One change."""

    command: str
    input: Input
    steps: Sequence[Mapping[str, Any]]
    """What is asked, for the operation it may become: `op`, `attribute`, `value`."""
    single: bool = False
    """One step, so that nothing is done when it fails."""
    success: int = 200
    request_id: str = field(default_factory=lambda: str(g.request_id))


def change(asked: Asked) -> Response:
    """Do it and answer."""
    here, deadline = face(), asked_source().change_deadline
    job = here.job(asked.command, lambda desk: _run(here, desk, asked))
    if not job.done_within(deadline, peer()):
        operation = here.operations.open(asked_source().name, asked.steps)
        job.then(lambda ended: here.operations.close(_ended(operation, ended, asked)))
        raise StillRunning(
            f"The change goes on after {deadline:g} seconds; operation {operation.id} tells how it ends.",
            operation=operation.id,
        )
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


def _ended(operation: Operation, job: Job[Account | None], asked: Asked) -> Operation:
    try:
        account = job.result()
    except ConnectorError as error:
        log.warning("operation failed", operation=operation.id, kind=error.kind, why=str(error))
        document = of_error(error, asked.request_id)
        return replace(operation, state="failed", problem=document.members)
    failed = () if account is None else account.refusals
    refused = {(each.attribute, each.value) for each in failed}
    done = [
        {"attribute": each["attribute"], "value": each["value"] or "", "result": "done"}
        for each in operation.steps
        if "attribute" in each and (each["attribute"], each["value"] or "") not in refused
    ]
    log.info("operation ended", operation=operation.id, failed=len(failed))
    shown = None if account is None else flat_account(account)
    if account is None or not failed:
        return replace(operation, state="succeeded", outcomes=done, account=shown)
    return replace(
        operation,
        state="failed" if asked.single else "partly",
        outcomes=[*done, *results(failed)],
        account=shown,
        problem=of_refusals(account, asked.request_id, single=asked.single).members,
    )
