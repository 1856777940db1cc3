"""The registry: every command this connector speaks, greppable and compared with `spec/` by a test."""

from __future__ import annotations

from typing import Final

from connector.commands import accounts, connection, entitlements, joiner, leaver, mover, specification
from connector.commands.desk import Command, Desk

COMMANDS: Final[dict[str, Command]] = {
    "std:test-connection": Command(connection.test, "read"),
    "std:spec:read": Command(specification.read, "read"),
    "std:account:list": Command(accounts.list_all, "read", lists=True),
    "std:account:read": Command(accounts.read, "read"),
    "std:account:create": Command(joiner.create, "provision", changes=True),
    "std:account:update": Command(mover.update, "provision", changes=True),
    "std:account:delete": Command(leaver.delete, "provision", changes=True),
    "std:account:enable": Command(leaver.enable, "provision", changes=True),
    "std:account:disable": Command(leaver.disable, "provision", changes=True),
    "std:account:discover-schema": Command(specification.discover_schema, "read"),
    "std:entitlement:list": Command(entitlements.list_all, "read", lists=True),
    "std:entitlement:read": Command(entitlements.read, "read"),
}
"""Command type to what runs it. Anything else is answered `unsupported command`."""

__all__ = ["COMMANDS", "Command", "Desk"]
