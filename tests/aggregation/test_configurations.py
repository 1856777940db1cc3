"""One source name, several configurations: another AWS, other options, and back. None sees what another one knows."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from connector.model import OneAccount, Op
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Restarting
from tests.aggregation.truth import are_true, counted

SIZE = Size(users=6, groups=4, permission_sets=5, aws_accounts=6, applications=3, pairs=25)
ALL = ("group", "permissionSetAssignment", "applicationAssignment")


@pytest.fixture
def here() -> Iterator[Sandbox]:
    with Sandbox(generated(SIZE, seed=3), Options()) as sandbox:
        yield sandbox


@pytest.fixture
def there() -> Iterator[Sandbox]:
    """Another organisation, whose AWS lists no rows of groups for a user."""
    with Sandbox(generated(SIZE, seed=4), Options(group_rows=False)) as sandbox:
        yield sandbox


def test_what_one_aws_does_is_not_expected_of_another(connector: Restarting, here: Sandbox, there: Sandbox) -> None:
    for sandbox in (here, there, here):
        configured = connector.on(sandbox, entitlement_types=ALL)
        truth = configured.truth
        heirs = [each for each in truth.users if truth.account(each)["inheritedPermissionSetAssignments"]]
        assert heirs
        for each in truth.users:
            read, right = configured.account(each), truth.account(each)
            for name in ("inheritedPermissionSetAssignments", "inheritedApplicationAssignments"):
                assert read[name] == right[name], (sandbox.region, each)


def test_a_change_at_another_aws_is_put_into_no_snapshot_of_ours(
    connector: Restarting, here: Sandbox, there: Sandbox
) -> None:
    ours = connector.on(here)
    are_true(ours.accounts(), here)
    theirs = connector.on(there)
    user, group = theirs.outsider()
    theirs.change(user, Op.ADD, "groups", group)
    back = connector.on(here)
    assert user not in back.accounts()
    are_true(back.accounts(), here)


def test_a_change_with_other_options_shows_when_the_first_ones_are_back(connector: Restarting, here: Sandbox) -> None:
    """The snapshot that is there is young, but was not told of the change."""
    ours = connector.on(here)
    are_true(ours.accounts(), here)
    user, group = ours.outsider()
    connector.on(here, entitlement_types=("group",)).change(user, Op.ADD, "groups", group)
    back = connector.on(here)
    assert group in back.accounts()[user]["attributes"]["groups"]
    are_true(back.accounts(), here)


def test_a_deletion_with_other_options_shows_when_the_first_ones_are_back(connector: Restarting, here: Sandbox) -> None:
    ours = connector.on(here)
    user = sorted(ours.accounts())[0]
    connector.on(here, inherited="none").run("std:account:delete", OneAccount(user))
    back = connector.on(here)
    assert user not in back.accounts()
    are_true(back.accounts(), here)


def test_a_sweep_of_one_aws_is_none_of_another(connector: Restarting, here: Sandbox, there: Sandbox) -> None:
    for sandbox in (here, there):
        configured = connector.on(sandbox)
        configured.accounts()
        assert configured.newest().summary["by_pair"] is False
        assert configured.desk().freshness.sweep_if_due()
        while configured.core.records.census_running("default"):
            time.sleep(0.01)
        assert configured.newest().summary["by_pair"] is True


def test_what_was_left_behind_at_one_aws_is_no_warning_about_another(
    connector: Restarting, here: Sandbox, there: Sandbox
) -> None:
    ours = connector.on(here)
    truth = ours.truth
    user = next(each for each in sorted(truth.users) if truth.account(each)["permissionSetAssignments"])
    aws_account = truth.account(user)["permissionSetAssignments"][0].partition(":")[0]
    here.control("mutate", {"action": "set_account_state", "account_id": aws_account, "state": "SUSPENDED"})
    ours.run("std:account:delete", OneAccount(user))
    assert any(user in each for each in connector.on(here).warnings())
    assert not any(user in each for each in connector.on(there).warnings())


def test_a_change_that_cannot_be_read_back_shows_in_the_next_list(connector: Restarting, here: Sandbox) -> None:
    ours = connector.on(here)
    are_true(ours.accounts(), here)
    user, group = ours.outsider()
    here.control("faults", {"operation": "DescribeUser", "fault": "denied", "after": 1})
    with pytest.raises(Exception, match="identitystore:DescribeUser"):
        ours.change(user, Op.ADD, "groups", group)
    assert group in ours.truth.member_of[user], "it was done"
    here.control("faults", {"clear": True})
    are_true(ours.accounts(), here)
    here.control("forget")
    are_true(ours.accounts(), here)
    assert counted(here) == {}, "one census was enough"
