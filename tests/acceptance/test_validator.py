"""SailPoint's own connector validation (acceptance 3), re-implemented from the reference: `conn validate` of its CLI.

The 14 checks, driven by the service's own spec as the CLI does it, in the CLI's transport: `POST /<ref>/invoke` with
connectorRef and tag in the body, a bearer of the CLI's own and the connector's token in the config. Then the table of
traps that the CLI falls into (or panics at). The CLI's pauses of some seconds are left out: our answers do not need
them.
"""

from __future__ import annotations

import itertools
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small
from tests.acceptance.oracle import picture
from tests.running import TOKEN, Answer, Running

REFERENCE = "1d0ba5ba-6d25-4a1c-ac45-7a3c1e5ff6f3"
CONFIG = {"source": "default", "connectorToken": TOKEN, "spConnEnableStatefulCommands": False}
READ_LIMIT = 8
NOWHERE = "__sailpoint__not__found__"


class Failed(Exception):
    """What the CLI reports as an error of a command."""


@dataclass
class Cli:
    """SailPoint's client, as far as validation uses it."""

    service: Running
    numbers: Iterator[int]

    def raw(self, type_: str, asked: Any = None, config: Any = None) -> Answer:
        """A command as it goes over the wire."""
        client = self.service.client(
            None, token="a.bearer.of-the-cli", path=f"/beta/platform-connectors/{REFERENCE}/invoke"
        )
        named = CONFIG if config is None else config
        return client.post(type_, {} if asked is None else asked, named, connectorRef=REFERENCE, tag="latest")

    def outputs(self, type_: str, asked: Any = None) -> list[Any]:
        """Data of the output values in a body that is read as a stream of JSON values."""
        answer = self.raw(type_, asked)
        if answer.status != 200:
            raise Failed(f"non-200 response: {answer.status} (body {answer.text})")
        if not answer.whole:
            raise Failed("unexpected EOF")
        found, at, decoder = [], 0, json.JSONDecoder()
        while at < len(answer.text.rstrip()):
            try:
                value, at = decoder.raw_decode(answer.text, at)
            except ValueError as error:
                raise Failed(f"invalid character: {answer.text[at : at + 100]}") from error
            at += len(answer.text[at:]) - len(answer.text[at:].lstrip())
            assert {"type", "data"} <= value.keys(), "the deprecated format"
            if value["type"] == "output":
                found.append(value["data"])
        return found

    def one(self, type_: str, asked: Any = None) -> Any:
        """The answer of a command with a single object."""
        found = self.outputs(type_, asked)
        if len(found) != 1:
            raise Failed("failed to parse response")
        return found[0]

    # ---- the commands

    def create(self, identity: str | None, attributes: dict[str, Any]) -> Any:
        return self.one("std:account:create", {"identity": identity, "attributes": attributes})

    def read(self, account: Any) -> Any:
        return self.one("std:account:read", {"identity": identity_of(account), "key": account["key"]})

    def update(self, account: Any, op: str, attribute: str, value: Any) -> None:
        changes = [{"op": op, "attribute": attribute, "value": value}]
        self.one("std:account:update", {"identity": identity_of(account), "key": account["key"], "changes": changes})

    def delete(self, account: Any) -> None:
        answer = self.raw("std:account:delete", {"identity": identity_of(account), "key": account["key"]})
        assert answer.status == 200, answer.text

    def accounts(self, spec: Any) -> list[Any]:
        return self.outputs("std:account:list", {"schema": spec["accountSchema"]})

    def entitlements(self, spec: Any) -> list[Any]:
        return self.outputs("std:entitlement:list", {"type": "group", "schema": spec["entitlementSchemas"][0]})

    # ---- generated values (the CLI's util.go)

    def value(self, field: dict[str, Any]) -> Any:
        number, initial = next(self.numbers), field.get("initialValue", {})
        if initial.get("type") == "static":
            return initial["attributes"]["value"]
        if initial.get("type") == "generator":
            if initial["attributes"]["name"] == "Create Password":
                return f"RandomPassword.{number}"
            template = initial["attributes"]["template"].replace("$(uniqueCounter)", str(number))
            return re.sub(r"\$\([^)]*\)", lambda _: f"string{random.randint(10, 99)}", template)
        return self.by_type(field.get("key") or field["name"], field["type"])

    def by_type(self, name: str, type_: str) -> Any:
        number = next(self.numbers)
        if type_ == "string":
            return f"test.{number}@example.com" if name in ("email", "name") else f"string.{number}"
        if type_ == "boolean":
            return name not in ("admin", "groupAdmin")
        raise AssertionError(f"the CLI panics at the type {type_} of {name}")

    def new(self, spec: Any, *, everything: bool) -> tuple[str, dict[str, Any]]:
        """Identity and attributes of a new account, from the template."""
        fields = [each for each in spec["accountCreateTemplate"]["fields"] if everything or each.get("required")]
        made = {each["key"]: self.value(each) for each in fields}
        named = next((made[name] for name in ("email", "username", "name") if name in made), None)
        return named or f"test.{next(self.numbers)}@example.com", made


def identity_of(shown: Any) -> str:
    """key.simple.id, or the identity of old connectors."""
    found: str = shown["key"]["simple"]["id"] if "key" in shown else shown["identity"]
    return found


def same(shown: Any) -> tuple[Any, ...]:
    """What the CLI compares of an object; it looks at neither disabled nor locked."""
    return shown.get("identity"), shown.get("uuid"), shown.get("key"), shown["attributes"]


def sorted_lists(shown: Any) -> tuple[Any, ...]:
    """The same with lists in order."""
    attributes = {n: sorted(v) if isinstance(v, list) else v for n, v in shown["attributes"].items()}
    return *same(shown)[:3], attributes


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The CLI pointed at a service on the small organisation."""
    directory = tmp_path_factory.mktemp("validator")
    with Sandbox(small(), Options(assignment_seconds=0.1)) as sandbox, Running(sandbox, directory) as service:
        yield Cli(service, itertools.count(random.Random(0).randint(1000, 9999)))


@pytest.fixture(scope="module")
def spec(cli: Cli) -> Any:
    """The specification, which every check is driven by."""
    found = cli.one("std:spec:read")["specification"]
    for command in ("create", "read", "update", "delete", "list"):
        assert f"std:account:{command}" in found["commands"], "a check would be skipped"
    assert {"std:entitlement:list", "std:entitlement:read", "std:test-connection"} <= set(found["commands"])
    return found


@pytest.fixture(autouse=True)
def _leaves_no_trace(cli: Cli, request: pytest.FixtureRequest) -> Iterator[None]:
    """Every check that makes accounts takes them away again, with everything they held."""
    before = picture(cli.service.sandbox)
    yield
    after = picture(cli.service.sandbox)
    if "update-single" not in request.node.name and "single_attributes" not in request.node.name:
        assert after == before


# ---- the 14 checks


def test_account_create_empty(cli: Cli) -> None:
    with pytest.raises(Failed):
        cli.create(None, {})


@pytest.mark.parametrize("everything", [False, True], ids=["minimal", "maximal"])
def test_account_create(cli: Cli, spec: Any, everything: bool) -> None:
    identity, given = cli.new(spec, everything=everything)
    created = cli.create(identity, given)
    read = cli.read(created)
    for shown in (created, read):
        assert {name: shown["attributes"][name] for name in given if name in shown["attributes"]} == given
    cli.delete(created)


def test_account_create_list_delete(cli: Cli, spec: Any) -> None:
    before = cli.accounts(spec)
    identity, given = cli.new(spec, everything=True)
    created = cli.create(identity, given)
    assert len(cli.accounts(spec)) == len(before) + 1
    assert same(cli.read(created)) == same(created)
    cli.delete(created)
    with pytest.raises(Failed):
        cli.read(created)
    assert len(cli.accounts(spec)) == len(before)


def test_account_list_and_read(cli: Cli, spec: Any) -> None:
    accounts = cli.accounts(spec)
    assert accounts
    for each in random.Random(1).sample(accounts, READ_LIMIT):
        read = cli.read(each)
        assert identity_of(read) == identity_of(each)
        assert sorted_lists(read) == sorted_lists(each)


def test_account_not_found(cli: Cli) -> None:
    with pytest.raises(Failed):
        cli.one("std:account:read", {"identity": NOWHERE, "key": {"simple": {"id": NOWHERE}}})


def test_account_schema_check(cli: Cli, spec: Any) -> None:
    _fits(cli.accounts(spec), spec["accountSchema"])


def _fits(listed: list[Any], schema: Any) -> None:
    declared = {each["name"]: each for each in schema["attributes"]}
    assert listed
    for name, value in (pair for each in listed for pair in each["attributes"].items()):
        assert name in declared, f"{name} is not in the schema"
        row = declared[name]
        assert isinstance(value, list) is bool(row.get("multi")), f"{name}: {value!r}"
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, str):
                assert row["type"] == "string" or (row["type"] == "int" and one.isdecimal())
            elif isinstance(one, bool):
                assert row["type"] == "boolean"
            else:
                assert isinstance(one, int | float), f"{name}: {one!r}"
                assert row["type"] == "int"


def test_account_update_single_attributes(cli: Cli, spec: Any) -> None:
    account = cli.accounts(spec)[-1]
    tried = 0
    for row in spec["accountSchema"]["attributes"]:
        if row.get("writable") and not row.get("entitlement"):
            value = cli.by_type(row["name"], row["type"])
            cli.update(account, "Add" if row.get("multi") else "Set", row["name"], value)
            assert cli.read(account)["attributes"][row["name"]] == value
            tried += 1
    assert tried > 20


def test_account_update_entitlement(cli: Cli, spec: Any) -> None:
    attribute = next(each["name"] for each in spec["accountSchema"]["attributes"] if each.get("entitlement"))
    entitlements = [identity_of(each) for each in cli.entitlements(spec)]
    assert entitlements
    account = cli.create(*cli.new(spec, everything=False))
    for each in entitlements:
        cli.update(account, "Add", attribute, each)
        assert each in cli.read(account)["attributes"][attribute]
    for each in entitlements:
        cli.update(account, "Remove", attribute, each)
        assert each not in cli.read(account)["attributes"][attribute]
    cli.delete(account)


def test_entitlement_not_found(cli: Cli) -> None:
    with pytest.raises(Failed):
        cli.one("std:entitlement:read", {"identity": NOWHERE, "key": {"simple": {"id": NOWHERE}}, "type": "group"})


def test_entitlement_list_read(cli: Cli, spec: Any) -> None:
    listed = cli.entitlements(spec)
    for each in random.Random(2).sample(listed, READ_LIMIT):
        read = cli.one("std:entitlement:read", {"identity": identity_of(each), "key": each["key"], "type": "group"})
        assert same(read) == same(each)
        assert read["type"] == each["type"] == "group"


def test_entitlement_schema_check(cli: Cli, spec: Any) -> None:
    _fits(cli.entitlements(spec), spec["entitlementSchemas"][0])


def test_test_connection_empty(cli: Cli) -> None:
    assert cli.raw("std:test-connection", {}, config={}).status != 200


def test_test_connection_success(cli: Cli) -> None:
    assert cli.one("std:test-connection", {}) == {}


# ---- the traps


def test_every_entitlement_type_fits_its_schema(cli: Cli, spec: Any) -> None:
    for schema in spec["entitlementSchemas"]:
        _fits(cli.outputs("std:entitlement:list", {"type": schema["type"]}), schema)


def test_the_first_entitlement_schema_is_that_of_groups(spec: Any) -> None:
    assert spec["entitlementSchemas"][0]["type"] == "group"
    assert spec["accountSchema"]["groupAttribute"] == "groups"


def test_no_attribute_has_a_type_that_the_validator_cannot_take(spec: Any) -> None:
    rows = [*spec["accountSchema"]["attributes"], *(r for s in spec["entitlementSchemas"] for r in s["attributes"])]
    assert {each["type"] for each in rows} <= {"string", "boolean", "int"}
    for each in rows:
        assert each["description"]
        if each.get("writable"):
            assert each["type"] == "string"
            assert not each.get("multi")
    for each in spec["accountCreateTemplate"]["fields"]:
        assert each["type"] == "string" or each["initialValue"]["type"] in ("static", "generator")


def test_entitlement_attributes_are_lists_of_texts_and_never_null(cli: Cli, spec: Any) -> None:
    lists = [each["name"] for each in spec["accountSchema"]["attributes"] if each.get("multi")]
    created = cli.create(*cli.new(spec, everything=False))
    for shown in (created, cli.read(created), *cli.accounts(spec)):
        for name in lists:
            value = shown["attributes"][name]
            assert isinstance(value, list)
            assert all(isinstance(each, str) for each in value)
        for name, value in shown["attributes"].items():
            assert value is not None, name
            assert not isinstance(value, dict), name
    cli.delete(created)


def test_errors_are_never_sent_with_status_200(cli: Cli) -> None:
    for type_, asked in (
        ("std:account:read", {"identity": NOWHERE}),
        ("std:entitlement:list", {"type": "no such type"}),
        ("std:no-such-command", {}),
        ("std:account:unlock", {}),
    ):
        assert cli.raw(type_, asked).status == 500


def test_the_token_of_the_config_is_what_counts(cli: Cli) -> None:
    for config in ({"source": "default"}, {"source": "default", "connectorToken": "wrong"}):
        assert cli.raw("std:test-connection", {}, config=config).status == 401
    named_otherwise = {"source": "default", "proxyPassword": TOKEN}
    assert cli.raw("std:test-connection", {}, config=named_otherwise).status == 200


@pytest.mark.parametrize("path", ["/", "/invoke", f"/{REFERENCE}/invoke", f"/a/b/c/{REFERENCE}/invoke"])
def test_commands_are_taken_wherever_sailpoint_posts_them(cli: Cli, path: str) -> None:
    client = cli.service.client(path=path)
    assert client.one("std:test-connection") == {}
