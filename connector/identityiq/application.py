"""The application as IdentityIQ keeps it: name, features and the attributes map, as plain dicts and lists.

From the endpoint table to `xmldocuments` and `twin`, which write the same map as XML and as JSON. The token is not in
it: whoever imports the file types it in. Keys and their types follow exports of real applications; what was found in
none is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector import attributes
from connector.identityiq.endpoints import PAGE, Endpoint, can_disable, endpoints, owns_users
from connector.identityiq.schemas import DELETED, Schema, schemas
from connector.model import Source

Value = str | int | bool | None | list["Value"] | dict[str, "Value"]
"""What the attributes map holds; None is an empty entry."""

TITLE: Final = "AWS IAM Identity Center"
CONNECTOR: Final = "sailpoint.connector.webservices.WebServicesConnector"
TYPE: Final = "Web Services"

SECRETS: Final = (
    "accesstoken",
    "refresh_token",
    "oauth_token_info",
    "client_secret",
    "private_key",
    "private_key_password",
    "clientCertificate",
    "clientKeySpec",
    "resourceOwnerPassword",
    "custom_auth_token_info",
)
"""What IdentityIQ keeps encrypted. Without this entry every request with a body fails before it is sent."""

SILENCE: Final = 120
"""Seconds of `timeoutInSeconds`: twice the deadlines of a source's options `change_deadline` and `read_deadline`."""

PROBLEM_STATUSES: Final = ("400", "401", "403", "409", "410", "413", "415", "422", "500", "502")
"""Failures that sending again does not mend: IdentityIQ does not retry what is listed. So 429, 503 and 504 are not.
Nor is 404: were it, an account that is gone might not be recognised by `NOT_FOUND` any more."""

FINAL_TYPES: Final = (
    "account-elsewhere",
    "aws-failed",
    "aws-permission-missing",
    "conflict",
    "cursor-expired",
    "disable-not-configured",
    "entitlement-not-found",
    "forbidden",
    "grant-failed",
    "internal",
    "invalid-attribute",
    "malformed",
    "managed-elsewhere",
    "method-not-allowed",
    "not-found",
    "not-grantable",
    "operation-not-found",
    "partly-done",
    "source-misconfigured",
    "source-not-found",
    "too-large",
    "unauthenticated",
    "unsupported-media-type",
)
"""Types of problems that need no retry, all but `NOT_FOUND`, for the same reasons as above."""

RETRYABLE: Final = ("still-running", "aws-throttled", "retry-later", "busy")
"""Types of problems after which IdentityIQ sends the same plan again later, and the service finishes it."""

NOT_FOUND: Final = "account-not-found"
"""The type that means: AWS says this user does not exist. Nothing else may be taken for a deleted account; the setting
has room for one text, so that a deleted entitlement is a failure."""

TYPE_OF_PROBLEM: Final = "/problems/"
"""What `type` begins with. With it a text is found in no id, name or reason."""

PROBLEM_TEXTS: Final = tuple(f'"{TYPE_OF_PROBLEM}{each}"' for each in FINAL_TYPES)
"""A problem that some proxy passed on with status 200 is no account. Data cannot look like it: its quotes are
escaped."""


@dataclass(frozen=True, slots=True)
class Application:
    """One source, registered."""

    name: str
    description: str
    features: tuple[str, ...]
    """What it advertises; each is backed by an endpoint."""
    settings: dict[str, Value]
    """IdentityIQ's attributes map."""
    schemas: tuple[Schema, ...]
    form: tuple[FormField, ...]
    """What a create asks for; empty when there is none."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A field of the create form."""

    name: str
    label: str
    identity_getter: str
    """Method of IdentityIQ's Identity that proposes the value."""
    isc_attribute: str
    """The identity attribute that proposes it in ISC."""
    required: bool


def application(source: Source, url: str) -> Application:
    """The application of a source whose service is reached at `url`, without a slash at the end."""
    return Application(
        name=application_name(source),
        description=f"Users, groups and assignments of AWS IAM Identity Center, source {source.name}",
        features=_features(source),
        settings=_settings(source, url),
        schemas=schemas(source),
        form=_form(source),
    )


def application_name(source: Source) -> str:
    """How IdentityIQ lists it. The default source has the plain name."""
    return TITLE if source.name == "default" else f"{TITLE} - {source.name}"


def _features(source: Source) -> tuple[str, ...]:
    account_only = ("ACCOUNT_ONLY_REQUEST",) if owns_users(source) else ()
    return ("PROVISIONING", *(("ENABLE",) if can_disable(source) else ()), *account_only)


def _settings(source: Source, url: str) -> dict[str, Value]:
    return {
        "encrypted": ",".join(SECRETS),
        "genericWebServiceBaseUrl": url,
        # IdentityIQ's value for "API Token": Authorization is the token, with Bearer before it.
        "authenticationMethod": "OAuthLogin",
        "timeoutInSeconds": str(SILENCE),
        "version": "v2",
        "templateApplication": TYPE,
        "disableCookies": True,
        "createAccountWithEntReq": False,
        "addRemoveEntInSingleReq": False,
        "skipGetObjectInCreate": False,
        "deleteStatus": f"{DELETED}=true",
        "objectNotFoundErrorMsg": f"{TYPE_OF_PROBLEM}{NOT_FOUND}",
        "possibleHttpErrors": {"errorCodes": list(PROBLEM_STATUSES), "errorMessages": list(PROBLEM_TEXTS)},
        "retryableErrors": [f"{TYPE_OF_PROBLEM}{each}" for each in RETRYABLE],
        "connectionParameters": [_parameters(row, number) for number, row in enumerate(endpoints(source), 1)],
    }


def _parameters(row: Endpoint, number: int) -> Value:
    headers: dict[str, Value] = {"Accept": "application/json"}
    if row.body:
        headers["Content-Type"] = "application/json"
    parameters: dict[str, Value] = {
        "uniqueNameForEndPoint": row.operation,
        "operationType": row.operation,
        "sequenceNumberForEndpoint": str(number),
        "httpMethodType": row.method,
        "contextUrl": row.path,
        "header": headers,
        "body": {"bodyFormat": "raw", "jsonBody": row.body or None},
        "rootPath": row.root or None,
        "resMappingObj": dict(row.mapping) if row.mapping is not None else None,
    }
    if row.next_page:
        parameters |= {"pagingInitialOffset": 0, "pagingSize": PAGE, "paginationSteps": row.paging}
    return parameters


def _form(source: Source) -> tuple[FormField, ...]:
    if not owns_users(source):
        return ()
    proposed = {
        "userName": ("User name", "getName", "uid"),
        "givenName": ("First name", "getFirstname", "firstname"),
        "familyName": ("Last name", "getLastname", "lastname"),
        "displayName": ("Display name", "getDisplayName", "displayName"),
        "email": ("E-mail", "getEmail", "email"),
    }
    return tuple(
        # Left empty, the display name is the full name.
        FormField(name, *proposal, required=attributes.BY_NAME[name].required and name != "displayName")
        for name, proposal in proposed.items()
    )
