"""test-connection on an emulated AWS: what is denied or misconfigured, and which command that hurts."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connector.app import Core
from connector.clock import SystemClock
from connector.commands import COMMANDS, connection
from connector.commands.connection import Probe
from connector.commands.denials import COSTS
from connector.commands.desk import Desk
from connector.errors import AskPermission, FixConfiguration
from connector.model import Done, Lane, ListAccounts, NoInput, OneAccount, Source
from connector.patience import Patience
from connector.reading.survey import survey
from connector.sandbox import building
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA
from connector.settings import Settings

TYPES = ("group", "permissionSetAssignment", "applicationAssignment")
DeskOf = Callable[..., Desk]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture
def desk(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DeskOf]:
    """A desk of a source: `desk(deny=[operations], key=access key, **options of the source)`."""
    cores: list[Core] = []

    def make(deny: list[str] | None = None, key: str | None = None, **options: Any) -> Desk:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        if key is not None:
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", key)
        sandbox.control("options", {"deny": deny or []})
        source = Source("default", entitlement_types=TYPES, read_deadline=1.0, **options)
        settings = Settings(sources={"default": source}, store_url=f"sqlite:///{tmp_path / 'store.db'}", aws_tps=500)
        cores.append(Core(settings))
        return cores[-1].desk(source, threading.Event())

    yield make
    sandbox.control("options", {"deny": []})
    sandbox.control("faults", {"clear": True})
    for core in cores:
        core.directories.close()
        core.store.close()


@pytest.fixture
def scim(sandbox: Sandbox, tmp_path: Path) -> dict[str, str]:
    """Options of a source whose SCIM works."""
    token = tmp_path / "token"
    token.write_text(sandbox.scim_token)
    return {"disable_by": "scim", "scim_endpoint": sandbox.scim_url, "scim_token_file": str(token)}


def test_all_is_well(desk: DeskOf, scim: dict[str, str], sandbox: Sandbox) -> None:
    """Nothing to warn of; SCIM was asked for a user, and nothing was changed."""
    sandbox.control("forget")
    probe = Probe(desk(**scim))
    found = probe.run()

    assert (probe.failing, found["warnings"]) == ([], [])
    assert {each for each in COSTS if each.split(":")[1] not in ("DescribeInstance", "DescribeOrganization")} <= {
        *probe.permissions
    }
    assert [each["operation"] for each in sandbox.control("calls")["calls"] if each["service"] == "scim"] == [
        "ScimGetUser"
    ]


@pytest.mark.parametrize("action", COSTS)
def test_every_denial_names_the_commands_it_hurts(desk: DeskOf, action: str) -> None:
    probe = Probe(desk(deny=[action]))
    warnings = probe.run()["warnings"]

    assert isinstance(warnings, list)
    (warning,) = [each for each in warnings if action in each]
    assert warning.startswith(f"{action} is denied: ")
    assert "std:" in warning
    assert (warning in probe.failing) is COSTS[action].fails


def test_what_is_said_to_fail_fails(desk: DeskOf, sandbox: Sandbox) -> None:
    """And what is said to be slow, or to know less, works."""
    assert list(COMMANDS["std:account:list"].run(desk(), ListAccounts()))
    user = OneAccount(sandbox.organisation.store.users_by_name["ada"].id)
    for action, cost in COSTS.items():
        here = desk(deny=[action])
        if cost.fails:
            with pytest.raises(AskPermission, match=action):
                list(COMMANDS["std:account:read"].run(here, user))
        else:
            assert len(list(COMMANDS["std:account:read"].run(here, user))) == 1


def test_the_survey_counts_what_a_census_asks(desk: DeskOf, sandbox: Sandbox) -> None:
    """Applications, too. Only asking tells which principals are gone: each is described."""
    here = desk()
    found = survey(here.directory(Lane.CENSUS), here.source)
    sandbox.control("forget")
    snapshot = desk().freshness.snapshot(Patience(10, SystemClock()))
    asked, gone = sandbox.control("state")["families"], 1
    assert found.applications == 2
    assert found.calls == {
        "identitystore": asked["identitystore"] - gone,
        "sso-admin": asked["sso-admin"],
        "organizations": asked["organizations"],
    }
    assert "1 assignment belongs to principals that no longer exist" in str(snapshot.summary["warnings"])


def test_a_plain_member_is_sent_elsewhere(desk: DeskOf) -> None:
    """No IAM policy of its own would help."""
    with pytest.raises(FixConfiguration) as told:
        Probe(desk(key="AKIAMEMBER0000000000")).run()

    sentence = told.value.sentence
    assert sentence.startswith("AWS denied sso:ListPermissionSets to AWS account ")
    assert f"({CORE} does)" in sentence
    assert "management account or from a delegated administrator" in sentence


@pytest.mark.parametrize("key", ["AKIADELEGATED0000000", "AKIAMANAGEMENT000000"])
def test_who_administers_is_told_which_action_to_allow(desk: DeskOf, sandbox: Sandbox, key: str) -> None:
    sandbox.control("mutate", {"action": "set_delegated_administrator", "account_id": DATA, "delegated": True})
    with pytest.raises(AskPermission) as told:
        Probe(desk(key=key, deny=["ListPermissionSets"])).run()

    assert told.value.action == "sso:ListPermissionSets"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"scim_token_file of source default cannot be read \(FileNotFoundError\)"),
        ("", "scim_token_file of source default holds no usable token"),
        ("wrong", "does not accept the token in scim_token_file"),
    ],
)
def test_a_token_that_cannot_disable_is_noticed(
    desk: DeskOf, scim: dict[str, str], content: str | None, sentence: str
) -> None:
    """A list does not need it: a warning, of a command that fails."""
    token = Path(scim["scim_token_file"])
    token.unlink() if content is None else token.write_text(content)
    probe = Probe(desk(**scim))
    with capture_logs() as lines:
        found = probe.run()

    assert found["warnings"] == probe.failing
    (warning,) = probe.failing
    assert str(token) not in warning
    assert [line["file"] for line in lines if "file" in line] == (
        [f"{token}: No such file or directory"] if content is None else []
    )
    assert warning.startswith("std:account:enable and std:account:disable fail: ")
    assert re.search(sentence, warning)


def test_scim_of_another_instance_is_noticed(desk: DeskOf, scim: dict[str, str], sandbox: Sandbox) -> None:
    """It lets us in, and does not know our users."""
    other = building.add_instance(sandbox.organisation, "eu-west-1", "Lab", kind="account")
    tenant = next(each for each, store in sandbox.organisation.scim_stores.items() if store == other.store.id)
    Path(scim["scim_token_file"]).write_text(sandbox.organisation.scim_tokens[tenant])
    ours = sandbox.organisation.instance.arn
    try:
        probe = Probe(desk(**scim | {"scim_endpoint": f"{sandbox.url}/{tenant}/scim/v2/", "instance_arn": ours}))
        probe.run()
    finally:
        sandbox.control("mutate", {"action": "remove_instance", "instance": other.arn})

    assert ["does not know this user: check scim_endpoint" in each for each in probe.failing] == [True]


def test_warnings_are_logged_with_their_source(desk: DeskOf) -> None:
    """SailPoint's protocol has no place for them."""
    with capture_logs() as lines:
        (found,) = connection.test(desk(deny=["organizations:ListAccounts"]), NoInput())

    assert isinstance(found, Done)
    told = [each for each in lines if each["event"] == "connection tested"]
    assert [each["warning"] for each in told] == found.details["warnings"]
    assert len(told) == 2
    assert {(each["log_level"], each["source"]) for each in told} == {("warning", "default")}
