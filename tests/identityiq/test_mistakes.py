"""The simulator can fail: each mistake that people made in real applications, planted in ours, is refused.

The first eleven are those of the contract the simulator was written to; the others were found in forums, exports and
by thinking. A mistake that IdentityIQ shows only when it runs is planted in `test_running`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.identityiq.application import load
from tests.identityiq.rejected import Rejected

XML = (Path(__file__).parents[2] / "spec" / "identityiq" / "application.xml").read_text(encoding="utf-8")
DOCTYPE = '<!DOCTYPE sailpoint PUBLIC "sailpoint.dtd" "sailpoint.dtd">'
ACCOUNT = "/v1/sources/default/accounts/$plan.nativeIdentity$"
Edit = Callable[[ElementTree.Element], None]


def edited(edit: Edit) -> str:
    """The shipped file with one thing changed."""
    root = ElementTree.fromstring(XML.encode())
    edit(root)
    return f"{DOCTYPE}\n{ElementTree.tostring(root, encoding='unicode')}"


def endpoint(root: ElementTree.Element, operation: str) -> ElementTree.Element:
    """The Map of one endpoint."""
    for map_ in root.iterfind(".//entry[@key='connectionParameters']/value/List/Map"):
        if entry(map_, "operationType").get("value") == operation:
            return map_
    raise AssertionError(operation)


def entry(map_: ElementTree.Element, key: str) -> ElementTree.Element:
    """One entry of a Map, wherever it is below."""
    found = map_.find(f".//entry[@key='{key}']")
    assert found is not None, key
    return found


def setting(key: str, value: str) -> Edit:
    """Change a setting of the application that is a string."""
    return lambda root: entry(root, key).set("value", value)


def on(operation: str, key: str, value: str) -> Edit:
    """Change a string of an endpoint."""
    return lambda root: entry(endpoint(root, operation), key).set("value", value)


def typed(operation: str, key: str, content: str) -> Edit:
    """Give an endpoint's key another value of any type, adding the key where it is missing."""

    def edit(root: ElementTree.Element) -> None:
        map_ = endpoint(root, operation)
        found = map_.find(f"entry[@key='{key}']")
        if found is not None:
            map_.remove(found)
        map_.append(ElementTree.fromstring(f'<entry key="{key}"><value>{content}</value></entry>'))

    return edit


def without(key: str, operation: str = "") -> Edit:
    """Leave an entry out."""

    def edit(root: ElementTree.Element) -> None:
        map_ = root if not operation else endpoint(root, operation)
        target = entry(map_, key)
        next(parent for parent in map_.iter() if target in list(parent)).remove(target)

    return edit


def renamed(operation: str, key: str, name: str) -> Edit:
    """Give an entry another key."""
    return lambda root: entry(endpoint(root, operation), key).set("key", name)


def without_in_mapping(operation: str, attribute: str) -> Edit:
    """Leave an attribute out of an endpoint's mapping."""

    def edit(root: ElementTree.Element) -> None:
        mapping = entry(endpoint(root, operation), "resMappingObj").find("value/Map")
        assert mapping is not None
        mapping.remove(entry(mapping, attribute))

    return edit


def in_schema(attribute: str, name: str, value: str) -> Edit:
    """Change an attribute definition of the account schema."""

    def edit(root: ElementTree.Element) -> None:
        found = root.find(f".//Schema[@objectType='account']/AttributeDefinition[@name='{attribute}']")
        assert found is not None
        found.set(name, value)

    return edit


def scripted_form(root: ElementTree.Element) -> None:
    source = root.find(".//Field/Script/Source")
    assert source is not None
    source.text = "import java.util.*; return identity.getName().toLowerCase();"


def swapped(root: ElementTree.Element) -> None:
    application = root.find("Application")
    assert application is not None
    application.append(application[0])
    application.remove(application[0])


def text_in_entry(root: ElementTree.Element) -> None:
    body = entry(endpoint(root, "Create Account"), "jsonBody")
    body.text = body.attrib.pop("value")


THE_ELEVEN: dict[str, tuple[Edit, str]] = {
    "encrypted is missing": (without("encrypted"), "UnsupportedOperationException"),
    "the body is a rawBody": (renamed("Create Account", "jsonBody", "rawBody"), "under body/jsonBody"),
    "the bodyFormat is json": (on("Create Account", "bodyFormat", "json"), "bodyFormat is raw or formData"),
    "two endpoints of one name": (
        on("Update Account", "uniqueNameForEndPoint", "Test Connection"),
        "uniqueNameForEndPoint twice",
    ),
    "a page size that is text": (
        typed("Account Aggregation", "pagingSize", "<String>250</String>"),
        "pagingSize is an Integer",
    ),
    "response codes that are text": (
        typed("Create Account", "responseCode", "<List><String>201</String></List>"),
        "ClassCastException: responseCode '201'",
    ),
    "an unknown operation": (on("Get Object", "operationType", "Get Account"), "no operationType: 'Get Account'"),
    "a suffix without a schema": (
        on("Add Entitlement-permissionSetAssignment", "operationType", "Add Entitlement-permissionset"),
        "no schema has the objectType 'permissionset'",
    ),
    "a parent of another operation": (
        typed("Get Object", "parentEndpointName", "<String>Account Aggregation</String>"),
        "missing or of another operation",
    ),
    "the identity is not mapped": (without("userId", "Create Account"), "lacks the identity attribute userId"),
    "a blank in a mapping": (renamed("Account Aggregation", "groups", "groups "), "has blanks around it"),
}

MORE: dict[str, tuple[Edit, str]] = {
    "a rootPath inside the mapping": (
        lambda root: entry(endpoint(root, "Account Aggregation"), "userName").set("key", "rootPath"),
        "in no schema: 'rootPath'",
    ),
    "steps under the wrong key": (renamed("Account Aggregation", "paginationSteps", "pagingSteps"), "pagingSteps"),
    "steps that lost their line break": (
        lambda root: (lambda steps: steps.set("value", steps.get("value", "").replace("\n", " ")))(
            entry(endpoint(root, "Account Aggregation"), "paginationSteps")
        ),
        "no paging step",
    ),
    "steps without blanks": (
        on("Account Aggregation", "paginationSteps", "TERMINATE_IF $response.hasMore$==FALSE"),
        "no paging step",
    ),
    "a paging style by name": (on("Account Aggregation", "paginationSteps", "offset"), "no paging step: 'offset'"),
    "arithmetic in a condition": (
        on("Account Aggregation", "paginationSteps", "TERMINATE_IF $offset$ + $limit$ > 100"),
        "no paging step",
    ),
    "a variable in the first URL": (
        on("Account Aggregation", "contextUrl", "/v1/sources/default/accounts?limit=$limit$"),
        "a $ that is no placeholder",
    ),
    "a URL that does not start with a slash": (on("Test Connection", "contextUrl", "v1/sources"), "contextUrl"),
    "Get Object by the plan": (
        on("Get Object", "contextUrl", "/v1/sources/default/accounts/$plan.nativeIdentity$"),
        "$plan.nativeIdentity$ has no value in Get Object",
    ),
    "Get Object by another attribute": (
        on("Get Object", "contextUrl", "/v1/sources/default/accounts/$getobject.userName$"),
        "only nativeIdentity",
    ),
    "an answer of another operation": (
        on("Add Entitlement", "contextUrl", "/v1/sources/default/accounts/$response.userId$/entitlements/group"),
        "$response.userId$ has no value in Add Entitlement",
    ),
    "a list in the body of Create": (
        on("Create Account", "jsonBody", '{"userName": "$plan.userName$", "groups": $plan.groups$}'),
        "multi-valued ['groups']",
    ),
    "a body that is no JSON": (on("Create Account", "jsonBody", '{"userName": "$plan.userName$",}'), "no JSON"),
    "a before rule": (typed("Create Account", "beforeRule", "<String>My Rule</String>"), "BeanShell"),
    "BeanShell in the form": (scripted_form, "BeanShell in the form"),
    "Get Object maps less than aggregation": (without("department", "Get Object"), "does not map ['department']"),
    "an attribute in no schema": (renamed("Get Object", "department", "departement"), "in no schema: 'departement'"),
    "a stored value from the UI's text": (setting("authenticationMethod", "API Token"), "authenticationMethod"),
    "an entitlement type without a schema": (
        in_schema("groups", "schemaObjectType", "Group"),
        "schemaObjectType without a schema: ['Group']",
    ),
    "one type on two attributes": (
        in_schema("permissionSetAssignments", "schemaObjectType", "group"),
        "multiple entitlement attributes with same type",
    ),
    "an entitlement that is not multi": (in_schema("groups", "multi", "false"), "must be multi and managed"),
    "an unknown type": (in_schema("title", "type", "text"), "of type 'text'"),
    "a status with a condition": (setting("deleteStatus", "deleted=true && userStatus=DISABLED"), "attribute=value"),
    "a status of an attribute nobody maps": (setting("deleteStatus", "gone=true"), "names gone"),
    "a slash between base and path twice": (
        setting("genericWebServiceBaseUrl", "https://connector.example.com/"),
        "ends in a slash",
    ),
    "text directly in an entry": (text_in_entry, "text directly in the entry jsonBody"),
    "the connector of another kind": (
        lambda root: root.find("Application").set("connector", "sailpoint.connector.OpenConnectorAdapter"),  # type: ignore[union-attr]
        "WebServicesConnector",
    ),
    "a misspelt attribute of the plan": (
        on("Create Account", "jsonBody", '{"userName": "$plan.usrName$"}'),
        "the account schema has no 'usrName'",
    ),
    "the identity as an attribute of the plan": (
        on("Update Account", "contextUrl", "/v1/sources/default/accounts/$plan.userId$"),
        "moves the identity out of the plan",
    ),
    "a grant of another type's value": (
        on("Add Entitlement", "jsonBody", '{"value": "$plan.permissionSetAssignments$"}'),
        "Add Entitlement is about ['groups']",
    ),
    "a grant of the account itself": (
        on("Add Entitlement", "jsonBody", '{"value": "$plan.nativeIdentity$"}'),
        "Add Entitlement is about ['groups']",
    ),
    "a grant of a fixed value": (
        on("Add Entitlement-permissionSetAssignment", "jsonBody", '{"value": "x"}'),
        "is about ['permissionSetAssignments']",
    ),
    "a grant without quotes": (
        on("Add Entitlement", "jsonBody", '{"value": $plan.groups$}'),
        "a single value without quotes",
    ),
    "several grants between quotes": (
        lambda root: setattr(entry(root, "addRemoveEntInSingleReq").find("value/Boolean"), "text", "true"),
        "several values between quotes",
    ),
    "grants within Create": (
        lambda root: setattr(entry(root, "createAccountWithEntReq").find("value/Boolean"), "text", "true"),
        "createAccountWithEntReq",
    ),
    "a passing failure listed as a final one": (
        lambda root: setattr(entry(root, "errorCodes").find("value/List/String"), "text", "504"),
        "lists ['504']",
    ),
    "a revocation that does not say of what": (
        on("Remove Entitlement", "contextUrl", f"{ACCOUNT}/entitlements/group/"),
        "Remove Entitlement is about ['groups']",
    ),
    "a revocation that deletes the account": (
        on("Remove Entitlement", "contextUrl", ACCOUNT),
        "Remove Entitlement is about ['groups']",
    ),
    "a revocation of nobody": (
        on("Remove Entitlement", "contextUrl", "/v1/sources/default/entitlements/group/$plan.groups$"),
        "does not say of which account",
    ),
    "grants that are never taken": (
        on("Remove Entitlement", "operationType", "Unlock Account"),
        "Add Entitlement without its Remove Entitlement",
    ),
    "two endpoints for one change": (
        on("Update Account", "operationType", "Delete Account"),
        "two endpoints for one change: ['Delete Account']",
    ),
    "a delete that only looks": (on("Delete Account", "httpMethodType", "GET"), "Delete Account with GET"),
    "a list without paging steps": (without("paginationSteps", "Account Aggregation"), "only the first page"),
    "a catalog without paging steps": (without("paginationSteps", "Group Aggregation"), "only the first page"),
    "steps that never end": (
        on("Account Aggregation", "paginationSteps", '$endpoint.fullUrl$ = $application.baseUrl$ + "/x"'),
        "without TERMINATE_IF",
    ),
    "steps that never move": (
        on("Account Aggregation", "paginationSteps", "TERMINATE_IF $response.hasMore$ == FALSE"),
        "without $endpoint.fullUrl$",
    ),
    "a feature without its endpoints": (
        lambda root: root.find("Application").set("featuresString", "PROVISIONING, ENABLE"),  # type: ignore[union-attr]
        "No configuration found for 'Enable Account'",
    ),
    "the token in the file": (
        lambda root: entry(root, "version").attrib.update(key="accesstoken", value="idc_secret"),
        "a secret in a file that is passed on: ['accesstoken']",
    ),
    "the first version of the connector": (setting("version", "v1"), "version is v2"),
    "a base URL without a scheme": (setting("genericWebServiceBaseUrl", "connector.example.com"), "is no URL"),
    "a token of an endpoint's own": (
        lambda root: entry(endpoint(root, "Get Object"), "Accept").attrib.update(key="authorization", value="Bearer x"),
        "an Authorization header",
    ),
    "no text for what is tried again": (without("retryableErrors"), "retryableErrors"),
    "elements out of order": (swapped, "out of order"),
}


def test_the_shipped_file_has_none() -> None:
    """And the way mistakes are planted adds none."""
    assert load(XML) == load(edited(lambda root: None))


@pytest.mark.parametrize("mistake", [*THE_ELEVEN, *MORE])
def test_a_planted_mistake_is_refused(mistake: str) -> None:
    """One sentence that names it."""
    edit, says = (THE_ELEVEN | MORE)[mistake]

    with pytest.raises(Rejected, match=re.escape(says)):
        load(edited(edit))


READING = [row.operation for row in load(XML).endpoints if row.mapping]
"""Endpoints whose answers become objects."""
PAGED = [row.operation for row in load(XML).endpoints if row.steps]


@pytest.mark.parametrize("operation", READING)
def test_no_endpoint_that_reads_may_lack_the_identity(operation: str) -> None:
    """Success without objects, on any of them."""
    identity = load(XML).schema_of(operation).identity

    with pytest.raises(Rejected, match=f"lacks the identity attribute {identity}"):
        load(edited(without_in_mapping(operation, identity)))


@pytest.mark.parametrize("operation", READING)
def test_no_endpoint_that_reads_may_have_a_parent_that_is_not_there(operation: str) -> None:
    with pytest.raises(Rejected, match="the parent 'Nobody' is missing"):
        load(edited(typed(operation, "parentEndpointName", "<String>Nobody</String>")))


@pytest.mark.parametrize("key", ["pagingSize", "pagingInitialOffset"])
@pytest.mark.parametrize("operation", PAGED)
def test_no_number_of_paging_may_be_text(operation: str, key: str) -> None:
    with pytest.raises(Rejected, match=f"{key} is an Integer"):
        load(edited(typed(operation, key, "<String>0</String>")))


@pytest.mark.parametrize("operation", [row.operation for row in load(XML).endpoints])
def test_no_endpoint_may_have_a_body_of_another_kind(operation: str) -> None:
    """Nor codes that are text, nor a rule."""
    for edit, says in (
        (on(operation, "bodyFormat", "json"), "bodyFormat is raw or formData"),
        (renamed(operation, "jsonBody", "rawBody"), "under body/jsonBody"),
        (typed(operation, "responseCode", "<List><String>200</String></List>"), "responseCode '200'"),
        (typed(operation, "afterRule", "<String>My Rule</String>"), "BeanShell"),
    ):
        with pytest.raises(Rejected, match=re.escape(says)):
            load(edited(edit))


def test_a_comment_with_two_hyphens_is_refused() -> None:
    """IdentityIQ's parser refuses it, as XML does."""
    with pytest.raises(Rejected, match="not well-formed"):
        load(XML.replace("<Application ", "<!-- see -- below --><Application ", 1))


def test_a_file_without_its_doctype_is_refused() -> None:
    """The console takes the objects of a file only under it."""
    with pytest.raises(Rejected, match="DOCTYPE"):
        load(XML.replace(DOCTYPE, ""))
