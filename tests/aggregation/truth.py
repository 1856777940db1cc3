"""Whether what a list shows is the organisation, and what AWS was asked for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import Truth, dump

Accounts = Mapping[str, dict[str, Any]]
SHOWN = ("groups", "permissionSetAssignments", "inheritedPermissionSetAssignments")


def shown(outputs: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Output frames of a list by identity; none comes twice."""
    found = {each["identity"]: each for each in outputs}
    assert len(found) == len(outputs)
    return found


def are_true(accounts: Accounts, sandbox: Sandbox) -> None:
    """Accounts of a source with groups and pairs are exactly those of the organisation, as it is now."""
    truth = Truth(dump(sandbox))
    assert set(accounts) == set(truth.users)
    for identity, each in accounts.items():
        held, right = each["attributes"], truth.account(identity)
        assert {name: held[name] for name in SHOWN} == {name: right[name] for name in SHOWN}
        assert held["inheritedAccess"] == truth.readable(identity, pairs=True, applications=False)
        assert held["userName"] == truth.scalars(identity)["userName"]


def counted(sandbox: Sandbox) -> dict[str, int]:
    """Calls by operation since the last `forget`."""
    found: dict[str, int] = sandbox.control("state")["calls"]
    return found
