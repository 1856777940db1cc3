"""One WSGI application in front of the faces: the path chooses who answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from connector.web.ops import PATHS, create_ops
from connector.web.saas import create_saas
from connector.web.service import Service

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class Faces:
    """The whole service over HTTP."""

    def __init__(self, service: Service, rest: WSGIApplication | None = None) -> None:
        self._saas = create_saas(service)
        self._ops = create_ops(service)
        self._rest = rest

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return self._face(environ.get("PATH_INFO", ""))(environ, start_response)

    def _face(self, path: str) -> WSGIApplication:
        if path in PATHS:
            return self._ops
        if self._rest is not None and (path.startswith("/v1/") or path in ("/v1", "/openapi.json")):
            return self._rest
        return self._saas
