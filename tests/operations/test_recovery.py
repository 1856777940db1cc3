"""A service killed in the middle of a change finishes it in the order in which changes were accepted."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from http.client import HTTPException
from pathlib import Path

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from tests.faults.proxy import Proxy
from tests.operations.killing import ended, truth
from tests.running import Running, change, key


def test_what_was_granted_and_revoked_since_is_not_granted_again(tmp_path: Path) -> None:
    """A grant is interrupted; before anybody finishes it, lists show it, and the same access is taken away for good."""
    with Sandbox(options=Options(assignment_seconds=0.3)) as sandbox, Proxy(sandbox) as proxy:
        user = sandbox.organisation.store.users_by_name["grace"].id
        group = sandbox.organisation.store.groups_by_name["aws_eng_read"].id
        service = Running(sandbox, tmp_path, environment=proxy.environment()).start()
        assert group not in _listed(service, user)
        rule = proxy.add("CreateGroupMembership", "late", times=1, seconds=30)

        def ask() -> None:
            with suppress(OSError, HTTPException):  # the answer is lost, as it should be
                service.client().post("std:account:update", key(user, changes=[change("Add", "groups", group)]))

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        assert rule.struck.wait(15)
        while group not in truth(sandbox)["held"][user]:
            time.sleep(0.01)
        service.kill()
        asking.join(10)
        proxy.clear()
        service.start()
        try:
            assert group in _listed(service, user)
            # Its turn comes after the interrupted one, in the order they were accepted.
            service.client(timeout=90).one("std:account:update", key(user, changes=[change("Remove", "groups", group)]))
            assert len(ended(tmp_path)) == 2
            assert group not in truth(sandbox)["held"][user]
        finally:
            service.stop()


def _listed(service: Running, user: str) -> list[str]:
    """Groups of the user in a list."""
    accounts = service.client().outputs("std:account:list")
    return next(each["attributes"]["groups"] for each in accounts if each["identity"] == user)
