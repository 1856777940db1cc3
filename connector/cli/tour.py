"""The lines a demo prints to try: `curl` commands that work as they stand. A token and ids in, text out."""

from __future__ import annotations

import json
from collections.abc import Mapping

from connector.cli.emulated import Running

NEWCOMER = '"$NEWCOMER"'
"""Stands in commands for the id of the account that the tour creates; the shell fills it in."""


def tour(address: str, token: str, sandbox: Running) -> str:
    """Commands in the order in which somebody would try them, each with what it does."""
    group = _preferred(sandbox.groups, "aws_data_read")
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("Test the connection", "std:test-connection", {}),
        ("List all accounts", "std:account:list", {}),
        ("List the groups", "std:entitlement:list", {"type": "group"}),
        ("List the permission sets in AWS accounts", "std:entitlement:list", {"type": "permissionSetAssignment"}),
    ]
    lines = [f"# {title}\n{_curl(address, token, command, asked)}" for title, command, asked in steps]
    lines.append(_creation(address, token, group, sandbox.groups[group]))
    changes: list[tuple[str, str, dict[str, object]]] = []
    if sandbox.pairs:
        pair = _preferred(sandbox.pairs, "Read on Data")
        changes = [
            (f"Give it {pair}", "std:account:update", _change("Add", sandbox.pairs[pair])),
            (f"Take {pair} away", "std:account:update", _change("Remove", sandbox.pairs[pair])),
        ]
    changes.insert(1, ("Read it", "std:account:read", _key()))
    changes += [("Disable it", "std:account:disable", _key()), ("Delete it", "std:account:delete", _key())]
    lines += [f"# {title}\n{_curl(address, token, command, asked)}" for title, command, asked in changes]
    return "\n\n".join(lines) + "\n"


def _creation(address: str, token: str, group: str, group_id: str) -> str:
    attributes = {"userName": "newcomer", "givenName": "New", "familyName": "Comer", "groups": group_id}
    create = _curl(address, token, "std:account:create", {"attributes": attributes})
    find_id = r"""sed -n 's/.*"identity":"\([^"]*\)".*/\1/p'"""
    return (
        f"# Create an account in {group}; the lines after this one use its id\n"
        f'ANSWER=$({create}); echo "$ANSWER"\nNEWCOMER=$(echo "$ANSWER" | {find_id})'
    )


def _preferred(names: Mapping[str, str], name: str) -> str:
    return name if name in names else next(iter(names))


def _key() -> dict[str, object]:
    return {"key": {"simple": {"id": NEWCOMER}}}


def _change(op: str, pair: str) -> dict[str, object]:
    return _key() | {"changes": [{"op": op, "attribute": "permissionSetAssignments", "value": pair}]}


def _curl(address: str, token: str, command: str, asked: Mapping[str, object]) -> str:
    body = json.dumps({"type": command, "input": asked, "config": {"source": "default"}}, separators=(",", ":"))
    quoted = "'" + body.replace(json.dumps(NEWCOMER), "\"'" + NEWCOMER + "'\"") + "'"
    return (
        f"curl -sS {address} -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n  -d {quoted}"
    )
