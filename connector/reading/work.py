"""What the parts of one census share: the source, the ports, their notes, and the sign that one of them failed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Final, TypeVar

from connector.model import Fact, Instance, Lane, Operation, Principal, Snapshot, Source
from connector.ports import Census, Directories, Directory, Patience, Records
from connector.reading.walk import ASSIGNMENTS_BY_PAIR, Walk

THREADS: Final = 16
"""Per service: enough for 200 calls a second at 60 ms. The pace, not the threads, sets the speed."""
PAGE: Final = 1000
"""Facts fetched from the store at once."""

Awaited = TypeVar("Awaited")


class Abandoned(Exception):
    """Another part of the census failed; its failure is the one that is told."""


@dataclass
class Growing:
    """How many there are of something, told while they are still being read."""

    so_far: int = 0
    all: Future[int] = field(default_factory=Future)
    """At the end."""

    def counted(self, items: Iterable[Fact]) -> Iterator[Fact]:
        """The items as they come, counted."""
        for each in items:
            self.so_far += 1
            yield each


@dataclass
class Work:
    """One census under way."""

    source: Source
    directories: Directories
    records: Records
    census: Census
    patience: Callable[[], Patience]
    """Makes a new one: each service is judged by its own progress, so that one that answers cannot excuse another."""
    stripped: Callable[[], Collection[str]]
    """Users that our own journal says are disabled, as it stands now."""
    recent: Callable[[str, float], Iterable[Operation]]
    """Our operations on the instance of this ARN that go on, or ended so many seconds ago at most, as accepted."""
    sweep: bool = False
    """Read assignments by pair whatever it costs: only so are orphans seen."""
    warnings: list[str] = field(default_factory=list)
    walks: list[str] = field(default_factory=list)
    principals: set[Principal] = field(default_factory=set)
    """Those with assignments, where these were read by pair."""
    failed: threading.Event = field(default_factory=threading.Event)

    def directory(self) -> Directory:
        """AWS at the census's place in the queue."""
        return self.directories.open(self.source, Lane.CENSUS, _Shared(self.patience(), self.failed))

    def latest(self, instance: Instance) -> Snapshot | None:
        """The newest snapshot, if it is of the same instance, whatever the configuration: what cannot have changed."""
        latest = self.records.latest(self.source.name)
        return latest if latest is not None and latest.instance == instance.arn else None

    def stage(self, found: Iterable[Fact]) -> None:
        self.records.stage(self.census, found)

    def staged(self, kind: str) -> Iterator[Fact]:
        return self.records.staged(self.census, kind)

    def are_staged(self, kind: str, ids: Iterable[str]) -> frozenset[str]:
        """Which of these ids are those of staged facts."""
        return self.records.are_staged(self.census, kind, ids)

    @property
    def by_pair(self) -> bool:
        """Whether assignments were read by pair, which shows orphans."""
        return any(each.startswith(ASSIGNMENTS_BY_PAIR) for each in self.walks)

    def chose(self, choice: Walk) -> None:
        self.walks.append(f"{choice.name}: {choice.calls} calls ({choice.why})")

    def wait_for(self, answer: Future[Awaited]) -> Awaited:
        """Another service's answer; gives up when that service failed."""
        while not answer.done():
            if self.failed.wait(0.01):
                raise Abandoned
        return answer.result()

    def at_least(self, growing: Growing, enough: Callable[[], int]) -> int:
        """How many there are; of more than `enough`, any number from `enough` on, as soon as that is known."""
        while not growing.all.done() and growing.so_far < enough():
            if self.failed.wait(0.01):
                raise Abandoned
        return growing.all.result() if growing.all.done() else growing.so_far


class _Shared:
    """A patience that also ends when another part of the census failed."""

    def __init__(self, patience: Patience, failed: threading.Event) -> None:
        self._patience = patience
        self._failed = failed

    def progress(self) -> None:
        self._patience.progress()

    def remaining(self) -> float:
        return self._patience.remaining()

    def check(self) -> None:
        if self._failed.is_set():
            raise Abandoned
        self._patience.check()

    def still_ours(self) -> None:
        self._patience.still_ours()


def every(records: Records, snapshot: Snapshot, kind: str, after: str = "") -> Iterator[Fact]:
    """Every fact of one kind with an id > `after`, by id, a page in memory at a time."""
    while found := records.page(snapshot, kind, after, PAGE):
        yield from found
        after = found[-1].id
