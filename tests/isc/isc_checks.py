"""SailPoint's 14 validation checks (`sail conn validate`), written again from their description.

Source: sailpoint-cli, cmd/connector/validate; what each check sends and asserts is kept, its pauses and its random
choice of eight objects are not. `Validator` speaks to whatever answers commands; a failed check is an AssertionError.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dev_server import Told
from running import key

Ask = Callable[..., Told]
NOBODY = "__sailpoint__not__found__"
READ_LIMIT = 8


@dataclass
class Validator:
    """The checks against one connector; `ask(type, input, config=…)` sends a command."""

    ask: Ask
    spec: dict[str, Any] = field(init=False)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(7000))

    def __post_init__(self) -> None:
        self.spec = self.one("std:spec:read")["specification"]

    # ---- how the CLI sends and counts

    def one(self, type_: str, asked: Any = None) -> Any:
        """The output of a command with exactly one."""
        answer = self.ask(type_, asked)
        assert answer.error is None, answer.error
        assert len(answer.outputs) == 1, answer.outputs
        return answer.outputs[0]

    def many(self, type_: str, asked: Any = None) -> list[Any]:
        """The outputs of a list."""
        answer = self.ask(type_, asked)
        assert answer.error is None, answer.error
        return answer.outputs

    def fails(self, type_: str, asked: Any = None, **more: Any) -> None:
        """The command has to fail."""
        answer = self.ask(type_, asked, **more)
        assert answer.error is not None or len(answer.outputs) != 1, answer.outputs

    def accounts(self) -> list[Any]:
        return self.many("std:account:list", {"schema": self.spec["accountSchema"]})

    def entitlements(self) -> list[Any]:
        return self.many("std:entitlement:list", {"type": "group", "schema": self._entitlement_schema})

    def read(self, account: Any) -> Any:
        return self.one("std:account:read", _key_of(account))

    def create(self, *, maximal: bool = False) -> tuple[dict[str, Any], Any]:
        """A new account and what was asked for it."""
        number = next(self._numbers)
        asked = {
            each["key"]: _generated(each, number)
            for each in self.spec["accountCreateTemplate"]["fields"]
            if maximal or each.get("required")
        }
        asked = {name: value for name, value in asked.items() if value is not None}
        identity = asked.get("email") or asked.get("userName") or f"test.{number}@example.com"
        return asked, self.one("std:account:create", {"identity": identity, "attributes": asked})

    def delete(self, account: Any) -> None:
        answer = self.ask("std:account:delete", _key_of(account))
        assert answer.error is None, answer.error

    @property
    def _entitlement_schema(self) -> Any:
        return self.spec["entitlementSchemas"][0]

    # ---- the checks

    def account_create_empty(self) -> None:
        self.fails("std:account:create", {"identity": None, "attributes": {}})

    def account_create_minimal(self) -> None:
        self._created(maximal=False)

    def account_create_maximal(self) -> None:
        self._created(maximal=True)

    def _created(self, *, maximal: bool) -> None:
        asked, created = self.create(maximal=maximal)
        shown = self.read(created)
        for name, value in asked.items():
            for answer in (created, shown):
                assert answer["attributes"].get(name, value) == value, name
        self.delete(created)

    def account_create_list_delete(self) -> None:
        before = len(self.accounts())
        _, created = self.create()
        assert len(self.accounts()) == before + 1
        assert _whole(created) == _whole(self.read(created))
        self.delete(created)
        self.fails("std:account:read", _key_of(created))
        assert len(self.accounts()) == before

    def account_list_and_read(self) -> None:
        accounts = self.accounts()
        assert accounts
        for listed in accounts[:: max(1, len(accounts) // READ_LIMIT)][:READ_LIMIT]:
            assert _whole(listed, ordered=False) == _whole(self.read(listed), ordered=False)

    def account_not_found(self) -> None:
        self.fails("std:account:read", key(NOBODY))

    def account_schema_check(self) -> None:
        _check_schema(self.accounts(), self.spec["accountSchema"])

    def account_update_single_attrs(self) -> None:
        account = self.accounts()[-1]
        rows = [row for row in self.spec["accountSchema"]["attributes"] if row.get("writable")]
        assert rows
        for row in rows:
            if not row.get("entitlement"):
                value = _generated({"key": row["name"], "type": row["type"]}, next(self._numbers))
                changes = [{"op": "Set", "attribute": row["name"], "value": value}]
                self.one("std:account:update", _key_of(account, changes=changes))
                assert self.read(account)["attributes"].get(row["name"]) == value, row["name"]

    def account_update_entitlement(self) -> None:
        entitlements = self.entitlements()
        assert entitlements
        attribute = next(row["name"] for row in self.spec["accountSchema"]["attributes"] if row.get("entitlement"))
        _, account = self.create()
        ids = [each["key"]["simple"]["id"] for each in entitlements]
        for op, present in (("Add", True), ("Remove", False)):
            for id_ in ids:
                changes = [{"op": op, "attribute": attribute, "value": id_}]
                self.one("std:account:update", _key_of(account, changes=changes))
                assert (id_ in self.read(account)["attributes"][attribute]) is present, (op, id_)
        self.delete(account)

    def entitlement_not_found(self) -> None:
        self.fails("std:entitlement:read", key(NOBODY, type="group"))

    def entitlement_list_read(self) -> None:
        listed = self.entitlements()
        assert listed
        for each in listed[:READ_LIMIT]:
            assert each == self.one("std:entitlement:read", _key_of(each, type="group"))

    def entitlement_schema_check(self) -> None:
        _check_schema(self.entitlements(), self._entitlement_schema)

    def test_connection_empty(self) -> None:
        assert self.ask("std:test-connection", {}, config={}).error is not None

    def test_connection_success(self) -> None:
        self.one("std:test-connection", {})


CHECKS: dict[str, Callable[[Validator], None]] = {
    "account-create-empty": Validator.account_create_empty,
    "account-create-minimal": Validator.account_create_minimal,
    "account-create-maximal": Validator.account_create_maximal,
    "account-create-list-delete": Validator.account_create_list_delete,
    "account-list-and-read": Validator.account_list_and_read,
    "account-not-found": Validator.account_not_found,
    "account-schema-check": Validator.account_schema_check,
    "account-update-single-attrs": Validator.account_update_single_attrs,
    "account-update-entitlement": Validator.account_update_entitlement,
    "entitlement-not-found": Validator.entitlement_not_found,
    "entitlement-list-read": Validator.entitlement_list_read,
    "entitlement-schema-check": Validator.entitlement_schema_check,
    "test-connection-empty": Validator.test_connection_empty,
    "test-connection-success": Validator.test_connection_success,
}
"""By SailPoint's own names."""


def _key_of(found: Any, **more: Any) -> dict[str, Any]:
    return {"identity": found["identity"], "key": found["key"], **more}


def _whole(account: Any, *, ordered: bool = True) -> dict[str, Any]:
    attributes = account["attributes"]
    if not ordered:
        attributes = {name: sorted(map(str, v)) if isinstance(v, list) else v for name, v in attributes.items()}
    return {"identity": account["identity"], "key": account["key"], "attributes": attributes}


def _generated(row: dict[str, Any], number: int) -> Any:
    initial = row.get("initialValue", {})
    attributes = initial.get("attributes", {})
    if initial.get("type") == "static":
        return attributes["value"]
    if attributes.get("name") == "Create Unique Account ID":
        text = attributes["template"].replace("$(uniqueCounter)", str(number))
        while "$(" in text:
            start, end = text.index("$("), text.index(")")
            text = f"{text[:start]}string{number}{text[end + 1 :]}"
        return text
    if row["type"] == "boolean":
        return True
    return f"test.{number}@example.com" if row["key"] in ("email", "name") else f"string.{number}"


def _check_schema(found: list[Any], schema: dict[str, Any]) -> None:
    rows = {row["name"]: row for row in schema["attributes"]}
    assert found
    for each in found:
        for name, value in each["attributes"].items():
            row = rows[name]
            assert isinstance(value, list) is bool(row.get("multi")), (name, value)
            for one in value if isinstance(value, list) else [value]:
                wanted = "boolean" if isinstance(one, bool) else "string" if isinstance(one, str) else "int"
                assert row["type"] == wanted, (name, one)
