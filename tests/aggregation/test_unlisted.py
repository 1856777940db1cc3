"""AWS accounts that Organizations does not list: nobody loses access because a list of names is short.

The organisation has more permission sets than AWS accounts: asking the AWS accounts would take fewer calls.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.sandbox.building import add_account
from connector.sandbox.call import Answer, Call
from connector.sandbox.options import Options
from connector.sandbox.ordered import Ordered
from connector.sandbox.organisation import AwsAccount
from connector.sandbox.organizations import OPERATIONS, described
from connector.sandbox.paging import ORGANIZATIONS_MAXIMUM, page
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Configured, Restarting

NEW = "999900001111"
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


def warnings(reading: Configured) -> str:
    return str(reading.newest().summary["warnings"])


def test_where_all_are_listed_nothing_is_said(reading: Configured) -> None:
    show_the_truth(reading)
    assert "Organizations" not in warnings(reading)


def test_an_organisation_that_lists_none_says_nothing(reading: Configured, unlisted: set[str]) -> None:
    unlisted |= set(reading.truth.names)
    show_the_truth(reading)
    assert "Organizations lists none" in warnings(reading)


def test_one_that_was_never_listed_is_read_and_named(reading: Configured, unlisted: set[str]) -> None:
    """The first reading of all: no snapshot knows of it."""
    missing = min(reading.truth.pairs).partition(":")[0]
    unlisted.add(missing)
    show_the_truth(reading)
    assert f"Organizations does not list {missing}" in warnings(reading)
    unlisted.clear()
    show_the_truth(reading)
    assert "Organizations" not in warnings(reading)


def test_one_that_is_new_and_not_listed_is_read(reading: Configured, unlisted: set[str]) -> None:
    """It was made, and given to somebody, since the last reading."""
    show_the_truth(reading)
    unlisted.add(NEW)
    with reading.sandbox.organisation.lock:
        add_account(reading.sandbox.organisation, NEW, "Newcomer")
    held = {"permission_set": min(each["name"] for each in reading.truth.sets.values()), "account_id": NEW}
    holder = {"principal_type": "USER", "principal_id": min(reading.truth.users)}
    reading.sandbox.control("mutate", {"action": "add_assignment", **held, **holder})
    show_the_truth(reading)
    assert f"Organizations does not list {NEW}" in warnings(reading)
