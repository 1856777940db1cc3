"""The SCIM Users endpoint: a token, a user, `active`."""

import json
import urllib.request

import pytest


@pytest.fixture
def scim(world):
    def send(path, method="GET", body=None, token=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{world.sandbox.scim_url}{path}", data=data, method=method)
        request.add_header("Authorization", f"Bearer {token or world.sandbox.scim_token}")
        request.add_header("Content-Type", "application/scim+json")
        return world.send(request)

    return send


def patch(*operations):
    return {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": list(operations)}


def status_of(world, name):
    return world.users.describe_user(IdentityStoreId=world.store, UserId=world.user(name))["UserStatus"]


def test_a_user_is_read_by_id(world, scim):
    status, user = scim(f"Users/{world.user('edgar')}")

    assert status == 200
    assert (user["userName"], user["active"], user["name"]) == (
        "edgar",
        True,
        {"givenName": "Edgar", "familyName": "Codd"},
    )
    assert user["emails"] == [{"value": "edgar@example.com", "type": "work", "primary": True}]


def test_a_user_is_found_by_user_name(world, scim):
    status, answer = scim("Users?filter=userName%20eq%20%22EDGAR%22")
    assert status == 200
    assert (answer["totalResults"], answer["Resources"][0]["id"]) == (1, world.user("edgar"))

    assert scim("Users?filter=userName%20eq%20%22nobody%22")[1]["totalResults"] == 0
    assert scim("Users?filter=title%20eq%20%22x%22")[0] == 400


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "active", "value": False},
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "replace", "value": {"active": False}},
    ],
)
def test_active_disables_and_enables(world, scim, operation):
    """The only documented way to disable by program (aws-behaviour 7); the revision follows."""
    ada = world.user("ada")

    status, user = scim(f"Users/{ada}", "PATCH", patch(operation))

    assert (status, user["active"]) == (200, False)
    assert status_of(world, "ada") == "DISABLED"
    described = world.users.describe_user(IdentityStoreId=world.store, UserId=ada)
    assert described["Revision"] == "2"
    scim(f"Users/{ada}", "PATCH", patch({"op": "replace", "path": "active", "value": True}))
    assert status_of(world, "ada") == "ENABLED"


@pytest.mark.parametrize(
    "body",
    [
        patch(),
        patch({"op": "remove", "path": "active"}),
        patch({"op": "replace", "path": "active", "value": "perhaps"}),
        patch({"op": "replace", "path": "title", "value": "x"}),
        patch({"op": "replace", "path": "active", "value": False}, {"op": "replace", "path": "active", "value": True}),
        {"nothing": 1},
        [],
    ],
)
def test_a_wrong_patch_is_refused_and_changes_nothing(world, scim, body):
    status, error = scim(f"Users/{world.user('ada')}", "PATCH", body)

    assert (status, error["status"]) == (400, "400")
    assert error["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert status_of(world, "ada") == "ENABLED"


def test_a_wrong_token_or_tenant_is_401_and_an_unknown_user_404(world, scim):
    assert scim("Users", token="wrong")[0] == 401
    request = urllib.request.Request(
        f"{world.sandbox.url}/other-tenant/scim/v2/Users",
        headers={"Authorization": f"Bearer {world.sandbox.scim_token}"},
    )
    assert world.send(request)[0] == 401
    assert scim("Users/12345678-1234-1234-1234-123456789012")[0] == 404
    assert scim("Groups")[0] == 400


def test_faults_and_counts_hold_for_scim_too(world, scim):
    world.sandbox.control("faults", {"operation": "ScimPatchUser", "fault": "error500", "times": 1})
    body = patch({"op": "replace", "path": "active", "value": False})

    assert scim(f"Users/{world.user('ada')}", "PATCH", body)[0] == 500
    assert status_of(world, "ada") == "ENABLED"
    assert scim(f"Users/{world.user('ada')}", "PATCH", body)[0] == 200
    assert world.sandbox.control("state")["calls"]["ScimPatchUser"] == 2


def test_the_path_may_have_either_order(world):
    """AWS's own is /<tenant>/scim/v2/; /scim/<tenant>/v2/ is understood too."""
    tenant = next(iter(world.organisation.scim_tokens))
    request = urllib.request.Request(
        f"{world.sandbox.url}/scim/{tenant}/v2/Users/{world.user('ada')}",
        headers={"Authorization": f"Bearer {world.sandbox.scim_token}"},
    )

    assert world.send(request)[0] == 200
