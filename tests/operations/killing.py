"""What is left of a service that was killed: operations in the store, access in the emulated AWS."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from connector.model import Operation
from connector.sandbox.server import Sandbox
from connector.store import open_store
from tests.acceptance.oracle import pair_id

WITHIN = 60.0
"""Seconds from the restart until every operation has ended."""
ALL = 100_000


def operations(directory: Path, unfinished: bool = False) -> list[Operation]:
    """What a service's store says of its operations, in the order in which they were accepted."""
    store = open_store(f"sqlite:///{directory / 'connector.db'}")
    try:
        return list(store.operations.listed("default", unfinished, ALL))[::-1]
    finally:
        store.close()


def ended(directory: Path, within: float = WITHIN) -> list[Operation]:
    """All operations, once none is unfinished."""
    deadline = time.monotonic() + within
    while left := operations(directory, unfinished=True):
        assert time.monotonic() < deadline, f"not finished: {[(each.command, each.account) for each in left]}"
        time.sleep(0.3)
    return operations(directory)


def truth(sandbox: Sandbox) -> dict[str, Any]:
    """Users by name, and who holds what, by user."""
    instance = sandbox.control("organisation")["instances"][0]
    users = {each["user_name"]: each["id"] for each in instance["users"]}
    held: dict[str, set[str]] = {each: set() for each in users.values()}
    for each in instance["memberships"]:
        held.setdefault(each["user_id"], set()).add(each["group_id"])
    for each in instance["assignments"]:
        if each["principal_type"] == "USER":
            held.setdefault(each["principal_id"], set()).add(pair_id(each))
    return {"users": users, "held": held}
