"""Operations over REST: how a change that outlasted its request goes on, and how it ended."""

from __future__ import annotations

from dataclasses import asdict

from flask import Response, g
from flask_smorest import Blueprint

from connector.errors import OperationNotFound
from connector.web.rest import document
from connector.web.rest.answers import json_answer
from connector.web.rest.face import face
from connector.wire.rest_schemas import OperationSchema

blueprint = Blueprint("operations", __name__, url_prefix="/v1/operations", description="Changes that outlast requests")


@blueprint.route("/<id>", parameters=document.path("id"))
@blueprint.response(200, OperationSchema)
@document.described("malformed", "unauthenticated", "forbidden", "operation-not-found")
def show(id: str) -> Response:
    """How a change goes on"""
    operation = face().operations.find(id)
    if not any(caller.reaches(operation.source) for caller in g.callers):
        # Not forbidden: what runs at other sources is not everybody's business.
        raise OperationNotFound(f"No operation {id[:60]!r} is known, or it ended more than an hour ago.")
    return json_answer(asdict(operation))
