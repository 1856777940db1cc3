"""The same source for Identity Security Cloud: the Web Services connector on a virtual appliance, as JSON.

From `application` to the three bodies that ISC's API takes: the source with the same connection parameters, its
schemas, its create profile. What belongs to one tenant (owner, cluster, ids) is not in it.

Facts: an export of a real source, and SailPoint's API specification (Sources, Schemas, Provisioning Policies).
"""

from __future__ import annotations

import json
from typing import Any, Final

from connector.identityiq.application import CONNECTOR, TYPE, Application, FormField
from connector.identityiq.schemas import Field, Schema

_TEMPLATE: Final = "web-services-angularsc"


def source_json(application: Application) -> str:
    """`source.json`: `source`, `schemas` and `provisioningPolicies`, each a body of ISC's API."""
    made = {
        "source": _source(application),
        "schemas": [_schema(schema) for schema in application.schemas],
        "provisioningPolicies": [_policy(application)] if application.form else [],
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _source(application: Application) -> dict[str, Any]:
    settings: dict[str, Any] = dict(application.settings)
    settings["templateApplication"] = f"{TYPE} Template"
    settings["connectionParameters"] = [_whole(dict(each)) for each in settings["connectionParameters"]]
    return {
        "name": application.name,
        "description": application.description,
        "connector": _TEMPLATE,
        "connectorClass": CONNECTOR,
        "type": TYPE,
        "features": list(application.features),
        "connectorAttributes": settings,
    }


def _whole(parameters: dict[str, Any]) -> dict[str, Any]:
    """Exports name every key of an endpoint, used or not."""
    unused = {
        "pagingInitialOffset": 0,
        "pagingSize": 50,
        "paginationSteps": None,
        "responseCode": None,
        "curlEnabled": False,
        "xpathNamespaces": None,
        "parentEndpointName": None,
        "beforeRule": None,
        "afterRule": None,
    }
    return unused | parameters


def _schema(schema: Schema) -> dict[str, Any]:
    return {
        "name": schema.object_type,
        "nativeObjectType": schema.object_type,
        "identityAttribute": schema.identity,
        "displayAttribute": schema.display,
        "hierarchyAttribute": None,
        "includePermissions": False,
        "features": [],
        "configuration": {},
        "attributes": [_attribute(field) for field in schema.fields],
    }


def _attribute(field: Field) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": field.name,
        "type": field.type.upper(),
        "description": field.description,
        "isMulti": field.multi,
        "isEntitlement": field.entitlement is not None,
        "isGroup": field.entitlement is not None,
    }
    if field.entitlement:
        # The schema's id is the tenant's: put it in after the schemas exist (docs/identityiq.md).
        made["schema"] = {"type": "CONNECTOR_SCHEMA", "name": field.entitlement}
    return made


def _policy(application: Application) -> dict[str, Any]:
    return {
        "name": "Account",
        "description": f"What a new account of {application.name} needs",
        "usageType": "CREATE",
        "fields": [_field(each) for each in application.form],
    }


def _field(each: FormField) -> dict[str, Any]:
    return {
        "name": each.name,
        "type": "string",
        "isRequired": each.required,
        "isMultiValued": False,
        "transform": {"type": "identityAttribute", "attributes": {"name": each.isc_attribute}},
        "attributes": {},
    }
