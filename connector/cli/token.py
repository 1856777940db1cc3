"""`idc-connector token`: tokens of callers. A new token is shown once; what is kept of it is its SHA-256."""

from __future__ import annotations

import os

import click

from connector.tokens import (
    NAME,
    SCOPES,
    SOURCE_NAME,
    Scope,
    Token,
    digest_of,
    new_token,
    parse_expiry,
    parse_tokens,
    written,
)


@click.group("token")
def token_group() -> None:
    """Make the tokens that callers authenticate with."""


@token_group.command("new")
@click.option("--name", required=True, help="Who will use it; shown in the log.")
@click.option(
    "--scope",
    required=True,
    type=click.Choice(SCOPES),
    help="read: list and read. provision: change accounts as well. admin: everything.",
)
@click.option("--source", "sources", multiple=True, help="Limit it to this source; may be repeated. All, unless given.")
@click.option("--expires", default=None, help="Last day, such as 2027-06-30, or a date and time. Never, unless given.")
def new_command(name: str, scope: Scope, sources: tuple[str, ...], expires: str | None) -> None:
    """Make a token and print it once, with the line that makes it known to the service."""
    if not NAME.match(name):
        raise click.BadParameter("has letters, digits, '.', '_' and '-', at most 64.", param_hint="--name")
    for source in sources:
        if not SOURCE_NAME.match(source):
            raise click.BadParameter(f"'{source}' is no name of a source.", param_hint="--source")
    try:
        until = parse_expiry(expires) if expires else None
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--expires") from None
    secret = new_token()
    token = Token(name, scope, digest_of(secret), frozenset(sources) or None, until)
    click.echo("The token, shown only now. Give it to the caller, as a secret:\n")
    click.echo(f"  {secret}\n")
    click.echo("What the service must know to accept it (it holds no secret):\n")
    click.echo(f"  export CONNECTOR_API_TOKENS='{_with_known(written(token))}'")


def _with_known(entry: str) -> str:
    """The entry after those that the environment has, so that the line can be used as it is."""
    known = os.environ.get("CONNECTOR_API_TOKENS", "")
    try:
        parse_tokens(known)
    except ValueError:
        return entry
    return f"{known},{entry}" if known else entry
