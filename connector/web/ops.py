"""For those who run the service: is it alive, is it ready, what has it counted.

Answers come from the process itself and from one question to the store. AWS is never asked here: a throttled AWS must
not make an orchestrator restart us.
"""

from __future__ import annotations

import structlog
from flask import Flask, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from werkzeug.exceptions import HTTPException

from connector.errors import ConnectorError
from connector.web.admission import guard, identify, note_refusal, place
from connector.web.request_id import begin_request, show_request_id
from connector.web.saas import door_response, plain, text_response
from connector.web.scopes import authorise
from connector.web.service import Service

PATHS = frozenset({"/livez", "/readyz", "/metrics"})

log = structlog.get_logger(__name__)


def create_ops(service: Service) -> Flask:
    """The operator's pages as a WSGI application."""
    app = Flask("connector.ops", static_folder=None)

    def livez() -> Response:
        return text_response("alive\n", 200)

    def readyz() -> Response:
        try:
            service.ready()
        except Exception as error:
            log.warning("not ready", why=str(error))
            return text_response("The store does not answer, or not to this version.\n", 503)
        return text_response("ready\n", 200)

    def metrics() -> Response:
        # A token, not the loopback address: behind a sidecar or a reverse proxy everybody comes from loopback.
        authorise(identify(service), place(), None)
        return Response(generate_latest(service.metrics.registry), content_type=CONTENT_TYPE_LATEST)

    def refuse(error: ConnectorError) -> Response:
        note_refusal(service, error)
        return door_response(error)

    for view in (livez, readyz, metrics):
        app.add_url_rule(f"/{view.__name__}", view_func=view, methods=["GET"], provide_automatic_options=False)
    app.before_request(begin_request)
    guard(app)
    app.after_request(show_request_id)
    app.register_error_handler(ConnectorError, refuse)
    app.register_error_handler(HTTPException, plain)
    return app
