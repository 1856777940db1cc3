"""`notFound` is an order to SailPoint: create the account (acceptance 7). Only DescribeUser's word may give it.

Every way in which a user cannot be found, although it may well exist, is tried on every command that takes an account.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small
from tests.acceptance.oracle import dump
from tests.running import READ_TOKEN, Answer, Client, Running, change, key

ABSENT = "-00000000-1111-2222-3333-444444444444"
"""What comes after the store's prefix in the id of a user that was never there."""
COMMANDS = ["std:account:read", "std:account:update", "std:account:enable", "std:account:disable", "std:account:delete"]


def _sources(sandbox: Sandbox, token_file: Path) -> str:
    first = sandbox.organisation.instance.arn
    scim = f'disable_by = "scim"\nscim_endpoint = "{sandbox.scim_url}"\nscim_token_file = "{token_file}"\n'
    other = next(each.arn for each in sandbox.organisation.instances.values() if each.region == "eu-north-1")
    tables = {
        "default": "",
        "hurried": "read_deadline = 0.25\n",
        "strange": "read_deadline = 0.25\n",  # nothing has been read for it before a fault begins
        "region": 'region = "us-west-2"\n',
        "instance": 'instance_arn = "arn:aws:sso:::instance/ssoins-0123456789abcdef"\n',
        "elsewhere": f'region = "eu-west-1"\ninstance_arn = "{other}"\n',
        "store": f'region = "eu-north-1"\ninstance_arn = "{other}"\n',
        "named": f'instance_arn = "{first}"\n',
        "role": 'role_arn = "arn:aws:iam::111122223333:role/nobody-may-assume-this"\n',
    }
    return "".join(f"[sources.{name}]\n{scim}{options}" for name, options in tables.items())


@dataclass
class World:
    """The small organisation with a second, empty instance in another Region, and a service on it."""

    sandbox: Sandbox
    service: Running
    ada: str
    group: str
    absent: str
    before: Any

    def ask(self, command: str, user: str, source: str | None = "default", **more: Any) -> Answer:
        """A command on an account; an update changes something."""
        asked = key(user)
        if command == "std:account:update":
            asked["changes"] = [change("Set", "title", "Changed"), change("Add", "groups", self.group)]
        return self.service.client(source, **more).post(command, asked)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shared: no test may change anything."""
    directory = tmp_path_factory.mktemp("not-found")
    with Sandbox(small(), Options(assignment_seconds=0.1)) as sandbox:
        sandbox.control("mutate", {"action": "add_instance", "region": "eu-north-1", "name": "Other"})
        token_file = directory / "scim-token"
        token_file.write_text(sandbox.scim_token)
        store = sandbox.organisation.store
        with Running(sandbox, directory, _sources(sandbox, token_file)) as service:
            yield World(
                sandbox,
                service,
                store.users_by_name["ada"].id,
                store.groups_by_name["aws_eng_read"].id,
                store.prefix.rstrip("-") + ABSENT,
                dump(sandbox),
            )


@pytest.fixture
def world(running: World) -> Iterator[World]:
    """Nothing has changed afterwards."""
    yield running
    running.sandbox.control("options", Options(assignment_seconds=0.1).as_dict())
    running.sandbox.control("faults", {"clear": True})
    assert dump(running.sandbox) == running.before


def _failed(answer: Answer) -> str:
    assert not answer.complete, answer.text
    assert not answer.text.startswith("notFound"), answer.text
    return answer.text


# ---- the one case


@pytest.mark.parametrize("command", COMMANDS[:-1])
def test_a_user_that_aws_says_does_not_exist_is_not_found(world: World, command: str) -> None:
    answer = world.ask(command, world.absent)
    assert answer.status == 500
    assert answer.text.startswith("notFound error: \n + ConnectorError: ")
    assert world.absent in answer.text


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_whose_id_is_spelt_in_capitals_is_not_missing_and_stays(world: World, command: str) -> None:
    """Told it were gone, SailPoint would make him again, or take his deletion for done."""
    prefix, _, rest = world.ada.partition("-")
    assert f"is spelt {world.ada}" in _failed(world.ask(command, f"{prefix}-{rest.upper()}"))


def test_deleting_a_user_that_does_not_exist_succeeds(world: World) -> None:
    answer = world.ask("std:account:delete", world.absent)
    assert answer.complete
    assert answer.outputs == [{}]


# ---- a wrong configuration


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("region", ("us-west-2", "eu-west-1", "region")),
        ("instance", ("ssoins-0123456789abcdef", "instance_arn")),
        ("elsewhere", ("eu-north-1", "region")),
        ("role", ("sts:AssumeRole", "nobody-may-assume-this")),
    ],
)
def test_a_wrong_configuration_is_named(world: World, command: str, source: str, words: tuple[str, ...]) -> None:
    said = _failed(world.ask(command, world.ada, source))
    assert [word for word in words if word not in said] == [], said


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("source", ["unheard-of", None, ""])
def test_a_source_that_is_not_configured_is_no_missing_account(world: World, command: str, source: str | None) -> None:
    assert "source" in _failed(world.ask(command, world.ada, source))


# ---- a denied or failing call


@pytest.mark.parametrize("operation", ["ListInstances", "GetCallerIdentity", "DescribeUser"])
@pytest.mark.parametrize("fault", ["denied", "error500", "throttled", "reset", "half"])
def test_a_call_that_fails_proves_nothing(world: World, operation: str, fault: str) -> None:
    source = "hurried" if operation == "DescribeUser" else "strange"
    asked = [(command, user, source) for command in COMMANDS for user in (world.ada, world.absent)]
    world.sandbox.control("faults", {"operation": operation, "fault": fault})
    with ThreadPoolExecutor(len(asked)) as pool:
        for answer in pool.map(lambda each: world.ask(*each), asked):
            assert f":{operation}" in _failed(answer)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_call_denied_proves_nothing(world: World, command: str) -> None:
    world.sandbox.control("faults", {"operation": "*", "fault": "denied"})
    _failed(world.ask(command, world.ada))
    _failed(world.ask(command, world.absent))


# ---- ids that are none


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "identifier",
    [
        "__sailpoint__not__found__",
        "ada",
        "1",
        "arn:aws:identitystore:::user/{ada}",
        "{ada} ",
        "{ada}\n",
        "{ada}/../x",
        "*",
        "x" * 5000,
        "ädä",
    ],
)
def test_a_malformed_id_proves_nothing(world: World, command: str, identifier: str) -> None:
    _failed(world.ask(command, identifier.format(ada=world.ada)))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    "asked", [{}, {"key": {}}, {"identity": ""}, {"identity": 5}, {"identity": None, "key": {"simple": {"id": None}}}]
)
def test_no_id_proves_nothing(world: World, command: str, asked: Any) -> None:
    asked = {**asked, "changes": [change("Set", "title", "X")]}
    assert "key.simple.id" in _failed(world.service.client().post(command, asked))


@pytest.mark.parametrize("command", COMMANDS)
def test_the_id_of_a_group_changes_no_group(world: World, command: str) -> None:
    """It has the shape of a user's id, and DescribeUser does say that no such USER exists."""
    answer = world.ask(command, world.group)
    if command == "std:account:delete":
        assert answer.outputs == [{}]
    else:
        assert answer.text.startswith("notFound error: ")


# ---- a store that is not there, and users of another one


@pytest.fixture
def replaced(world: World) -> Iterator[World]:
    """The instance and its identity store go while the service still knows them, as when somebody replaces them."""
    organisation = world.sandbox.organisation
    for source in ("named", "default"):
        world.service.client(source).one("std:account:read", key(world.ada))
    with organisation.lock:
        kept = dict(organisation.instances)
        del organisation.instances[organisation.instance.arn]
    yield world
    with organisation.lock:
        organisation.instances.clear()
        organisation.instances.update(kept)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_unknown_identity_store_proves_nothing(replaced: World, command: str) -> None:
    for source in ("named", "default"):
        for user in (replaced.ada, replaced.absent):
            said = _failed(replaced.ask(command, user, source))
            assert "identity store" in said.lower(), said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_user_of_another_identity_store_is_not_missing(world: World, command: str) -> None:
    """DescribeUser says that the USER does not exist, and is right; but the id itself names another store."""
    said = _failed(world.ask(command, world.ada, "store"))
    assert "identity store" in said
    assert "instance_arn" in said
    other = next(each.prefix for each in world.sandbox.organisation.stores.values() if each.prefix not in world.ada)
    assert "identity store" in _failed(world.ask(command, other.rstrip("-") + ABSENT, "default"))


# ---- the door


@pytest.mark.parametrize("command", COMMANDS)
def test_a_caller_who_may_not_is_told_nothing_about_accounts(world: World, command: str) -> None:
    stranger = world.ask(command, world.absent, token="not a token")
    assert stranger.status == 401
    assert "notFound" not in stranger.text
    if command != "std:account:read":
        reader = world.ask(command, world.absent, token=READ_TOKEN)
        assert reader.status == 403
        assert "notFound" not in reader.text


def test_entitlements_that_do_not_exist_are_no_missing_account(world: World) -> None:
    client: Client = world.service.client()
    for type_ in ("group", "permissionSetAssignment"):
        for identifier in ("__sailpoint__not__found__", world.absent, "123456789012:ps-0000000000000000"):
            _failed(client.post("std:entitlement:read", key(identifier, type=type_)))
