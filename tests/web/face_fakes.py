"""A service without AWS for tests of the face: commands that do what their test asks, and a server that runs them.

As a program, `face_fakes.py PORT KEEP_ALIVE [CERT KEY]`, it serves them
on gunicorn exactly as `idc-connector serve` would.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connector.commands.desk import Command
from connector.errors import AccountNotFound, AskPermission, AwsFailed
from connector.model import Account, Done, Entitlement, Event, Source, State
from connector.tokens import Token, digest_of
from connector.web.auth import Callers
from connector.web.dispatch import Faces
from connector.web.service import Limits, Service

READ, PROVISION, NARROW, EXPIRED = (f"idc_{name}" + "x" * 40 for name in ("read", "provision", "narrow", "expired"))
SOURCES = {"default": Source("default"), "other": Source("other")}


class FakeDesk:
    """Carries to the command what the real one would: the source, and whether the client left."""

    def __init__(self, source: Source, cancelled: threading.Event, *_: Any) -> None:
        self.source = source
        self.cancelled = cancelled


def account(number: int, size: int = 0) -> Account:
    """An account; `size` makes it long."""
    attributes = {"userId": f"u-{number}", "userName": f"user{number}", "groups": ("g-1", "g-2")}
    return Account(f"u-{number}", False, attributes | ({"title": "x" * size} if size else {}))


def script(desk: Any, asked: Any) -> Iterator[Event]:
    """List what `state` asks for: `accounts`, `size` of each, `pause` before each, `fail` after them, a `mark` file."""
    wanted = dict(asked.state or {})
    made = 0
    try:
        for number in range(int(wanted.get("accounts", 0))):
            pause_unless(desk, float(wanted.get("pause", 0)))
            made += 1
            yield account(number, int(wanted.get("size", 0)))
        pause_unless(desk, float(wanted.get("silence", 0)))
        if "fail" in wanted:
            raise AwsFailed(wanted["fail"])
        if "defect" in wanted:
            raise RuntimeError(wanted["defect"])
        if asked.stateful:
            yield State({"snapshot": "7"})
    finally:
        if "mark" in wanted:
            Path(wanted["mark"]).write_text(f"{made} {desk.cancelled.is_set()}")


def pause_unless(desk: Any, seconds: float) -> None:
    """Sleep as real commands wait: until the client leaves."""
    if seconds:
        desk.cancelled.wait(seconds)


def read(desk: Any, asked: Any) -> Iterator[Event]:
    """The account asked for, unless its id names an error."""
    if asked.id == "missing":
        raise AccountNotFound("There is no account missing in the identity store.")
    if asked.id == "denied":
        raise AskPermission("Allow identitystore:DescribeUser.", action="identitystore:DescribeUser", request_id="r-1")
    if asked.id == "defect":
        raise RuntimeError("secret of the house")
    if asked.id.startswith("slow-"):
        desk.cancelled.wait(float(asked.id[5:]))
    yield account(1)


def change(desk: Any, asked: Any) -> Iterator[Event]:
    """Change slowly, and leave a mark when done: `changes` are (attribute, value)."""
    wanted = {each.attribute: (each.values or ("",))[0] for each in asked.changes}
    time.sleep(float(wanted.get("pause", 0)))
    if "mark" in wanted:
        Path(wanted["mark"]).write_text("done")
    yield Done()


def groups(desk: Any, asked: Any) -> Iterator[Event]:
    """Two entitlements."""
    for each in ("g-1", "g-2"):
        yield Entitlement(each, asked.type, {"id": each, "type": asked.type, "requestable": True, "userCount": 3})


def spec(desk: Any, asked: Any) -> Iterator[Event]:
    """The specification of the source."""
    yield Done({"specification": {"name": desk.source.name}})


def nothing(desk: Any, asked: Any) -> Iterator[Event]:
    """No object to show."""
    yield Done({"found": "not shown"})


COMMANDS = {
    "std:test-connection": Command(nothing),
    "std:spec:read": Command(spec),
    "std:account:list": Command(script, lists=True),
    "std:account:read": Command(read),
    "std:account:update": Command(change, changes=True),
    "std:account:delete": Command(nothing, changes=True),
    "std:entitlement:list": Command(groups, lists=True),
}


def fake_service(**options: Any) -> Service:
    """A service with these commands, four tokens and two sources."""
    tokens = [
        Token("reader", "read", digest_of(READ)),
        Token("operator", "provision", digest_of(PROVISION)),
        Token("narrow", "provision", digest_of(NARROW), frozenset({"other"})),
        Token("former", "admin", digest_of(EXPIRED), expires=datetime(2020, 1, 1, tzinfo=UTC)),
    ]
    return Service(
        commands=COMMANDS,
        sources=SOURCES,
        default_source=SOURCES["default"],
        callers=Callers(tokens, time.time),
        desk=FakeDesk,  # type: ignore[arg-type]
        ready=options.pop("ready", lambda: None),
        **options,
    )


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(keep_alive: float, log: Path) -> tuple[subprocess.Popen[bytes], str]:
    """The fakes on gunicorn; returns when it accepts connections."""
    port = free_port()
    with log.open("wb") as errors:
        server = subprocess.Popen([sys.executable, "-W", "error", __file__, str(port), str(keep_alive)], stderr=errors)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
            break
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.05)
    return server, f"http://127.0.0.1:{port}"


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a server we started."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


if __name__ == "__main__":
    from connector.serving import Server, options_for
    from connector.settings import Settings
    from connector.web.logs import configure_logs

    configure_logs("INFO")
    port, keep_alive, *files = sys.argv[1:]
    settings = Settings(tls_cert=files[0], tls_key=files[1]) if files else Settings()
    limits = Limits(keep_alive=float(keep_alive), attention=0.1, unread=3)
    options = options_for(settings, "127.0.0.1", int(port), behind_proxy=False)
    Server(lambda: Faces(fake_service(limits=limits)), options | {"graceful_timeout": 3}).run()
