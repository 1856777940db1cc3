"""Clients that send or read nothing stop nobody else, however many there are."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
import requests

from connector.serving import OPTIONS
from tests.web.face_fakes import PROVISION, start, stop

THREADS = OPTIONS["threads"]
HEADERS = {"Authorization": f"Bearer {PROVISION}", "Content-Type": "application/json"}
SIX_MEGABYTES = {"accounts": "120", "size": "50000"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The fakes on the real server."""
    log = tmp_path_factory.mktemp("slow") / "log"
    server, address = start(20, log)
    yield address
    stop(server)
    assert log.read_text().count("Booting worker") == 1, "the worker died"


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Connections, closed at the end."""
    with ExitStack() as stack:
        yield stack


def listing(**state: str) -> bytes:
    return json.dumps({"type": "std:account:list", "input": {"state": state}, "config": {"source": "default"}}).encode()


def head(length: int, end: str = "\r\n") -> bytes:
    lines = [f"{name}: {value}\r\n" for name, value in HEADERS.items()]
    return f"POST / HTTP/1.1\r\nHost: x\r\n{''.join(lines)}Content-Length: {length}\r\n{end}".encode()


def connect(url: str, data: bytes, clients: ExitStack) -> socket.socket:
    host, port = url.removeprefix("http://").split(":")
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((host, int(port)))
    connection.sendall(data)
    return clients.enter_context(connection)


def seconds_to_list(url: str) -> float:
    began = time.monotonic()
    answer = requests.post(url, data=listing(accounts="3"), headers=HEADERS, timeout=20)
    assert answer.status_code == 200
    assert len(answer.content.splitlines()) == 3
    return time.monotonic() - began


def test_stalled_readers_give_way(url: str, clients: ExitStack) -> None:
    body = listing(**SIX_MEGABYTES)
    for _ in range(THREADS):
        connect(url, head(len(body)) + body, clients)
    for _ in range(3):
        assert seconds_to_list(url) < 5


def test_stalled_readers_and_drippers_together_give_way(url: str, clients: ExitStack) -> None:
    """The worst of both: every thread is held by somebody who does not read, every place by somebody who drips."""
    for _ in range(2 * THREADS):
        connect(url, head(10, end=""), clients)
    body = listing(**SIX_MEGABYTES)
    for _ in range(THREADS):
        connect(url, head(len(body)) + body, clients)
    for _ in range(THREADS):
        connect(url, head(1000) + b"{", clients)
    for _ in range(2):
        assert seconds_to_list(url) < 5


def test_a_reader_that_is_cut_off_sees_it(url: str, clients: ExitStack) -> None:
    body = listing(**SIX_MEGABYTES)
    stalled = [connect(url, head(len(body)) + body, clients) for _ in range(40)]
    time.sleep(0.5)
    assert seconds_to_list(url) < 5

    ends = [everything(each) for each in stalled]

    broken = [each for each in ends if not each.endswith(b"0\r\n\r\n")]
    assert broken, "somebody gave way"
    assert all(len(each) < 6_000_000 for each in broken)


def everything(connection: socket.socket) -> bytes:
    connection.settimeout(10)
    found = b""
    try:
        while chunk := connection.recv(1 << 20):
            found += chunk
            if found.endswith(b"0\r\n\r\n"):
                break
    except ConnectionError:
        pass
    return found


@pytest.mark.parametrize("sent", [b"", b"P", head(10, end="")], ids=["nothing", "a byte", "half a head"])
def test_heads_that_do_not_come_hold_no_thread(url: str, clients: ExitStack, sent: bytes) -> None:
    dripping = [connect(url, sent, clients) for _ in range(2 * THREADS)]
    for each in dripping:
        each.sendall(b"X")
    assert seconds_to_list(url) < 1


def test_more_connections_than_the_server_has_stop_nobody(url: str, clients: ExitStack) -> None:
    for _ in range(OPTIONS["worker_connections"] + 20):
        connect(url, b"", clients)
    assert seconds_to_list(url) < 5


def test_clients_that_leave_while_others_take_their_room(url: str) -> None:
    """Of what the server hears of at once, one thing may end another: who comes takes the room of who is told the end,
    and that one leaves in the same moment."""
    for _ in range(5):
        with ExitStack() as staying:
            for _ in range(OPTIONS["worker_connections"]):
                connect(url, b"NONSENSE\r\n\r\n", staying)
    assert seconds_to_list(url) < 5


LAST_REQUESTS = {
    "nonsense": b"NONSENSE\r\n\r\n",
    "its last request": b"GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "an old request": b"GET /livez HTTP/1.0\r\n\r\n",
}


@pytest.mark.parametrize("sent", LAST_REQUESTS.values(), ids=list(LAST_REQUESTS))
def test_clients_that_do_not_close_hold_nobody_up(url: str, clients: ExitStack, sent: bytes) -> None:
    """They are told the end, and closed a little later."""
    staying = [connect(url, sent, clients) for _ in range(30)]
    time.sleep(0.2)
    for _ in range(2):
        assert seconds_to_list(url) < 1
    for each in staying:
        assert everything(each).startswith(b"HTTP/1.")


def test_what_a_client_has_not_read_yet_is_not_taken_back(url: str, clients: ExitStack) -> None:
    """A refusal in the middle of a body: the client goes on sending before it reads."""
    connection = connect(url, head(5_000_000), clients)
    with suppress(OSError):
        for _ in range(40):
            connection.sendall(b" " * 1000)
            time.sleep(0.005)
    assert everything(connection).startswith(b"HTTP/1.1 413")


def test_bodies_that_do_not_come_hold_threads_for_a_second(url: str, clients: ExitStack) -> None:
    for _ in range(THREADS + 20):
        connect(url, head(1000) + b"{", clients)
    time.sleep(0.2)
    for _ in range(2):
        assert seconds_to_list(url) < 5


def test_bodies_that_nobody_asked_for_hold_threads_for_a_second(url: str, clients: ExitStack) -> None:
    """Answered without them; what comes of them is read and forgotten, so that the connection can be kept."""
    for _ in range(2 * THREADS):
        connect(url, b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{", clients)
    time.sleep(0.2)
    assert seconds_to_list(url) < 4


def test_a_head_in_pieces_is_a_head(url: str, clients: ExitStack) -> None:
    body = listing(accounts="1")
    connection = connect(url, b"", clients)
    for byte in head(len(body)):
        connection.sendall(bytes([byte]))
        time.sleep(0.001)
    time.sleep(0.2)
    connection.sendall(body)
    assert b"200 OK" in connection.recv(4096)


def test_the_next_request_of_a_connection_in_pieces(url: str, clients: ExitStack) -> None:
    connection = connect(url, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n", clients)
    assert b"alive" in connection.recv(4096)
    connection.sendall(b"GET /live")
    time.sleep(0.2)
    connection.sendall(b"z HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"alive" in connection.recv(4096)


def test_a_head_and_a_body_that_never_end_are_given_up(url: str, clients: ExitStack) -> None:
    first, second = connect(url, head(5, end=""), clients), connect(url, head(1000), clients)
    began = time.monotonic()
    while time.monotonic() - began < 30:
        time.sleep(0.5)
        try:
            first.sendall(b"X")
            second.sendall(b" ")
        except OSError:
            break
    assert 8 < time.monotonic() - began < 25


def test_a_slow_reader_is_served_to_the_end_while_there_is_room(url: str, clients: ExitStack) -> None:
    body = listing(accounts="20", size="50000")
    connection = connect(url, head(len(body)) + body, clients)
    found = b""
    while not found.endswith(b"0\r\n\r\n"):
        found += connection.recv(65536)
        time.sleep(0.01)
    assert len(found) > 1_000_000
