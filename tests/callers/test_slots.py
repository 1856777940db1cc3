"""Slots of commands: who came first is served first, and for each who waits one client that does not read gives way."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest

from connector.errors import Busy
from connector.web import slots as module
from connector.web.connections import UNREAD, Connections, send_little_ahead
from connector.web.slots import Slots


class Room(Connections):
    """Connections of which some may give way."""

    giving = True

    def may_give_way(self) -> bool:
        return self.giving


def waiting(slots: Slots, number: int) -> None:
    """Wait until so many stand in line."""
    deadline = time.monotonic() + 5
    while len(slots._line) != number:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_came_first_is_served_first() -> None:
    slots, order = Slots(1, Room()), []

    def run(number: int) -> None:
        slots.take()
        order.append(number)
        slots.release()

    slots.take()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for number, each in enumerate(threads, 1):
        each.start()
        waiting(slots, number)
    slots.release()
    for each in threads:
        each.join()
    assert order == list(range(20))
    slots.take()


def test_nobody_waits_when_nobody_gives_way() -> None:
    room = Room()
    room.giving = False
    slots = Slots(1, room)
    slots.take()
    began = time.monotonic()
    with pytest.raises(Busy):
        slots.take()
    assert time.monotonic() - began < 0.5
    slots.release()
    slots.take()


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gives up leaves the line: what is given back is for those who still wait."""
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    slots = Slots(1, Room())
    slots.take()
    with pytest.raises(Busy):
        slots.take()
    waiting(slots, 0)
    slots.release()
    slots.take()


@contextmanager
def stalled(connections: Connections, number: int) -> Iterator[list[socket.socket]]:
    """So many clients that read nothing of what is sent, seen twice."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        clients = [stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(number)]
        for _ in clients:
            ours = stack.enter_context(listener.accept()[0])
            ours.setblocking(False)
            watched = stack.enter_context(connections.served(SimpleNamespace(sock=ours)))
            watched.waits = False
            fill(ours)
        connections.look(0.5)
        connections.look(1.0)
        yield clients


def fill(sock: socket.socket) -> int:
    sent = 0
    try:
        while True:
            sent += sock.send(b"x" * 65536)
    except BlockingIOError:
        return sent


def gone(clients: list[socket.socket]) -> int:
    """How many were cut off."""
    ended = 0
    for each in clients:
        each.settimeout(0.5)
        try:
            while chunk := each.recv(1 << 20):
                assert chunk
            ended += 1
        except TimeoutError:
            pass
    return ended


@pytest.mark.parametrize("wanted", [0, 1, 3])
def test_one_gives_way_for_each_who_waits(wanted: int) -> None:
    connections = Connections()
    connections._threads = 100
    with stalled(connections, 5) as clients, ExitStack() as stack:
        for _ in range(wanted):
            stack.enter_context(connections.wanted())
        for late in range(3):  # those who were cut off are there still: nobody else goes in their stead
            connections.look(1.5 + UNREAD + late)
        assert gone(clients) == wanted


def test_nobody_who_is_wanted_by_nobody_goes_unless_threads_run_short() -> None:
    connections = Connections()
    connections._threads = 5
    with stalled(connections, 5) as clients:
        connections.look(1.5 + UNREAD)
        assert gone(clients) == 5


@pytest.mark.skipif(not hasattr(socket, "TCP_NOTSENT_LOWAT"), reason="this system cannot be told")
def test_the_system_takes_little_ahead() -> None:
    """Megabytes otherwise, all of them made by a command that ran for nobody."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        client = stack.enter_context(socket.socket())
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(listener.getsockname())
        ours = stack.enter_context(listener.accept()[0])
        send_little_ahead(ours)
        ours.setblocking(False)
        assert fill(ours) < 1_000_000
