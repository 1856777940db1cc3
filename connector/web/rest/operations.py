"""Operations over REST: how a change that outlasted its request goes on, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from flask_smorest import Blueprint

from connector.commands.asked import told_again
from connector.errors import ConnectorError, OperationNotFound
from connector.model import Account, Operation
from connector.web.rest import document
from connector.web.rest.answers import json_answer
from connector.web.rest.face import face
from connector.wire.rest_operations import shown
from connector.wire.rest_problems import of_error, of_refusals
from connector.wire.rest_schemas import OperationSchema

blueprint = Blueprint("operations", __name__, url_prefix="/v1/operations", description="Changes that outlast requests")


@blueprint.route("/<id>", parameters=document.path("id"))
@blueprint.response(200, OperationSchema)
@document.described("malformed", "unauthenticated", "forbidden", "operation-not-found")
def show(id: str) -> Response:
    """How a change goes on"""
    operation = face().operations.operation(id)
    if operation is None or not any(caller.reaches(operation.source) for caller in g.callers):
        # Not forbidden: what runs at other sources is not everybody's business.
        raise OperationNotFound(f"No operation {id[:60]!r} is known, or it ended more than 30 days ago.")
    account, problem = _answer(operation)
    return json_answer(shown(operation, account, problem))


def _answer(operation: Operation) -> tuple[Account | None, Mapping[str, Any] | None]:
    """What it ended with, told as the request would have been."""
    if operation.ended_at is None:
        return None, None
    instance = str(g.request_id)
    try:
        event = told_again(operation.answer)
    except ConnectorError as error:
        return None, of_error(error, instance).members
    if not isinstance(event, Account):
        return None, None
    # As the request would have been told: one step that failed has its own problem.
    single = operation.command == "std:account:update" and len(operation.steps) == 1
    return event, of_refusals(event, instance, single=single).members if event.refusals else None
