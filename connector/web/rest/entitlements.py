"""Entitlements over REST: lists of one type page by page, and one as the list shows it, if AWS still has it."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from connector.commands import pages
from connector.commands.desk import Desk
from connector.model import Entitlement, OneEntitlement
from connector.web.rest import document, walking
from connector.web.rest.answers import read_alive
from connector.web.rest.face import asked_source, face
from connector.wire.rest_bodies import flat_entitlement
from connector.wire.rest_queries import PageQuerySchema, load_query
from connector.wire.rest_schemas import EntitlementPageSchema
from connector.wire.rest_shapes import EntitlementSchema

blueprint = Blueprint(
    "entitlements",
    __name__,
    url_prefix="/v1/sources/<source>/entitlements/<type>",
    description="What accounts can hold",
)


@blueprint.route("", parameters=document.path("source", "type"))
@blueprint.response(200, EntitlementPageSchema)
@document.described(*document.DOOR, *document.AWS, "entitlement-not-found", "cursor-expired", query=PageQuerySchema)
def listed(type: str) -> Response:
    """A page of entitlements of one type

    Snapshots and walks are those of accounts.
    """
    pages.check_type(asked_source(), type)
    walk = walking.Walk(f"entitlements/{type}", load_query(PageQuerySchema(), request.args.to_dict(flat=False)))

    def read(desk: Desk) -> object:
        return walk.shown(desk, pages.entitlements(desk, walk.lists, type, walk.limit, walk.place(desk)))

    return read_alive("std:entitlement:list", read)


@blueprint.route("/<path:id>", parameters=document.path("source", "type", "id"))
@blueprint.response(200, EntitlementSchema)
@document.described(*document.DOOR, *document.AWS, "entitlement-not-found")
def show(type: str, id: str) -> Response:
    """One entitlement, as the list shows it

    Whether it exists is asked of AWS now: what the list still shows may be gone.
    """
    pages.check_type(asked_source(), type)
    here = face()

    def read(desk: Desk) -> object:
        (found,) = here.run(desk, "std:entitlement:read", OneEntitlement(id, type))
        assert isinstance(found, Entitlement)
        return flat_entitlement(found)

    return read_alive("std:entitlement:read", read)
