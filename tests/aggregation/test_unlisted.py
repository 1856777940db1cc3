"""AWS accounts that Organizations does not list: nobody loses access because a list of names is short.

The organisation has more permission sets than AWS accounts, so pairs are asked for by AWS account while all are listed.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.model import Lane
from connector.reading import walk
from connector.reading.survey import survey
from connector.sandbox.call import Answer, Call
from connector.sandbox.options import Options
from connector.sandbox.ordered import Ordered
from connector.sandbox.organisation import AwsAccount
from connector.sandbox.organizations import OPERATIONS, described
from connector.sandbox.paging import ORGANIZATIONS_MAXIMUM, page
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Configured, Restarting

SIZE = Size(users=20, groups=4, permission_sets=8, aws_accounts=4, applications=0, pairs=12)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generated(SIZE, seed=3), Options()) as sandbox:
        yield sandbox


@pytest.fixture
def reading(connector: Restarting, sandbox: Sandbox) -> Configured:
    """Every list is read anew."""
    return connector.on(sandbox, snapshot_max_age=0.0)


@pytest.fixture
def unlisted(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Ids that ListAccounts leaves out."""
    left_out: set[str] = set()

    def list_accounts(call: Call) -> Answer:
        listed: Ordered[AwsAccount] = Ordered()
        for each in call.organisation.accounts:
            if each.id not in left_out:
                listed.add(each)
        return page(call, "Accounts", listed, described, maximum=ORGANIZATIONS_MAXIMUM)

    monkeypatch.setitem(OPERATIONS, "ListAccounts", list_accounts)
    return left_out


def show_the_truth(reading: Configured) -> None:
    accounts, truth = reading.accounts(), reading.truth
    assert set(accounts) == set(truth.users)
    for identity, each in accounts.items():
        for name in ("permissionSetAssignments", "inheritedPermissionSetAssignments"):
            assert each["attributes"][name] == truth.account(identity)[name]


def walk_of_pairs(reading: Configured) -> str:
    """How the last census enumerated the pairs. A survey says the same."""
    desk = reading.desk()
    surveyed = next(
        each.name
        for each in survey(desk.directory(Lane.LIVE), desk.source, desk.records).walks
        if each.name.startswith("pairs")
    )
    walks = reading.newest().summary["walks"]
    assert isinstance(walks, list)
    (chosen,) = (each.partition(":")[0] for each in walks if each.startswith("pairs"))
    assert chosen == surveyed
    return str(chosen)


def warnings(reading: Configured) -> str:
    return str(reading.newest().summary["warnings"])


def test_where_all_are_listed_they_are_asked(reading: Configured) -> None:
    show_the_truth(reading)
    assert walk_of_pairs(reading) == walk.PAIRS_BY_AWS_ACCOUNT
    assert "Organizations" not in warnings(reading)


def test_an_organisation_that_lists_none_says_nothing(reading: Configured, unlisted: set[str]) -> None:
    unlisted |= set(reading.truth.names)
    show_the_truth(reading)
    assert walk_of_pairs(reading) == walk.PAIRS_BY_PERMISSION_SET
    assert "Organizations lists none" in warnings(reading)


def test_one_that_had_pairs_and_is_not_listed_keeps_them(reading: Configured, unlisted: set[str]) -> None:
    show_the_truth(reading)
    moved = min(reading.truth.pairs).partition(":")[0]
    unlisted.add(moved)
    for _ in range(2):
        show_the_truth(reading)
        assert walk_of_pairs(reading) == walk.PAIRS_BY_PERMISSION_SET
        assert f"does not list AWS accounts that had pairs: {moved}" in warnings(reading)
    unlisted.clear()
    show_the_truth(reading)
    assert walk_of_pairs(reading) == walk.PAIRS_BY_AWS_ACCOUNT
