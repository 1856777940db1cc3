"""Users and errors as SCIM shows them.

scim.py puts them into its answers; the attributes come from identities.py in AWS's spelling and leave in SCIM's.
"""

import time
import uuid
from typing import Any

from connector.sandbox.identities import User

_USER = "urn:ietf:params:scim:schemas:core:2.0:User"
_ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def shown(user: User) -> dict[str, Any]:
    """A user as SCIM shows it."""
    attributes = user.attributes
    resource: dict[str, Any] = {
        "schemas": [_USER, _ENTERPRISE],
        "id": user.id,
        "meta": {
            "resourceType": "User",
            "created": _date(user.trace.created_at),
            "lastModified": _date(user.trace.updated_at),
        },
        "userName": attributes["UserName"],
        "displayName": attributes["DisplayName"],
        "name": _camel(attributes.get("Name", {})),
        "active": user.enabled,
    }
    for name in ("Title", "NickName", "UserType", "Locale", "Timezone", "PreferredLanguage"):
        if name in attributes:
            resource[name[:1].lower() + name[1:]] = attributes[name]
    for name in ("Emails", "PhoneNumbers", "Addresses"):
        if name in attributes:
            resource[name[:1].lower() + name[1:]] = [_camel(row) for row in attributes[name]]
    if user.external_ids:
        resource["externalId"] = user.external_ids[0]["Id"]
    if user.extension:
        resource[_ENTERPRISE] = user.extension
    return resource


def _camel(row: dict[str, Any]) -> dict[str, Any]:
    return {name[:1].lower() + name[1:]: value for name, value in row.items()}


def _date(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def error_body(status: int, detail: str) -> dict[str, Any]:
    """An error as SCIM shows it."""
    return {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": str(status),
        "detail": detail,
        "exceptionRequestId": str(uuid.uuid4()),
        "timeStamp": time.strftime("%Y-%m-%d %H:%M:%S.000", time.gmtime()),
    }
