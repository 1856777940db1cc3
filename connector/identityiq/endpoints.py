"""The endpoint table: every request IdentityIQ's Web Services connector makes to the REST face, for one source.

From the source's options come rows; `application` sets them into `connectionParameters`, XML and JSON alike. Paths are
those of the REST face (docs/rest-face.md). Nothing that the source cannot do has a row: IdentityIQ then says so itself.

Facts on operations and placeholders: SailPoint, "Integrating Web Services", Supported Operations, Keywords, Paging.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from connector import attributes
from connector.attributes import EntitlementType
from connector.identityiq.schemas import Mapping, account_mapping, entitlement_mapping
from connector.model import Source

Method = Literal["GET", "POST", "PATCH", "DELETE"]

PAGE: Final = 250
"""Accounts or entitlements a page: a page of wide accounts stays under 1 MB, 100,000 accounts take 400 requests."""
ACCOUNT: Final = "$plan.nativeIdentity$"
ASKED: Final = "$getobject.nativeIdentity$"
"""In Get Object, where `$plan.…$` is not filled in on every version."""
SINCE: Final = "$application.lastAggregationDate_account$"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row: an operation of IdentityIQ and the request that does it."""

    operation: str
    """IdentityIQ's exact literal; also the endpoint's unique name."""
    method: Method
    path: str
    """Below the base address, placeholders in it."""
    body: str = ""
    """JSON text with placeholders; empty: no body."""
    root: str = ""
    """JSONPath from the answer to its records."""
    mapping: Mapping | None = None
    """Schema attribute -> JSONPath within a record; None: the answer is not read."""
    next_page: str = ""
    """Path of the next page, to which the cursor is added; empty: one page."""

    @property
    def paging(self) -> str:
        """The connector's paging steps, one a line, spaces around every operator; the vendor's own form."""
        if not self.next_page:
            return ""
        return (
            "TERMINATE_IF $response.hasMore$ == FALSE\n"
            f'$endpoint.fullUrl$ = $application.baseUrl$ + "{self.next_page}" + $response.nextCursor$'
        )


def endpoints(source: Source) -> tuple[Endpoint, ...]:
    """All rows of a source, in the order IdentityIQ shows them."""
    base = f"/v1/sources/{source.name}"
    return (
        Endpoint("Test Connection", "GET", base),
        *_reading_accounts(source, base),
        *(row for type_ in enabled(source) for row in _reading_entitlements(source, type_, base)),
        *(_changing_accounts(base) if owns_users(source) else ()),
        *(_switching(base) if can_disable(source) else ()),
        *(row for type_ in enabled(source) for row in _giving(type_, base)),
    )


def enabled(source: Source) -> tuple[EntitlementType, ...]:
    """Entitlement types of the source."""
    return tuple(type_ for type_ in attributes.ENTITLEMENT_TYPES.values() if source.has(type_.name))


def owns_users(source: Source) -> bool:
    """Whether users are created, changed and deleted here, and not by an identity provider."""
    return source.managed_by == "identity-center"


def can_disable(source: Source) -> bool:
    """Whether the source has a way to disable."""
    return source.disable_by != "refuse"


def suffixed(operation: str, type_: EntitlementType) -> str:
    """The literal for an entitlement type: `group` is the connector's own, others come after a hyphen, no spaces."""
    return operation if type_ is attributes.GROUP else f"{operation}-{type_.name}"


def _reading_accounts(source: Source, base: str) -> Iterator[Endpoint]:
    mapping = account_mapping(source)
    first, following = f"{base}/accounts?limit={PAGE}", f"{base}/accounts?limit={PAGE}&cursor="
    yield Endpoint("Account Aggregation", "GET", first, "", "$.items", mapping, following)
    yield Endpoint("Account Delta Aggregation", "GET", f"{first}&since={SINCE}", "", "$.items", mapping, following)
    yield Endpoint("Get Object", "GET", f"{base}/accounts/{ASKED}", "", "$", mapping)


def _reading_entitlements(source: Source, type_: EntitlementType, base: str) -> Iterator[Endpoint]:
    mapping = entitlement_mapping(source, type_)
    path = f"{base}/entitlements/{type_.name}"
    pages = f"{path}?limit={PAGE}"
    yield Endpoint(suffixed("Group Aggregation", type_), "GET", pages, "", "$.items", mapping, f"{pages}&cursor=")
    # The connector's own type is asked for as "Get Object-Group": "Get Object" alone means the account.
    one = "Get Object-Group" if type_ is attributes.GROUP else suffixed("Get Object", type_)
    yield Endpoint(one, "GET", f"{path}/{ASKED}", "", "$", mapping)


def _changing_accounts(base: str) -> Iterator[Endpoint]:
    """Bodies name single values only: a list comes out as broken JSON, and entitlements have requests of their own.

    The connector takes out what the plan does not have. Should a version send it empty instead, an update names the
    required attributes too, and the service refuses to clear those: nothing is lost silently.
    """
    body = "{" + ", ".join(f'"{row.name}": "$plan.{row.name}$"' for row in attributes.SCALARS if row.writable) + "}"
    # What is mapped here is the account's identity for all that follows.
    mapping = {"userId": "userId"}
    yield Endpoint("Create Account", "POST", f"{base}/accounts", body, "$", mapping)
    yield Endpoint("Update Account", "PATCH", f"{base}/accounts/{ACCOUNT}", body)
    yield Endpoint("Delete Account", "DELETE", f"{base}/accounts/{ACCOUNT}")


def _switching(base: str) -> Iterator[Endpoint]:
    yield Endpoint("Enable Account", "POST", f"{base}/accounts/{ACCOUNT}/enable")
    yield Endpoint("Disable Account", "POST", f"{base}/accounts/{ACCOUNT}/disable")


def _giving(type_: EntitlementType, base: str) -> Iterator[Endpoint]:
    value = f"$plan.{type_.attribute}$"
    path = f"{base}/accounts/{ACCOUNT}/entitlements/{type_.name}"
    yield Endpoint(suffixed("Add Entitlement", type_), "POST", path, f'{{"value": "{value}"}}')
    yield Endpoint(suffixed("Remove Entitlement", type_), "DELETE", f"{path}/{value}")
