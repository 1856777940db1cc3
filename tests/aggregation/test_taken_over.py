"""A process that stood still between reading a change back and publishing it: others finished it, and went on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from connector import app
from connector.lease import LEASE
from connector.model import Op
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Restarting
from tests.aggregation.test_orphans import Days
from tests.aggregation.truth import are_true

SIZE = Size(users=6, groups=4, permission_sets=3, aws_accounts=4, applications=0, pairs=5)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generated(SIZE, seed=3), Options()) as sandbox:
        yield sandbox


def test_it_puts_nothing_old_over_what_is_newer(
    connector: Restarting, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "SystemClock", Days)
    slow, quick = connector.on(sandbox), connector.on(sandbox)
    are_true(quick.accounts(), sandbox)
    user, group = quick.outsider()
    reached, awake = threading.Event(), threading.Event()
    amend = slow.core.records.amend

    def stands_still(*asked: Any, **how: Any) -> Any:
        reached.set()
        assert awake.wait(30)
        return amend(*asked, **how)

    monkeypatch.setattr(slow.core.records, "amend", stands_still)
    monkeypatch.setattr(slow.core.store.operations, "renew", lambda operation, lease: True)
    failures: list[Exception] = []

    def give() -> None:
        try:
            slow.change(user, Op.ADD, "groups", group)
        except Exception as failure:
            failures.append(failure)

    standing = threading.Thread(target=give)
    standing.start()
    assert reached.wait(30)
    quick.core.clock.added += LEASE + 1  # type: ignore[attr-defined]
    quick.core.recover()
    quick.change(user, Op.REMOVE, "groups", group)
    awake.set()
    standing.join(30)
    assert [type(each).__name__ for each in failures] == ["RetryLater"]
    assert group not in quick.truth.member_of[user]
    are_true(quick.accounts(), sandbox)
