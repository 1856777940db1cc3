"""The one way a call reaches AWS: paced, attempted once at a time, counted, understood, repeated while it may help.

In: the name of an operation and its parameters. Out: AWS's answer, or one of our errors after the command's patience
ended (docs/decisions/0002). botocore itself never retries. Nothing is logged but the operation, the code and counts.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, cast

import structlog
from botocore import xform_name

from connector.aws.faults import Again, BrokenAnswer, Fault, understand
from connector.aws.sessions import Sessions, waiting_at_most
from connector.errors import ConnectorError
from connector.model import Family, Lane, Source
from connector.ports import Clock, Pace, Patience

log = structlog.get_logger()

Answer = dict[str, Any]
Attempt = Callable[[float], Answer]
"""Makes the call once; told how many seconds of silence to put up with."""
Lost = Callable[[float], Answer | None]
"""Told when the first attempt began (Unix seconds), finds out whether a call whose answer is missing took effect."""
Told = Callable[[Fault | None], None]
"""Told None before each attempt, and after it how it failed."""

BACKOFF: Final = {Again.THROTTLED: (0.5, 8.0), Again.BROKEN: (0.1, 5.0), Again.BUSY: (0.3, 5.0), Again.EXPIRED: (0, 0)}
"""First and greatest wait in seconds; the waits between are doubled, and drawn between nothing and that."""
_READS: Final = ("List", "Describe", "Get", "SCIM Get")
"""How the names of operations begin that change nothing."""
_SLICE: Final = 0.2
"""Seconds slept between two looks at whether the client is still there."""
_jitter = random.SystemRandom()

# CreateAccountAssignment throttles with one code for two limits: the rate that all calls share, and ten changes in
# flight. Only the first is a reason to slow everything down, and other calls will tell.
_OWN_LIMIT: Final = frozenset({"CreateAccountAssignment", "DeleteAccountAssignment"})


class Tally:
    """How often each operation was attempted. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, operation: str) -> None:
        """One more attempt."""
        with self._lock:
            self._counts[operation] += 1

    def read(self) -> Mapping[str, int]:
        """A copy of the counts."""
        with self._lock:
            return dict(self._counts)


@dataclass(frozen=True, slots=True)
class Line:
    """The way to AWS for one source, one lane and one patience."""

    source: Source
    lane: Lane
    patience: Patience
    region: str
    owner: str
    """AWS account whose quota is used; before the instance is known, a name for the source."""
    sessions: Sessions
    pace: Pace
    clock: Clock
    tallies: tuple[Tally, ...]

    def at(self, owner: str, region: str) -> Line:
        """The same line to another Region and quota."""
        return replace(self, owner=owner, region=region)

    def call(
        self,
        service: str,
        operation: str,
        needs: str | None = None,
        lost: Lost | None = None,
        told: Told | None = None,
        /,
        **params: Any,
    ) -> Answer:
        """AWS's answer to one operation.

        `needs` is the member that a whole answer has. `lost` is asked after an attempt that AWS may have executed, or
        refused because of an earlier one; its answer is taken for the call's. Without it the operation must be safe to
        repeat. `told` follows the attempts of one that is not. Raises what `faults` makes of the last attempt,
        `unknown` when AWS may have executed any of them.
        """

        def attempt(left: float) -> Answer:
            client = self.sessions.client(self.source, service, self.region)
            with waiting_at_most(left):
                answer: Answer = getattr(client, xform_name(operation))(**params)
            if needs is not None and needs not in answer:
                raise BrokenAnswer(f"without {needs}")
            return answer

        return self.repeat(service, operation, attempt, lost, told)

    def repeat(
        self, service: str, operation: str, attempt: Attempt, lost: Lost | None = None, told: Told | None = None
    ) -> Answer:
        """`call` for any attempt: it returns an answer, or raises what `faults.understand` understands."""
        faults: list[Fault] = []
        try:
            return self._repeated(service, operation, attempt, lost, told, faults)
        except ConnectorError as failure:
            if any(each.again is Again.BROKEN and not each.unsent for each in faults):
                failure.unknown = not operation.startswith(_READS)
            raise

    def _repeated(
        self,
        service: str,
        operation: str,
        attempt: Attempt,
        lost: Lost | None,
        told: Told | None,
        faults: list[Fault],
    ) -> Answer:
        """`repeat`, keeping the faults of the attempts."""
        self._take(service)
        # A queue for our own quota is no fault of AWS: a call that had to wait for its turn starts with all the
        # patience. Its repetitions do not, or a lasting throttle would never end; nor does it borrow the progress of
        # the command's other threads, or a lasting fault of one operation would last as long as the others go on.
        self.patience.progress()
        until = self.clock.monotonic() + self.patience.remaining()
        began = self.clock.now()
        failed: Counter[Again] = Counter()
        while True:
            if not operation.startswith(_READS):
                # After every wait, for the pace too: who stood still may have been taken over, and others gone on.
                self.patience.still_ours()
            if told is not None:
                told(None)
            answer, fault = self._once(service, operation, attempt, until)
            if fault is None:
                self.patience.progress()
                return answer
            faults.append(fault)
            if told is not None:
                told(fault)
            why = self._reason(fault, failed, until)
            failed[why] += 1
            if lost is not None and why in (Again.BROKEN, Again.BUSY):
                found = lost(began)
                if found is not None:
                    return found
            if why is Again.THROTTLED and service != "sts" and operation not in _OWN_LIMIT:
                self.pace.slow_down(self.owner, cast("Family", service))
            log.info("aws call again", operation=operation, why=why.value, times=failed[why])
            self._wait(fault, why, failed[why], until)
            self._take(service)

    def _take(self, service: str) -> None:
        self.patience.check()
        if service != "sts":  # STS has a quota of its own in each AWS account, far above what we use
            self.pace.take(self.owner, cast("Family", service), self.lane, self.patience)

    def _once(self, service: str, operation: str, attempt: Attempt, until: float) -> tuple[Answer, Fault | None]:
        for tally in self.tallies:
            tally.add(operation)
        try:
            return attempt(until - self.clock.monotonic()), None
        except ConnectorError:
            raise
        except Exception as caught:  # botocore lets foreign exceptions through; the gate names them all
            fault = understand(service, operation, caught)
            fault.error.__cause__ = caught
            return {}, fault

    def _reason(self, fault: Fault, failed: Counter[Again], until: float) -> Again:
        """Why to try again; raises the fault's error when that cannot help or nobody has the patience."""
        if fault.again is None or self.clock.monotonic() >= until:
            raise fault.error
        if fault.again is Again.EXPIRED:
            if failed[Again.EXPIRED]:
                raise fault.error
            self.sessions.renew(self.source)
        return fault.again

    def _wait(self, fault: Fault, why: Again, times: int, until: float) -> None:
        left = until - self.clock.monotonic()
        if left <= 0 or (fault.after is not None and fault.after >= left):
            raise fault.error  # or AWS said that it would be of no use before then
        first, most = BACKOFF[why]
        # Full jitter (AWS Architecture Blog, "Exponential Backoff And Jitter"): repeated calls must not march in step.
        seconds = fault.after if fault.after is not None else _jitter.random() * min(most, first * 2**times)
        awake = self.clock.monotonic() + min(seconds, left)
        while (pause := awake - self.clock.monotonic()) > 0:
            self.patience.check()
            self.clock.sleep(min(pause, _SLICE))
        if self.clock.monotonic() >= until:
            raise fault.error
