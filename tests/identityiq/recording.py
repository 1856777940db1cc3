"""The golden exchanges: what IdentityIQ sends and what the service answers, in `recorded/`, one file an operation.

    python -m tests.identityiq.recording        writes them anew

A story on the small organisation is told through the simulator, once with the shipped file and once with a source that
can disable. What differs from run to run (dates, cursors, ids of new users, request ids) gets a name; everything else
is kept as it went over the wire. A changed contract is a changed file: `test_recorded` compares.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from connector.identityiq.application import application
from connector.identityiq.xmldocuments import application_xml
from connector.model import Source
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import DATA, ENG, LEGACY, small
from tests.acceptance.oracle import dump
from tests.identityiq.rejected import ConnectorException
from tests.identityiq.simulator import IdentityIQ, Plan, Request
from tests.identityiq.wire import Exchange
from tests.running import READ_TOKEN, TOKEN, Running

KEPT: Final = Path(__file__).with_name("recorded")
SHIPPED: Final = (Path(__file__).parents[2] / "spec" / "identityiq" / "application.xml").read_text(encoding="utf-8")
UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DATED: Final = ("createdAt", "updatedAt", "completedAt")
SHOWN: Final = ("Content-Type", "Retry-After")
PERSON: Final = {"name": "joan", "firstname": "Joan", "lastname": "Clarke", "email": "joan@example.com"}

Recorded = dict[str, list[Exchange]]
"""Name of a file -> its exchanges."""


def told(directory: Path) -> dict[str, str]:
    """The whole story: name of each file, and its text."""
    with Sandbox(small(), Options(assignment_seconds=0.05)) as sandbox:
        token_file = directory / "scim-token"
        token_file.write_text(sandbox.scim_token)
        sources = (
            "[sources.default]\n\n[sources.scim]\n"
            f'disable_by = "scim"\nscim_endpoint = "{sandbox.scim_url}"\nscim_token_file = "{token_file}"\n'
        )
        known = set(UUID.findall(json.dumps(dump(sandbox))))
        with Running(sandbox, directory, sources) as service:
            names = Names(service.url, known)
            return {name: names.text(exchanges) for name, exchanges in _story(sandbox, service).items()}


def _story(sandbox: Sandbox, service: Running) -> Recorded:
    recorded: Recorded = {}
    iiq = IdentityIQ(SHIPPED, service.url, TOKEN)

    def keep(name: str, by: IdentityIQ = iiq) -> None:
        recorded[name] = list(by.wire.exchanges)
        by.wire.exchanges.clear()

    for name, run in _steps(sandbox, iiq):
        iiq.wire.exchanges.clear()
        run()
        keep(name)
    scim = IdentityIQ(application_xml(application(Source("scim", disable_by="scim"), service.url)), None, TOKEN)
    tim = sandbox.organisation.store.users_by_name["tim"].id
    for op in ("Disable", "Enable"):
        assert scim.provision(Plan(op, tim)).status == "committed"
        keep(f"{op.lower()}-account", scim)
    for name, token in (("wrong-token", "idc_wrong"), ("reading-token", READ_TOKEN)):
        other = IdentityIQ(SHIPPED, service.url, token)
        assert other.provision(Plan("Delete", tim)).status == "failed"
        keep(name, other)
    small_pages = IdentityIQ(SHIPPED.replace("limit=250", "limit=5"), service.url, TOKEN)
    small_pages.accounts()
    keep("account-aggregation-in-pages", small_pages)
    return recorded


def _steps(sandbox: Sandbox, iiq: IdentityIQ) -> Iterator[tuple[str, Any]]:
    store, sets = sandbox.organisation.store, sandbox.organisation.instance.permission_sets
    groups = {group.name: group.id for group in store.groups}
    pairs = {row.name: row.arn.rsplit("/", 1)[-1] for row in sets}
    ada, nobody = store.users_by_name["ada"].id, "00000000-0000-0000-0000-000000000000"
    read = f"{ENG}:{pairs['Read']}"
    made: dict[str, str] = {}

    def commit(*requests: Request) -> None:
        result = iiq.provision(Plan("Modify", made["user"], requests))
        assert result.status == "committed", result.errors

    def fail(plan: Plan) -> None:
        assert iiq.provision(plan).status == "failed"

    def create() -> None:
        given = (Request("groups", groups["aws_data_read"], "Add"), Request("permissionSetAssignments", read, "Add"))
        result = iiq.provision(iiq.create_plan(PERSON, given))
        assert result.status == "committed" and result.identity, result.errors  # noqa: PT018
        made["user"] = result.identity

    def delete() -> None:
        for _ in range(2):
            assert iiq.provision(Plan("Delete", made["user"])).status == "committed"

    yield "test-connection", iiq.test_connection
    yield "account-aggregation", iiq.accounts
    yield "group-aggregation", iiq.groups
    yield "group-aggregation-pairs", lambda: iiq.groups("permissionSetAssignment")
    yield "get-object", lambda: iiq.get_object(ada)
    yield "get-object-group", lambda: iiq.get_object(groups["aws_data_read"], "group")
    yield "get-object-pair", lambda: iiq.get_object(f"{DATA}:{pairs['Read']}", "permissionSetAssignment")
    yield "get-object-missing", lambda: iiq.get_object(nobody)
    yield "create-account", create
    yield "create-account-taken", lambda: fail(iiq.create_plan({**PERSON, "lastname": "Murray"}))
    yield "update-account", lambda: commit(Request("title", "Cryptanalyst"), Request("nickName", ""))
    yield "update-account-with-nothing", lambda: fail(Plan("Modify", ada, (Request("title", None),)))
    yield "update-account-wrongly", lambda: fail(Plan("Modify", ada, (Request("userName", ""),)))
    yield "add-entitlement", lambda: commit(Request("groups", [groups["aws_eng_read"]] * 2, "Add"))
    yield (
        "add-entitlement-not-grantable",
        lambda: fail(Plan("Modify", ada, (Request("permissionSetAssignments", f"{LEGACY}:{pairs['Read']}", "Add"),))),
    )
    yield (
        "remove-entitlement",
        lambda: commit(
            Request("groups", groups["aws_eng_read"], "Remove"),
            Request("permissionSetAssignments", [read] * 2, "Remove"),
        ),
    )
    iiq.accounts()
    before = str(iiq.wire.exchanges[-1].json["snapshot"]["id"])
    yield "delete-account", delete
    yield "account-delta-aggregation", lambda: iiq.accounts(since=before)


@dataclass
class Names:
    """Names for what differs from run to run; the same thing has the same name in all files."""

    base: str
    known: set[str]
    """Ids the organisation has from the beginning."""
    _given: dict[str, str] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)

    def text(self, exchanges: list[Exchange]) -> str:
        """One file."""
        return "\n".join(self._exchange(each) for each in exchanges)

    def _exchange(self, exchange: Exchange) -> str:
        received = {name: exchange.received[name] for name in SHOWN if name in exchange.received}
        try:
            answer = json.loads(exchange.text) if exchange.text.strip() else None
        except ValueError as error:
            raise ConnectorException(f"no JSON: {exchange.text!r}") from error
        sent = json.dumps(json.loads(exchange.body), indent=1) + "\n" if exchange.body else ""
        shown = "" if answer is None else json.dumps(self._named(answer), indent=1, ensure_ascii=False) + "\n"
        text = (
            f"{exchange.method} {exchange.url.removeprefix(self.base)}\n{_lines(exchange.sent)}\n{sent}\n"
            f"{exchange.status}\n{_lines(received)}\n{shown}"
        )
        return self._plain(f"##### {exchange.operation}\n{text}")

    def _named(self, node: Any, key: str = "") -> Any:
        if isinstance(node, dict):
            named = {name: self._named(value, name) for name, value in node.items()}
            return {name: f"<{name}>" for name in named} if key == "snapshot" else named
        if isinstance(node, list):
            return [self._named(each) for each in node]
        if key in DATED:
            return "<date>"
        if key == "awsRequestId" or (key == "instance" and not str(node).startswith("arn:")):
            return f"<{key}>"
        if key == "nextCursor" and isinstance(node, str):
            self._name(node, "cursor")
        return node

    def _name(self, value: str, kind: str) -> str:
        if value not in self._given:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._given[value] = f"<{kind} {self._counts[kind]}>"
        return self._given[value]

    def _plain(self, text: str) -> str:
        text = re.sub(r"AWS request id [\w-]+", "AWS request id <id>", text.replace(self.base, "<base>"))
        text = re.sub(r"since=[\w-]+", "since=<snapshot>", text)
        for value, name in self._given.items():
            text = text.replace(value, name)
        return UUID.sub(lambda found: found[0] if self._seeded(found[0]) else self._name(found[0], "new"), text)

    def _seeded(self, identifier: str) -> bool:
        return identifier in self.known or set(identifier) <= {"0", "-"}


def _lines(headers: Any) -> str:
    return "".join(f"{name}: {unquote(value)}\n" for name, value in headers.items())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        story = told(Path(place))
    KEPT.mkdir(exist_ok=True)
    for old in KEPT.glob("*.http"):
        old.unlink()
    for file, text in story.items():
        (KEPT / f"{file}.http").write_text(text, encoding="utf-8")
