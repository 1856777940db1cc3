"""Where the service cannot write down what it is about to do, it does nothing; what it reads, it goes on reading."""

from __future__ import annotations

import shutil
from pathlib import Path

from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import dump
from tests.faults.proxy import Proxy
from tests.running import Running, change, key


def test_with_the_audit_sink_failing_changes_are_refused_and_reads_go_on(tmp_path: Path) -> None:
    with Sandbox() as sandbox, Proxy(sandbox) as proxy:
        logs = tmp_path / "logs"
        logs.mkdir()
        environment = {**proxy.environment(), "CONNECTOR_AUDIT_LOG": str(logs / "audit.jsonl")}
        with Running(sandbox, tmp_path, environment=environment) as service:
            client, before = service.client(), dump(sandbox)
            user = sandbox.organisation.store.users_by_name["grace"].id
            group = sandbox.organisation.store.groups_by_name["aws_eng_read"].id
            shutil.rmtree(logs)
            for command, asked in (
                ("std:account:update", key(user, changes=[change("Add", "groups", group)])),
                ("std:account:delete", key(user)),
            ):
                assert "CONNECTOR_AUDIT_LOG" in client.failure(command, asked)
            assert dump(sandbox) == before
            assert len(client.outputs("std:account:list")) == len(before["instances"][0]["users"])
            assert client.one("std:account:read", key(user))["identity"] == user
