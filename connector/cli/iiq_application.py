"""`idc-connector iiq-application`: the files that register a source with IdentityIQ, or with ISC.

Reads the settings, asks nobody, and prints; no secret is in what it prints.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import click

from connector.cli.complaints import told
from connector.errors import SourceNotFound
from connector.identityiq.application import Application, application
from connector.identityiq.twin import source_json
from connector.identityiq.xmldocuments import application_xml, tasks_xml
from connector.settings import read_settings

FORMATS: Final[dict[str, Callable[[Application], str]]] = {
    "xml": application_xml,
    "tasks": tasks_xml,
    "json": source_json,
}

EXAMPLE: Final = "give the address IdentityIQ uses, such as https://connector.example.com"
PLAIN: Final = re.compile(r"(?:[A-Za-z0-9._~:/@!&'()*+,;=\[\]-]|%[0-9A-Fa-f]{2})+")
"""Characters that RFC 3986 allows in a host and a path."""


def _address(context: click.Context, parameter: click.Parameter, value: str) -> str:
    try:
        address = urlsplit(value)
        port_is_none = address.port is None  # an impossible port raises only when it is asked for
    except ValueError:
        raise click.BadParameter(f"it is no address; {EXAMPLE}") from None
    if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
        raise click.BadParameter(EXAMPLE)
    if address.username is not None or address.password is not None:
        raise click.BadParameter("leave name and password out: the file holds no secret, the token is typed in later")
    if "$" in value:
        raise click.BadParameter("IdentityIQ takes $ for a placeholder")
    if PLAIN.fullmatch(value) is None or (port_is_none and address.netloc.endswith(":")):
        raise click.BadParameter(f"it holds characters that no address has as they are; {EXAMPLE}")
    if re.search("/v1(/|$)", address.path):
        raise click.BadParameter(f"leave /v1 and what follows out: the file adds it to every address; {EXAMPLE}")
    return value.rstrip("/")


@click.command("iiq-application")
@click.option(
    "--url",
    required=True,
    callback=_address,
    help="Where IdentityIQ reaches the service: https://connector.example.com",
)
@click.option("--source", "name", default=None, help="The source to register; the default one, unless given.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(tuple(FORMATS)),
    default="xml",
    show_default=True,
    help="xml: the Application; tasks: its aggregation tasks; json: the source for ISC's Web Services connector.",
)
def iiq_application_command(url: str, name: str | None, kind: str) -> None:
    """Print what registers a source with IdentityIQ.

    Import it with `iiq console`, enter the token in the application's settings, and press Test Connection. The options
    of the source decide what is in it: print it anew after changing entitlement_types, inherited, disable_by or
    managed_by.
    """
    with told():
        settings = read_settings()
        if name is not None and name not in settings.sources:
            raise SourceNotFound(f"There is no source {name}; there are {', '.join(settings.sources)}.")
    source = settings.sources[name] if name is not None else settings.default_source
    click.echo(FORMATS[kind](application(source, url)), nl=False)
