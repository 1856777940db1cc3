"""`idc-connector operations`: changes, as the store has them, and what became of them. Nothing is ever changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from connector.cli.complaints import told
from connector.cli.opened import opened
from connector.errors import OperationNotFound
from connector.model import Operation, Recorded
from connector.settings import read_settings
from connector.wire.legible import legible


@click.group("operations", invoke_without_command=True)
@click.option("--source", default=None, help="Only those of this source.")
@click.option("--unfinished", is_flag=True, help="Only those that go on.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many, at most.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def operations_group(context: click.Context, source: str | None, unfinished: bool, limit: int, as_json: bool) -> None:
    """List changes and what became of them, the newest first."""
    if context.invoked_subcommand is not None:
        return
    with told():
        settings = read_settings()
        with opened(settings) as store:
            found = store.operations.listed(source, unfinished, limit)
            if source is not None and not (found or store.operations.listed(source, False, 1)):
                settings.source(source)  # a source that is configured no longer is one that the store knows
    if as_json:
        for each in found:
            click.echo(json.dumps(_shown(each)))
    else:
        _show(found)


@operations_group.command("show")
@click.argument("id")
def show_command(id: str) -> None:
    """Print all that is known of one, as JSON: what was asked, its steps, its answer."""
    with told(), opened() as store:
        found = store.operations.operation(id)
        if found is None:
            raise OperationNotFound(f"No operation {id[:60]!r} is known, or it ended more than 30 days ago.")
    click.echo(json.dumps(_shown(found), indent=2))


def _show(found: Sequence[Operation]) -> None:
    lines = [("id", "source", "command", "account", "caller", "accepted", "state")]
    for each in found:
        account = each.account or each.turn
        lines.append(
            (each.id, each.source, each.command, account, each.caller, _time(each.accepted_at) or "", each.state)
        )
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        # Some of it was sent by callers: nothing in it is for the terminal. Never cut to its width: ids are copied.
        shown = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo(legible(shown).rstrip())


def _shown(operation: Operation) -> dict[str, object]:
    return {
        "id": operation.id,
        "source": operation.source,
        "command": operation.command,
        "account": operation.account,
        "turn": operation.turn,
        "caller": operation.caller,
        "key": operation.key,
        "state": operation.state,
        "acceptedAt": _time(operation.accepted_at),
        "endedAt": _time(operation.ended_at),
        "owners": operation.fence,
        "asked": operation.asked,
        "steps": [_step(each) for each in operation.steps],
        "answer": operation.answer,
    }


def _step(recorded: Recorded) -> dict[str, object]:
    step = recorded.step
    return {
        "verb": step.verb.value,
        "attribute": step.attribute,
        "value": step.value,
        "attributes": dict(step.attributes),
        "result": None if recorded.result is None else recorded.result.value,
        "reason": recorded.reason,
        **({"earlier": True} if recorded.earlier else {}),
    }


def _time(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
