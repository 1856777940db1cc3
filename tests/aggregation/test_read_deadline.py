"""A lasting fault ends a list after one `read_deadline`, however many of its calls are in trouble, and since when."""

from __future__ import annotations

import time

import pytest

from connector.errors import ConnectorError
from connector.sandbox.call import Answer, Call
from connector.sandbox.errors import AwsError
from connector.sandbox.identitystore import OPERATIONS
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Restarting

DEADLINE = 1.0
SIZE = Size(users=60, groups=40, permission_sets=3, aws_accounts=3, applications=0, pairs=4)


def test_a_call_that_got_into_trouble_later_does_not_add_its_own(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One group is in trouble from the beginning, all others from shortly before it is given up."""
    truly = OPERATIONS["ListGroupMemberships"]
    began: list[float] = []

    def in_trouble(call: Call) -> Answer:
        began.append(time.monotonic())
        if call["GroupId"] == first or began[-1] > began[0] + DEADLINE * 0.9:
            raise AwsError("InternalServerException", "trouble", status=500)
        time.sleep(0.05)
        return truly(call)

    with Sandbox(generated(SIZE, seed=5), Options()) as sandbox:
        first = next(iter(sandbox.organisation.store.groups)).id
        monkeypatch.setitem(OPERATIONS, "ListGroupMemberships", in_trouble)
        reading = connector.on(sandbox, read_deadline=DEADLINE)
        with pytest.raises(ConnectorError, match="ListGroupMemberships"):
            reading.accounts()
        assert time.monotonic() - began[0] < DEADLINE * 1.5
