"""Enabling and disabling through SCIM, and where its token goes: into one header of one request."""

from __future__ import annotations

import pytest
import responses

from connector.errors import AwsFailed, AwsThrottled, FixConfiguration, FixRequest, NotFoundInAws
from connector.model import Source

NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def token(world, tmp_path):
    path = tmp_path / "token"
    path.write_text(world.sandbox.scim_token + "\n")
    return path


@pytest.fixture
def source(world, token):
    return Source("default", disable_by="scim", scim_endpoint=world.sandbox.scim_url, scim_token_file=str(token))


def test_disabled_and_enabled(world, source):
    directory = world.open(source)

    directory.set_enabled(world.user("ada"), False)
    directory.set_enabled(world.user("ada"), False)
    assert directory.user(world.user("ada")).disabled

    directory.set_enabled(world.user("ada"), True)
    assert not directory.user(world.user("ada")).disabled


def test_the_token_is_read_at_each_use(world, source, token):
    directory = world.open(source)
    directory.set_enabled(world.user("ada"), False)
    token.write_text("another-token")

    with pytest.raises(FixConfiguration, match="scim_token_file") as caught:
        directory.set_enabled(world.user("ada"), True)

    assert "another-token" not in str(caught.value)


@pytest.mark.parametrize(
    ("fault", "error"),
    [("throttled", AwsThrottled), ("error500", AwsFailed), ("reset", AwsFailed), ("denied", FixConfiguration)],
)
def test_faults(world, source, fault, error):
    directory = world.open(source)
    world.fault("ScimPatchUser", fault)

    with pytest.raises(error, match="SCIM endpoint of source default"):
        directory.set_enabled(world.user("ada"), False)

    world.heal()
    world.fault("ScimPatchUser", fault, times=1)
    if fault != "denied":
        directory.set_enabled(world.user("ada"), False)


def test_a_user_that_is_not_there_is_no_missing_account(world, source):
    with pytest.raises(NotFoundInAws):
        world.open(source).set_enabled(NOBODY, False)


def test_a_malformed_id_is_refused(world, source):
    with pytest.raises(FixRequest):
        world.open(source).set_enabled("../Groups/x", False)


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"scim_endpoint": None}, "scim_endpoint"),
        ({"scim_endpoint": "http://scim.example.com/x/scim/v2/"}, "https"),
        ({"scim_endpoint": "file:///etc/passwd"}, "https"),
        ({"scim_token_file": None}, "scim_token_file"),
        ({"scim_token_file": "/nonexistent/token"}, "scim_token_file"),
    ],
)
def test_settings_that_cannot_work(world, source, more, named):
    wrong = Source(
        "default", **{"scim_endpoint": source.scim_endpoint, "scim_token_file": source.scim_token_file, **more}
    )

    with pytest.raises(FixConfiguration, match=named) as caught:
        world.open(wrong).set_enabled(NOBODY, False)

    assert "/nonexistent" not in str(caught.value)


def test_a_redirect_is_not_followed(world, source, monkeypatch, tmp_path):
    """The token must not travel to wherever the endpoint points, nor be replaced by a .netrc."""
    (tmp_path / ".netrc").write_text("machine scim.example.com login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    elsewhere = Source(
        "default", scim_endpoint="https://scim.example.com/t/scim/v2", scim_token_file=source.scim_token_file
    )
    directory = world.open(elsewhere)
    directory.instance()
    user = world.user("ada")

    with responses.RequestsMock() as mock:
        mock.patch(
            f"https://scim.example.com/t/scim/v2/Users/{user}", status=307, headers={"Location": "https://evil.example"}
        )
        with pytest.raises(FixConfiguration, match="redirects"):
            directory.set_enabled(user, False)
        assert mock.calls[0].request.headers["Authorization"] == f"Bearer {world.sandbox.scim_token}"
        assert len(mock.calls) == 1
