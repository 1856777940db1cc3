"""The sandbox as a server: a port, a thread for each connection, and the way from a path to whoever answers.

`Sandbox` runs in the process of a test or behind the command line (main.py). AWS requests go to dispatch.py, SCIM to
scim.py, `/_sandbox/…` to control.py. It can be reached on loopback by default and verifies no signature.
"""

import json
import socket
import threading
import traceback
from types import TracebackType
from typing import Any

from connector.sandbox import control, scim
from connector.sandbox.connection import HttpAnswer, HttpRequest, converse
from connector.sandbox.dispatch import EmulatedAws
from connector.sandbox.models import operation_model, targets
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.small import small

_LOOPBACK = ("127.", "::1", "::ffff:127.")


class Sandbox:
    """An emulated AWS on a port; a context manager. Port 0 takes a free one."""

    def __init__(
        self,
        organisation: Organisation | None = None,
        options: Options | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.aws = EmulatedAws(organisation or small(), options or Options())
        self._host, self._port = host, port
        self._listener: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()

    @property
    def organisation(self) -> Organisation:
        """The live state; hold its lock while changing it."""
        return self.aws.organisation

    @property
    def options(self) -> Options:
        """The live options."""
        return self.aws.options

    @property
    def url(self) -> str:
        """What AWS_ENDPOINT_URL should be."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def region(self) -> str:
        """The first instance's primary Region."""
        return self.organisation.instance.region

    @property
    def scim_url(self) -> str:
        """The first instance's SCIM endpoint; `Users` comes after it."""
        return f"{self.url}/{next(iter(self.organisation.scim_tokens))}/scim/v2/"

    @property
    def scim_token(self) -> str:
        """The bearer token for it."""
        return next(iter(self.organisation.scim_tokens.values()))

    def environment(self) -> dict[str, str]:
        """What an AWS SDK needs to call here as the management account."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_ACCESS_KEY_ID": "AKIAMANAGEMENT000000",
            "AWS_SECRET_ACCESS_KEY": "sandbox",
        }

    def control(self, name: str, body: Any = None) -> Any:
        """Ask the control endpoint without HTTP: `control("state")`, `control("options", {"tps": 20})`."""
        return control.perform(self.aws, name, body)

    def start(self) -> "Sandbox":
        """Listen."""
        self.aws.leaving.clear()
        # Loading the models takes a moment: now rather than in the first call.
        for service in targets().values():
            operation_model(service, "ListAccounts" if service == "organizations" else _first(service))
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        self._listener = socket.create_server((self._host, self._port), family=family, backlog=256)
        self._listener.settimeout(0.2)
        self._port = self._listener.getsockname()[1]
        self._spawn(threading.Thread(target=self._accept, args=(self._listener,), name="sandbox", daemon=True))
        return self

    def stop(self) -> None:
        """Close the port and every connection."""
        if self._listener is None:
            return
        listener, self._listener = self._listener, None
        self.aws.leaving.set()
        with self._lock:
            open_connections, threads = list(self._connections), list(self._threads)
        for connection in open_connections:
            _shut(connection)
        for thread in threads:
            thread.join(timeout=5)
        listener.close()

    def __enter__(self) -> "Sandbox":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _spawn(self, thread: threading.Thread) -> None:
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                connection, address = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            connection.settimeout(None)
            with self._lock:
                self._connections.add(connection)
            self._spawn(threading.Thread(target=self._serve, args=(connection, address[0]), daemon=True))

    def _serve(self, connection: socket.socket, peer: str) -> None:
        try:
            converse(connection, peer, self._handle)
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._threads.discard(threading.current_thread())

    def _handle(self, request: HttpRequest) -> HttpAnswer:
        try:
            if request.path.startswith("/_sandbox/"):
                return control.handle(self.aws, request, request.peer.startswith(_LOOPBACK))
            if scim.PATH.fullmatch(request.path):
                return scim.handle(self.aws, request)
            if request.path != "/":
                return HttpAnswer(404, b'{"__type":"UnknownOperationException"}')
            return self.aws.handle(request)
        except Exception:
            # Our own fault, never AWS's: kept where a test looks for it.
            self.aws.journal.crashes.append(traceback.format_exc())
            return HttpAnswer(500, json.dumps({"__type": "InternalFailure"}).encode())


def _first(service: str) -> str:
    return {"identitystore": "ListUsers", "sso-admin": "ListInstances"}[service]


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # already gone
