"""A proxy between the service and the emulated AWS that delays, loses and cuts what passes. The service does not know
it: AWS_ENDPOINT_URL names it.

    with Sandbox() as sandbox, Proxy(sandbox) as proxy, Running(sandbox, directory, environment=proxy.environment()):
        proxy.add("CreateUser", "lost", times=1)

latency    AWS hears of the call `seconds` later
blackhole  AWS never hears of it; `seconds` of silence, then the connection is reset
reset      AWS never hears of it; the connection is reset
instead    AWS never hears of it; somebody on the way answers `answer`
late       AWS acts at once; its answer comes `seconds` later
cut        AWS acted; its answer, status line and headers included, breaks off after `cut_at` bytes
lost       AWS acted; then the connection is reset

One thread a connection, calls of a connection one after another, as HTTP/1.1 has them.
"""

from __future__ import annotations

import http.client
import socket
import socketserver
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Final

from connector.sandbox.connection import HttpRequest, read_request
from connector.sandbox.server import Sandbox

KINDS: Final = ("latency", "blackhole", "reset", "instead", "late", "cut", "lost")
GATEWAY: Final = b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<h1>Sorry.</h1>"
"""What a proxy of somebody else says that cannot reach AWS."""
TOO_MANY: Final = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n"
"""A throttle that names no error."""
_PASSED_ON: Final = (
    "x-amz-target",
    "content-type",
    "authorization",
    "user-agent",
    "x-amz-security-token",
    "x-amz-date",
)
_PASSED_BACK: Final = ("content-type", "x-amzn-requestid", "x-amzn-errortype")


@dataclass
class Rule:
    """`kind` for calls of `operation` ("*": any) whose body has the text `about`, so many times (None: for ever)."""

    operation: str
    kind: str
    times: int | None = None
    seconds: float = 1.0
    cut_at: int = 0
    answer: bytes = b""
    about: str = ""
    hits: int = 0
    struck: threading.Event = field(default_factory=threading.Event, repr=False)
    """Set when a call has come to the place where it goes wrong."""
    released: threading.Event = field(default_factory=threading.Event, repr=False)
    """Ends the waiting."""

    def strikes(self, operation: str, body: bytes) -> bool:
        """Count a call that goes wrong."""
        if self.operation not in ("*", operation) or self.about.encode() not in body:
            return False
        if self.times is not None and self.hits >= self.times:
            return False
        self.hits += 1
        return True


class Proxy:
    """The proxy on a free port of loopback; a context manager."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.hits: dict[str, int] = dict.fromkeys(KINDS, 0)
        """How often each kind has happened."""
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.proxy = self

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    @property
    def scim_url(self) -> str:
        """The sandbox's SCIM endpoint, through here."""
        return self.sandbox.scim_url.replace(self.sandbox.url, self.url)

    def environment(self) -> dict[str, str]:
        """What sends a service through here."""
        return {"AWS_ENDPOINT_URL": self.url}

    def add(self, operation: str, kind: str, **more: Any) -> Rule:
        """A rule from now on; the first that strikes counts."""
        assert kind in KINDS, kind
        rule = Rule(operation, kind, **more)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drop all rules; calls that wait go on."""
        with self._lock:
            rules, self._rules = self._rules, []
        for each in rules:
            each.released.set()

    def striking(self, operation: str, body: bytes) -> Rule | None:
        """The rule that strikes a call."""
        with self._lock:
            rule = next((each for each in self._rules if each.strikes(operation, body)), None)
            if rule is not None:
                self.hits[rule.kind] += 1
        return rule

    def __enter__(self) -> Proxy:
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="proxy", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
        self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    request_queue_size = 128
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left in the middle is what this proxy is for."""


class _Connection(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        proxy = self.server.proxy  # type: ignore[attr-defined]
        upstream = http.client.HTTPConnection(*proxy.sandbox.url.removeprefix("http://").rsplit(":", 1), timeout=60)
        try:
            with suppress(OSError, ValueError):  # the client left, or the sandbox reset the connection
                self._converse(proxy, upstream)
        finally:
            upstream.close()

    def _converse(self, proxy: Proxy, upstream: http.client.HTTPConnection) -> None:
        while (request := read_request(self.rfile, self.connection, "127.0.0.1")) is not None:
            rule = proxy.striking(operation_of(request), request.body)
            kind = rule.kind if rule is not None else ""
            if rule is not None and kind == "instead":
                rule.struck.set()
                self.connection.sendall(rule.answer)
                continue
            if rule is not None and kind in ("latency", "blackhole", "reset"):
                rule.struck.set()
                if kind != "reset":
                    rule.released.wait(rule.seconds)
                if kind != "latency":
                    return self._reset()
            try:
                answer = _asked(upstream, request)
            except (OSError, http.client.HTTPException):
                return self._reset()  # the sandbox has faults of its own
            if rule is not None and kind in ("late", "cut", "lost"):
                rule.struck.set()
                if kind == "lost":
                    return self._reset()
                if kind == "cut":
                    self.connection.sendall(answer[: min(rule.cut_at, len(answer) - 1)])
                    return None
                rule.released.wait(rule.seconds)
            self.connection.sendall(answer)
        return None

    def _reset(self) -> None:
        # Closing with a zero linger time makes the kernel send RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def operation_of(request: HttpRequest) -> str:
    """What is asked for: an operation of AWS, or `Scim`."""
    if target := request.header("x-amz-target"):
        return target.rpartition(".")[2]
    if request.path.strip("/"):
        return "Scim"
    return next((each[7:] for each in request.body.decode().split("&") if each.startswith("Action=")), "")


def _asked(upstream: http.client.HTTPConnection, request: HttpRequest) -> bytes:
    """AWS's answer as bytes on a wire; `HTTPException` when it did not arrive whole."""
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    target = request.path + (f"?{request.query}" if request.query else "")
    upstream.request(request.method, target, request.body, headers)
    response = upstream.getresponse()
    body = response.read()
    kept = [f"{name}: {value}" for name, value in response.getheaders() if name.lower() in _PASSED_BACK]
    head = [f"HTTP/1.1 {response.status} {response.reason}", *kept, f"Content-Length: {len(body)}"]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body
