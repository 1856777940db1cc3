"""The import file as IdentityIQ's parser takes it: elements to plain values, and everything malformed refused.

From the text of an XML file to `Imported`, with maps as dicts and lists as lists. External DTDs are not loaded. What
the entries mean is not known here: `application` reads and judges them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from tests.identityiq.rejected import Rejected

ORDER = ("AccountCorrelationConfig", "Attributes", "Owner", "ProvisioningForms", "Schemas", "ApplicationScorecard")
"""Children of an Application, in the order every export has them."""
CONNECTOR = "sailpoint.connector.webservices.WebServicesConnector"


@dataclass(frozen=True)
class Imported:
    """An application's parts, unread."""

    name: str
    features: tuple[str, ...]
    settings: dict[str, Any]
    schemas: tuple[ElementTree.Element, ...]
    forms: tuple[ElementTree.Element, ...]


def read_application(text: str) -> Imported:
    """The one application of an import file."""
    try:
        root = ElementTree.fromstring(text.encode())
    except ElementTree.ParseError as error:
        raise Rejected(f"not well-formed: {error}") from error
    if '<!DOCTYPE sailpoint PUBLIC "sailpoint.dtd" "sailpoint.dtd">' not in text or root.tag != "sailpoint":
        raise Rejected("several objects in one file stand in <sailpoint>, under its DOCTYPE")
    found = root.findall("Application")
    if len(found) != 1:
        raise Rejected(f"{len(found)} applications in the file")
    _check_correlation(root, found[0])
    return _application(found[0])


def _application(element: ElementTree.Element) -> Imported:
    if element.get("connector") != CONNECTOR or element.get("type") != "Web Services":
        raise Rejected(f"the Web Services connector is {CONNECTOR}, of type Web Services")
    known = {"connector", "featuresString", "icon", "name", "profileClass", "type"}
    if unknown := set(element.keys()) - known:
        raise Rejected(f"attributes that belong to one installation, or to none: {sorted(unknown)}")
    tags = [child.tag for child in element]
    if sorted(tags, key=lambda tag: ORDER.index(tag) if tag in ORDER else -1) != tags or set(tags) - set(ORDER):
        raise Rejected(f"children of Application out of order: {tags}")
    if element.find("Owner/Reference") is None:
        raise Rejected("an application needs an owner")
    return Imported(
        name=element.get("name", ""),
        features=tuple(each.strip() for each in element.get("featuresString", "").split(",")),
        settings=attributes_of(element),
        schemas=tuple(element.findall("Schemas/Schema")),
        forms=tuple(element.findall("ProvisioningForms/Form")),
    )


def _check_correlation(root: ElementTree.Element, element: ElementTree.Element) -> None:
    for reference in element.findall("AccountCorrelationConfig/Reference"):
        if reference.get("name") not in {each.get("name") for each in root.findall("CorrelationConfig")}:
            raise Rejected(f"no such CorrelationConfig in the file: {reference.get('name')}")


def attributes_of(element: ElementTree.Element) -> dict[str, Any]:
    """The `<Attributes><Map>` of an object."""
    map_ = element.find("Attributes/Map")
    return {} if map_ is None else _map(map_)


def _map(element: ElementTree.Element) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for entry in element:
        key = entry.get("key", "")
        if entry.tag != "entry" or not key:
            raise Rejected(f"a Map holds entries with keys, not {entry.tag}")
        if (entry.text or "").strip():
            raise Rejected(f"text directly in the entry {key}: it goes into value/String")
        if key in values:
            raise Rejected(f"the key {key} twice in one Map")
        values[key] = _entry(entry, key)
    return values


def _entry(entry: ElementTree.Element, key: str) -> Any:
    if not len(entry):
        return entry.get("value")
    if "value" in entry.keys() or len(entry) > 1 or entry[0].tag != "value" or len(entry[0]) > 1:  # noqa: SIM118
        raise Rejected(f"the entry {key} has more than one value")
    return _typed(entry[0][0]) if len(entry[0]) else None


def _typed(element: ElementTree.Element) -> Any:
    text = element.text or ""
    if element.tag == "Map":
        return _map(element)
    if element.tag == "List":
        return [_typed(each) for each in element]
    if element.tag == "Boolean" and text in ("", "true", "false"):
        return text == "true"
    if element.tag == "String":
        return text
    if element.tag == "Integer":
        try:
            return int(text)
        except ValueError:
            raise Rejected(f"not an Integer: {text!r}") from None
    raise Rejected(f"a value of type {element.tag} {text!r}")
