"""disable_by = "strip": all direct access goes and comes back, and our journal says who is disabled."""

from __future__ import annotations

from pathlib import Path

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from tests.operations.killing import truth
from tests.running import Running, change, key

SOURCES = '[sources.default]\ndisable_by = "strip"\n'


def test_disabling_takes_everything_and_enabling_gives_back_what_still_exists(tmp_path: Path) -> None:
    with Sandbox(options=Options(assignment_seconds=0.2)) as sandbox, Running(sandbox, tmp_path, SOURCES) as service:
        client = service.client()
        listed = client.outputs("std:account:list")
        user = next(
            each["identity"] for each in listed if len(each["attributes"]["groups"]) > 1 and not each["disabled"]
        )
        before = truth(sandbox)["held"][user]
        assert "std:account:disable" in client.one("std:spec:read")["specification"]["commands"]

        disabled = client.one("std:account:disable", key(user))
        assert disabled["disabled"] is True
        assert disabled["attributes"]["groups"] == disabled["attributes"]["permissionSetAssignments"] == []
        assert truth(sandbox)["held"][user] == set()
        assert client.one("std:account:read", key(user)) == disabled
        assert next(each for each in client.outputs("std:account:list") if each["identity"] == user) == disabled
        # Again, and giving while disabled.
        assert client.one("std:account:disable", key(user)) == disabled
        group = next(iter(held for held in before if ":" not in held))
        assert "is disabled" in client.failure(
            "std:account:update", key(user, changes=[change("Add", "groups", group)])
        )

        sandbox.control("mutate", {"action": "delete_group", "group": group})
        enabled = client.one("std:account:enable", key(user))
        assert enabled["disabled"] is False
        assert truth(sandbox)["held"][user] == before - {group}
        assert [each["attribute"] for each in enabled["results"]] == ["groups"]
        again = client.one("std:account:enable", key(user))
        assert again["disabled"] is False
        assert "results" not in again
