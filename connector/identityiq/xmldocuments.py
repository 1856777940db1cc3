"""IdentityIQ's import files: the application with its correlation, and the aggregation tasks.

From `application` to text, the same bytes every time. Elements, their order and the types of values follow exports of
real applications (IdentityIQ's DTD is not public). A line break inside an attribute is written as a reference: a raw
one would reach IdentityIQ as a space.
"""

from __future__ import annotations

from xml.etree import ElementTree  # only writes # nosec B405

from connector.identityiq.application import CONNECTOR, TYPE, Application, Value
from connector.identityiq.schemas import Field, Schema

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE sailpoint PUBLIC "sailpoint.dtd" "sailpoint.dtd">\n'
_OWNER = "spadmin"
"""IdentityIQ's first administrator, whom every installation has."""


def application_xml(application: Application) -> str:
    """`application.xml`: how accounts find their identities, then the application that says so."""
    root = ElementTree.Element("sailpoint")
    _correlation(root, application)
    _application(root, application)
    return _written(root)


def tasks_xml(application: Application) -> str:
    """`tasks.xml`: groups before accounts, so that what accounts hold has names when it arrives."""
    root = ElementTree.Element("sailpoint")
    _task(
        root,
        application,
        f"{application.name}: 1 entitlements",
        "Reads every group, permission set assignment and whatever else accounts can hold",
        ("AccountGroupAggregation", "task_item_type_acct_grp_aggregation", "Account Group Aggregation"),
        {"applications": application.name, "aggregationType": "group", "checkDeleted": True},
    )
    _task(
        root,
        application,
        f"{application.name}: 2 accounts",
        "Reads every account with everything it holds",
        ("AccountAggregation", "task_item_type_acct_aggregation", "Account Aggregation"),
        {"applications": application.name, "checkDeleted": True, "correlateEntitlements": True},
    )
    return _written(root)


def _correlation(root: ElementTree.Element, application: Application) -> None:
    config = ElementTree.SubElement(root, "CorrelationConfig", name=_correlation_name(application))
    rules = ElementTree.SubElement(config, "AttributeAssignments")
    for property_, attribute in (("email", "email"), ("name", "userName")):
        ElementTree.SubElement(rules, "Filter", operation="EQ", property=property_, value=attribute)


def _correlation_name(application: Application) -> str:
    return f"{application.name}: correlation"


def _application(root: ElementTree.Element, application: Application) -> None:
    element = ElementTree.SubElement(
        root,
        "Application",
        connector=CONNECTOR,
        featuresString=", ".join(application.features),
        icon="internetIcon",
        name=application.name,
        profileClass="",
        type=TYPE,
    )
    config = ElementTree.SubElement(element, "AccountCorrelationConfig")
    _reference(config, "CorrelationConfig", _correlation_name(application))
    described: dict[str, Value] = {"sysDescriptions": {"en_US": application.description}}
    _attributes(element, application.settings | described)
    _reference(ElementTree.SubElement(element, "Owner"), "Identity", _OWNER)
    if application.form:
        _form(ElementTree.SubElement(element, "ProvisioningForms"), application)
    listed = ElementTree.SubElement(element, "Schemas")
    for schema in application.schemas:
        _schema(listed, schema)


def _reference(parent: ElementTree.Element, class_: str, name: str) -> None:
    ElementTree.SubElement(parent, "Reference", {"class": f"sailpoint.object.{class_}", "name": name})


def _form(parent: ElementTree.Element, application: Application) -> None:
    form = ElementTree.SubElement(
        parent, "Form", name=f"{application.name}: create", objectType="account", type="Create"
    )
    _attributes(form, {"pageTitle": application.name})
    section = ElementTree.SubElement(form, "Section", name="account")
    for each in application.form:
        field = ElementTree.SubElement(section, "Field", displayName=each.label, name=each.name, type="string")
        if each.required:
            field.set("required", "true")
        source = ElementTree.SubElement(ElementTree.SubElement(field, "Script"), "Source")
        source.text = f"return identity.{each.identity_getter}();"


def _schema(parent: ElementTree.Element, schema: Schema) -> None:
    element = ElementTree.SubElement(parent, "Schema")
    if schema.object_type != "account":
        element.set("aggregationType", "group")
    if schema.description:
        element.set("descriptionAttribute", schema.description)
    element.set("displayAttribute", schema.display)
    element.set("identityAttribute", schema.identity)
    element.set("instanceAttribute", "")
    element.set("nativeObjectType", schema.object_type)
    element.set("objectType", schema.object_type)
    for field in schema.fields:
        _definition(element, field)


def _definition(parent: ElementTree.Element, field: Field) -> None:
    element = ElementTree.SubElement(parent, "AttributeDefinition")
    if field.entitlement:
        element.set("entitlement", "true")
        element.set("managed", "true")
    if field.multi:
        element.set("multi", "true")
    element.set("name", field.name)
    if field.entitlement:
        element.set("schemaObjectType", field.entitlement)
    # Applications in the field have string and boolean only; a number is shown all the same.
    element.set("type", "string" if field.type == "int" else field.type)
    ElementTree.SubElement(element, "Description").text = field.description


def _task(
    root: ElementTree.Element,
    application: Application,
    name: str,
    description: str,
    kind: tuple[str, str, str],
    arguments: dict[str, Value],
) -> None:
    type_, sub_type, parent = kind
    task = ElementTree.SubElement(
        root,
        "TaskDefinition",
        executor="sailpoint.task.ResourceIdentityScan",
        name=name,
        resultAction="Rename",
        subType=sub_type,
        type=type_,
    )
    _attributes(task, arguments)
    ElementTree.SubElement(task, "Description").text = description
    _reference(ElementTree.SubElement(task, "Parent"), "TaskDefinition", parent)


def _attributes(parent: ElementTree.Element, values: dict[str, Value]) -> None:
    _map(ElementTree.SubElement(parent, "Attributes"), values)


def _map(parent: ElementTree.Element, values: dict[str, Value]) -> None:
    element = ElementTree.SubElement(parent, "Map")
    for key, value in values.items():
        entry = ElementTree.SubElement(element, "entry", key=key)
        if isinstance(value, str):
            entry.set("value", value)
        elif value is not None:
            _value(ElementTree.SubElement(entry, "value"), value)


def _value(parent: ElementTree.Element, value: Value) -> None:
    if isinstance(value, dict):
        _map(parent, value)
    elif isinstance(value, list):
        element = ElementTree.SubElement(parent, "List")
        for each in value:
            _value(element, each)
    elif isinstance(value, bool):
        ElementTree.SubElement(parent, "Boolean").text = "true" if value else None
    else:
        ElementTree.SubElement(parent, "Integer" if isinstance(value, int) else "String").text = str(value)


def _written(root: ElementTree.Element) -> str:
    ElementTree.indent(root, " ")
    return _HEAD + ElementTree.tostring(root, encoding="unicode") + "\n"
