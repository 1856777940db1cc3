"""`POST /oauth/token`: a token for 15 minutes, for clients that speak OAuth 2.0 (RFC 6749, client credentials).

The client's id is the name of its token, its secret the token itself, in the Authorization header, in the form, or, as
IdentityIQ sends it, in both. What is answered reaches no further than that token, and ends with it.
"""

from __future__ import annotations

import json
from typing import Final

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from connector.errors import Busy, ConnectorError, Forbidden, RetryLater, Unauthenticated
from connector.tokens import SCOPES, Scope, Token
from connector.web.admission import guard, note_refusal, tried
from connector.web.auth import LONGEST, Credential, credentials_of
from connector.web.request_id import begin_request, show_request_id
from connector.web.saas import plain
from connector.web.service import Service

PATH: Final = "/oauth/token"
FORM: Final = "application/x-www-form-urlencoded"
GRANT: Final = "client_credentials"
MOST: Final = 2 * LONGEST
"""Bytes of a form."""

log = structlog.get_logger(__name__)


class Refused(Exception):
    """What RFC 6749 (5.2) calls an error."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.status = status


def create_oauth(service: Service) -> Flask:
    """The endpoint as a WSGI application."""
    app = Flask("connector.oauth", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = MOST

    def token() -> Response:
        form = _form()
        client = _client(service, form)
        structlog.contextvars.bind_contextvars(caller=client.name)
        if form.get("grant_type") != GRANT:
            raise Refused("unsupported_grant_type", f"The grant_type is {GRANT}.")
        scope = _scope(client, form.get("scope", ""))
        secret, seconds = service.callers.issue(client, scope)
        log.info("access token issued", scope=scope)
        return _answer(
            {"access_token": secret, "token_type": "Bearer", "expires_in": round(seconds), "scope": scope}, 200
        )

    def refuse(error: ConnectorError) -> Response:
        note_refusal(service, error)
        log.warning("refused", kind=error.kind, why=str(error))
        if isinstance(error, Unauthenticated):
            return _told(Refused("invalid_client", str(error), 401))
        if isinstance(error, Forbidden):
            return _told(Refused("unauthorized_client", str(error), 403))
        status = 429 if isinstance(error, Busy) else 503 if isinstance(error, RetryLater) else 500
        response = _told(Refused("temporarily_unavailable" if status != 500 else "server_error", str(error), status))
        if isinstance(error, RetryLater):
            response.headers["Retry-After"] = str(round(error.after))
        return response

    app.add_url_rule(PATH, view_func=token, methods=["POST"], provide_automatic_options=False)
    app.before_request(begin_request)
    guard(app)
    app.after_request(show_request_id)
    app.register_error_handler(ConnectorError, refuse)
    app.register_error_handler(Refused, _told)
    app.register_error_handler(HTTPException, plain)
    return app


def _form() -> dict[str, str]:
    if request.mimetype != FORM:
        raise Refused("invalid_request", f"Send the parameters as {FORM}.")
    try:
        sent = request.form.to_dict(flat=False)
    except RequestEntityTooLarge:
        raise Refused("invalid_request", f"The form is larger than {MOST:,} bytes.", 413) from None
    if any(len(values) > 1 for values in sent.values()):
        raise Refused("invalid_request", "A parameter is sent more than once.")
    return {name: values[0] for name, values in sent.items() if values[0]}


def _client(service: Service, form: dict[str, str]) -> Token:
    """The client that header and form name; both may, if they name the same one."""
    given = [each for each in credentials_of(request.headers.get("Authorization")) if each.name is not None]
    if "client_secret" in form and len(form["client_secret"]) <= LONGEST:
        given.append(Credential(form["client_secret"], form.get("client_id", "")))
    tried(given)
    if not given:
        raise Unauthenticated("A client is needed: its id is the name of a token, its secret the token.")
    clients = service.callers.clients(given, request.remote_addr or "")
    if len({client.digest for client in clients}) > 1:
        raise Refused("invalid_request", "The header and the form name different clients.")
    return clients[0]


def _scope(client: Token, asked: str) -> Scope:
    """The largest of those asked that the client has; all it has when none is asked."""
    words = asked.split()
    if any(word not in SCOPES for word in words):
        raise Refused("invalid_scope", f"A scope is one of {', '.join(SCOPES)}.")
    able = [scope for scope in SCOPES if client.covers(scope) and (not words or scope in words)]
    if not able:
        raise Refused("invalid_scope", f"The client has the scope {client.scope}.")
    return able[-1]


def _told(error: Refused) -> Response:
    response = _answer({"error": error.error, "error_description": str(error)}, error.status)
    if error.status == 401:
        response.headers["WWW-Authenticate"] = 'Basic realm="idc-connector", charset="UTF-8"'
    return response


def _answer(body: dict[str, object], status: int) -> Response:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    return Response(json.dumps(body), status, headers=headers, content_type="application/json")
