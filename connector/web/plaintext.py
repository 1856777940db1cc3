"""Keeps a service that somebody else started from taking tokens over plain HTTP.

The address a request came to is its connection's own; what a client says in headers counts for nothing. Nothing of a
request is read here.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from connector.web.peer import Peer

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SENTENCE: Final = (
    "Serving plain HTTP off loopback would show tokens to the network. Give gunicorn --certfile and --keyfile, or set"
    " CONNECTOR_PROXY_HOPS when a reverse proxy does TLS.\n"
)


class Guarded:
    """The application for those who come over TLS, or from this machine."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        peer = Peer(environ)
        address = peer.address()
        # Not the scheme: servers take it from headers of those they believe.
        if peer.secured() or address is None or ipaddress.ip_address(address).is_loopback:
            return self._app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")])
        return [SENTENCE.encode()]
