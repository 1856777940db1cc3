"""Enabling and disabling a user, through the instance's SCIM endpoint: the Identity Store API has no way to do it.

`PATCH /Users/{id}` with `active` (IAM Identity Center SCIM guide, "PatchUser"). The endpoint is the source's, never a
caller's; the token is read from its file at each use, so that it can be rotated, and goes nowhere but into the header
of that one request: not to a redirect, not into a log, not into an error.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
import structlog

from connector.aws.calls import Answer, Line
from connector.aws.faults import Again, Failed, Fault
from connector.aws.sentences import Verdict, lasting
from connector.aws.sessions import CONNECT_TIMEOUT, READ_TIMEOUT
from connector.aws.users import checked
from connector.errors import AwsFailed, AwsThrottled, ConnectorError, FixConfiguration, NotFoundInAws
from connector.model import Source
from connector.variables import unreadable

log = structlog.get_logger()

LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
NOBODY: Final = 'userName eq "nobody.of.this.name"'
"""A filter (SCIM guide, "ListUsers") for where no user is known whose id could be asked for."""


class _Bearer(requests.auth.AuthBase):
    """As `auth`, because requests lets a .netrc replace an Authorization header that is only a header."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def set_enabled(line: Line, user_id: str, enabled: bool) -> None:
    """Set `active`; repeating it is safe. A user who is not there is `NotFoundInAws`, never `AccountNotFound`."""
    checked(user_id, "user")
    url = f"{_endpoint(line.source)}/Users/{quote(user_id, safe='')}"
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": enabled}],
    }
    # SCIM has no quota that AWS documents; it changes the identity store, whose pace is as good as any.
    line.repeat("identitystore", "SCIM PatchUser", lambda left: _sent(line.source, "PATCH", url, body, left))


def look(line: Line, user_id: str | None) -> None:
    """Return when `set_enabled` would be let in, else raise what it would raise. Reads one user, or asks for nobody."""
    rest = f"Users/{quote(user_id, safe='')}" if user_id is not None else f"Users?filter={quote(NOBODY)}"
    url = f"{_endpoint(line.source)}/{rest}"
    line.repeat("identitystore", "SCIM GetUser", lambda left: _sent(line.source, "GET", url, None, left))


def _sent(source: Source, method: str, url: str, body: dict[str, Any] | None, left: float) -> Answer:
    try:
        response = requests.request(
            method,
            url,
            json=body,
            auth=_Bearer(_token(source)),
            headers={"Content-Type": "application/scim+json", "Accept": "application/scim+json"},
            timeout=(CONNECT_TIMEOUT, min(READ_TIMEOUT, max(0.2, left))),
            allow_redirects=False,
        )
    except requests.RequestException as caught:
        error = AwsFailed(f"The SCIM endpoint of source {source.name} did not answer ({type(caught).__name__}).")
        raise Failed(Fault(Verdict.BROKEN, error, Again.BROKEN)) from caught
    if response.ok and response.status_code < 300:
        return {}
    raise Failed(_fault(source, response))


def _fault(source: Source, response: requests.Response) -> Fault:
    status, where = response.status_code, f"The SCIM endpoint of source {source.name}"
    request_id = response.headers.get("x-amzn-RequestId")
    if status == 429:
        error: ConnectorError = AwsThrottled(f"{where} kept throttling.", request_id=request_id)
        return Fault(Verdict.THROTTLED, error, Again.THROTTLED)
    if status >= 500:
        return Fault(Verdict.BROKEN, AwsFailed(f"{where} failed ({status}).", request_id=request_id), Again.BROKEN)
    if status == 409:
        return Fault(Verdict.BUSY, AwsFailed(f"{where} kept reporting a conflict.", request_id=request_id), Again.BUSY)
    if status in (401, 403):
        sentence = f"{where} does not accept the token in scim_token_file: it is wrong, expired or revoked."
        return Fault(Verdict.CREDENTIALS, FixConfiguration(sentence, request_id=request_id), None)
    if status == 404:
        sentence = f"{where} does not know this user: check scim_endpoint."
        return Fault(Verdict.NOT_FOUND, NotFoundInAws(sentence, resource=None, request_id=request_id), None)
    if status < 400:
        return Fault(Verdict.REFUSED, FixConfiguration(f"{where} redirects ({status}): check scim_endpoint."), None)
    return Fault(Verdict.REFUSED, lasting(f"{where} refused the change ({status}).", request_id), None)


def _endpoint(source: Source) -> str:
    if not source.scim_endpoint:
        raise FixConfiguration(f"Source {source.name} needs scim_endpoint to enable and disable users by SCIM.")
    parts = urlsplit(source.scim_endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        raise FixConfiguration(f"scim_endpoint of source {source.name} must be an https address.")
    return source.scim_endpoint.rstrip("/")


def _token(source: Source) -> str:
    if not source.scim_token_file:
        raise FixConfiguration(f"Source {source.name} needs scim_token_file to enable and disable users by SCIM.")
    try:
        token = Path(source.scim_token_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as caught:
        # Callers hear this error; the path is for the operator.
        log.error(
            "scim_token_file cannot be read",
            source=source.name,
            file=unreadable(source.scim_token_file, caught).strip(" ()"),
        )
        raise FixConfiguration(
            f"scim_token_file of source {source.name} cannot be read ({type(caught).__name__})."
        ) from caught
    if not token or not token.isascii() or not token.isprintable():
        raise FixConfiguration(f"scim_token_file of source {source.name} holds no usable token.")
    return token
