"""One WSGI application in front of the faces: the path chooses who answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connector.web.connections import HERE, Awaited
from connector.web.oauth import PATH, create_oauth
from connector.web.ops import PATHS, create_ops
from connector.web.saas import create_saas
from connector.web.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_REST = frozenset({"/v1", "/openapi.json"})
_UNDER_REST = ("/v1/", "/problems/")


class Faces:
    """The whole service over HTTP."""

    def __init__(self, service: Service, rest: WSGIApplication | None = None) -> None:
        self._saas = create_saas(service)
        self._ops = create_ops(service)
        self._oauth = create_oauth(service)
        self._rest = rest

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        watched = HERE.of(environ.get("gunicorn.socket"))
        if watched is not None:
            environ["wsgi.input"] = Awaited(environ["wsgi.input"], watched)
        face = self._face(environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
        return face(environ, start_response)

    def _face(self, method: str, path: str) -> WSGIApplication:
        if path in PATHS:
            return self._ops
        if path == PATH:
            return self._oauth
        if method == "POST" and path.endswith("/invoke"):  # at any depth (docs/saas-face.md), so under /v1 as well
            return self._saas
        if self._rest is not None and (path in _REST or path.startswith(_UNDER_REST)):
            return self._rest
        return self._saas
