"""IdentityIQ's Web Services connector, as far as public knowledge of it reaches: it has the XML and a token, no more.

From an import file and what an administrator types in (base URL, token) to requests of a service, and from its answers
to what IdentityIQ would keep: resource objects, results of provisioning. It never looks at the service's code, runs
no BeanShell, and fails where the connector fails; see `application` and `placeholders` for what it is strict about.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tests.identityiq import paths
from tests.identityiq.application import Application, load, object_type_of
from tests.identityiq.endpoints import Endpoint
from tests.identityiq.pagingsteps import Variables
from tests.identityiq.placeholders import filled_body, filled_header, filled_url
from tests.identityiq.rejected import ConnectorException, Rejected
from tests.identityiq.schemas import Schema
from tests.identityiq.wire import Exchange, Wire

PAGES: Final = 1_000
"""More pages than that is a loop; the connector has no such guard and would go on."""


@dataclass
class ResourceObject:
    """An account or a group as the connector hands it to IdentityIQ."""

    identity: str
    display: str
    attributes: dict[str, Any]
    disabled: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Request:
    """One AttributeRequest of a plan."""

    name: str
    value: Any
    op: Literal["Set", "Add", "Remove"] = "Set"


@dataclass(frozen=True)
class Plan:
    """One AccountRequest."""

    op: Literal["Create", "Modify", "Delete", "Enable", "Disable"]
    identity: str | None = None
    requests: tuple[Request, ...] = ()


@dataclass
class Result:
    """What became of a plan."""

    status: Literal["committed", "retry", "failed"]
    identity: str | None
    account: ResourceObject | None = None
    """Only a create reads it."""
    errors: list[str] = field(default_factory=list)


class IdentityIQ:
    """An installation that has imported one application."""

    def __init__(self, xml: str, base_url: str | None, token: str | None, **wire: Any) -> None:
        self.application: Application = load(xml)
        typed = {"genericWebServiceBaseUrl": base_url, "accesstoken": token}
        self.settings = {
            **self.application.settings,
            **{key: value for key, value in typed.items() if value is not None},
        }
        self.wire = Wire(self.settings, **wire)

    # ---- reading

    def test_connection(self) -> None:
        """The button; `ConnectorException` is the red text below it."""
        (row,) = self.application.endpoints_for("Test Connection")
        self._send(row, {})

    def accounts(self, *, since: str | None = None) -> list[ResourceObject]:
        """Account aggregation; with `since` a delta aggregation after that moment."""
        if since is None:
            return self._aggregate("Account Aggregation")
        self.settings["lastAggregationDate_account"] = since
        return self._aggregate("Account Delta Aggregation")

    def groups(self, object_type: str = "group") -> list[ResourceObject]:
        """Group aggregation of one type."""
        return self._aggregate(_suffixed("Group Aggregation", object_type))

    def entitlements(self) -> dict[str, list[ResourceObject]]:
        """The group aggregation task: every type that has a schema."""
        return {type_: self.groups(type_) for type_ in self.application.schemas if type_ != "account"}

    def get_object(self, identity: str, object_type: str = "account") -> ResourceObject | None:
        """One object, now; None when the answer is the application's text for "not found"."""
        suffix = {"account": "", "group": "-Group"}.get(object_type, f"-{object_type}")
        merged: dict[str, Any] = {}
        rows = self.application.endpoints_for(f"Get Object{suffix}")
        for row in rows:
            try:
                exchange = self._send(row, {"getobject": {"nativeIdentity": identity}})
            except ConnectorException as error:
                marker = self.settings.get("objectNotFoundErrorMsg")
                if marker and marker in str(error):
                    return None
                raise
            for record in paths.records(exchange.json, row.root):
                merged |= self._mapped(row, record)
        return self._object(self.application.schema_of(rows[0].operation), merged)

    def _aggregate(self, operation: str) -> list[ResourceObject]:
        """Every endpoint in its order, each to its last page, joined on the identity."""
        schema = self.application.schema_of(operation)
        merged: dict[str, dict[str, Any]] = {}
        for row in self.application.endpoints_for(operation):
            for record in self._pages(row):
                mapped = self._mapped(row, record)
                for child in self.application.children_of(row):
                    exchange = self._send(child, {"response": mapped})
                    for part in paths.records(exchange.json, child.root):
                        mapped |= self._mapped(child, part)
                identity = mapped.get(schema.identity)
                if identity:
                    merged.setdefault(str(identity), {}).update(mapped)
        objects = [self._object(schema, each) for each in merged.values()]
        return [each for each in objects if each is not None]

    def _pages(self, row: Endpoint) -> Iterator[Any]:
        base = str(self.settings["genericWebServiceBaseUrl"])
        variables = Variables(base, row.url, row.limit, row.offset)
        url: str | None = base + filled_url(row.url, {"application": self.settings})
        variables.own["endpoint.fullUrl"] = url
        for _ in range(PAGES):
            assert url is not None
            exchange = self.wire.send(row.operation, row.method, url, row.headers, "", row.codes)
            found = paths.records(exchange.json, row.root)
            yield from found
            if row.steps is None:
                return
            variables.response, variables.headers, variables.records = exchange.json, exchange.received, len(found)
            url = row.steps.next_url(variables)
            if url is None:
                return
        raise ConnectorException(f"{row.name}: more than {PAGES} pages, which is a loop")

    # ---- provisioning

    def create_plan(self, person: Mapping[str, str], requests: tuple[Request, ...] = ()) -> Plan:
        """What a joiner's plan holds: the form's fields for that identity, then what else was asked for."""
        fields = []
        for each in self.application.form:
            value = person.get(each.proposed) if each.proposed else None
            if each.required and not value:
                raise ConnectorException(f"the form waits for somebody to fill in {each.name}")
            fields.append(Request(each.name, value))
        return Plan("Create", None, (*fields, *requests))

    def provision(self, plan: Plan) -> Result:
        """Carry out one account request. Nothing is tried again here: `retry` means that IdentityIQ would, later."""
        result = Result("committed", plan.identity)
        try:
            getattr(self, f"_{plan.op.lower()}")(plan, result)
        except ConnectorException as error:
            result.status = "retry" if self._retryable(error) else "failed"
            result.errors.append(
                f"Exception occurred while performing '{plan.op}' operation on identity '{result.identity}': {error}"
            )
        return result

    def _create(self, plan: Plan, result: Result) -> None:
        schema = self.application.schemas["account"]
        (row,) = self.application.endpoints_for("Create Account")
        scalars = {each.name: each.value for each in plan.requests if not schema.attributes[each.name].entitlement}
        # The Provisioner moves the identity attribute's value out of the requests.
        scalars["nativeIdentity"] = scalars.pop(schema.identity, plan.identity)
        exchange = self._send(row, {"plan": scalars})
        mapped: dict[str, Any] = {}
        for record in paths.records(exchange.json, row.root):
            mapped |= self._mapped(row, record)
        result.identity = mapped.get(schema.identity)
        if not result.identity:
            raise ConnectorException(
                "the account is '???': Create Account's answer has no identity; the rest is skipped"
            )
        if not self.settings.get("skipGetObjectInCreate"):
            result.account = self.get_object(result.identity)
        self._entitle(result.identity, [each for each in plan.requests if schema.attributes[each.name].entitlement])

    def _modify(self, plan: Plan, result: Result) -> None:
        assert plan.identity is not None
        schema = self.application.schemas["account"]
        scalars = {each.name: each.value for each in plan.requests if not schema.attributes[each.name].entitlement}
        if scalars:
            (row,) = self.application.endpoints_for("Update Account")
            self._send(row, {"plan": {**scalars, "nativeIdentity": plan.identity}})
        self._entitle(plan.identity, [each for each in plan.requests if schema.attributes[each.name].entitlement])

    def _delete(self, plan: Plan, result: Result) -> None:
        self._simple("Delete Account", plan)

    def _enable(self, plan: Plan, result: Result) -> None:
        self._simple("Enable Account", plan)

    def _disable(self, plan: Plan, result: Result) -> None:
        self._simple("Disable Account", plan)

    def _simple(self, operation: str, plan: Plan) -> None:
        (row,) = self.application.endpoints_for(operation)
        self._send(row, {"plan": {"nativeIdentity": plan.identity}})

    def _entitle(self, identity: str, requests: list[Request]) -> None:
        """Deltas, type by type: one request for each value, or one for each attribute where the application says so."""
        schema = self.application.schemas["account"]
        for each in requests:
            if each.op == "Set":
                raise Rejected(f"entitlements are added and removed, never set: {each.name}")
            operation = _suffixed(f"{each.op} Entitlement", schema.attributes[each.name].schema_object_type or "group")
            (row,) = self.application.endpoints_for(operation)
            values = each.value if isinstance(each.value, list) else [each.value]
            for value in [values] if self.settings.get("addRemoveEntInSingleReq") else values:
                self._send(row, {"plan": {"nativeIdentity": identity, each.name: value}})

    def _retryable(self, error: ConnectorException) -> bool:
        return not error.listed and any(text in str(error) for text in self.settings.get("retryableErrors", []))

    # ---- both

    def _send(self, row: Endpoint, values: Mapping[str, Mapping[str, Any]]) -> Exchange:
        known = {**values, "application": self.settings}
        return self.wire.send(
            row.operation,
            row.method,
            str(self.settings["genericWebServiceBaseUrl"]) + filled_url(row.url, known),
            {name: filled_header(text, known) for name, text in row.headers.items()},
            filled_body(row.body, known) if row.body else "",
            row.codes,
        )

    def _mapped(self, row: Endpoint, record: Any) -> dict[str, Any]:
        """Schema attribute -> value; a path that leads nowhere leaves its attribute out."""
        schema = self.application.schemas[object_type_of(row.operation)]
        mapped = {}
        for name, path in row.mapping.items():
            value = paths.found(record, path)
            if value is paths.MISSING or value is None:
                continue
            if name == "IIQDisabled" and not isinstance(value, bool):
                raise Rejected(f"IIQDisabled is fed from a boolean, not from {value!r}")
            attribute = schema.attributes.get(name)
            if attribute is not None and attribute.multi:
                value = value if isinstance(value, list) else [value]
            elif isinstance(value, list):
                raise Rejected(f"{name} is single-valued and the answer has {value!r}")
            if isinstance(value, dict) or (isinstance(value, list) and any(isinstance(each, dict) for each in value)):
                raise Rejected(f"{name} would be kept as the text of a map: {value!r}")
            mapped[name] = value
        return mapped

    def _object(self, schema: Schema, mapped: dict[str, Any]) -> ResourceObject | None:
        if not mapped.get(schema.identity):
            return None
        kept = {name: value for name, value in mapped.items() if name in schema.attributes}
        status, _, gone = str(self.settings.get("deleteStatus") or "").partition("=")
        return ResourceObject(
            identity=str(mapped[schema.identity]),
            display=str(mapped.get(schema.display, "")),
            attributes=kept,
            disabled=mapped.get("IIQDisabled") is True,
            deleted=bool(status) and str(kept.get(status)).lower() == gone.lower() and schema.object_type == "account",
        )


def _suffixed(operation: str, object_type: str) -> str:
    return operation if object_type == "group" else f"{operation}-{object_type}"
