"""Who goes first at the quota: changes before live reads before censuses, in the order they came within a lane.

A gate of ours in front of the buckets, one for each AWS account and family of services. The lower lane takes no token
while a higher one waits. Throttling means that somebody else uses the quota too: the gate slows to half and comes back
by itself.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from connector.errors import RetryLater
from connector.model import Family, Lane
from connector.pace.buckets import Bucket, LocalBucket, SharedBucket
from connector.ports import Clock, Patience

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

RECOVERY: Final = 20.0
"""Seconds from a standstill back to full speed: fast enough to use what others leave, slow enough to leave it."""
_BLINK: Final = 0.25
"""Longest sleep between two looks at whether the client is still there."""


class Pace:
    """The quota (`ports.Pace`). One for the whole service.

    `tps` is calls a second by family, under what AWS allows; with a psycopg `pool`, all processes on that database
    share them.
    """

    def __init__(self, tps: Mapping[Family, float], clock: Clock, pool: ConnectionPool | None = None) -> None:
        self._tps = tps
        self._clock = clock
        self._pool = pool
        self._lock = threading.Lock()
        self._gates: dict[tuple[str, Family], Gate] = {}

    def take(self, owner: str, family: Family, lane: Lane, patience: Patience) -> None:
        """Block until one call may go out.

        Waiting here is no lack of progress of AWS's: only `patience.check` is asked. A census behind a row of changes
        waits as long as they last; `aws.calls` counts the token it gets as progress.
        """
        self._gate(owner, family).take(lane, patience)

    def slow_down(self, owner: str, family: Family) -> None:
        """AWS throttled us."""
        self._gate(owner, family).slow_down()

    def _gate(self, owner: str, family: Family) -> Gate:
        with self._lock:
            if (owner, family) not in self._gates:
                tps = self._tps[family]
                self._gates[owner, family] = Gate(tps, self._bucket(owner, family, tps), self._clock)
            return self._gates[owner, family]

    def _bucket(self, owner: str, family: Family, tps: float) -> Bucket:
        if self._pool is None:
            return LocalBucket(tps, self._clock)
        return SharedBucket(tps, self._pool, f"{owner} {family}")


class Gate:
    """The queue in front of one bucket. Only its head asks the bucket; who leaves wakes the next."""

    def __init__(self, tps: float, bucket: Bucket, clock: Clock) -> None:
        self._tps = tps
        self._bucket = bucket
        self._clock = clock
        self._brake = Brake(tps)
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._queue: list[tuple[Lane, int, threading.Event]] = []
        self._granted = -math.inf
        """When the last token was got."""

    def take(self, lane: Lane, patience: Patience) -> None:
        """Wait for the turn, then for a token."""
        place = (lane, next(self._numbers), threading.Event())
        with self._lock:
            heapq.heappush(self._queue, place)
        waits = False
        try:
            while (delay := self._try(place, waits)) > 0:
                patience.check()
                if place is not self._head():
                    place[2].wait(_BLINK)
                    place[2].clear()
                elif not waits and lane is not Lane.CENSUS:
                    waits = True  # and says so when it asks again, at once
                else:
                    self._clock.sleep(min(delay, _BLINK))
        finally:
            if waits:
                # Should that fail, the others wait for a second: no reason to fail a call that has its token.
                with suppress(RetryLater):
                    self._bucket.left(lane)
            self._leave(place)

    def slow_down(self) -> None:
        """Half the speed, coming back over `RECOVERY` seconds."""
        with self._lock:
            self._brake.press(self._clock.monotonic())

    def _try(self, place: tuple[Lane, int, threading.Event], waits: bool) -> float:
        """0 with a token taken, else the seconds to wait."""
        with self._lock:
            if place is not self._queue[0]:
                return _BLINK
            now = self._clock.monotonic()
            speed = self._brake.speed(now)
            delay = self._granted + 1 / (self._tps * speed) - now if speed < 1 else 0.0
        if delay > 0:
            return delay
        delay = self._bucket.spend(place[0], waits)
        if delay == 0:
            with self._lock:
                self._granted = now
        return delay

    def _head(self) -> tuple[Lane, int, threading.Event] | None:
        with self._lock:
            return self._queue[0] if self._queue else None

    def _leave(self, place: tuple[Lane, int, threading.Event]) -> None:
        with self._lock:
            if self._queue[0] is place:
                heapq.heappop(self._queue)
            else:
                self._queue.remove(place)
                heapq.heapify(self._queue)
            if self._queue:
                self._queue[0][2].set()


class Brake:
    """How much of the speed is used: halved by a throttle, back by itself. Not thread-safe; its gate is."""

    def __init__(self, tps: float) -> None:
        self._least = min(1.0, 1.0 / tps)
        self._speed = 1.0
        self._at = -RECOVERY

    def press(self, now: float) -> None:
        """AWS throttled. One episode throttles many calls in flight: within a second it counts once."""
        if now - self._at >= 1.0 or self._speed >= 1.0:
            self._speed = max(self._least, self.speed(now) / 2)
            self._at = now

    def speed(self, now: float) -> float:
        """Part of the pace to use now, 1 when nothing holds it back; never less than one call a second."""
        return min(1.0, self._speed + (now - self._at) / RECOVERY)
