"""`idc-connector walk`: what a census of a source asks AWS, how many calls that takes, and why this way."""

from __future__ import annotations

import json
import threading
from dataclasses import asdict

import click
from rich.console import Console
from rich.table import Table

from connector.cli.complaints import told
from connector.model import Lane
from connector.reading.survey import Survey, survey
from connector.settings import Settings, read_settings
from connector.web.logs import configure_logs


@click.command("walk")
@click.option("--source", "name", default=None, help="The source to look at; the default one, unless given.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def walk_command(name: str | None, as_json: bool) -> None:
    """Count a source and say how a census will read it.

    Asks AWS for users, groups, permission sets, AWS accounts, pairs and applications, but for no membership and no
    assignment. Changes nothing.
    """
    with told():
        settings = read_settings()
        configure_logs("WARNING" if settings.log_level == "INFO" else settings.log_level)
        found = _survey(settings, name)
    seconds = max(
        found.calls.get("sso-admin", 0) / settings.aws_tps,
        found.calls["identitystore"] / settings.identitystore_tps,
    )
    if as_json:
        click.echo(json.dumps({**asdict(found), "total": found.total, "seconds": round(seconds, 1)}, indent=2))
    else:
        _show(found, seconds)


def _survey(settings: Settings, name: str | None) -> Survey:
    from connector.app import Core

    source = settings.source(name)
    desk = Core(settings).desk(source, threading.Event())
    return survey(desk.directory(Lane.CENSUS), source)


def _show(found: Survey, seconds: float) -> None:
    console = Console(highlight=False, soft_wrap=True)
    accounts = "unknown (Organizations denies it)" if found.aws_accounts is None else str(found.aws_accounts)
    console.print(
        f"{found.users} users, {found.groups} groups, {found.permission_sets} permission sets, "
        f"AWS accounts: {accounts}, {found.pairs} pairs, {found.applications} applications"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("walk", "calls", "why"):
        table.add_column(heading)
    for each in found.walks:
        table.add_row(each.name, str(each.calls), each.why)
    console.print(table)
    by_service = ", ".join(f"{service} {calls}" for service, calls in found.calls.items())
    console.print(f"A first census takes about {found.total} calls ({by_service}) and {seconds:.0f} s at this pace.")
