"""SIGKILL of a whole service, and what is left of it: operations in the store, access in the emulated AWS."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from connector.model import Operation
from connector.sandbox.server import Sandbox
from connector.store import open_store
from tests.acceptance.oracle import pair_id
from tests.running import Running

WITHIN = 60.0
"""Seconds from the restart until every operation has ended."""
ALL = 100_000


def kill(service: Running) -> None:
    """SIGKILL, master and workers at once."""
    assert service._process is not None
    parent = service._process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for each in (parent, *map(int, children)):
        os.kill(each, signal.SIGKILL)
    service._process.wait(10)
    service._process = None


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
