"""The service's core in this process, able to die in the middle of a change, and to be built anew on the same store.

Dying is a `BaseException` out of a call to AWS: before AWS heard of it, or after it acted. From then on the dead core
reaches neither AWS nor the store, whatever its threads still try; that is as much of a SIGKILL as one process can do to
a part of itself. `tests/operations/test_kills.py` does it to a whole one. Time is a clock of its own: whoever sleeps
moves it, and the emulated AWS's with it, so that leases and assignments take no time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from connector.app import Core
from connector.aws import Directories
from connector.commands import CHANGES, COMMANDS
from connector.commands.asked import Input
from connector.commands.durable import resume
from connector.errors import ConnectorError
from connector.lease import LEASE
from connector.model import Account, Event, Lane, ListAccounts, Source
from connector.ports import Clock, Directory, Pace, Patience
from connector.sandbox.server import Sandbox
from connector.settings import Settings


class Killed(BaseException):
    """The process is gone."""


class Moving:
    """A clock (`ports.Clock`) that whoever sleeps moves, together with the emulated AWS's."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._moved = 0.0
        self._lock = threading.Lock()

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self._moved

    def monotonic(self) -> float:
        """Seconds that never go back."""
        return time.monotonic() + self._moved

    def sleep(self, seconds: float) -> None:
        """Move on."""
        with self._lock:
            self._moved += max(0.0, seconds)
        self._sandbox.control("advance", {"seconds": max(0.0, seconds)})
        time.sleep(0)


@dataclass
class Life:
    """How long a core lives: so many calls to AWS more; for ever unless told."""

    calls: int | None = None
    acted: bool = False
    """Whether AWS still acts on the last one."""
    dead: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def call(self, act: Callable[[], Any]) -> Any:
        """A call to AWS, which may be the last."""
        with self._lock:
            self.check()
            last = self.calls == 1
            self.calls = None if self.calls is None else self.calls - 1
            self.dead = last
        if last:
            if self.acted:
                act()
            raise Killed
        return act()

    def check(self) -> None:
        """Nothing more is done by who is dead."""
        if self.dead:
            raise Killed


class Mortal:
    """A port whose calls end with the life of its core."""

    def __init__(self, port: Any, life: Life, counted: bool) -> None:
        self._port, self._life, self._counted = port, life, counted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*given: Any, **named: Any) -> Any:
            def act() -> Any:
                answer = found(*given, **named)
                # Lists are asked for when they are read: that is the call.
                return list(answer) if isinstance(answer, Iterator) else answer

            if self._counted:
                answer = self._life.call(act)
                return iter(answer) if isinstance(answer, list) else answer
            self._life.check()
            return found(*given, **named)

        return call


class _MortalDirectories:
    def __init__(self, directories: Directories, life: Life) -> None:
        self._directories, self._life = directories, life

    def open(self, source: Source, lane: Lane, patience: Patience) -> Directory:
        return cast(Directory, Mortal(self._directories.open(source, lane, patience), self._life, counted=True))

    def calls(self, source: Source) -> Any:
        return self._directories.calls(source)

    def close(self) -> None:
        self._directories.close()


class Incarnation:
    """One life of the core."""

    def __init__(self, clock: Clock, store: Path, source: Source) -> None:
        self.life = Life()
        self._opened: list[Directories] = []
        settings = Settings(
            sources={source.name: source},
            store_url=f"sqlite:///{store}",
            aws_tps=10_000,
            identitystore_tps=10_000,
            organizations_tps=10_000,
        )
        self.core = Core(settings, clock, self._directories)
        self.source = source

    def _directories(self, pace: Pace, clock: Clock) -> _MortalDirectories:
        self._opened.append(Directories(pace, clock))
        return _MortalDirectories(self._opened[-1], self.life)

    def _desk(self) -> Any:
        desk = self.core.desk(self.source, threading.Event())
        mortal = {
            name: Mortal(getattr(desk, name), self.life, counted=False)
            for name in ("operations", "records", "stripped", "audit")
        }
        return replace(desk, **mortal)

    def ask(self, command: str, asked: Input, dies: tuple[int, bool] | None = None) -> Event | ConnectorError:
        """The answer of a change; raises `Killed` when it dies first: after so many calls, acted or not."""
        self.life.calls, self.life.acted = dies or (None, False)
        try:
            return next(COMMANDS[command].run(self._desk(), asked))
        except ConnectorError as failure:
            return failure
        finally:
            self.life.calls = None

    def list(self) -> dict[str, Account]:
        """Every account that a list shows, by userName."""
        events = COMMANDS["std:account:list"].run(self._desk(), ListAccounts())
        return {str(each.attributes["userName"]): each for each in events if isinstance(each, Account)}

    def recover(self) -> None:
        """Take up what nobody owns, one after another."""
        operations = self.core.store.operations
        while (operation := operations.take_abandoned(self.core.owner, LEASE)) is not None:
            resume(self._desk(), operation, CHANGES.get(operation.command))

    def bury(self) -> None:
        """Let go of its files and sockets."""
        self.life.dead = True
        for each in self._opened:
            each.close()
        self.core.store.close()
