"""The user operations of identitystore.

They read and change identities.py through a Call. Paths and validity of attributes are attributes.py's business;
what a user holds elsewhere (assignments, applications) outlives the user, as in AWS (aws-behaviour 23).
"""

import json
from typing import Any

from connector.sandbox.attributes import ENTERPRISE, changed, check, checked_extension, pascal
from connector.sandbox.call import Answer, Call, bare, identity_store
from connector.sandbox.errors import conflict, not_in_store, validation
from connector.sandbox.identities import IdentityStore, Trace, User, emails_of
from connector.sandbox.ordered import Ordered
from connector.sandbox.paging import page

_DUPLICATE = "UNIQUENESS_CONSTRAINT_VIOLATION"


def user_named(store: IdentityStore, identifier: str) -> User:
    """The user with an id or ARN, or AWS's ResourceNotFoundException."""
    user = store.users_by_id.get(bare(identifier))
    if user is None:
        raise not_in_store("USER", bare(identifier))
    return user


def user_arn(call: Call, user_id: str) -> str:
    """The ARN of a user; it names neither AWS account nor Region."""
    return f"arn:{call.organisation.partition}:identitystore:::user/{user_id}"


def ListUsers(call: Call) -> Answer:
    """A page of users, or the one with the filter's name."""
    store = identity_store(call)
    members = store.users
    for row in call.get("Filters", ()):
        if row["AttributePath"] != "UserName":
            raise validation(f"Filtering by {row['AttributePath']} is not supported")
        members = Ordered()
        if user := store.users_by_name.get(row["AttributeValue"].lower()):
            members.add(user)
    form = _form(call)
    return page(call, "Users", members, lambda user: wire(call, store, user, form))


def DescribeUser(call: Call) -> Answer:
    """One user."""
    store = identity_store(call)
    user = user_named(store, call["UserId"])
    if call.now < user.trace.created_at + call.options.user_lag_seconds:
        raise not_in_store("USER")
    return described(call, store, user, _form(call))


def GetUserId(call: Call) -> Answer:
    """The id behind a userName, an e-mail address or an external id."""
    store = identity_store(call)
    user = _looked_up(store, call["AlternateIdentifier"])
    if user is None:
        raise not_in_store("USER")
    return {"IdentityStoreId": store.id, "UserId": user.id, "UserArn": user_arn(call, user.id)}


def _looked_up(store: IdentityStore, alternate: dict[str, Any]) -> User | None:
    if external := alternate.get("ExternalId"):
        return store.users_by_external_id.get((external["Issuer"], external["Id"]))
    unique = alternate["UniqueAttribute"]
    value = str(unique["AttributeValue"]).lower()
    if unique["AttributePath"] == "userName":
        return store.users_by_name.get(value)
    if unique["AttributePath"] == "emails.value":
        return store.users_by_email.get(value)
    raise validation(f"{unique['AttributePath']} is not a unique attribute of a user")


def CreateUser(call: Call) -> Answer:
    """Make a user with an id of the store's own."""
    store = identity_store(call, write=True)
    attributes = {
        name: value for name, value in call.parameters.items() if name not in ("IdentityStoreId", "Extensions")
    }
    check(attributes)
    extensions = call.get("Extensions", {})
    if set(extensions) - {ENTERPRISE}:
        raise validation(f"Only the extension {ENTERPRISE} is supported")
    extension = checked_extension(extensions.get(ENTERPRISE, {}))
    by = call.caller.arn
    user = User(
        seq=call.organisation.next_seq(),
        id=f"{store.prefix}{call.organisation.uuid()}",
        attributes=attributes,
        extension=extension,
        trace=Trace(call.now, by, call.now, by),
    )
    _refuse_duplicates(store, user)
    store.add_user(user)
    return _changed_answer(call, store, user)


def UpdateUser(call: Call) -> Answer:
    """Change attributes, all or none."""
    store = identity_store(call, write=True)
    user = user_named(store, call["UserId"])
    check_revision(call, user.trace)
    operations = list(call["Operations"])
    status = _status_asked_for(call, operations)
    attributes, extension = changed(user.attributes, user.extension, operations)
    draft = User(user.seq, user.id, attributes, user.trace)
    _refuse_duplicates(store, draft)
    store.forget_user(user)
    user.attributes, user.extension = attributes, extension
    user.enabled = user.enabled if status is None else status == "ENABLED"
    store.index_user(user)
    user.touch(call.now, call.caller.arn)
    return _changed_answer(call, store, user)


def DeleteUser(call: Call) -> Answer:
    """Remove a user; assignments stay behind."""
    store = identity_store(call, write=True)
    user = user_named(store, call["UserId"])
    check_revision(call, user.trace)
    store.remove_user(user, keep_memberships=call.options.delete_keeps_memberships)
    return {}


def check_revision(call: Call, trace: Trace) -> None:
    """Refuse a change that was planned on another revision."""
    if call.get("Revision") not in (None, str(trace.revision)):
        raise conflict("The resource was modified since it was read.", "CONCURRENT_MODIFICATION")


def _status_asked_for(call: Call, operations: list[dict[str, Any]]) -> str | None:
    # Whether AWS takes this path is unproven (aws-behaviour 7): by default it does not.
    if not call.options.update_user_status:
        return None
    asked = [row for row in operations if row["AttributePath"] == "userStatus"]
    for row in asked:
        operations.remove(row)
        if row.get("AttributeValue") not in ("ENABLED", "DISABLED"):
            raise validation("userStatus: The value is ENABLED or DISABLED")
    return str(asked[-1]["AttributeValue"]) if asked else None


def _refuse_duplicates(store: IdentityStore, user: User) -> None:
    other = store.users_by_name.get(user.name.lower())
    if other is not None and other.id != user.id:
        raise conflict("Duplicate UserName", _DUPLICATE)
    for address in emails_of(user):
        other = store.users_by_email.get(address)
        if other is not None and other.id != user.id:
            raise conflict("Duplicate email", _DUPLICATE)


def _changed_answer(call: Call, store: IdentityStore, user: User) -> Answer:
    return {
        "IdentityStoreId": store.id,
        "UserId": user.id,
        "UserArn": user_arn(call, user.id),
        "Revision": str(user.trace.revision),
    }


def _form(call: Call) -> str:
    """How users are rendered for this call: plain, or with the extension in the option's spelling."""
    asked = call.get("Extensions", ())
    unknown = [name for name in asked if name != ENTERPRISE]
    if unknown:
        raise validation(f"The extension {unknown[0]} is not supported")
    return call.options.extension_keys if asked else ""


def wire(call: Call, store: IdentityStore, user: User, form: str) -> bytes:
    """A user as JSON, rendered once."""
    rendered = user.wire.get(form)
    if rendered is None:
        rendered = json.dumps(described(call, store, user, form)).encode()
        user.wire[form] = rendered
    return rendered


def described(call: Call, store: IdentityStore, user: User, form: str) -> dict[str, Any]:
    """A user as DescribeUser shows it; the extension only when asked for."""
    shown: dict[str, Any] = {
        "IdentityStoreId": store.id,
        "UserId": user.id,
        "UserArn": user_arn(call, user.id),
        "Revision": str(user.trace.revision),
        **user.attributes,
        "UserStatus": "ENABLED" if user.enabled else "DISABLED",
        **traced(user.trace),
    }
    if user.external_ids:
        shown["ExternalIds"] = user.external_ids
    if form and user.extension:
        shown["Extensions"] = {ENTERPRISE: _spelled(user.extension, form)}
    return shown


def traced(trace: Trace) -> dict[str, Any]:
    """Dates and makers of an object."""
    return {
        "CreatedAt": trace.created_at,
        "CreatedBy": trace.created_by,
        "UpdatedAt": trace.updated_at,
        "UpdatedBy": trace.updated_by,
    }


def _spelled(extension: dict[str, Any], form: str) -> dict[str, Any]:
    if form != "pascal":
        return extension
    return {
        pascal(key): {pascal(inner): text for inner, text in value.items()} if isinstance(value, dict) else value
        for key, value in extension.items()
    }
