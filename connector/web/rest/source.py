"""The base of a source: is it configured, are we who we should be, and may we read what lists need?"""

from __future__ import annotations

from flask import Response
from flask_smorest import Blueprint

from connector.commands.desk import Desk
from connector.model import Done, NoInput
from connector.web.rest import document
from connector.web.rest.answers import read_whole
from connector.web.rest.face import face
from connector.wire.rest_schemas import SourceSchema

blueprint = Blueprint("source", __name__, url_prefix="/v1/sources/<source>", description="The source itself")


@blueprint.route("", parameters=document.path("source"))
@blueprint.response(200, SourceSchema)
@document.described(*document.DOOR, *document.AWS)
def show() -> Response:
    """Test the connection"""
    here = face()

    def read(desk: Desk) -> object:
        (found,) = here.run(desk, "std:test-connection", NoInput())
        assert isinstance(found, Done)
        return dict(found.details)

    return read_whole("std:test-connection", read)
