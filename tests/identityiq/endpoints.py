"""One endpoint of an application: read from its Map, and judged by itself and against the schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.identityiq import paths
from tests.identityiq.pagingsteps import Steps, read_steps
from tests.identityiq.placeholders import template, tokens
from tests.identityiq.rejected import Rejected
from tests.identityiq.schemas import Schema

OPERATIONS: Final = {
    *("Test Connection", "Account Aggregation", "Account Delta Aggregation", "Group Aggregation", "Get Object"),
    *("Get Object-Group", "Enable Account", "Disable Account", "Create Account", "Update Account", "Delete Account"),
    *("Add Entitlement", "Remove Entitlement", "Change Password", "Unlock Account", "Pass-through Authentication"),
    *("Custom Authentication", "Get Partitions", "Partitioned Account Aggregation"),
}
SUFFIXED: Final = ("Group Aggregation", "Get Object", "Add Entitlement", "Remove Entitlement")
READS: Final = ("Account Aggregation", "Account Delta Aggregation", "Group Aggregation", "Get Object", "Create Account")
"""Operations whose answers are mapped; without the identity in the mapping everything after them is skipped."""
CHANGES: Final = (
    *("Create Account", "Update Account", "Delete Account", "Enable Account", "Disable Account", "Unlock Account"),
    *("Add Entitlement", "Remove Entitlement", "Change Password"),
)
SCOPES: Final = {
    "Test Connection": {"application"},
    "Account Aggregation": {"application", "response"},
    "Account Delta Aggregation": {"application", "response"},
    "Group Aggregation": {"application", "response"},
    "Get Object": {"application", "getobject"},
}
"""Placeholders that have a value; provisioning has `plan` and `application`."""
RESERVED: Final = ("IIQDisabled", "IIQLocked")
KEYS: Final = {
    *("uniqueNameForEndPoint", "operationType", "contextUrl", "httpMethodType", "sequenceNumberForEndpoint", "header"),
    *("body", "rootPath", "responseCode", "resMappingObj", "pagingInitialOffset", "pagingSize", "paginationSteps"),
    *(
        "parentEndpointName",
        "beforeRule",
        "afterRule",
        "xpathNamespaces",
        "customAuthUrl",
        "curlEnabled",
        "curlCommand",
    ),
}


@dataclass(frozen=True)
class Endpoint:
    """One request that the connector can make."""

    name: str
    operation: str
    sequence: int
    method: str
    url: str
    """contextUrl"""
    headers: Mapping[str, str]
    body: str
    root: str
    codes: tuple[str, ...]
    mapping: Mapping[str, str]
    limit: int
    offset: int
    steps: Steps | None
    parent: str


def read_endpoint(row: Any, schemas: Mapping[str, Schema]) -> Endpoint:
    """An endpoint from its Map; `Rejected` says what is wrong with it."""
    if not isinstance(row, dict):
        raise Rejected("an endpoint is a Map")
    name = str(row.get("uniqueNameForEndPoint") or "")
    try:
        return _endpoint(name, row, schemas)
    except Rejected as error:
        raise Rejected(f"{name}: {error}") from error


def _endpoint(name: str, row: Mapping[str, Any], schemas: Mapping[str, Schema]) -> Endpoint:
    if unknown := set(row) - KEYS:
        raise Rejected(f"keys that no endpoint has: {sorted(unknown)}")
    if row.get("beforeRule") or row.get("afterRule"):
        raise Rejected("a rule, and nobody here runs BeanShell")
    endpoint = Endpoint(
        name=name,
        operation=_operation(row, schemas),
        sequence=_sequence(row),
        method=_method(row),
        url=str(row.get("contextUrl") or ""),
        headers=row.get("header") or {},
        body=_body(row.get("body")),
        root=str(row.get("rootPath") or "$"),
        codes=_codes(row.get("responseCode")),
        mapping=row.get("resMappingObj") or {},
        limit=_integer(row, "pagingSize", 50),
        offset=_integer(row, "pagingInitialOffset", 0),
        steps=read_steps(row["paginationSteps"]) if row.get("paginationSteps") else None,
        parent=str(row.get("parentEndpointName") or ""),
    )
    if not name:
        raise Rejected("uniqueNameForEndPoint is missing")
    _check_texts(endpoint, schemas["account"])
    _check_change(endpoint, schemas["account"])
    _check_pages(endpoint)
    _check_mapping(endpoint, schemas)
    return endpoint


def _operation(row: Mapping[str, Any], schemas: Mapping[str, Schema]) -> str:
    operation = str(row.get("operationType") or "")
    if operation in OPERATIONS:
        return operation
    kind, hyphen, suffix = operation.partition("-")
    if not hyphen or kind not in SUFFIXED:
        raise Rejected(f"no operationType: {operation!r}")
    if suffix == "group" or suffix == "account" or suffix not in schemas:
        raise Rejected(f"{operation!r}: no schema has the objectType {suffix!r}, or it goes without a suffix")
    return operation


def _sequence(row: Mapping[str, Any]) -> int:
    value = row.get("sequenceNumberForEndpoint", "1")
    if not isinstance(value, str) or not value.isdecimal():
        raise Rejected("sequenceNumberForEndpoint is a number in a String")
    return int(value)


def _method(row: Mapping[str, Any]) -> str:
    method = str(row.get("httpMethodType"))
    if method not in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        raise Rejected(f"no httpMethodType: {method!r}")
    return method


def _body(body: Any) -> str:
    if body is None:
        return ""
    if not isinstance(body, dict) or set(body) - {"bodyFormat", "jsonBody", "bodyFormData"}:
        raise Rejected(f"the text of a body stands under body/jsonBody, nowhere else: {body!r}")
    if body.get("bodyFormat") not in ("raw", "formData"):
        raise Rejected(f"bodyFormat is raw or formData, not {body.get('bodyFormat')!r}")
    if body["bodyFormat"] == "formData":
        raise Rejected("formData is nothing the simulator can send")
    return str(body.get("jsonBody") or "")


def _codes(listed: Any) -> tuple[str, ...]:
    if listed is not None and not isinstance(listed, list):
        raise Rejected("responseCode is a List")
    for each in listed or ():
        if not isinstance(each, int) and not re.fullmatch(r"[2-5]\*\*", each):
            raise Rejected(f"ClassCastException: responseCode {each!r} is a String, and no N**")
    return tuple(str(each) for each in listed or ())


def _integer(row: Mapping[str, Any], key: str, default: int) -> int:
    value = row.get(key)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool):
        raise Rejected(f"ClassCastException: {key} is an Integer")
    return value


def _check_texts(endpoint: Endpoint, account: Schema) -> None:
    kind = endpoint.operation.partition("-")[0]
    allowed = SCOPES.get(kind, {"plan", "application"})
    if not endpoint.url.startswith("/"):
        raise Rejected(f"contextUrl {endpoint.url!r} does not follow the base URL")
    if "authorization" in map(str.lower, endpoint.headers):
        raise Rejected("an Authorization header: the connector adds the token to every call by itself")
    if endpoint.body:
        template(endpoint.body)
    for text in (endpoint.url, endpoint.body, *endpoint.headers.values()):
        for scope, name in tokens(text):
            if scope not in allowed or (scope == "response" and not endpoint.parent):
                raise Rejected(f"${scope}.{name}$ has no value in {endpoint.operation}")
            if scope == "getobject" and name != "nativeIdentity":
                raise Rejected(f"$getobject.{name}$ does not work, only nativeIdentity")
            if scope == "plan":
                _check_plan(name, account)
    if kind in ("Create Account", "Update Account"):
        names = {name for _, name in tokens(endpoint.body)}
        if lists := sorted(names & {each.name for each in account.attributes.values() if each.multi}):
            raise Rejected(f"multi-valued {lists} in a body come out as broken JSON")


def _check_plan(name: str, account: Schema) -> None:
    """A token of a plan has a value only if the plan can have it; any other is taken out without a word."""
    if name in ("nativeIdentity", "planNativeIdentity"):
        return
    if name not in account.attributes:
        raise Rejected(f"$plan.{name}$: the account schema has no {name!r}, so no plan has")
    if name == account.identity:
        raise Rejected(f"$plan.{name}$: the Provisioner moves the identity out of the plan, into nativeIdentity")


def _check_change(endpoint: Endpoint, account: Schema) -> None:
    """A change names the account it is of, entitlements the value they are about; and it is no GET."""
    kind, _, suffix = endpoint.operation.partition("-")
    if kind not in CHANGES or endpoint.parent:
        return
    if endpoint.method == "GET":
        raise Rejected(f"{kind} with GET: an answer is Success, and nothing was changed")
    named = [name for text in (endpoint.url, endpoint.body) for scope, name in tokens(text) if scope == "plan"]
    if kind != "Create Account" and not {"nativeIdentity", "planNativeIdentity"} & set(named):
        raise Rejected(f"{kind} does not say of which account: $plan.nativeIdentity$ is missing")
    if kind in ("Add Entitlement", "Remove Entitlement"):
        wanted = {each.name for each in account.attributes.values() if each.schema_object_type == (suffix or "group")}
        if set(named) - {"nativeIdentity", "planNativeIdentity"} != wanted:
            raise Rejected(f"{endpoint.operation} is about {sorted(wanted)}, and sends {sorted(named)}")


def _check_pages(endpoint: Endpoint) -> None:
    listing = "Aggregation" in endpoint.operation.partition("-")[0]
    if endpoint.steps is None:
        if listing and not endpoint.parent:
            raise Rejected("no paginationSteps: Success, and only the first page")
        return
    if not listing:
        raise Rejected("only aggregations have pages")
    for first in ("TERMINATE_IF", "$endpoint.fullUrl$"):
        if first not in {line[0] for line in endpoint.steps.lines}:
            raise Rejected(f"paging steps without {first}, which go on for ever")


def _check_mapping(endpoint: Endpoint, schemas: Mapping[str, Schema]) -> None:
    kind, _, suffix = endpoint.operation.partition("-")
    reads = kind in READS
    groups = kind == "Group Aggregation" or (kind == "Get Object" and suffix)
    schema = schemas.get(("group" if suffix in ("", "Group") else suffix) if groups else "account")
    if schema is None:
        raise Rejected("there is no schema of type group")
    paths.steps(endpoint.root)
    for name, path in endpoint.mapping.items():
        if name != name.strip():
            raise Rejected(f"the mapping's key {name!r} has blanks around it")
        if name not in schema.attributes and name not in RESERVED:
            raise Rejected(f"mapped, but in no schema: {name!r}")
        paths.steps(path)
    if reads and not endpoint.parent and schema.identity not in endpoint.mapping:
        raise Rejected(f"the mapping lacks the identity attribute {schema.identity}: Success, and no objects")
