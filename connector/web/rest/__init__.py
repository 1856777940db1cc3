"""The REST face: plain JSON over the same commands, shaped for IdentityIQ (docs/rest-face.md).

Requests come in at the door, commands run as jobs, answers are JSON or problems (RFC 9457). Views only translate: what
a command does is never done here.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from flask import Flask, Response, g
from werkzeug.exceptions import HTTPException

from connector.errors import CallUs, ConnectorError, Unauthenticated
from connector.web.admission import note_refusal
from connector.web.refusals import sentence_of
from connector.web.request_id import show_request_id
from connector.web.rest import accounts, entitlements, operations, source
from connector.web.rest.answers import json_answer, problem_answer, refuse
from connector.web.rest.document import Document, configuration
from connector.web.rest.door import admit
from connector.web.rest.face import EXTENSION, Face
from connector.wire.rest_problems import TYPE, TYPES, named

_NAMES = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}

log = structlog.get_logger(__name__)


def create_rest(face: Face) -> Flask:
    """The face as a WSGI application."""
    app = Flask("connector.rest", static_folder=None)
    # One more than allowed, which `json_body` refuses: a chunked body is otherwise cut at the limit without a word.
    app.config["MAX_CONTENT_LENGTH"] = face.service.limits.body + 1
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.config.update(configuration())
    app.url_map.merge_slashes = False
    app.extensions[EXTENSION] = face
    app.before_request(admit)
    app.after_request(show_request_id)
    document = Document(app, _plain)
    for blueprint in (source.blueprint, accounts.blueprint, entitlements.blueprint, operations.blueprint):
        document.register_blueprint(blueprint)
    app.add_url_rule("/openapi.json", "openapi", lambda: json_answer(document.spec.to_dict()), methods=["GET"])
    app.add_url_rule(f"{TYPE}<name>", "problem", _problem, methods=["GET"])
    app.register_error_handler(ConnectorError, _refused(face))
    app.register_error_handler(Exception, _defect)
    return app


def _problem(name: str) -> Response:
    """What a type of problem means, for people."""
    if name not in TYPES:
        return problem_answer(named("not-found", f"There is no problem type {name[:60]!r}.", g.request_id))
    type_ = TYPES[name]
    return json_answer({"type": TYPE + name, "title": type_.title, "status": type_.status, "text": type_.text})


def _refused(face: Face) -> Callable[[ConnectorError], Response]:
    def answer(error: ConnectorError) -> Response:
        log.warning("refused", kind=error.kind, why=str(error))
        response = refuse(error)
        if isinstance(error, Unauthenticated):
            response.headers.add("WWW-Authenticate", 'Bearer realm="idc-connector"')
            response.headers.add("WWW-Authenticate", 'Basic realm="idc-connector", charset="UTF-8"')
        note_refusal(face.service, error)
        return response

    return answer


def _plain(error: HTTPException) -> Response:
    """What the framework refuses: 404, 405, 413 and so on; its headers, such as Allow, stay."""
    if error.code is None or error.code >= 500:
        return _defect(error)
    kind = _NAMES.get(error.code, "malformed")
    detail = TYPES[kind].text if kind == "not-found" else sentence_of(error)
    response = problem_answer(named(kind, detail, g.request_id))
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _defect(error: Exception) -> Response:
    """Anything unforeseen: told neutrally, logged whole."""
    log.exception("defect", exc_info=error)
    return refuse(CallUs("The connector has a defect; its log names it by the request id in instance."))
