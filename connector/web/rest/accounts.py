"""Accounts over REST: lists page by page, one read live, created, changed, deleted, given and taken entitlements."""

from __future__ import annotations

from flask import Response, request
from flask_smorest import Blueprint

from connector.commands import pages
from connector.commands.desk import Desk
from connector.commands.entitlements import check_id
from connector.model import Account, OneAccount, Op
from connector.web.rest import document, door, walking
from connector.web.rest.answers import read_alive, read_whole
from connector.web.rest.changes import Asked, change
from connector.web.rest.face import asked_source, face
from connector.wire.rest_bodies import entitlement_change, flat_account, merge, new_account, values_of
from connector.wire.rest_queries import AccountPageQuerySchema, load_query
from connector.wire.rest_schemas import AccountPageSchema
from connector.wire.rest_shapes import AccountSchema, ChangedAttributesSchema, NewAccountSchema, ValuesSchema

blueprint = Blueprint("accounts", __name__, url_prefix="/v1/sources/<source>/accounts", description="Users")
CREATED = (
    "accounts.show",
    "accounts.modify",
    "accounts.give",
    "accounts.take",
    "accounts.enable",
    "accounts.disable",
    "accounts.delete",
)
"""What can be done next with a new account."""
ONE = "/<id>"
ENTITLEMENTS = "/<id>/entitlements/<type>"


@blueprint.route("", parameters=document.path("source"))
@blueprint.response(200, AccountPageSchema)
@document.described(*document.DOOR, *document.AWS, "cursor-expired", query=AccountPageQuerySchema)
def listed() -> Response:
    """A page of accounts

    The first page shows a snapshot that is young enough, and waits for one when there is none; all pages of a walk show
    the same snapshot. While it waits, blanks are sent.
    """
    asked = load_query(AccountPageQuerySchema(), request.args.to_dict(flat=False))
    walk = walking.Walk("accounts", asked)

    def read(desk: Desk) -> object:
        place = walk.place(desk)
        since = None if place is not None else asked["since"]
        return walk.shown(desk, pages.accounts(desk, walk.lists, walk.limit, place, since))

    return read_alive("std:account:list", read)


@blueprint.route(ONE, parameters=document.path("source", "account"))
@blueprint.response(200, AccountSchema)
@document.described(*document.DOOR, *document.AWS, *document.ACCOUNT)
def show(id: str) -> Response:
    """One account, read from AWS now"""
    here = face()

    def read(desk: Desk) -> object:
        (account,) = here.run(desk, "std:account:read", OneAccount(id))
        assert isinstance(account, Account)
        return flat_account(account)

    return read_whole("std:account:read", read)


@blueprint.route("", methods=["POST"], parameters=document.path("source"))
@blueprint.response(201, AccountSchema)
@document.linked(201, "id", *CREATED, source="$request.path.source")
@document.described(*document.CHANGE, *document.BODY, *document.PARTS, "invalid-attribute", body=NewAccountSchema)
def create() -> Response:
    """Create a user, with what it shall hold"""
    asked = new_account(door.body())
    return change(Asked("std:account:create", asked, success=201))


@blueprint.route(ONE, methods=["PATCH"], parameters=document.path("source", "account"))
@blueprint.response(200, AccountSchema)
@document.described(
    *document.CHANGE,
    *document.BODY,
    *document.ACCOUNT,
    "invalid-attribute",
    body=ChangedAttributesSchema,
)
def modify(id: str) -> Response:
    """Change attributes; null and "" clear them, what is not named stays"""
    asked = merge(id, door.body())
    return change(Asked("std:account:update", asked, single=True))


@blueprint.route(ONE, methods=["DELETE"], parameters=document.path("source", "account"))
@blueprint.response(204)
@document.described(*document.CHANGE, "account-elsewhere", "partly-done")
def delete(id: str) -> Response:
    """Take everything the user holds, then delete it; one that is not there is deleted already"""
    return change(Asked("std:account:delete", OneAccount(id)))


@blueprint.route(f"{ONE}/enable", methods=["POST"], parameters=document.path("source", "account"))
@blueprint.response(200, AccountSchema)
@document.described(*document.CHANGE, *document.ACCOUNT, "disable-not-configured", "partly-done")
def enable(id: str) -> Response:
    """Enable the user"""
    return change(Asked("std:account:enable", OneAccount(id)))


@blueprint.route(f"{ONE}/disable", methods=["POST"], parameters=document.path("source", "account"))
@blueprint.response(200, AccountSchema)
@document.described(*document.CHANGE, *document.ACCOUNT, "disable-not-configured", "partly-done")
def disable(id: str) -> Response:
    """Disable the user"""
    return change(Asked("std:account:disable", OneAccount(id)))


@blueprint.route(ENTITLEMENTS, methods=["POST"], parameters=document.path("source", "account", "type"))
@blueprint.response(200, AccountSchema)
@document.described(
    *document.CHANGE,
    *document.BODY,
    *document.PARTS,
    *document.ACCOUNT,
    "entitlement-not-found",
    body=ValuesSchema,
)
def give(id: str, type: str) -> Response:
    """Give entitlements; what is held already stays"""
    pages.check_type(asked_source(), type)
    return _entitlements(Op.ADD, id, type, values_of(door.body()))


@blueprint.route(
    f"{ENTITLEMENTS}/<path:value>", methods=["DELETE"], parameters=document.path("source", "account", "type", "value")
)
@blueprint.response(200, AccountSchema)
@document.described(*document.CHANGE, *document.ACCOUNT, "entitlement-not-found", "invalid-attribute")
def take(id: str, type: str, value: str) -> Response:
    """Take an entitlement; what is not held is taken already"""
    pages.check_type(asked_source(), type)
    check_id(type, value)
    return _entitlements(Op.REMOVE, id, type, (value,))


def _entitlements(op: Op, id_: str, type_: str, values: tuple[str, ...]) -> Response:
    asked = entitlement_change(op, id_, type_, values)
    ids = asked.changes[0].values or ()
    return change(Asked("std:account:update", asked, single=len(ids) == 1))
