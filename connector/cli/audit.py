"""`idc-connector audit`: checks the audit, in the store or in a file, and exports it. Nothing is ever changed."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import click

from connector.audit_trail import closes
from connector.audit_verification import Verdict, verify
from connector.cli.complaints import told
from connector.cli.opened import opened
from connector.settings import Settings, read_settings


@click.group("audit")
def audit_group() -> None:
    """Check and export the record of what was asked and done."""


@audit_group.command("verify")
@click.option(
    "--file",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file that was exported, or a log (CONNECTOR_AUDIT_LOG). The store, unless given.",
)
def verify_command(file: Path | None) -> None:
    """Say whether the audit is as it was written; else which line is not, and end with 1.

    An exported file ends with a line that closes it, and needs no store. A log has none: the store says what it must
    reach. CONNECTOR_AUDIT_KEY must be the key it was written with.
    """
    with told():
        settings = read_settings()
        verdict = _of_store(settings) if file is None else _of_file(settings, file)
    if verdict.ok:
        click.echo(f"The audit is whole: {verdict.count} entries.")
        return
    click.echo(f"The audit is broken at line {verdict.line}: {verdict.wrong}.", err=True)
    sys.exit(1)


@audit_group.command("export")
@click.option("--since", default=None, help="Begin at this date, or date and time (UTC). All, unless given.")
@click.option("--out", type=click.Path(path_type=Path), help="A new file. Standard output, unless given.")
def export_command(since: str | None, out: Path | None) -> None:
    """Write the audit as JSON, one entry a line, and a last line that closes it."""
    begin = None if since is None else _moment(since)
    with told(), opened() as store, _target(out) as target:
        for line in store.audit.lines(begin):
            target.write(f"{line}\n")


def _of_store(settings: Settings) -> Verdict:
    with opened(settings) as store:
        return verify(store.audit.lines(), settings.audit_key)


def _of_file(settings: Settings, file: Path) -> Verdict:
    if any(closes(line) for line in deque(_lines(file), maxlen=1)):
        return verify(_lines(file), settings.audit_key)
    with opened(settings) as store:
        # Before the file is read: a line is there before the store counts it.
        head = store.audit.head()
        return verify(_lines(file), settings.audit_key, head, store.audit.head)


def _lines(file: Path) -> Iterator[str]:
    # What is no UTF-8 is wrong, not a reason to stop; nothing but a line feed ends a line.
    with file.open(encoding="utf-8", errors="replace", newline="\n") as lines:
        yield from lines


@contextmanager
def _target(out: Path | None) -> Iterator[TextIO]:
    if out is None:
        yield sys.stdout
        return
    try:
        # Never over another one, which may be evidence, and for nobody else's eyes.
        file = os.open(out, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        raise click.BadParameter(f"{out}: {fault.strerror}.", param_hint="--out") from None
    with open(file, "w", encoding="ascii", newline="\n") as target:
        yield target


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"'{text}' is no date, such as 2027-06-30.", param_hint="--since") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
