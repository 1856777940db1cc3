"""Users of the identity store: listed, described, looked up, made, changed, deleted.

Through the Identity Store API (2020-06-15). Only `described` may say `AccountNotFound`, and only for
ResourceNotFoundException with ResourceType USER: SailPoint answers it by creating the account. Creating is the one call
that must not be repeated blindly; see `created`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from connector.attributes import BLOCKS, BY_NAME, ENTERPRISE, Attribute
from connector.aws import translate
from connector.aws.calls import Answer, Line
from connector.aws.faults import Fault
from connector.aws.paging import listed
from connector.errors import AccountNotFound, AwsConflict, FixRequest, InvalidAttribute, NotFoundInAws
from connector.model import RESOURCE_ID, User
from connector.ports import Submitted

CLOCK_SKEW: Final = 300.0
"""Seconds by which our clock and AWS's may differ when a creation time is compared."""
_LOOK_UPS: Final = {"userName": "userName", "email": "emails.value"}
"""The only unique attributes that GetUserId takes (Identity Store API reference, "GetUserId")."""


def checked(identifier: str, what: str) -> str:
    """The id of a user or group, if it has the shape of one: AWS answers a malformed id in ways that prove nothing."""
    if not RESOURCE_ID.match(identifier):
        named = "UserId, not its userName" if what == "user" else "GroupId, not its name"
        raise FixRequest(f"{identifier[:60]!r} is not the id of a {what} in Identity Center (its {named}).")
    return identifier


def users(line: Line, store: str) -> Iterator[User]:
    """All users, with the enterprise extension, 100 a call."""
    rows = listed(line, "identitystore", "ListUsers", "Users", IdentityStoreId=store, Extensions=[ENTERPRISE])
    return map(translate.user, rows)


def described(line: Line, store: str, user_id: str) -> User:
    """One user as it is now; `AccountNotFound` when AWS says that this USER does not exist.

    `FixRequest` when the user's id is spelt otherwise: AWS's shape allows capital letters, the ids it gives have none,
    and nobody says whether it tells them apart (aws-behaviour 1). An account has one id, or it would be two.
    """
    checked(user_id, "user")
    found = _found(line, store, user_id)
    if isinstance(found, User) and found.id == user_id:
        return found
    if isinstance(found, NotFoundInAws):
        small = user_id.lower()
        if small == user_id or isinstance(_found(line, store, small), NotFoundInAws):
            raise AccountNotFound(f"Identity Center has no user {user_id}.", request_id=found.request_id) from found
    else:
        small = found.id
    raise FixRequest(f"The id of user {user_id} is spelt {small}: send it as it is in the list of accounts.")


def _found(line: Line, store: str, user_id: str) -> User | NotFoundInAws:
    """The user of that id, or AWS's word that there is none."""
    try:
        return translate.user(_raw(line, store, user_id))
    except NotFoundInAws as absent:
        if absent.resource != "USER":
            raise
        return absent


def _raw(line: Line, store: str, user_id: str) -> Answer:
    return line.call(
        "identitystore", "DescribeUser", "UserId", IdentityStoreId=store, UserId=user_id, Extensions=[ENTERPRISE]
    )


def id_of(line: Line, store: str, attribute: str, value: str) -> str | None:
    """UserId of the user whose `userName` or `email` this is, None when it is nobody's."""
    unique = {"UniqueAttribute": {"AttributePath": _LOOK_UPS[attribute], "AttributeValue": value}}
    try:
        answer = line.call("identitystore", "GetUserId", "UserId", IdentityStoreId=store, AlternateIdentifier=unique)
    except NotFoundInAws as absent:
        if absent.resource != "USER":
            raise
        return None
    return str(answer["UserId"])


# ---- created ---------------------------------------------------------------------------------------------------


def created(line: Line, store: str, attributes: Mapping[str, str], submitted: Submitted) -> str:
    """Id of the new user.

    CreateUser has no client token: when there is no answer, the user may be there. He is looked for by userName, and
    is ours when he was made since our first attempt and has every attribute that we sent; only when nobody has the
    name is the call repeated. Where AWS answered, be it an error, nobody who is there is ours. `AwsConflict` when a
    unique value is somebody else's.
    """
    began: float | None = None
    silent = False

    def told(fault: Fault | None) -> None:
        nonlocal silent
        if fault is None:
            submitted(None)
        elif fault.silent:
            silent = True
        elif not silent:  # what came of an earlier attempt is not known by this one's answer
            submitted(fault.error)

    def lost(first_attempt: float) -> Answer | None:
        nonlocal began
        began = first_attempt if silent else None
        return None if began is None else _made_by_us(line, store, attributes, began)

    try:
        answer = line.call(
            "identitystore",
            "CreateUser",
            "UserId",
            lost,
            told,
            IdentityStoreId=store,
            **translate.new_user(attributes),
        )
    except AwsConflict:
        # A repetition may collide with our own first attempt, whose user was not to be seen yet.
        found = None if began is None else _made_by_us(line, store, attributes, began)
        if found is None:
            raise
        answer = found
    return str(answer["UserId"])


def _made_by_us(line: Line, store: str, attributes: Mapping[str, str], since: float) -> Answer | None:
    user_id = id_of(line, store, "userName", attributes["userName"])
    if user_id is None:
        return None
    try:
        raw = _raw(line, store, user_id)
    except NotFoundInAws:
        return None
    made_at = raw.get("CreatedAt")
    if not isinstance(made_at, datetime) or made_at.astimezone(UTC).timestamp() < since - CLOCK_SKEW:
        return None
    has = translate.user(raw).attributes
    sent = {name: value for name, value in attributes.items() if value and BY_NAME[name].writable}
    return raw if all(has.get(name) == value for name, value in sent.items()) else None


# ---- changed ---------------------------------------------------------------------------------------------------


def updated(line: Line, store: str, user: User, attributes: Mapping[str, str | None]) -> None:
    """Set attributes, clear those that are None, if the user is still at `user.revision` (UpdateUser, "Revision")."""
    checked(user.id, "user")
    operations = list(_operations(line, store, user.id, attributes))
    if not operations:
        return
    lock = {"Revision": user.revision} if user.revision else {}
    # Safe to repeat: with a Revision a second execution is refused, without one it sets the same values again.
    line.call(
        "identitystore",
        "UpdateUser",
        IdentityStoreId=store,
        UserId=user.id,
        Operations=operations,
        **lock,
    )


def _operations(line: Line, store: str, user_id: str, attributes: Mapping[str, str | None]) -> Iterator[dict[str, Any]]:
    blocks: dict[str, dict[Attribute, str | None]] = {}
    for name, value in attributes.items():
        attribute = BY_NAME[name]
        if attribute.write is None:
            raise InvalidAttribute(f"{name} is read-only in Identity Center.")
        if attribute.block is not None:
            blocks.setdefault(attribute.block, {})[attribute] = value or None
        else:
            # null removes a value (the API has no other way to unset one).
            yield {"AttributePath": attribute.write, "AttributeValue": value or None}
    if blocks:
        raw = _raw(line, store, user_id)
        for block, members in blocks.items():
            yield {
                "AttributePath": block,
                "AttributeValue": _block(translate.block_members(raw, block), block, members),
            }


def _block(
    elements: list[dict[str, Any]], block: str, members: Mapping[Attribute, str | None]
) -> list[dict[str, Any]] | None:
    """The whole list for UpdateUser: its paths reach no list member, so what we do not show is carried over."""
    first, *others = elements or [{}]
    for attribute, value in members.items():
        if value is None:
            first.pop(str(attribute.write), None)
        else:
            first[str(attribute.write)] = value
    shown = {str(each.write) for each in BLOCKS[block]}
    if "value" in shown and not first.get("value"):
        for attribute, value in members.items():
            if value is not None:
                raise InvalidAttribute(f"{attribute.name} cannot be set: the user has no {block} that it describes.")
        first = {}
    if not any(first.get(member) for member in shown | {"formatted"}):
        return others or None
    if block == "emails":
        first["primary"] = True
    return [first, *others]


def deleted(line: Line, store: str, user_id: str) -> None:
    """Delete a user; absent already is success. Without a Revision: leaving wins over whatever else was changed."""
    checked(user_id, "user")
    try:
        line.call("identitystore", "DeleteUser", IdentityStoreId=store, UserId=user_id)
    except NotFoundInAws as absent:
        if absent.resource != "USER":
            raise
