"""What goes wrong with an operator's command: a sentence on standard error, and exit code 1."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from connector.errors import ConnectorError, FixConfiguration
from connector.wire.legible import legible


@contextmanager
def told() -> Iterator[None]:
    """What goes wrong inside is told, without a trace of where."""
    try:
        yield
    except ConnectorError as error:
        click.echo(shown(error), err=True)
        sys.exit(1)


def shown(error: ConnectorError) -> str:
    """The error's sentence, made safe; of wrong settings there can be several, each on a line of its own."""
    if isinstance(error, FixConfiguration):
        return "\n".join(map(legible, str(error).split("\n")))
    return legible(str(error))
