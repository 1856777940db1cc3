"""Nothing secret survives a line of the log."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from connector.tokens import new_token
from connector.web.logs import HIDDEN, configure_logs
from connector.web.stream import Broken


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("DEBUG")
    yield stream
    root.handlers = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_are_json_with_the_requests_context(lines: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r-1", command="std:account:list"):
        structlog.get_logger("mine").info("command done", frames=3)
        logging.getLogger("theirs").warning("a library says %s", "so")
    mine, theirs = map(json.loads, lines.getvalue().splitlines())
    assert (mine["message"], mine["frames"], mine["request_id"], mine["level"]) == ("command done", 3, "r-1", "info")
    assert (theirs["message"], theirs["logger"], theirs["command"]) == (
        "a library says so",
        "theirs",
        "std:account:list",
    )


def test_secrets_are_hidden_by_form_and_by_name(lines: io.StringIO) -> None:
    token = new_token()
    log = structlog.get_logger("x")
    log.info(f"got {token}", header=f"Bearer {token}", deep={"list": [f"Basic {'QWxhZGRpbjpvcGVu'}"]}, password="pw-1")
    logging.getLogger("botocore").warning("Authorization: AWS4 Credential=AKIAIOSFODNN7EXAMPLE/x")
    try:
        raise ValueError(f"in a trace {token}")
    except ValueError:
        log.exception("failed")
    text = lines.getvalue()
    for secret in (token, "QWxhZGRpbjpvcGVu", "pw-1", "AKIAIOSFODNN7EXAMPLE"):
        assert secret not in text
    assert text.count(HIDDEN) >= 5
    assert all(json.loads(line) for line in text.splitlines())


def test_libraries_that_would_show_bodies_never_speak_at_debug(lines: io.StringIO) -> None:
    for name in ("botocore.endpoint", "urllib3.connectionpool"):
        logging.getLogger(name).debug("headers and body")
    assert lines.getvalue() == ""


def test_answers_broken_off_on_purpose_are_not_logged_twice(lines: io.StringIO) -> None:
    server = logging.getLogger("gunicorn.error")
    try:
        raise Broken("aws-failed")
    except Broken:
        server.exception("Error handling request")
    try:
        raise RuntimeError("something else")
    except RuntimeError:
        server.exception("Error handling request")
    assert lines.getvalue().count("Error handling request") == 1
