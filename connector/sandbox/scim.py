"""The SCIM Users endpoint of an instance, as far as it enables and disables users.

server.py hands every request below `/<tenant>/scim/v2/` here. A bearer token admits; GET reads one user or filters by
userName, PATCH changes `active`. The rest of SCIM is refused (aws-behaviour 9). Errors have AWS's codes and statuses.
"""

import json
import re
import time
from typing import Any
from urllib.parse import parse_qs, unquote

from connector.sandbox.connection import HttpAnswer, HttpRequest
from connector.sandbox.dispatch import EmulatedAws
from connector.sandbox.identities import IdentityStore, User
from connector.sandbox.scim_resources import error_body, shown

PATH = re.compile(r"/(?P<tenant>[A-Za-z0-9-]+)/scim/v2/(?P<rest>.*)|/scim/(?P<tenant2>[A-Za-z0-9-]+)/v2/(?P<rest2>.*)")
_FILTER = re.compile(r'\s*(userName|externalId|id)\s+eq\s+"([^"]*)"\s*', re.IGNORECASE)
_CODES = {
    400: "ValidationException",
    401: "UnauthorizedException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    429: "ThrottlingException",
    500: "InternalServerException",
}


class Refused(Exception):
    """An error answer."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


def handle(aws: EmulatedAws, request: HttpRequest) -> HttpAnswer:
    """Answer one SCIM request."""
    journal = aws.journal  # a reset in the middle replaces it
    journal.begin()
    entry: dict[str, Any] = {
        "at": time.time(),
        "service": "scim",
        "operation": _operation(request),
        "outcome": "ok",
        "user_agent": request.header("user-agent"),
    }
    try:
        return _faulty(aws, request, entry)
    finally:
        journal.end(entry)


def _operation(request: HttpRequest) -> str:
    found = PATH.fullmatch(request.path)
    rest = (found["rest"] or found["rest2"] or "").strip("/") if found else ""
    verb = {"GET": "Get" if "/" in rest else "List", "PATCH": "Patch"}.get(request.method, request.method.title())
    return f"Scim{verb}User{'s' if verb == 'List' else ''}"


def _faulty(aws: EmulatedAws, request: HttpRequest, entry: dict[str, Any]) -> HttpAnswer:
    strikes = aws.faults.striking(entry["operation"], entry["user_agent"])
    aws.wait(strikes)
    if strikes.keys() & {"reset", "before"}:
        entry["outcome"] = "reset"
        return HttpAnswer(500, b"", manner="reset")
    try:
        for kind, status in (("denied", 403), ("throttled", 429), ("error500", 500)):
            if kind in strikes:
                raise Refused(status, f"fault rule: {kind}")
        status, body = _answer(aws, request)
    except Refused as refused:
        entry["outcome"] = _CODES[refused.status]
        status, body = refused.status, error_body(refused.status, refused.detail)
    answer = HttpAnswer(status, json.dumps(body).encode(), "application/scim+json")
    if "after" in strikes or "half" in strikes:
        entry["outcome"] = "lost" if "after" in strikes else "half"
        answer.manner = "reset" if "after" in strikes else "half"
    return answer


def _answer(aws: EmulatedAws, request: HttpRequest) -> tuple[int, dict[str, Any]]:
    found = PATH.fullmatch(request.path)
    assert found is not None
    tenant, rest = found["tenant"] or found["tenant2"], found["rest"] or found["rest2"] or ""
    token = aws.organisation.scim_tokens.get(tenant)
    if token is None or request.header("authorization") != f"Bearer {token}":
        # AWS: "This error also occurs if the tenant ID is incorrect."
        raise Refused(401, "Authorization header is invalid or missing")
    kind, _, identifier = unquote(rest).partition("/")
    if kind != "Users":
        raise Refused(400, f"{kind} is not emulated")
    with aws.organisation.lock:
        store = aws.organisation.stores[aws.organisation.scim_stores[tenant]]
        if request.method == "GET" and not identifier:
            return 200, _listed(store, request.query)
        if request.method == "GET":
            return 200, shown(_named(store, identifier))
        if request.method == "PATCH" and identifier:
            return 200, shown(_patched(aws, store, _named(store, identifier), request.body))
    raise Refused(400, f"{request.method} is not emulated")


def _named(store: IdentityStore, identifier: str) -> User:
    user = store.users_by_id.get(identifier)
    if user is None:
        raise Refused(404, "User not found")
    return user


def _listed(store: IdentityStore, query: str) -> dict[str, Any]:
    asked = parse_qs(query)
    found: list[User] = []
    if "filter" in asked:
        match = _FILTER.fullmatch(asked["filter"][0])
        if match is None:
            raise Refused(400, "Only one eq on userName, externalId or id is emulated")
        found = _matching(store, match[1].lower(), match[2])
    else:
        found = store.users.after(-1, 50)
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": len(found),
        "itemsPerPage": len(found),
        "startIndex": 1,
        "Resources": [shown(user) for user in found],
    }


def _matching(store: IdentityStore, attribute: str, value: str) -> list[User]:
    if attribute == "username":
        user = store.users_by_name.get(value.lower())
    elif attribute == "id":
        user = store.users_by_id.get(value)
    else:
        matches = (user for (_, external), user in store.users_by_external_id.items() if external == value)
        user = next(matches, None)
    return [user] if user else []


def _patched(aws: EmulatedAws, store: IdentityStore, user: User, body: bytes) -> User:
    try:
        operations = json.loads(body)["Operations"]
        asked = [_active(row) for row in operations]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise Refused(400, "The body is no PatchOp that changes active") from None
    if len(asked) != 1:
        # No multiple operations on active (aws-behaviour 9).
        raise Refused(400, "Exactly one operation on active is supported")
    user.enabled = asked[0]
    user.touch(aws.clock.now(), f"arn:{aws.organisation.partition}:iam::{store.owner_account}:scim/{store.id}")
    return user


def _active(row: dict[str, Any]) -> bool:
    if row["op"].lower() not in ("replace", "add"):
        raise Refused(400, "active can be replaced only")
    value = row["value"] if row.get("path") == "active" else row["value"]["active"]
    if isinstance(value, str) and value.lower() in ("true", "false"):
        value = value.lower() == "true"
    if not isinstance(value, bool):
        raise Refused(400, "active is true or false")
    return value
