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
    "std:test-connection": Command(connection.test),
    "std:spec:read": Command(specification.read),
    "std:account:list": Command(accounts.list_all, lists=True),
    "std:account:read": Command(accounts.read),
    **{name: Command(durable(name, run), changes=True) for name, run in CHANGES.items()},
    "std:account:discover-schema": Command(specification.discover_schema),
    "std:entitlement:list": Command(entitlements.list_all, lists=True),
    "std:entitlement:read": Command(entitlements.read),
}
"""Command type to what runs it. Anything else is answered `unsupported command`."""

__all__ = ["CHANGES", "COMMANDS", "Command", "Desk"]
