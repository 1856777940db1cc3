"""`idc-connector doctor`: what test-connection finds out about a source, for the eyes of its operator.

Asks AWS exactly what the command of the faces asks, with the same settings. Changes nothing, and logs no warning twice.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping, Sequence

import click
from rich.console import Console

from connector.cli.complaints import shown
from connector.errors import AskPermission, ConnectorError, FixConfiguration, SourceNotFound
from connector.settings import Settings, read_settings
from connector.web.logs import configure_logs
from connector.wire.legible import legible


@click.command("doctor")
@click.option("--source", "name", default=None, help="The source to look at; the default one, unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor_command(name: str | None, as_json: bool) -> None:
    """Say what is wrong with a source's configuration, or what was found with it.

    Checks the settings, the credentials, the Region, the instance, one read of each kind, and with disable_by = "scim"
    the SCIM endpoint and its token. Ends with 1 when a command would fail.
    """
    try:
        settings = read_settings()
        configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
        findings = examine(settings, name)
    except ConnectorError as error:
        findings = {"ok": False, "source": name, "error": shown(error), "kind": error.kind, "do": advice(error)}
    if as_json:
        click.echo(json.dumps(findings, indent=2, ensure_ascii=False, default=str))
    else:
        show(findings)
    if not findings["ok"]:
        sys.exit(1)


def examine(settings: Settings, name: str | None) -> dict[str, object]:
    """What test-connection says about the source, and whether every command works. Raises what is wrong for lists."""
    from connector.app import Core
    from connector.commands.connection import Probe

    probe = Probe(Core(settings).desk(settings.source(name), threading.Event()))
    found = probe.run()
    return {"ok": not probe.failing, **found}


def advice(error: ConnectorError) -> str:
    """What the reader does next."""
    if isinstance(error, AskPermission):
        return f"Allow {error.action} to the identity this source runs as."
    if isinstance(error, SourceNotFound):
        return "Name one of these with --source, or add it to the sources file."
    if isinstance(error, FixConfiguration):
        return "Change the setting that the sentence names, and run this again."
    return "Try again later." if error.retryable else "See the sentence above."


def show(findings: Mapping[str, object]) -> None:
    """Print findings for people."""
    console = Console(highlight=False, soft_wrap=True)
    if "error" in findings:
        console.print("[bold red]✗[/]", end=" ")
        console.print(str(findings["error"]), markup=False)
        console.print(f"  {findings['do']}", markup=False)
        return
    console.print("[bold green]✓[/]" if findings["ok"] else "[bold red]✗[/]", end=" ")
    how = "works" if findings["ok"] else "can be listed, but a command fails"
    console.print(f"The source {findings['source']} {how}.", markup=False)
    warnings = findings.get("warnings")
    for key, value in findings.items():
        if key not in ("ok", "source", "warnings"):
            console.print(f"  {key}: {legible(_shown(value))}", markup=False)
    for warning in warnings if isinstance(warnings, Sequence) and not isinstance(warnings, str) else ():
        console.print("[bold yellow]![/]", end=" ")
        console.print(legible(str(warning)), markup=False)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)
