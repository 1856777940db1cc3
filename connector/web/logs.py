"""The log: every line one JSON object on standard error, from our own code and from the libraries alike.

A line can say who, what, which and how long. It can never hold a token, a key or an Authorization header: whatever
looks like one is taken out of the finished line.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from connector.web.stream import Broken
from connector.wire.legible import legible

_SECRET_NAMES: Final = re.compile(r"(?i)(authorization|password|secret|token|credential|access_?key)$")
_SECRET_FORMS: Final = re.compile(
    r"idc_[A-Za-z0-9_-]{8,}|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|(?i:\b(?:bearer|basic)) +[A-Za-z0-9._~+/=-]{8,}"
)
HIDDEN: Final = "[hidden]"
_TALKATIVE: Final = ("botocore", "boto3", "urllib3", "s3transfer", "werkzeug", "alembic", "sqlalchemy")


def configure_logs(level: str) -> None:
    """Send everything from `level` on to standard error. Safe to call again, for instance after a fork."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
            processors=_rendering(),
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in _TALKATIVE:  # botocore's DEBUG prints headers and bodies, SQLAlchemy's INFO every statement
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
    # A refused role is our own sentence; botocore adds a traceback with this machine's paths.
    logging.getLogger("botocore.credentials").setLevel(logging.CRITICAL)
    for name in ("gunicorn.error", "gunicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
        logger.addFilter(_without_broken)


def _rendering() -> list[Any]:
    return [
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        hide_named,
        structlog.processors.EventRenamer("message"),
        _in_reading_order,
        structlog.processors.JSONRenderer(ensure_ascii=False),
        hide_shaped,
        escape,
    ]


def _in_reading_order(logger: Any, method: str, event: MutableMapping[str, Any]) -> dict[str, Any]:
    return {name: event.pop(name) for name in ("timestamp", "level", "message") if name in event} | dict(event)


def hide_named(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide values whose name says that they are secret."""
    for name in event:
        if _SECRET_NAMES.search(name):
            event[name] = HIDDEN
    return event


def hide_shaped(logger: Any, method: str, line: str | bytes) -> str:
    """Hide what has the form of a token or an access key, wherever it stands in the line."""
    text = line.decode() if isinstance(line, bytes) else line
    return _SECRET_FORMS.sub(HIDDEN, text)


def escape(logger: Any, method: str, line: str) -> str:
    """Escape what JSON allows in a text and a terminal would obey."""
    return legible(line)


def _without_broken(record: logging.LogRecord) -> bool:
    """Answers we break off on purpose are logged as failed commands already; the server's traceback adds nothing."""
    return not (record.exc_info and isinstance(record.exc_info[1], Broken))
