"""Which instance a source means: every way to misconfigure it has a sentence, none of them is an empty list."""

from __future__ import annotations

import threading

import pytest

from connector.errors import AskPermission, AwsFailed, Cancelled, FixConfiguration
from connector.model import Lane, Source
from connector.patience import Patience
from connector.sandbox import building
from connector.sandbox.small import CORE, DATA


def _organisation(world):
    return world.sandbox.organisation


def test_the_instance(world):
    instance = world.open().instance()

    assert instance.identity_store_id == _organisation(world).store.id
    assert (instance.owner, instance.caller, instance.management) == (CORE, CORE, CORE)
    assert instance.region == "eu-west-1"
    assert instance.multi_account
    assert instance.owned


def test_looked_up_once_for_all_directories(world):
    world.open().instance()
    world.open().instance()
    assert world.count("ListInstances") == 1

    world.clock.sleep(301)
    world.open().instance()
    assert world.count("ListInstances") == 2


def test_a_failure_is_not_remembered(world):
    world.fault("ListInstances", "denied", times=1)
    with pytest.raises(AskPermission, match="sso:ListInstances"):
        world.open().instance()

    assert world.open().instance()


def test_the_wrong_region_says_where_the_instance_is(world):
    with pytest.raises(FixConfiguration, match=r"us-east-1.*eu-west-1"):
        world.open(Source("default", region="us-east-1")).instance()


def test_several_instances_are_listed(world):
    organisation = _organisation(world)
    second = building.add_instance(organisation, "eu-west-1", "Lab", kind="account")

    with pytest.raises(FixConfiguration) as caught:
        world.open().instance()
    assert {each for each in organisation.instances if each in caught.value.sentence} == set(organisation.instances)

    named = world.open(Source("default", instance_arn=second.arn)).instance()
    assert named.arn == second.arn
    assert not named.multi_account


def test_an_account_instance(world, monkeypatch):
    """A member's own instance: users and groups only."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAMEMBER0000000000")
    lab = building.add_instance(_organisation(world), "eu-west-1", "Lab", owner=DATA, kind="account")

    instance = world.open(Source("default", instance_arn=lab.arn)).instance()

    assert (instance.owner, instance.multi_account) == (DATA, False)


def test_an_instance_that_is_not_there(world):
    arn = "arn:aws:sso:::instance/ssoins-0000000000000000"

    with pytest.raises(FixConfiguration, match="instance_arn"):
        world.open(Source("default", instance_arn=arn)).instance()


def test_an_instance_that_is_not_active(world):
    _organisation(world).instance.status = "CREATE_IN_PROGRESS"

    with pytest.raises(FixConfiguration, match="CREATE_IN_PROGRESS"):
        world.open().instance()


def test_without_permission_sets(world):
    _organisation(world).instance.permission_sets_enabled = False

    assert not world.open().instance().multi_account


@pytest.mark.parametrize("operation", ["DescribeInstance", "DescribeOrganization"])
def test_what_is_only_nice_to_know_may_be_denied(world, operation):
    world.fault(operation, "denied")

    instance = world.open().instance()

    assert instance.multi_account
    assert (instance.management is None) == (operation == "DescribeOrganization")


def test_a_delegated_administrator(world, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIADELEGATED0000000")

    instance = world.open().instance()

    assert not instance.owned
    assert (instance.owner, instance.management) == (CORE, CORE)


def test_aws_accounts_denied(world):
    world.fault("ListAccounts", "denied")

    with pytest.raises(AskPermission) as caught:
        list(world.open().aws_accounts())

    assert caught.value.action == "organizations:ListAccounts"


def test_aws_account_by_id(world):
    directory = world.open()

    assert directory.aws_account(DATA).name == "Data"
    assert directory.aws_account("000000000000") is None


def test_a_client_that_left_is_not_worked_for(world):
    left = threading.Event()
    directory = world.directories.open(Source("default"), Lane.CENSUS, Patience(60, world.clock, left))
    users = directory.users()
    next(users)
    left.set()

    with pytest.raises(Cancelled):
        list(directory.groups())


def test_calls_are_counted_by_source_and_by_directory(world):
    world.fault("ListUsers", "throttled", times=2)
    first, second = world.open(), world.open()

    list(first.users())
    list(second.users())

    assert first.calls()["ListUsers"] == 3
    assert second.calls() == {"ListUsers": 1}
    assert world.directories.calls(first._line.source)["ListUsers"] == 4
    assert world.directories.calls(Source("other")) == {}


def test_throttling_reaches_the_pace_but_the_limit_of_ten_does_not(world):
    told = []
    world.pace.slow_down = lambda owner, family: told.append((owner, family))
    world.fault("ListUsers", "throttled", times=1)

    list(world.open().users())

    assert told == [(CORE, "identitystore")]


def test_nothing_but_a_configured_region_is_asked(world, monkeypatch):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    with pytest.raises(FixConfiguration, match="Region"):
        world.open(Source("nowhere"))
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    assert world.open(Source("somewhere")).instance().region == "eu-west-1"


def test_an_endpoint_that_is_not_there(world, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")

    with pytest.raises(AwsFailed, match="EndpointConnectionError"):
        world.open(deadline=2).instance()


def test_an_additional_region_leads_to_the_primary_one(world):
    """Additional Regions do not serve permission sets and assignments: everything goes to the primary one."""
    _organisation(world).instance.regions["us-east-1"] = ("ACTIVE", 0.0)
    directory = world.open(Source("default", region="us-east-1"))

    assert directory.instance().region == "eu-west-1"
    list(directory.permission_set_ids())
    list(directory.users())

    calls = {call["operation"]: call["region"] for call in world.sandbox.control("calls")["calls"]}
    assert calls["ListInstances"] == "us-east-1"
    assert calls["ListPermissionSets"] == calls["ListUsers"] == "eu-west-1"


def test_a_lasting_fault_does_not_live_on_others_progress(world):
    """Another thread of the command goes on well; the failing call ends after its own deadline all the same."""
    directory = world.open(deadline=5)
    directory.instance()
    world.fault("ListUsers", "error500")
    began, sleep = world.clock.monotonic(), world.clock.sleep

    def busy(seconds):
        directory._line.patience.progress()
        sleep(seconds)

    world.clock.sleep = busy
    with pytest.raises(AwsFailed):
        list(directory.users())

    assert world.clock.monotonic() - began < 8
