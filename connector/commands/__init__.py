"""The registry: every command this connector speaks, greppable and compared with `spec/` by a test.

`CHANGES` are the changing ones as they are inside; `COMMANDS` has each of them as an operation (`durable`).
"""

from __future__ import annotations

from typing import Final

from connector.commands import accounts, connection, entitlements, joiner, leaver, mover, specification, switch
from connector.commands.desk import Command, Desk
from connector.commands.durable import Run, durable

CHANGES: Final[dict[str, Run]] = {
    "std:account:create": joiner.create,
    "std:account:update": mover.update,
    "std:account:delete": leaver.delete,
    "std:account:enable": switch.enable,
    "std:account:disable": switch.disable,
}
COMMANDS: Final[dict[str, Command]] = {
    "std:test-connection": Command(connection.test, "read"),
    "std:spec:read": Command(specification.read, "read"),
    "std:account:list": Command(accounts.list_all, "read", lists=True),
    "std:account:read": Command(accounts.read, "read"),
    **{name: Command(durable(name, run), "provision", changes=True) for name, run in CHANGES.items()},
    "std:account:discover-schema": Command(specification.discover_schema, "read"),
    "std:entitlement:list": Command(entitlements.list_all, "read", lists=True),
    "std:entitlement:read": Command(entitlements.read, "read"),
}
"""Command type to what runs it. Anything else is answered `unsupported command`."""

__all__ = ["CHANGES", "COMMANDS", "Command", "Desk"]
