"""The lines a demo prints to try: `curl` commands that work as they stand. A token and ids in, text out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping


def tour(address: str, token: str, users: Mapping[str, str], groups: Mapping[str, str]) -> str:
    """Commands in the order in which somebody would try them, each with what it does."""
    user = _preferred(users, "barbara")
    group = _preferred(groups, "aws_data_read")
    newcomer = {
        "userName": "newcomer",
        "displayName": "New Comer",
        "givenName": "New",
        "familyName": "Comer",
        "groups": groups[group],
    }
    steps: list[tuple[str, str, dict[str, object]]] = [
        ("Test the connection", "std:test-connection", {}),
        ("List all accounts", "std:account:list", {}),
        ("List the groups", "std:entitlement:list", {"type": "group"}),
        (
            "List the permission sets in AWS accounts",
            "std:entitlement:list",
            {"type": "permissionSetAssignment"},
        ),
        (f"Create an account that is in {group}", "std:account:create", {"attributes": newcomer}),
        (f"Put {user} into {group}", "std:account:update", _change(users[user], "Add", groups[group])),
        (f"Read {user}", "std:account:read", {"key": {"simple": {"id": users[user]}}}),
        (f"Take {user} out of {group}", "std:account:update", _change(users[user], "Remove", groups[group])),
    ]
    return "\n\n".join(f"# {title}\n{_curl(address, token, command, asked)}" for title, command, asked in steps) + "\n"


def _preferred(names: Mapping[str, str], name: str) -> str:
    return name if name in names else next(iter(names))


def _change(user_id: str, op: str, group_id: str) -> dict[str, object]:
    return {
        "key": {"simple": {"id": user_id}},
        "changes": [{"op": op, "attribute": "groups", "value": group_id}],
    }


def _curl(address: str, token: str, command: str, asked: Mapping[str, object]) -> str:
    body = json.dumps({"type": command, "input": asked, "config": {"source": "default"}}, separators=(",", ":"))
    return (
        f"curl -sS {address} -H 'Authorization: Bearer {token}' -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(body)}"
    )
