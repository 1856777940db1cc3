"""The attribute table: one row an attribute of an account.

Everything that knows attribute names derives from here: reading (`aws.translate`), writing (`aws.users`), what a
caller may send (`changing.planning`), schemas and spec (`commands.specification`), documents. Adding an attribute
is adding a row. Names are a contract (docs/attributes.md); paths are those of the Identity Store API (UpdateUser).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final, Literal

ENTERPRISE: Final = "aws:identitystore:enterprise"
"""The only extension the Identity Store has (since boto3 1.42.5)."""

MAX_LENGTH: Final = 1024
"""Longest string attribute that the Identity Store takes; UserName: 128."""


@dataclass(frozen=True, slots=True)
class Attribute:
    """One single-valued attribute of an account."""

    name: str
    description: str
    read: tuple[str | int, ...]
    """Where DescribeUser and ListUsers keep it: keys and list positions."""
    write: str | None = None
    """UpdateUser's path, or None when it is read-only. For a member of a list (`block`) the path inside the element."""
    block: str | None = None
    """The list attribute that UpdateUser replaces whole: emails, addresses or phoneNumbers."""
    required: bool = False
    """CreateUser needs it and UpdateUser cannot clear it."""
    max_length: int = MAX_LENGTH

    @property
    def writable(self) -> bool:
        """Whether a caller can change it."""
        return self.write is not None

    @property
    def enterprise(self) -> bool:
        """Whether it lives in the enterprise extension, whose key casing AWS does not document."""
        return self.read[0] == "Extensions"


def _plain(name: str, description: str, *, required: bool = False, max_length: int = MAX_LENGTH) -> Attribute:
    return Attribute(name, description, (name[0].upper() + name[1:],), name, required=required, max_length=max_length)


def _name(name: str, member: str, description: str, *, required: bool = False) -> Attribute:
    return Attribute(name, description, ("Name", member[0].upper() + member[1:]), f"name.{member}", required=required)


def _listed(name: str, block: str, member: str, description: str) -> Attribute:
    aws_block = block[0].upper() + block[1:]
    return Attribute(name, description, (aws_block, 0, member[0].upper() + member[1:]), member, block=block)


def _enterprise(name: str, description: str, *members: str) -> Attribute:
    path = members or (name,)
    return Attribute(name, description, ("Extensions", ENTERPRISE, *path), ".".join((ENTERPRISE, *path)))


def _read_only(name: str, description: str, *path: str | int) -> Attribute:
    return Attribute(name, description, path or (name[0].upper() + name[1:],))


SCALARS: Final[tuple[Attribute, ...]] = (
    _read_only("userId", "Identifier of the user in the identity store; the account's identity"),
    _plain("userName", "Sign-in name, unique in the identity store", required=True, max_length=128),
    _plain("displayName", "Name shown in the access portal", required=True),
    _name("givenName", "givenName", "First name", required=True),
    _name("familyName", "familyName", "Last name", required=True),
    _name("middleName", "middleName", "Middle name"),
    _name("honorificPrefix", "honorificPrefix", "Title before the name, such as Dr."),
    _name("honorificSuffix", "honorificSuffix", "Suffix after the name, such as Jr."),
    _name("formattedName", "formatted", "Full name, formatted for display"),
    _plain("nickName", "Nickname"),
    _plain("title", "Job title"),
    _plain("userType", "Kind of user, such as Employee or Contractor"),
    _plain("profileUrl", "Address of the user's profile page"),
    _plain("preferredLanguage", "Preferred language, such as en-GB"),
    _plain("locale", "Locale, such as en-GB"),
    _plain("timezone", "Time zone, such as Europe/London"),
    _listed("email", "emails", "value", "E-mail address, unique in the identity store"),
    _listed("emailType", "emails", "type", "Kind of e-mail address, such as work"),
    _listed("phoneNumber", "phoneNumbers", "value", "Telephone number"),
    _listed("streetAddress", "addresses", "streetAddress", "Street and house number"),
    _listed("locality", "addresses", "locality", "Town or city"),
    _listed("region", "addresses", "region", "State or province"),
    _listed("postalCode", "addresses", "postalCode", "Postal code"),
    _listed("country", "addresses", "country", "Country"),
    _plain("website", "Personal web site"),
    _plain("birthdate", "Date of birth, YYYY-MM-DD"),
    _enterprise("employeeNumber", "Number of the employee"),
    _enterprise("costCenter", "Cost centre"),
    _enterprise("organization", "Organisation the user belongs to"),
    _enterprise("division", "Division the user belongs to"),
    _enterprise("department", "Department the user belongs to"),
    _enterprise("manager", "Identifier of the user's manager", "manager", "value"),
    _read_only("userStatus", "ENABLED or DISABLED, as Identity Center reports it"),
    _read_only("externalId", "Identifier given by an external identity provider", "ExternalIds", 0, "Id"),
    _read_only("externalIdIssuer", "Identity provider that gave the externalId", "ExternalIds", 0, "Issuer"),
    _read_only("createdAt", "When the user was created, ISO 8601 in UTC"),
    _read_only("updatedAt", "When the user was last changed, ISO 8601 in UTC"),
    _read_only("userArn", "ARN of the user"),
)
"""Single-valued attributes, in the order documents and schemas list them. All are strings."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One attribute of an entitlement, as schemas declare it."""

    name: str
    description: str
    type: Literal["string", "boolean", "int"] = "string"
    multi: bool = False
    needs: str | None = None
    """Entitlement type without which it is not known, and so absent."""


COMMON: Final = (
    Shown("id", "Identifier of the entitlement"),
    Shown("type", "Kind of entitlement"),
    Shown("displayName", "Name a reviewer sees"),
    Shown("description", "What it is for, as Identity Center says"),
    Shown("requestable", "Whether this connector can give it", "boolean"),
    Shown("notRequestableReason", "Why it cannot be given; empty when it can"),
    Shown("userCount", "Users who hold it directly", "int"),
    Shown("groupCount", "Groups that pass it on to their members", "int"),
)
"""What every entitlement has."""


@dataclass(frozen=True, slots=True)
class EntitlementType:
    """One kind of entitlement and the account attributes that hold it."""

    name: str
    attribute: str
    """Account attribute with the ids held directly; can be changed."""
    inherited: str | None
    """Account attribute with the ids held through groups; read-only."""
    description: str
    label: str
    """What one of them is called in a sentence."""
    own: tuple[Shown, ...]
    """Its attributes beside the common ones."""

    @property
    def shown(self) -> tuple[Shown, ...]:
        """All its attributes, in the order schemas list them."""
        return COMMON + self.own


GROUP: Final = EntitlementType(
    "group",
    "groups",
    None,
    "Groups the user is a member of",
    "group",
    (
        Shown(
            "grants", "What the group passes on to its members, readable", multi=True, needs="permissionSetAssignment"
        ),
        Shown(
            "permissionSetAssignments",
            "Ids of the permission set assignments it passes on",
            multi=True,
            needs="permissionSetAssignment",
        ),
        Shown("external", "Whether an identity provider keeps its members", "boolean"),
    ),
)
ASSIGNMENT: Final = EntitlementType(
    "permissionSetAssignment",
    "permissionSetAssignments",
    "inheritedPermissionSetAssignments",
    "Permission sets in AWS accounts, assigned to the user directly",
    "permission set assignment",
    (
        Shown("awsAccountId", "AWS account it opens, 12 digits"),
        Shown("awsAccountName", "Name of the AWS account"),
        Shown("awsAccountState", "ACTIVE, SUSPENDED …; empty when Organizations does not say"),
        Shown("permissionSetId", "Identifier of the permission set, ps-…"),
        Shown("permissionSetName", "Name of the permission set"),
        Shown("sessionDuration", "Longest session, ISO 8601, such as PT1H"),
        Shown("managedPolicies", "ARNs of the AWS-managed policies", multi=True),
        Shown("customerManagedPolicies", "Paths and names of the customer-managed policies", multi=True),
        Shown("hasInlinePolicy", "Whether it has an inline policy", "boolean"),
        Shown("permissionsBoundary", "ARN, or path and name, of the permissions boundary; empty when there is none"),
    ),
)
APPLICATION: Final = EntitlementType(
    "applicationAssignment",
    "applicationAssignments",
    "inheritedApplicationAssignments",
    "Applications assigned to the user directly",
    "application assignment",
    (
        Shown("applicationArn", "ARN of the application"),
        Shown("awsAccountId", "AWS account that owns the application, 12 digits"),
        Shown("enabled", "Whether the application is enabled", "boolean"),
        Shown("assignmentRequired", "False when everybody in the instance has access", "boolean"),
    ),
)

ENTITLEMENT_TYPES: Final[dict[str, EntitlementType]] = {each.name: each for each in (GROUP, ASSIGNMENT, APPLICATION)}
INHERITED_ACCESS: Final = "inheritedAccess"
"""Readable account attribute: `AdministratorAccess on Data (123456789012) via Admins`."""

BY_NAME: Final[dict[str, Attribute]] = {each.name: each for each in SCALARS}
BLOCKS: Final[dict[str, tuple[Attribute, ...]]] = {
    block: tuple(each for each in SCALARS if each.block == block) for block in ("emails", "phoneNumbers", "addresses")
}

ORDER: Final[tuple[str, ...]] = (
    *BY_NAME,
    *(name for each in ENTITLEMENT_TYPES.values() for name in (each.attribute, each.inherited) if name is not None),
    INHERITED_ACCESS,
)
"""Names of all attributes of an account, in the order every answer has them."""


def unknown(name: str, known: Collection[str]) -> str:
    """What is said of an attribute that is none of those `known`: which it resembles, or which there are."""
    near = get_close_matches(name[:60], known, 1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
    return f"there is no attribute {name[:60]!r}; {hint}"


def of_attribute(name: str) -> EntitlementType | None:
    """The entitlement type whose directly held ids the account attribute `name` lists."""
    return next((each for each in ENTITLEMENT_TYPES.values() if each.attribute == name), None)
