"""Answers of the REST face: JSON, problems, and a body that stays alive until it can begin.

A first page may need a census of many minutes, and clients give up after some tens of seconds of silence. So after a
while blanks are sent, which JSON allows before a value; they commit the status 200. What fails after that is told in
words that are no JSON, and the answer is broken off: neither a parser nor a client can take it for a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

import structlog
from flask import Response, g

from connector.errors import ConnectorError
from connector.web.peer import Peer
from connector.web.rest.face import face, peer
from connector.web.rest.job import Job
from connector.web.stream import Broken
from connector.wire.legible import legible
from connector.wire.rest_bodies import JSON, encoded
from connector.wire.rest_problems import Document, of_error

PROBLEM: Final = "application/problem+json"
BLANK: Final = b"\n"
_UNBUFFERED: Final = {"X-Accel-Buffering": "no"}

log = structlog.get_logger(__name__)


def json_answer(body: object, status: int = 200) -> Response:
    """A body that is known."""
    return Response(encoded(body), status, content_type=JSON)


def problem_answer(document: Document) -> Response:
    """A problem (RFC 9457)."""
    response = Response(encoded(document.members), document.status, content_type=PROBLEM)
    if document.after is not None:
        response.headers["Retry-After"] = str(document.after)
    return response


def refuse(error: ConnectorError) -> Response:
    """The problem an error is."""
    return problem_answer(of_error(error, g.request_id))


def read_whole(command: str, call: Callable[..., object]) -> Response:
    """The answer of a read that is short: waited for, with a status that tells how it went."""
    job = face().job(command, call)
    client = peer()
    while not job.done_within(60.0, client):
        pass  # as long as it takes: the command's own deadlines end it
    return json_answer(job.result())


def read_alive(command: str, call: Callable[..., object]) -> Response:
    """The answer of a read that may need a census."""
    job = face().job(command, call)
    client, silence = peer(), face().service.limits.silence
    if job.done_within(silence, client):
        return json_answer(job.result())
    return Response(_Alive(job, client, silence), 200, headers=_UNBUFFERED, content_type=JSON)


class _Alive:
    """Iterator of the chunks of an answer: blanks, then all of it at once."""

    def __init__(self, job: Job[object], client: Peer, silence: float) -> None:
        self._job = job
        self._client = client
        self._silence = silence

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield BLANK
            while not self._job.done_within(self._silence, self._client):
                yield BLANK
            body = encoded(self._job.result())
        except ConnectorError as error:
            log.warning("answer broken off", kind=error.kind, why=str(error))
            yield f"{error.kind}: {legible(str(error))}\n".encode()
            self._client.spoil()
            raise Broken(error.kind) from None
        yield body

    def close(self) -> None:
        """Called by the server when the answer has ended or cannot be sent any more."""
        self._job.leave()
