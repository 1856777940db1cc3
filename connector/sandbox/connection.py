"""HTTP/1.1 on a socket: requests in, answers out, and the ways in which an answer does not arrive.

server.py gives every connection a thread that runs `converse`. Written by hand because the faults are about sockets: a
reset is a TCP RST, a half answer has its full Content-Length and then an end. Nothing here knows AWS.
"""

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import BinaryIO

LARGEST_BODY = 4 * 1024 * 1024
LARGEST_LINE = 64 * 1024


@dataclass
class HttpRequest:
    """A request; header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str

    def header(self, name: str) -> str:
        """A header, or an empty text."""
        return self.headers.get(name, "")


@dataclass
class HttpAnswer:
    """An answer and its manner: `whole`, `half` (breaks off), `reset` (never arrives)."""

    status: int
    body: bytes
    content_type: str = "application/x-amz-json-1.1"
    headers: dict[str, str] = field(default_factory=dict)
    manner: str = "whole"
    cut_at: int | None = None


Handler = Callable[[HttpRequest], HttpAnswer]


def converse(connection: socket.socket, peer: str, handle: Handler) -> None:
    """Answer requests on a connection until either side ends it."""
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection, connection.makefile("rb") as reader:
        try:
            while (request := read_request(reader, connection, peer)) is not None:
                if not send(connection, request, handle(request)):
                    return
        except (OSError, ValueError):
            return  # the client left, or does not speak HTTP


def read_request(reader: BinaryIO, connection: socket.socket, peer: str) -> HttpRequest | None:
    """The next request; None at the end of the connection."""
    line = reader.readline(LARGEST_LINE)
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := reader.readline(LARGEST_LINE)).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    length = int(headers.get("content-length") or 0)
    if length > LARGEST_BODY or "transfer-encoding" in headers:
        raise ValueError("a body that no AWS SDK sends here")
    body = reader.read(length) if length else b""
    if len(body) < length:
        return None
    path, _, query = target.partition("?")
    return HttpRequest(method, path, query, headers, body, peer)


def send(connection: socket.socket, request: HttpRequest, answer: HttpAnswer) -> bool:
    """Send an answer in its manner; False when the connection is over."""
    if answer.manner == "reset":
        # Closing with a zero linger time makes the kernel send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False
    head = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}", f"Content-Length: {len(answer.body)}"]
    if answer.body:
        head.append(f"Content-Type: {answer.content_type}")
    head.extend(f"{name}: {value}" for name, value in answer.headers.items())
    message = "\r\n".join(head).encode("latin-1") + b"\r\n\r\n"
    if answer.manner == "half":
        cut = len(answer.body) // 2 if answer.cut_at is None else min(answer.cut_at, len(answer.body) - 1)
        connection.sendall(message + answer.body[: max(0, cut)])
        return False
    connection.sendall(message if request.method == "HEAD" else message + answer.body)
    return request.header("connection").lower() != "close"


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
