"""An Application as IdentityIQ's Web Services connector understands it; everything it would choke on is refused.

From an import file to `Application`: settings, endpoints, schemas, form. The rules are those of reference reading: the
vendor's pages, exports of real applications, and mistakes that people made. IdentityIQ itself is often silent where
this is loud: it would send an empty body, read no rows, or skip what follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.identityiq.endpoints import CHANGES, Endpoint, read_endpoint
from tests.identityiq.importing import read_application
from tests.identityiq.placeholders import tokens
from tests.identityiq.rejected import Rejected
from tests.identityiq.schemas import Field, Schema, read_form, read_schemas

AUTHENTICATION: Final = ("BasicLogin", "OAuthLogin", "OAuth2Login", "No Auth")
KEYS: Final = {
    *("encrypted", "genericWebServiceBaseUrl", "authenticationMethod", "username", "password", "accesstoken"),
    *("connectionParameters", "timeoutInSeconds", "version", "templateApplication", "disableCookies"),
    *("enableStatus", "lockStatus", "deleteStatus", "objectNotFoundErrorMsg", "possibleHttpErrors", "retryableErrors"),
    *("createAccountWithEntReq", "addRemoveEntInSingleReq", "skipGetObjectInCreate", "sysDescriptions"),
}
"""Settings that the simulator understands; any other one would be ignored here and perhaps not there."""
FEATURES: Final = {
    "PROVISIONING": (),
    "ENABLE": ("Enable Account", "Disable Account"),
    "ACCOUNT_ONLY_REQUEST": ("Create Account",),
    "SEARCH": (),
    "UNLOCK": ("Unlock Account",),
    "PASSWORD": ("Change Password",),
    "AUTHENTICATE": ("Pass-through Authentication",),
}
"""What an application may advertise, and the operations that each needs when somebody uses it."""


@dataclass(frozen=True)
class Application:
    """One application, ready to be used."""

    name: str
    settings: Mapping[str, Any]
    endpoints: tuple[Endpoint, ...]
    schemas: Mapping[str, Schema]
    form: tuple[Field, ...]

    def endpoints_for(self, operation: str) -> tuple[Endpoint, ...]:
        """Endpoints of an operation without a parent, in their order; IdentityIQ's own sentence when there is none."""
        rows = tuple(row for row in self.endpoints if row.operation == operation and not row.parent)
        if not rows:
            raise Rejected(f"No configuration found for '{operation}'. Please add at least one operation and try again")
        return rows

    def children_of(self, parent: Endpoint) -> tuple[Endpoint, ...]:
        """Endpoints called once for each record of `parent`."""
        return tuple(row for row in self.endpoints if row.parent == parent.name)

    def schema_of(self, operation: str) -> Schema:
        """The schema that an operation's records follow."""
        return self.schemas[object_type_of(operation)]


def object_type_of(operation: str) -> str:
    """`Group Aggregation-T` and `Get Object-T` read T; `Group Aggregation` and `Get Object-Group` read group."""
    kind, _, suffix = operation.partition("-")
    if kind == "Group Aggregation" or (kind == "Get Object" and suffix):
        return "group" if suffix in ("", "Group") else suffix
    return "account"


def load(text: str) -> Application:
    """The application of an import file; `Rejected` says what IdentityIQ would fail on."""
    imported = read_application(text)
    settings = imported.settings
    if unknown := set(settings) - KEYS:
        raise Rejected(f"settings that IdentityIQ does not have: {sorted(unknown)}")
    if unknown := set(imported.features) - set(FEATURES):
        raise Rejected(f"features that IdentityIQ does not have: {sorted(unknown)}")
    schemas = read_schemas(imported.schemas)
    rows = settings.get("connectionParameters")
    if not isinstance(rows, list) or not rows:
        raise Rejected("connectionParameters is a List of Maps")
    endpoints = tuple(sorted((read_endpoint(row, schemas) for row in rows), key=lambda row: row.sequence))
    application = Application(
        imported.name, settings, endpoints, schemas, read_form(imported.forms, schemas["account"])
    )
    _check_settings(settings, endpoints)
    _check_relations(application)
    for feature in imported.features:
        for operation in FEATURES[feature]:
            application.endpoints_for(operation)
    _check_statuses(settings, endpoints)
    _check_values(settings, endpoints)
    return application


def _check_settings(settings: Mapping[str, Any], endpoints: tuple[Endpoint, ...]) -> None:
    if settings.get("authenticationMethod") not in AUTHENTICATION:
        raise Rejected(f"authenticationMethod is one of {', '.join(AUTHENTICATION)}")
    if "accesstoken" not in str(settings.get("encrypted") or "").split(","):
        raise Rejected("UnsupportedOperationException: 'encrypted' is missing, so no request with a body can be made")
    if written := sorted(set(str(settings["encrypted"]).split(",")) & {key for key in settings if settings[key]}):
        raise Rejected(f"a secret in a file that is passed on: {written}")
    if settings.get("version", "v2") != "v2":
        raise Rejected("version is v2: every export of an application with all its operations says so")
    if not str(settings.get("genericWebServiceBaseUrl")).startswith(("https://", "http://")):
        raise Rejected("genericWebServiceBaseUrl is no URL")
    if str(settings["genericWebServiceBaseUrl"]).endswith("/"):
        raise Rejected("the base URL ends in a slash and every contextUrl starts with one")
    for key in ("createAccountWithEntReq", "addRemoveEntInSingleReq", "skipGetObjectInCreate", "disableCookies"):
        if not isinstance(settings.get(key, False), bool):
            raise Rejected(f"{key} is a Boolean")
    if settings.get("createAccountWithEntReq"):
        raise Rejected("createAccountWithEntReq: lists in the body of Create come out as broken JSON")
    errors = settings.get("possibleHttpErrors", {})
    if not isinstance(errors, dict) or set(errors) - {"errorCodes", "errorMessages"}:
        raise Rejected("possibleHttpErrors is a Map of errorCodes and errorMessages")
    for listed in (*errors.values(), settings.get("retryableErrors", [])):
        if not isinstance(listed, list) or not all(isinstance(each, str) and each for each in listed):
            raise Rejected("errorCodes, errorMessages and retryableErrors are Lists of Strings")
    if passing := {"429", "503", "504"} & set(errors.get("errorCodes", ())):
        raise Rejected(f"what possibleHttpErrors lists is never tried again, and it lists {sorted(passing)}")
    if not settings.get("retryableErrors"):
        raise Rejected("no retryableErrors: a change that goes on is a failure, and nobody asks for it again")
    if not str(settings.get("timeoutInSeconds", "60")).isdecimal():
        raise Rejected("timeoutInSeconds is a number in a String")


def _check_relations(application: Application) -> None:
    names = [row.name for row in application.endpoints]
    if doubled := sorted({name for name in names if names.count(name) > 1}):
        raise Rejected(f"uniqueNameForEndPoint twice: {doubled}")
    if len(application.endpoints_for("Test Connection")) != 1:
        raise Rejected("exactly one Test Connection")
    single = [
        row.operation for row in application.endpoints if row.operation.partition("-")[0] in CHANGES and not row.parent
    ]
    if doubled := sorted({each for each in single if single.count(each) > 1}):
        raise Rejected(f"two endpoints for one change: {doubled}")
    for added in (each for each in single if each.startswith("Add Entitlement")):
        if added.replace("Add", "Remove", 1) not in single:
            raise Rejected(f"{added} without its Remove Entitlement: what was given is never taken")
    kinds = {row.name: row.operation for row in application.endpoints}
    for row in application.endpoints:
        if row.parent and kinds.get(row.parent) != row.operation:
            raise Rejected(f"{row.name}: the parent {row.parent!r} is missing or of another operation")
    lists = [row for row in application.endpoints if row.operation == "Account Aggregation" and not row.parent]
    for one in (row for row in application.endpoints if row.operation == "Get Object" and not row.parent):
        if wiped := sorted({key for row in lists for key in row.mapping} - set(one.mapping)):
            raise Rejected(f"Get Object does not map {wiped}: they would be wiped from the account")


def _check_statuses(settings: Mapping[str, Any], endpoints: tuple[Endpoint, ...]) -> None:
    for key in ("enableStatus", "lockStatus", "deleteStatus"):
        status = settings.get(key)
        if not status:
            continue
        attribute, _, value = str(status).partition("=")
        if not value or "&&" in status or "||" in status:
            raise Rejected(f"{key} is attribute=value")
        for row in endpoints:
            if row.operation == "Account Aggregation" and attribute not in row.mapping:
                raise Rejected(f"{key} names {attribute}, which {row.name} does not map")


def _check_values(settings: Mapping[str, Any], endpoints: tuple[Endpoint, ...]) -> None:
    """One request a value is text, between quotes; one request for all of them is a JSON array, without."""
    together = bool(settings.get("addRemoveEntInSingleReq"))
    for row in (
        row for row in endpoints if row.operation.partition("-")[0] in ("Add Entitlement", "Remove Entitlement")
    ):
        values = [name for scope, name in tokens(row.body) if scope == "plan" and "ativeIdentity" not in name]
        quoted = {name for name in values if f'"$plan.{name}$"' in row.body}
        if together and (quoted or not values):
            raise Rejected(f"{row.name}: several values between quotes or in a URL come out as broken JSON")
        if not together and set(values) - quoted:
            raise Rejected(f"{row.name}: a single value without quotes is no JSON")
