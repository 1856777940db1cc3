"""Whose credentials a source uses: its role's, refreshed, and never anybody else's."""

from __future__ import annotations

import logging

import pytest

from connector.aws.calls import Line
from connector.errors import AskPermission, AwsFailed, FixConfiguration
from connector.model import Source
from connector.sandbox.organisation import Role
from connector.sandbox.small import CORE

ROLE = f"arn:aws:iam::{CORE}:role/connector"
EXTERNAL_ID = "very-secret-external-id"


@pytest.fixture
def source(world):
    world.sandbox.organisation.roles[ROLE] = Role(ROLE, EXTERNAL_ID)
    return Source("tenant", role_arn=ROLE, external_id=EXTERNAL_ID)


def test_the_role_is_assumed(world, source):
    assert world.open(source).instance().caller_arn.endswith("assumed-role/connector/idc-connector")
    list(world.open(source).users())
    assert world.count("AssumeRole") == 1


def test_a_wrong_external_id(world, source):
    wrong = Source("tenant", role_arn=ROLE, external_id="guess")

    with pytest.raises(AskPermission) as caught:
        world.open(wrong).instance()

    assert caught.value.action == "sts:AssumeRole"
    assert "guess" not in caught.value.sentence
    assert world.count("ListInstances") == 0  # not with the base identity either


def test_sts_down(world, source):
    world.fault("AssumeRole", "error500")

    with pytest.raises(AwsFailed, match="sts:AssumeRole"):
        world.open(source).instance()

    assert world.count("ListInstances") == 0


def test_sts_down_for_a_moment(world, source):
    world.fault("AssumeRole", "reset", times=2)

    assert world.open(source).instance()


def test_credentials_are_refreshed_before_they_expire(world, source):
    """botocore refreshes within ten minutes of the end; sessions of a minute are renewed for each call."""
    world.sandbox.options.session_seconds = 60
    directory = world.open(source)
    list(directory.users())
    before = world.count("AssumeRole")

    world.pass_time(120)
    list(directory.users())

    assert world.count("AssumeRole") > before


def test_credentials_that_expired_unnoticed_are_renewed_once(world, source):
    """A clock that jumped: AWS says expired, botocore believes otherwise."""
    directory = world.open(source)
    list(directory.users())

    world.pass_time(4000)

    assert len(list(directory.users())) == 12
    assert world.count("AssumeRole") == 2


def test_no_credentials(world, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")

    for source in (Source("bare"), Source("role", role_arn=ROLE)):
        with pytest.raises(FixConfiguration, match="credentials"):
            world.open(source).instance()


def test_a_profile_that_does_not_exist(world, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "missing")

    with pytest.raises(FixConfiguration, match="ProfileNotFound"):
        world.open(Source("profiled")).instance()


def test_unknown_keys(world, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "ASIAUNKNOWN")

    with pytest.raises(FixConfiguration, match="UnrecognizedClientException"):
        world.open(Source("stranger")).instance()


def test_secrets_are_in_no_representation(world, source):
    directory = world.open(source)
    directory.instance()

    assert isinstance(directory._line, Line)
    assert EXTERNAL_ID not in repr(directory._line)


def test_one_client_for_all(world, source):
    sessions = world.directories._sessions

    first = sessions.client(source, "sso-admin", "eu-west-1")
    assert sessions.client(source, "sso-admin", "eu-west-1") is first
    config = first.meta.config
    assert config.retries["total_max_attempts"] == 1
    assert (config.connect_timeout, config.read_timeout) == (3.0, 20.0)
    assert config.user_agent_appid == "idc-connector"


def test_nothing_that_was_sent_is_logged(world, source, caplog, capsys):
    with caplog.at_level(logging.INFO):
        world.fault("CreateUser", "throttled", times=1)
        names = ("userName", "displayName", "givenName", "familyName")
        world.open(source).create_user(dict.fromkeys(names, "tell-tale"), lambda refusal: None)

    printed = capsys.readouterr()
    assert "tell-tale" not in printed.out + printed.err + caplog.text
    assert EXTERNAL_ID not in printed.out + printed.err + caplog.text
