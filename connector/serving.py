"""gunicorn, embedded: the HTTP server of `serve` and `demo`, and the options for those who start gunicorn themselves.

Settings come in, a running server comes out. The application is made in the worker, after the fork: no client, lock
or connection is shared between processes. Every number below has its reason beside it.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
import ssl
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
from gunicorn.arbiter import Arbiter  # type: ignore[import-untyped]
from gunicorn.glogging import Logger  # type: ignore[import-untyped]

from connector.errors import ConnectorError, FixConfiguration
from connector.settings import Settings
from connector.web.logs import configure_logs

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_FAST_DIRECTORY: Final = "/dev/shm"  # noqa: S108 -- a heartbeat on a slow disk looks like a dead worker


class Log(Logger):  # type: ignore[misc]
    """gunicorn's log, in the form of ours."""

    def setup(self, cfg: Any) -> None:
        """Keep gunicorn from adding handlers of its own."""
        configure_logs(cfg.loglevel.upper())


OPTIONS: Final[dict[str, Any]] = {
    "worker_class": "connector.web.worker.Worker",  # gthread, and it does not wait for slow clients
    "workers": 1,  # SQLite has one writer, and one process shares one census and one quota
    "threads": 96,  # more than commands at once (web.service.Limits): health checks are answered, slow clients borne
    "worker_connections": 800,  # below the 1024 open files that many systems allow
    "timeout": 60,  # the worker's heartbeat, not a request's
    "graceful_timeout": 240,  # a stop waits for the longest list; what is cut off then is cut visibly
    "keepalive": 75,  # longer than the idle time of common proxies
    "limit_request_line": 8190,
    "limit_request_fields": 64,
    "limit_request_field_size": 16_384,  # bearer tokens of identity providers are long
    "preload_app": False,
    "control_socket_disable": True,  # nobody asked for it, and it wants a writable home
    "header_map": "drop",
    "forwarder_headers": "",
    "secure_scheme_headers": {},  # else whoever comes over loopback is believed that it came over TLS
    "logger_class": Log,
    **({"worker_tmp_dir": _FAST_DIRECTORY} if os.access(_FAST_DIRECTORY, os.W_OK) else {}),
}
"""How gunicorn is run, whoever starts it."""


class Server(BaseApplication):  # type: ignore[misc]
    """gunicorn with an application that is made in its worker."""

    def __init__(self, make: Callable[[], WSGIApplication], options: dict[str, Any]) -> None:
        self._make = make
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Take options from us, and from nowhere else."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Make the application. What the operator can mend ends the server with a sentence, not with a traceback."""
        try:
            return self._make()
        except ConnectorError as error:
            logging.getLogger(__name__).error("%s", error)
            sys.exit(Arbiter.APP_LOAD_ERROR)


def options_for(settings: Settings, host: str, port: int, behind_proxy: bool) -> dict[str, Any]:
    """Options of a server at an address. `FixConfiguration` where it would show tokens to the network."""
    secured = settings.tls_cert is not None
    if not (secured or behind_proxy or is_loopback(host)):
        raise FixConfiguration(
            f"Serving plain HTTP on {host} would show tokens to the network. Set CONNECTOR_TLS_CERT and"
            " CONNECTOR_TLS_KEY, or say --behind-proxy when a reverse proxy does TLS."
        )
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    tls: dict[str, Any] = {"certfile": settings.tls_cert, "keyfile": settings.tls_key} if secured else {}
    if settings.tls_client_ca is not None:
        tls |= {"ca_certs": settings.tls_client_ca, "cert_reqs": ssl.CERT_REQUIRED}
    return {**OPTIONS, "bind": bind, "loglevel": settings.log_level.lower(), **tls}


def check_tls(settings: Settings) -> None:
    """`FixConfiguration` when the files for TLS cannot be used; gunicorn itself would listen, and answer nobody."""
    if settings.tls_cert is None:
        return
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:  # nobody is there to be asked for a password
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise FixConfiguration(
            f"CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY cannot be used together ({_reason(error)}): give a certificate"
            " chain and its own key, both in PEM, the key without a password."
        ) from None
    if settings.tls_client_ca is None:
        return
    try:
        context.load_verify_locations(settings.tls_client_ca)
    except (OSError, ValueError) as error:
        raise FixConfiguration(
            f"CONNECTOR_TLS_CLIENT_CA has no certificate that can be used ({_reason(error)}): give certificates in PEM."
        ) from None


def _reason(error: Exception) -> str:
    """In the words of the library that reads certificates; they quote nothing of a file."""
    return str(getattr(error, "reason", None) or type(error).__name__)


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_free(host: str, port: int) -> None:
    """`FixConfiguration` when something listens there already; gunicorn itself would try for a while first."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise FixConfiguration(
                f"Cannot listen on {host}:{port}: {error.strerror}. Choose another --port."
            ) from None
