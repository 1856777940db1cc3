"""disable_by = "strip": all direct access goes and comes back, and our journal says who is disabled."""

from __future__ import annotations

from pathlib import Path

import requests

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small
from tests.operations.killing import truth
from tests.running import TOKEN, Running, change, key

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


def test_what_is_not_done_is_no_success_on_either_face(tmp_path: Path) -> None:
    """REST tells the account, what was done and what failed; to SailPoint any answer would mean that it is done."""
    with Sandbox(small(), Options(assignment_seconds=0.05)) as sandbox, Running(sandbox, tmp_path, SOURCES) as service:
        client = service.client()
        user = sandbox.organisation.store.users_by_name["barbara"].id
        group = sandbox.organisation.store.groups_by_name["aws_eng_write"].id
        account = f"{service.url}/v1/sources/default/accounts/{user}"
        for how, method, address, action, disabled in (
            ("disable", "POST", f"{account}/disable", "DeleteGroupMembership", False),
            ("enable", "POST", f"{account}/enable", "CreateGroupMembership", True),
            ("delete", "DELETE", account, "DeleteGroupMembership", False),
        ):
            sandbox.control("options", {"deny": [action]})
            answer = requests.request(method, address, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=10)
            problem = answer.json()
            assert (answer.status_code, problem["type"]) == (502, "/problems/partly-done")
            assert f"identitystore:{action}" in problem["detail"]
            assert (problem["account"]["id"], problem["account"]["disabled"]) == (user, disabled)
            assert [(each["value"], each["type"]) for each in problem["results"]] == [
                (group, "/problems/aws-permission-missing")
            ]
            assert group in client.failure(f"std:account:{how}", key(user))

            sandbox.control("options", {"deny": []})
            again = client.one(f"std:account:{how}", key(user))
            assert "results" not in again
            assert again.get("disabled") == {"disable": True, "enable": False, "delete": None}[how]
