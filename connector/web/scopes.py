"""Who may do what: the one table of every route and command, and the one place where it is applied.

Routes are named by face and endpoint, commands by their type. What is not in the table nobody reaches, whatever their
token. Tests hold it against the faces' own maps and against the registry of commands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, Literal

from connector.errors import Forbidden
from connector.tokens import SCOPES, Scope, Token

Need = Scope | Literal["public", "client", "command"]

PUBLIC: Final = "public"
"""Tells nothing that is not the same everywhere."""
CLIENT: Final = "client"
"""Proves who calls by itself, as OAuth says."""
BY_COMMAND: Final = "command"
"""The command that is sent has its own row."""

NEEDS: Final[Mapping[str, Need]] = {
    "ops.livez": PUBLIC,
    "ops.readyz": PUBLIC,
    "ops.metrics": "read",
    "oauth.token": CLIENT,
    "saas.invoke": BY_COMMAND,
    "std:test-connection": "read",
    "std:spec:read": "read",
    "std:account:list": "read",
    "std:account:read": "read",
    "std:account:create": "provision",
    "std:account:update": "provision",
    "std:account:delete": "provision",
    "std:account:enable": "provision",
    "std:account:disable": "provision",
    "std:account:discover-schema": "read",
    "std:entitlement:list": "read",
    "std:entitlement:read": "read",
    "rest.openapi": PUBLIC,
    "rest.problem": PUBLIC,
    "rest.source.show": "read",
    "rest.accounts.listed": "read",
    "rest.accounts.show": "read",
    "rest.accounts.create": "provision",
    "rest.accounts.modify": "provision",
    "rest.accounts.delete": "provision",
    "rest.accounts.enable": "provision",
    "rest.accounts.disable": "provision",
    "rest.accounts.give": "provision",
    "rest.accounts.take": "provision",
    "rest.entitlements.listed": "read",
    "rest.entitlements.show": "read",
    "rest.operations.show": "read",
}


def need_of(place: str) -> Need:
    """What a route or a command needs. `Forbidden` when the table does not know it."""
    if place not in NEEDS:
        raise Forbidden("No token reaches this.")
    return NEEDS[place]


def authorise(callers: Sequence[Token], place: str, source: str | None) -> Token:
    """The caller that may do this on the source. `Forbidden` says what is missing."""
    need = need_of(place)
    scope = next((each for each in SCOPES if each == need), None)
    if scope is None or not callers:
        raise Forbidden("No token reaches this.")
    able = [caller for caller in callers if caller.covers(scope)]
    if not able:
        raise Forbidden(f"The token of {callers[0].name} has the scope {callers[0].scope}; this needs {scope}.")
    for caller in able:
        if source is None or caller.reaches(source):
            return caller
    raise Forbidden(f"The token of {able[0].name} is not for this source.")
