"""The attributes of a user: the paths of UpdateUser, the enterprise extension, and what makes a user valid.

users.py asks here for a changed copy of a user's attributes; the copy is checked against CreateUser's input shape, so
that an update can never make what a creation may not. Paths and inner keys are SCIM's camelCase (aws-behaviour 4).
"""

import copy
from datetime import date
from typing import Any

from botocore.model import ListShape, StructureShape

from connector.sandbox.errors import validation
from connector.sandbox.models import complaints_about, operation_model

ENTERPRISE = "aws:identitystore:enterprise"
RESERVED_NAMES = {"administrator", "awsadministrators"}
REQUIRED = {
    "UserName": "userName",
    "DisplayName": "displayName",
    "Name.GivenName": "name.givenName",
    "Name.FamilyName": "name.familyName",
}
_EXTENSION_TEXTS = ("employeeNumber", "costCenter", "organization", "division", "department")


def pascal(name: str) -> str:
    """`givenName` → `GivenName`."""
    return name[:1].upper() + name[1:]


def _writable() -> dict[str, Any]:
    shape = operation_model("identitystore", "CreateUser").input_shape
    assert isinstance(shape, StructureShape)
    return {name: member for name, member in shape.members.items() if name not in ("IdentityStoreId", "Extensions")}


def changed(
    attributes: dict[str, Any], extension: dict[str, Any], operations: list[dict[str, Any]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Copies of a user's attributes and extension with the operations applied, checked."""
    attributes, extension = copy.deepcopy(attributes), copy.deepcopy(extension)
    for operation in operations:
        path, value = operation["AttributePath"], operation.get("AttributeValue")
        if path.startswith(ENTERPRISE):
            extension = _extension_changed(extension, path, value)
        else:
            _set(attributes, path, value)
    check(attributes)
    return attributes, extension


def _set(attributes: dict[str, Any], path: str, value: Any) -> None:
    head, _, inner = path.partition(".")
    shape = _writable().get(pascal(head))
    if shape is None or head != head[:1].lower() + head[1:]:
        raise validation(f"Attribute path {path} is not supported")
    if not inner:
        _put(attributes, pascal(head), None if value is None else _from_scim(shape, value, path))
        return
    # Only `name` has attributes of its own: multi-valued attributes are replaced whole.
    if not isinstance(shape, StructureShape) or pascal(inner) not in shape.members or inner[:1].isupper():
        raise validation(f"Attribute path {path} is not supported")
    _put(attributes.setdefault(pascal(head), {}), pascal(inner), value)
    if not attributes[pascal(head)]:
        del attributes[pascal(head)]


def _put(holder: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        holder.pop(name, None)
    else:
        holder[name] = value


def _from_scim(shape: Any, value: Any, path: str) -> Any:
    """A whole attribute from SCIM's spelling to the wire form; unknown inner keys are refused."""
    if isinstance(shape, ListShape):
        if not isinstance(value, list):
            raise validation(f"The value of {path} is a list")
        return [_from_scim(shape.member, item, path) for item in value]
    if isinstance(shape, StructureShape):
        if not isinstance(value, dict):
            raise validation(f"The value of {path} is a structure")
        for key in value:
            if key[:1].isupper() or pascal(key) not in shape.members:
                raise validation(f"Attribute {key} of {path} is not supported")
        return {pascal(key): item for key, item in value.items() if item is not None}
    return value


def _extension_changed(extension: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    inner = path[len(ENTERPRISE) :].removeprefix(".")
    if not inner:
        return {} if value is None else checked_extension(value)
    if inner == "manager.value":
        inner, value = "manager", None if value is None else {"value": value}
    if value is None:
        if inner not in (*_EXTENSION_TEXTS, "manager"):
            raise validation(f"Attribute path {path} is not supported")
        extension.pop(inner, None)
        return extension
    return {**extension, **checked_extension({inner: value})}


def checked_extension(value: Any) -> dict[str, Any]:
    """The enterprise extension as given to CreateUser or UpdateUser, if it is one."""
    if not isinstance(value, dict):
        raise validation(f"The value of {ENTERPRISE} is a structure")
    for key, item in value.items():
        if key == "manager":
            right = isinstance(item, dict) and set(item) == {"value"} and _is_text(item["value"])
        else:
            right = key in _EXTENSION_TEXTS and _is_text(item)
        if not right:
            raise validation(f"Attribute {key} of {ENTERPRISE} is not supported or has a wrong value")
    return dict(value)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 1024


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text  # neither 20000101 nor 2000-W01
    except ValueError:
        return False


def check(attributes: dict[str, Any]) -> None:
    """Refuse attributes that the service or the model does not allow."""
    for required, spoken in REQUIRED.items():
        head, _, inner = required.partition(".")
        value = attributes.get(head, {}).get(inner) if inner else attributes.get(head)
        if not value:
            raise validation(f"{spoken}: The attribute {spoken} is required")
    complaints = []
    for name, shape in _writable().items():
        if name in attributes:
            complaints.extend(complaints_about(shape, attributes[name], name[:1].lower() + name[1:]))
    if complaints:
        raise validation(f"{len(complaints)} validation error(s) detected: {'; '.join(complaints)}")
    if not _is_date(attributes.get("Birthdate", "2000-01-01")):
        # The model takes any text and says "in YYYY-MM-DD format" (CreateUser). Whether AWS looks is not proved.
        raise validation("birthdate: The attribute birthdate must be in the format YYYY-MM-DD")
    if attributes["UserName"].lower() in RESERVED_NAMES:
        raise validation(f"userName: {attributes['UserName']} is a reserved name")
