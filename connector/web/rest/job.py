"""A command of the REST face in a thread of its own, and those who wait for it.

A call comes in, its result or its error goes out. A client that leaves stops what only reads; what changes something
runs to its end, whoever waits. The job holds one of the service's slots until it has ended. Nothing of HTTP is here.
"""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Generic, TypeVar

import structlog

from connector.commands.acceptance import Acceptance
from connector.errors import CallUs, Cancelled, ConnectorError
from connector.web.peer import Peer
from connector.web.service import Service

log = structlog.get_logger(__name__)
Result = TypeVar("Result")


class Job(Generic[Result]):
    """One call. `cancelled` is told when nobody waits any more; None for a change, which goes on regardless."""

    def __init__(
        self,
        service: Service,
        command: str,
        source: str,
        call: Callable[[], Result],
        cancelled: threading.Event | None,
        acceptance: Acceptance,
    ) -> None:
        self._service = service
        self._about = (command, source)
        self._call = call
        self._cancelled = cancelled
        self._acceptance = acceptance
        self._result: Future[Result] = Future()

    def start(self) -> None:
        """`Busy` when too many commands run already."""
        self._service.slots.take()
        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(self._run,), name="command", daemon=self._cancelled is not None).start()

    def done_within(self, seconds: float, peer: Peer) -> bool:
        """Wait; whether it has ended. `Cancelled` when the client leaves what only reads."""
        until = time.monotonic() + seconds
        while not self._result.done():
            left = until - time.monotonic()
            if left <= 0:
                return False
            try:
                self._result.exception(min(left, self._service.limits.attention))
            except TimeoutError:
                if self._cancelled is not None and peer.left():
                    self.leave()
                    raise Cancelled("The client left before the answer was complete.") from None
        return True

    def accepted(self, peer: Peer) -> str:
        """Id of the operation that a change has become; empty when it was withdrawn now, and nothing is done.

        Where the store is just keeping it, that is waited for: also empty when the job ended meanwhile.
        """
        if not self._acceptance.withdraw():
            while not self._acceptance.operation and not self.done_within(self._service.limits.attention, peer):
                pass
        return self._acceptance.operation

    def result(self) -> Result:
        """The result, waited for; raises what the call raised."""
        return self._result.result()

    def leave(self) -> None:
        """Nobody waits any more."""
        if self._cancelled is not None:
            self._cancelled.set()

    # ---- in the job's own thread

    def _run(self) -> None:
        try:
            with self._counted():
                result = self._call()
        except ConnectorError as error:
            self._result.set_exception(error)
        except BaseException:
            log.exception("defect")
            self._result.set_exception(CallUs("The connector has a defect; its log names it by the request id."))
        else:
            self._result.set_result(result)
        finally:
            self._service.slots.release()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        command, source = self._about
        metrics, began, outcome = self._service.metrics, time.monotonic(), "internal"
        metrics.running.inc()
        try:
            yield
            outcome = "ok"
            log.info("command done", command=command, seconds=round(time.monotonic() - began, 3))
        except Cancelled as error:
            outcome = error.kind
            log.info("command stopped", command=command, why=str(error))
            raise
        except ConnectorError as error:
            outcome = error.kind
            log.warning("command failed", command=command, kind=error.kind, why=str(error))
            raise
        finally:
            metrics.running.dec()
            metrics.commands.labels(command, source, outcome).inc()
            metrics.seconds.labels(command).observe(time.monotonic() - began)
