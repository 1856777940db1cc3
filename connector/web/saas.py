"""The SaaS face: SailPoint's command protocol over HTTP (docs/saas-face.md).

A POST with an envelope comes in, frames of the command it names go out. The order never changes: parse, authenticate,
authorise, run. Nothing here knows what a command does, and nothing of a caller's input or secrets is logged.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import closing

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import BadRequest, HTTPException

from connector.commands.desk import Command
from connector.errors import Busy, CallUs, Cancelled, ConnectorError, FixRequest, Unauthenticated
from connector.model import Asker, Source
from connector.tokens import Token
from connector.web.admission import guard, identify, note_refusal
from connector.web.bodies import json_body
from connector.web.peer import Peer
from connector.web.refusals import sentence_of
from connector.web.request_id import begin_request, show_request_id
from connector.web.scopes import authorise
from connector.web.service import Service
from connector.web.stream import Outcome, Stream
from connector.wire.envelopes import Envelope, parse_envelope
from connector.wire.frames import frame
from connector.wire.inputs import INPUTS, Input
from connector.wire.legible import legible
from connector.wire.problems import problem_of, saas_text

NDJSON = "application/x-ndjson"
_ROUTES = ("/", "/invoke", "/<path:anywhere>/invoke")
_UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
_NOTHING_HERE = "There is nothing here; commands are posted to / or to any path that ends in /invoke."

log = structlog.get_logger(__name__)


def create_saas(service: Service) -> Flask:
    """The face as a WSGI application."""
    app = Flask("connector.saas", static_folder=None)
    # One more than allowed, which `json_body` refuses: a chunked body is otherwise cut at the limit without a word.
    app.config["MAX_CONTENT_LENGTH"] = service.limits.body + 1
    app.url_map.merge_slashes = False
    face = _Face(service)
    for route in _ROUTES:
        app.add_url_rule(
            route, "invoke", face.invoke, methods=["POST"], provide_automatic_options=False, strict_slashes=True
        )
    app.before_request(begin_request)
    guard(app)
    app.after_request(show_request_id)
    app.register_error_handler(ConnectorError, face.refuse)
    app.register_error_handler(HTTPException, plain)
    app.register_error_handler(Exception, face.defect)
    return app


class _Face:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._slots = service.slots

    def invoke(self, anywhere: str = "") -> Response:
        envelope = _envelope(self._service.limits.body)
        callers = identify(self._service, envelope.secrets)
        structlog.contextvars.bind_contextvars(command=envelope.type, caller=callers[0].name)
        command = self._service.command(envelope.type)
        source = self._source(envelope, callers)
        return self._answer(envelope.type, command, source, INPUTS[envelope.type](envelope.input))

    def _source(self, envelope: Envelope, callers: tuple[Token, ...]) -> Source:
        named = envelope.source
        # Scope and sources of the token come first: whether a source exists is not everybody's business.
        caller = authorise(callers, envelope.type, named)
        source = self._service.source(named, envelope.type)
        structlog.contextvars.bind_contextvars(caller=caller.name, source=source.name)
        g.asker = Asker(caller.name, request_id=g.request_id)
        return source

    def _answer(self, type_: str, command: Command, source: Source, asked: Input) -> Response:
        old_client = request.environ.get("SERVER_PROTOCOL") == "HTTP/1.0"
        if old_client and command.lists:
            return text_response(
                "A list needs HTTP/1.1: over HTTP/1.0 a list that breaks off looks complete. "
                "Behind nginx, set proxy_http_version 1.1.",
                505,
            )
        stream = self._stream(type_, command, source, asked)
        stream.start(keep_alive=not old_client)
        if old_client:
            with closing(stream):
                return Response(stream.whole(), headers=_UNBUFFERED, content_type=NDJSON)
        return Response(stream, headers=_UNBUFFERED, content_type=NDJSON)

    def _stream(self, type_: str, command: Command, source: Source, asked: Input) -> Stream:
        cancelled = threading.Event()
        desk = self._service.desk(source, cancelled, g.asker)
        self._slots.take()
        metrics, started = self._service.metrics, time.monotonic()
        metrics.running.inc()

        def frames() -> Generator[bytes]:
            events = command.run(desk, asked)
            try:
                for event in events:
                    yield frame(event, type_)
            finally:
                if isinstance(events, Generator):
                    events.close()

        def finished(outcome: Outcome) -> None:
            seconds = time.monotonic() - started
            metrics.running.dec()
            metrics.commands.labels(type_, source.name, outcome.word).inc()
            metrics.seconds.labels(type_).observe(seconds)
            metrics.frames.labels(type_).inc(outcome.frames)
            _log(outcome, seconds)

        return Stream(
            frames,
            changes=command.changes,
            peer=Peer(request.environ),
            cancelled=cancelled,
            limits=self._service.limits,
            finished=finished,
            closed=self._slots.release,
            request_id=g.request_id,
        )

    def refuse(self, error: ConnectorError) -> Response:
        """An error while the status was still free."""
        problem = problem_of(error)
        if problem.saas_status == 500:
            return Response(saas_text(error), 500, headers=_UNBUFFERED, content_type=NDJSON)
        note_refusal(self._service, error)
        log.warning("refused", kind=error.kind, why=str(error))
        return door_response(error)

    def defect(self, error: Exception) -> Response:
        """Anything unforeseen: told neutrally, logged whole."""
        log.exception("defect", exc_info=error)
        return self.refuse(CallUs(f"The connector has a defect; its log names it by the request id {g.request_id}."))


def _envelope(longest: int) -> Envelope:
    body = json_body(longest)
    try:
        return parse_envelope(body)
    except FixRequest as error:
        raise BadRequest(str(error)) from error


def door_response(error: ConnectorError) -> Response:
    """An error of the door, with what tells the caller how to go on."""
    response = text_response(legible(str(error)), problem_of(error).saas_status)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="idc-connector"'
    if isinstance(error, Busy):
        response.headers["Retry-After"] = str(round(error.after))
    return response


def text_response(sentence: str, status: int) -> Response:
    """An answer of the door, for people and for logs."""
    return Response(sentence, status, headers={"Cache-Control": "no-store"}, content_type="text/plain; charset=utf-8")


def plain(error: HTTPException) -> Response:
    """What the framework refuses: 404, 405, 413 and so on, as text; its headers, such as Allow, stay."""
    sentence = _NOTHING_HERE if error.code == 404 else sentence_of(error)
    response = text_response(legible(sentence), error.code or 500)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _log(outcome: Outcome, seconds: float) -> None:
    said = {"frames": outcome.frames, "seconds": round(seconds, 3)}
    if outcome.error is None:
        log.info("command done", **said)
    elif isinstance(outcome.error, Cancelled):
        log.info("command stopped", why=str(outcome.error), **said)
    else:
        log.warning("command failed", kind=outcome.error.kind, why=str(outcome.error), **said)
