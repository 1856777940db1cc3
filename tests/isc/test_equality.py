"""Acceptance 2: for every command, the dev server's answer through the bundle is the SaaS face's, frame by frame.

Commands that change something are sent to twins: two emulated organisations from the same seed, each with a service of
its own, one asked directly and one through the bundle.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from dev_server import BUNDLE, MODULES, DevServer, Tenant, Told, told
from isc_sources import sources
from running import Client, Running, change, key

from connector.commands import COMMANDS
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small

NEW = {"userName": "joan.clarke", "givenName": "Joan", "familyName": "Clarke", "email": "joan@example.com"}
DATES = ("createdAt", "updatedAt")
_REQUEST_ID = re.compile(r" \(AWS request id [0-9a-f-]+\)")


@dataclass
class Twins:
    """The same organisation twice: asked directly, and through the bundle."""

    direct: Client
    bundled: Tenant
    asked: set[str]

    def both(self, type_: str, asked: Any = None) -> tuple[Told, Told]:
        """What each of them says."""
        self.asked.add(type_)
        return told(self.direct.post(type_, asked)), self.bundled.ask(type_, asked)

    def same(self, type_: str, asked: Any = None) -> Told:
        """What both say."""
        direct, bundled = self.both(type_, asked)
        assert undated(bundled) == undated(direct)
        return bundled


def undated(answer: Told) -> Told:
    """The answer without what differs for every call: moments, since twins are asked in turn, and AWS request ids."""

    def clean(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: clean(value) for name, value in part.items() if name not in DATES}
        return [clean(value) for value in part] if isinstance(part, list) else part

    return Told(clean(answer.frames), answer.error and _REQUEST_ID.sub("", answer.error), answer.kind)


@pytest.fixture(scope="module")
def twins(dev_server: DevServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twins]:
    """Two services on two small organisations."""
    directories = [tmp_path_factory.mktemp(f"twin-{number}") for number in range(2)]
    options = Options(assignment_seconds=0.05)
    with (
        Sandbox(small(), options) as one,
        Sandbox(small(), options) as other,
        Running(one, directories[0], sources(one, directories[0])) as direct,
        Running(other, directories[1], sources(other, directories[1])) as bundled,
    ):
        yield Twins(direct.client(), dev_server.client(bundled.url), set())


def test_every_command(twins: Twins) -> None:
    """A joiner, a mover and a leaver, with everything that can be asked about them."""
    same = twins.same
    assert same("std:test-connection").outputs == [{}]
    same("std:account:discover-schema")
    groups = same("std:entitlement:list", {"type": "group"}).outputs
    pairs = same("std:entitlement:list", {"type": "permissionSetAssignment"}).outputs
    for type_, rows in (("group", groups), ("permissionSetAssignment", pairs)):
        same("std:entitlement:read", key(rows[0]["identity"], type=type_))
    accounts = same("std:account:list").outputs
    assert len(accounts) >= 12
    same("std:account:read", key(accounts[0]["identity"]))
    grantable = [row["identity"] for row in pairs if row["attributes"]["requestable"]]
    given = {"groups": groups[0]["identity"], "permissionSetAssignments": grantable[:2]}
    (created,) = same("std:account:create", {"attributes": {**NEW, **given}}).outputs
    assert created["attributes"]["groups"] == [groups[0]["identity"]]
    joan = created["identity"]
    same("std:account:create", {"attributes": NEW})  # a conflict
    moves = [change("Set", "title", "Cryptanalyst – Größe"), change("Add", "groups", groups[1]["identity"])]
    same("std:account:update", key(joan, changes=moves))
    same("std:account:update", key(joan, changes=[change("Remove", "permissionSetAssignments", grantable[0])]))
    same("std:account:update", key(joan, changes=[change("Set", "title", "Cryptanalyst – Größe")]))  # nothing to do
    same("std:account:update", key(joan, changes=[change("Set", "userId", "other")]))  # refused
    assert same("std:account:disable", key(joan)).outputs[0]["disabled"] is True
    assert same("std:account:enable", key(joan)).outputs[0]["disabled"] is False
    same("std:account:list")
    assert same("std:account:delete", key(joan)).outputs == [{}]
    assert same("std:account:delete", key(joan)).outputs == [{}]
    gone = same("std:account:read", key(joan))
    assert gone.kind == "notFound"
    assert same("std:account:disable", key(joan)).kind == "notFound"
    assert twins.asked == set(COMMANDS) - {"std:spec:read"}


@pytest.mark.parametrize(
    ("type_", "asked"),
    [
        ("std:account:read", {}),
        ("std:account:read", key("not an id")),
        ("std:account:create", {"attributes": {"userName": "x"}}),
        ("std:account:update", key("u", changes=[change("Add", "nonsense", "x")])),
        ("std:entitlement:list", {"type": "roleGrant"}),
        ("std:entitlement:read", key("no-such-group", type="group")),
        ("std:account:unlock", key("u")),
        ("std:source-data:discover", {}),
        ("std:change-password", key("u", password="never sent")),
    ],
)
def test_errors(twins: Twins, type_: str, asked: Any) -> None:
    """The service's sentence and type, also for commands that it does not have."""
    answer = twins.same(type_, asked)

    assert answer.error
    assert answer.frames == []


def test_specification(twins: Twins) -> None:
    """The SDK answers it from the file; ours with the address added."""
    direct, bundled = twins.both("std:spec:read")
    (ours,), (theirs,) = direct.outputs, bundled.outputs

    assert theirs == {"specification": json.loads((BUNDLE / "connector-spec.json").read_text())}
    for document in (ours, theirs):
        del document["specification"]["sourceConfig"]
    assert theirs == ours


def test_without_a_configuration_the_specification_is_answered(dev_server: DevServer) -> None:
    assert Tenant(dev_server.port, {}).ask("std:spec:read").outputs


@pytest.mark.parametrize("type_", ["std:account:list", "std:entitlement:list"])
def test_a_stateful_list(twins: Twins, type_: str) -> None:
    """The state comes last and goes back as it came."""
    asked = {"stateful": True, "type": "group"}
    direct, bundled = twins.both(type_, asked)
    if not direct.of_type("state"):
        pytest.skip("the service sends no state yet")
    assert bundled.outputs == direct.outputs
    assert [frame["type"] for frame in bundled.frames].index("state") == len(bundled.frames) - 1
    (ours,), (theirs,) = direct.of_type("state"), bundled.of_type("state")
    assert set(theirs) == set(ours)

    again = twins.bundled.ask(type_, {**asked, "state": theirs})

    assert again.outputs == []
    assert len(again.of_type("state")) == 1


def test_a_thousand_accounts(dev_server: DevServer, service: Running) -> None:
    """The same bytes."""
    direct = service.client().post("std:account:list")
    bundled = dev_server.client(service.url).post("std:account:list")

    assert len(told(bundled).outputs) == 1_000
    assert bundled.whole
    assert bundled.body == direct.body


@pytest.fixture(params=["SailPoint's dev server alone, our modules", "SailPoint's dev server alone, what is shipped"])
def alone(
    request: pytest.FixtureRequest, bundle: object, twins: Twins, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Told]]:
    """Nothing of ours in the dev server's process: its answers to commands of a tenant."""
    shipped = request.param.endswith("shipped")
    directory = tmp_path_factory.mktemp("alone")
    if shipped:
        server = DevServer(directory, hosted=False, config=twins.bundled.config)
    else:
        server = DevServer(directory, hosted=False, connector=MODULES)
    with server:
        yield Tenant(server.port, twins.bundled.config).ask


def test_the_dev_server_alone_says_the_same(alone: Callable[..., Told], twins: Twins) -> None:
    """How the dev server hosts the shipped bundle in all other tests changes no answer."""
    for type_, asked in (
        ("std:test-connection", {}),
        ("std:account:list", {}),
        ("std:entitlement:list", {"type": "group"}),
        ("std:account:read", key("not an id")),
    ):
        assert undated(alone(type_, asked)) == undated(twins.bundled.ask(type_, asked))


def test_not_found_by_the_dev_server_alone(
    twins: Twins, bundle: object, tmp_path_factory: pytest.TempPathFactory
) -> None:
    nobody = key(twins.same("std:account:list").outputs[0]["identity"][:-4] + "0000")
    with DevServer(tmp_path_factory.mktemp("alone"), hosted=False, connector=MODULES) as server:
        answer = Tenant(server.port, twins.bundled.config).ask("std:account:read", nobody)

    assert answer.kind == "notFound"
    assert undated(answer) == undated(twins.bundled.ask("std:account:read", nobody))
