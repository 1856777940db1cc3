"""In which order a census asks: what others wait for comes first."""

from __future__ import annotations

from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.running import Running

PAIRS = 1_000
GROUPS = 120


def test_memberships_leave_the_quota_to_the_list_of_users(tmp_path):
    """How assignments are read depends on whether there are as many principals as pairs: nobody delays that answer."""
    sandbox = Sandbox(generated(Size(1_500, GROUPS, 30, 40, pairs=PAIRS)), Options())
    with sandbox, Running(sandbox, tmp_path, environment={"CONNECTOR_IDENTITYSTORE_TPS": "40"}) as service:
        assert len(service.client().outputs("std:account:list")) == 1_500

    calls = sorted(sandbox.control("calls")["calls"], key=lambda call: call["at"])
    names = [call["operation"] for call in calls]
    users = [at for at, name in enumerate(names) if name == "ListUsers"]
    enough = users[-(-(PAIRS - GROUPS) // 100) - 1]
    assert enough < names.index("ListAccountAssignments") < users[-1]
    assert names[:enough].count("ListGroupMemberships") <= 40
    assert names[enough:].count("ListGroupMemberships") >= 80
