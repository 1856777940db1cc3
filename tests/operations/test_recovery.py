"""A service killed in the middle of a change finishes it, or says what remains, unasked, within a minute."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.store import open_store
from tests.running import Running, change, key

WITHIN = 60.0
"""Seconds from the restart until every operation has ended."""
NEW = {"userName": "ada.new", "givenName": "Ada", "familyName": "New", "email": "ada.new@example.com"}


def kill(service: Running) -> None:
    """SIGKILL, master and workers at once."""
    assert service._process is not None
    parent = service._process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for each in (parent, *map(int, children)):
        os.kill(each, signal.SIGKILL)
    service._process.wait(10)
    service._process = None


def truth(sandbox: Sandbox) -> dict[str, Any]:
    """Users by name, and who holds what, by user."""
    instance = sandbox.control("organisation")["instances"][0]
    users = {each["user_name"]: each["id"] for each in instance["users"]}
    held: dict[str, set[str]] = {each: set() for each in users.values()}
    for each in instance["memberships"]:
        held.setdefault(each["user_id"], set()).add(each["group_id"])
    for each in instance["assignments"]:
        if each["principal_type"] == "USER":
            pair = f"{each['account_id']}:{each['permission_set_arn'].rpartition('/')[2]}"
            held.setdefault(each["principal_id"], set()).add(pair)
    return {"users": users, "held": held}


def interrupted(sandbox: Sandbox, directory: Path, operation: str, ask: Callable[[Running], None]) -> Running:
    """A service killed while AWS works on `operation` for what `ask` sends, and started again."""
    service = Running(sandbox, directory)
    service.start()
    sandbox.control("faults", {"operation": operation, "fault": "slow", "seconds": 3, "times": 1})
    before = sandbox.control("state")["calls"].get(operation, 0)
    asking = threading.Thread(target=_quietly, args=(ask, service), daemon=True)
    asking.start()
    deadline = time.monotonic() + 15
    while sandbox.control("state")["calls"].get(operation, 0) == before:
        assert time.monotonic() < deadline, f"{operation} was never called"
        time.sleep(0.01)
    kill(service)
    asking.join(10)
    sandbox.control("faults", {"clear": True})
    return service.start()


def _quietly(ask: Callable[[Running], None], service: Running) -> None:
    with suppress(OSError, HTTPException):  # the answer is lost, as it should be
        ask(service)


def ended(directory: Path) -> list[str]:
    """States of all operations, once none is unfinished."""
    store = open_store(f"sqlite:///{directory / 'connector.db'}")
    try:
        deadline = time.monotonic() + WITHIN
        while store.operations.listed(None, True, 10):
            assert time.monotonic() < deadline, "an operation was not finished"
            time.sleep(0.2)
        return [each.state for each in store.operations.listed(None, False, 10)]
    finally:
        store.close()


@pytest.mark.parametrize(
    "operation", ["CreateUser", "CreateGroupMembership", "CreateAccountAssignment", "DescribeUser"]
)
def test_a_create_is_finished_and_nothing_is_made_twice(tmp_path: Path, operation: str) -> None:
    with Sandbox(options=Options(assignment_seconds=0.3)) as sandbox:
        store = sandbox.organisation.store
        group = store.groups_by_name["aws_data_read"].id
        arn = sandbox.organisation.instance.permission_sets_by_name["Write"].arn
        pair = f"210987654321:{arn.rpartition('/')[2]}"
        asked = {"attributes": {**NEW, "groups": group, "permissionSetAssignments": pair}}
        service = interrupted(
            sandbox, tmp_path, operation, lambda running: running.client().post("std:account:create", asked)
        )
        try:
            assert ended(tmp_path) == ["succeeded"]
            found = truth(sandbox)
            assert found["held"][found["users"]["ada.new"]] == {group, pair}
            # Asked again because the answer was lost: the account, once.
            account = service.client().one("std:account:create", asked)
            assert account["identity"] == found["users"]["ada.new"]
            assert truth(sandbox) == found
        finally:
            service.stop()


@pytest.mark.parametrize("operation", ["DeleteGroupMembership", "ListAccountAssignmentsForPrincipal", "DeleteUser"])
def test_a_delete_is_finished(tmp_path: Path, operation: str) -> None:
    with Sandbox(options=Options(assignment_seconds=0.3)) as sandbox:
        before = truth(sandbox)
        user = next(
            id_ for name, id_ in before["users"].items() if any(":" not in held for held in before["held"][id_])
        )
        service = interrupted(
            sandbox, tmp_path, operation, lambda running: running.client().post("std:account:delete", key(user))
        )
        try:
            assert ended(tmp_path) == ["succeeded"]
            after = truth(sandbox)
            assert user not in after["users"].values()
            assert not after["held"].get(user)
            del before["held"][user]
            assert {id_: held for id_, held in after["held"].items() if held or id_ in before["held"]} == before["held"]
        finally:
            service.stop()


def test_what_was_granted_and_revoked_since_is_not_granted_again(tmp_path: Path) -> None:
    """A grant is interrupted; before anybody finishes it, the same access is taken away: it stays away."""
    with Sandbox(options=Options(assignment_seconds=0.3)) as sandbox:
        user = sandbox.organisation.store.users_by_name["grace"].id
        group = sandbox.organisation.store.groups_by_name["aws_eng_read"].id
        asked = key(user, changes=[change("Add", "groups", group)])
        service = interrupted(
            sandbox,
            tmp_path,
            "CreateGroupMembership",
            lambda running: running.client().post("std:account:update", asked),
        )
        try:
            # Its turn comes after the interrupted one, in the order they were accepted.
            service.client(timeout=90).one("std:account:update", key(user, changes=[change("Remove", "groups", group)]))
            assert len(ended(tmp_path)) == 2
            assert group not in truth(sandbox)["held"][user]
        finally:
            service.stop()
