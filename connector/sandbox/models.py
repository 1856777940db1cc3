"""botocore's service models as judges of requests and answers.

Shapes come from the botocore that is installed; dispatch.py checks every request against them and, when asked to, every
answer. The words of a complaint follow AWS's ("1 validation error detected: Value …"). No organisation is known here.
"""

import sys
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape

from connector.sandbox.errors import AwsError, validation
from connector.sandbox.patterns import compiled

SERVICES = ("identitystore", "sso-admin", "organizations", "sts")
ACTION_PREFIXES = {"identitystore": "identitystore", "sso-admin": "sso", "organizations": "organizations", "sts": "sts"}


@cache
def service_model(service: str) -> ServiceModel:
    """The model of one service."""
    return botocore.session.Session().get_service_model(service)


@cache
def operation_model(service: str, operation: str) -> OperationModel:
    """The model of one operation."""
    return service_model(service).operation_model(operation)


@cache
def targets() -> dict[str, str]:
    """X-Amz-Target prefix → service."""
    found = {}
    for service in SERVICES:
        prefix = service_model(service).metadata.get("targetPrefix")
        if prefix:
            found[prefix] = service
    return found


def check_request(service: str, operation: str, parameters: dict[str, Any]) -> None:
    """Raise the ValidationException or SerializationException that AWS would answer, if any."""
    shape = operation_model(service, operation).input_shape
    if shape is None:
        return
    complaints = complaints_about(shape, parameters, "")
    if not complaints:
        return
    if service == "organizations":
        raise AwsError("InvalidInputException", "; ".join(complaints), Reason="INVALID_PATTERN")
    if service == "sts":
        raise AwsError("ValidationError", "; ".join(complaints))
    count = len(complaints)
    raise validation(f"{count} validation error{'s' if count > 1 else ''} detected: {'; '.join(complaints)}")


# AWS answers an empty text where there is no inline policy, although the model forbids it (aws-behaviour 17).
LOOSER_THAN_THE_MODEL = {"GetInlinePolicyForPermissionSet": {"InlinePolicy": ""}}


def check_answer(service: str, operation: str, answer: Any) -> list[str]:
    """What is wrong with an answer (wire form) according to the model; empty when it is right."""
    if answer == LOOSER_THAN_THE_MODEL.get(operation, ...):
        return []
    shape = operation_model(service, operation).output_shape
    if shape is None:
        return [] if not answer else ["an answer where the model has none"]
    return complaints_about(shape, answer, "")


@cache
def error_codes(service: str, operation: str) -> frozenset[str]:
    """The errors that the model declares for an operation."""
    return frozenset(shape.name for shape in operation_model(service, operation).error_shapes)


# Errors that any operation may answer and no model declares.
COMMON_ERRORS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredTokenException",
        "InternalFailure",
        "InvalidClientTokenId",
        "MissingAuthenticationTokenException",
        "SerializationException",
        "Throttling",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationError",
    }
)


def check_error(service: str, operation: str, error: AwsError) -> list[str]:
    """What is wrong with an error according to the model: an undeclared code, an undeclared or malformed field."""
    for shape in operation_model(service, operation).error_shapes:
        if shape.name == error.code:
            return complaints_about(shape, {"Message": error.message, **error.fields}, "")
    return [] if error.code in COMMON_ERRORS else [f"{error.code} is not an error of this operation"]


def complaints_about(shape: Shape, value: Any, path: str) -> list[str]:
    """Every way in which `value` breaks `shape`, in AWS's words."""
    if getattr(shape, "is_document_type", False):
        return []
    if isinstance(shape, StructureShape):
        return _structure(shape, value, path)
    if isinstance(shape, ListShape):
        return _list(shape, value, path)
    if isinstance(shape, MapShape):
        return _map(shape, value, path)
    return _scalar(shape, value, path)


def _structure(shape: StructureShape, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        raise _wrong_type(value, "a structure")
    found = []
    for name in value:
        if name not in shape.members:
            found.append(f"Value at '{_join(path, name)}' failed to satisfy constraint: Member is not known")
    for name in shape.required_members:
        if value.get(name) is None:
            found.append(f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null")
    if getattr(shape, "is_tagged_union", False) and len(value) != 1:
        found.append(f"Value at '{path}' failed to satisfy constraint: Exactly one member must be set")
    for name, member in shape.members.items():
        if value.get(name) is not None:
            found.extend(complaints_about(member, value[name], _join(path, name)))
    return found


def _list(shape: ListShape, value: Any, path: str) -> list[str]:
    if not isinstance(value, list):
        raise _wrong_type(value, "a list")
    found = _length(shape, value, path)
    for number, item in enumerate(value):
        found.extend(complaints_about(shape.member, item, f"{path}.{number + 1}.member"))
    return found


def _map(shape: MapShape, value: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        raise _wrong_type(value, "a map")
    found = _length(shape, value, path)
    for key, item in value.items():
        found.extend(complaints_about(shape.key, key, f"{path}.key"))
        found.extend(complaints_about(shape.value, item, f"{path}.{key}"))
    return found


_PYTHON_TYPES: dict[str, tuple[Any, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "float": (int, float),
    "double": (int, float),
    "blob": (str,),
}


def _scalar(shape: Any, value: Any, path: str) -> list[str]:
    wanted = _PYTHON_TYPES[shape.type_name]
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        raise _wrong_type(value, f"a {shape.type_name}")
    if shape.type_name in ("integer", "long"):
        return _range(shape, value, path)
    if shape.type_name != "string":
        return []
    found = _length(shape, value, path)
    if shape.enum and value not in shape.enum:
        found.append(_says(shape, value, path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"))
    pattern = shape.metadata.get("pattern")
    if pattern and not compiled(pattern).fullmatch(value):
        found.append(_says(shape, value, path, f"Member must satisfy regular expression pattern: {pattern}"))
    return found


def _range(shape: Any, value: int, path: str) -> list[str]:
    found = []
    if "min" in shape.metadata and value < shape.metadata["min"]:
        found.append(
            _says(shape, value, path, f"Member must have value greater than or equal to {shape.metadata['min']}")
        )
    if "max" in shape.metadata and value > shape.metadata["max"]:
        found.append(_says(shape, value, path, f"Member must have value less than or equal to {shape.metadata['max']}"))
    return found


def _length(shape: Shape, value: Any, path: str) -> list[str]:
    found = []
    if len(value) < shape.metadata.get("min", 0):
        found.append(
            _says(shape, value, path, f"Member must have length greater than or equal to {shape.metadata['min']}")
        )
    if len(value) > shape.metadata.get("max", sys.maxsize):
        found.append(
            _says(shape, value, path, f"Member must have length less than or equal to {shape.metadata['max']}")
        )
    return found


def _says(shape: Shape, value: Any, path: str, constraint: str) -> str:
    # AWS never repeats a sensitive value in its message.
    shown = "" if shape.metadata.get("sensitive") or not isinstance(value, (str, int)) else f" '{value}'"
    return f"Value{shown} at '{path}' failed to satisfy constraint: {constraint}"


def _join(path: str, name: str) -> str:
    lowered = name[:1].lower() + name[1:]
    return f"{path}.{lowered}" if path else lowered


def _wrong_type(value: Any, wanted: str) -> AwsError:
    return AwsError("SerializationException", f"{type(value).__name__} can not be converted to {wanted}")
