"""`idc-connector token`: tokens of callers, kept in the store by their hashes. A new token is shown once.

The running service sees every change within seconds. Tokens of the environment are shown, and can be succeeded by one
of the store, but only whoever sets the environment can take them away.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta
from time import time as now

import click

from connector.cli.complaints import told
from connector.cli.opened import opened
from connector.errors import FixRequest
from connector.settings import Settings, read_settings
from connector.store import Store
from connector.tokens import (
    NAME,
    SCOPES,
    SOURCE_NAME,
    KeptToken,
    Scope,
    Token,
    digest_of,
    new_token,
    parse_expiry,
    parse_tokens,
    written,
)

ENVIRONMENT = 0.0
"""Stands for the time a token of the environment was made, which nobody knows."""
SHOWN_ONCE = "The token, shown only now. Give it to the caller, as a secret:\n"


@click.group("token")
def token_group() -> None:
    """Make, list, rotate and revoke the tokens that callers authenticate with."""


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
@click.option("--environment", is_flag=True, help="Keep it nowhere; print its entry for CONNECTOR_API_TOKENS instead.")
def new_command(name: str, scope: Scope, sources: tuple[str, ...], expires: str | None, environment: bool) -> None:
    """Make a token and print it once. The service knows it at once: it is in the store, by its hash."""
    if not NAME.match(name):
        raise click.BadParameter("has letters, digits, '.', '_' and '-', at most 64.", param_hint="--name")
    for source in sources:
        if not SOURCE_NAME.match(source):
            raise click.BadParameter(f"'{source}' is no name of a source.", param_hint="--source")
    until = _expiry(expires, "--expires")
    secret = new_token()
    token = Token(name, scope, digest_of(secret), frozenset(sources) or None, until)
    if environment:
        _show(secret)
        click.echo("What the service must know to accept it (it holds no secret):\n")
        click.echo(f"  export CONNECTOR_API_TOKENS='{_with_known(written(token))}'")
        return
    with told():
        settings = read_settings()
        for source in sorted(set(sources) - set(settings.sources)):
            raise click.BadParameter(f"there is no source '{source}' in CONNECTOR_SOURCES.", param_hint="--source")
        with opened(settings) as store:
            _keep(store, token, secret)


@token_group.command("list")
def list_command() -> None:
    """List the tokens that are known, those of the environment too. None can be shown: only hashes are kept."""
    with told():
        settings = read_settings()
        with opened(settings) as store:
            known = [*_of_environment(settings), *store.tokens.listed()]
    lines: list[tuple[str, ...]] = [("id", "name", "scope", "sources", "made", "expires", "last used")]
    lines += [_line(each) for each in known]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@token_group.command("rotate")
@click.argument("id")
@click.option(
    "--expires", default=None, help="End of the new one. Unless given, it lives as long as the old one was to."
)
@click.option("--old-until", default=None, help="When the old one ends by itself. Until it is revoked, unless given.")
def rotate_command(id: str, expires: str | None, old_until: str | None) -> None:
    """Make a successor of a token: same name, scope and sources. Both are valid until the old one ends."""
    until, end = _expiry(expires, "--expires"), _expiry(old_until, "--old-until")
    with told():
        settings = read_settings()
        with opened(settings) as store:
            old = _one([*_of_environment(settings), *store.tokens.listed()], id)
            about, secret = old.token, new_token()
            of_environment = store.tokens.find(about.digest) is None
            if end is not None and of_environment:
                raise FixRequest(
                    "It is in CONNECTOR_API_TOKENS, where --old-until cannot end it: put the end into its entry"
                    " (name:scope:sha256:2027-01-31) and restart, or rotate without --old-until."
                )
            if until is None and about.expires is not None:
                # Those of the environment do not say when they were made: what is left of them is given anew.
                until = datetime.fromtimestamp(now() + about.expires.timestamp() - (old.made or now()), UTC)
            _keep(store, Token(about.name, about.scope, digest_of(secret), about.sources, until), secret)
            if until is not None:
                click.echo(f"It ends {_end(until)}.")
            if of_environment:
                click.echo("The old one is in CONNECTOR_API_TOKENS: take its entry out and restart.")
            elif end is not None:
                store.tokens.shorten(about.digest, end)
                click.echo(f"The old one ends {_end(end)}.")
            else:
                click.echo(f"When the caller uses it: idc-connector token revoke {old.id}")


@token_group.command("revoke")
@click.argument("id")
def revoke_command(id: str) -> None:
    """Take a token away, and what was had for it. It is refused within seconds, by every process."""
    with told():
        settings = read_settings()
        with opened(settings) as store:
            found = _one([*_of_environment(settings), *store.tokens.listed()], id)
            if not store.tokens.revoke(found.token.digest):
                raise FixRequest("It is in CONNECTOR_API_TOKENS: take its entry out and restart.")
    click.echo(f"Revoked {found.id}, a token of {found.token.name}.")


def _keep(store: Store, token: Token, secret: str) -> None:
    kept = KeptToken(token, now())
    store.tokens.keep(kept)
    _show(secret)
    click.echo(f"The service knows it as {kept.id}, a token of {token.name} with scope {token.scope}.")


def _show(secret: str) -> None:
    click.echo(SHOWN_ONCE)
    click.echo(f"  {secret}\n")


def _expiry(text: str | None, option: str) -> datetime | None:
    """The moment that an option names; it must be still to come, or the token would never be one."""
    if not text:
        return None
    try:
        moment = parse_expiry(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint=option) from None
    if moment.timestamp() <= now():
        raise click.BadParameter(f"{text} has passed.", param_hint=option)
    return moment


def _of_environment(settings: Settings) -> list[KeptToken]:
    return [KeptToken(token, ENVIRONMENT) for token in settings.tokens]


def _one(known: list[KeptToken], id_: str) -> KeptToken:
    found = [each for each in known if each.token.digest.hex().startswith(id_.lower()) and len(id_) >= 6]
    if len(found) != 1:
        raise FixRequest(f"No token has the id {id_[:20]!r}; idc-connector token list shows them.")
    return found[0]


def _line(kept: KeptToken) -> tuple[str, ...]:
    token = kept.token
    sources = "all" if token.sources is None else ",".join(sorted(token.sources))
    ended = " (ended)" if token.expired(now()) else ""
    expires = "never" if token.expires is None else _end(token.expires) + ended
    used = "never" if kept.used is None else _time(kept.used, "minutes")
    made, used = ("environment", "unknown") if kept.made == ENVIRONMENT else (_time(kept.made), used)
    return (kept.id, token.name, token.scope, sources, made, expires, used)


def _end(moment: datetime) -> str:
    """When a token ends, as it was asked: a date stands for all of its day."""
    moment = moment.astimezone(UTC)
    if moment.time() == time(0):
        return f"after {(moment - timedelta(days=1)).date()}"
    return _time(moment.timestamp())


def _time(seconds: float, to_the: str = "seconds") -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=to_the)


def _with_known(entry: str) -> str:
    """The entry after those that the environment has, so that the line can be used as it is."""
    known = os.environ.get("CONNECTOR_API_TOKENS", "")
    try:
        parse_tokens(known)
    except ValueError:
        return entry
    return f"{known},{entry}" if known else entry
