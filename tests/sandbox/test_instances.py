"""Instances, Regions, and what an instance without permission sets answers."""

import pytest

ADMIN_READS = [
    ("list_permission_sets", {}),
    ("list_permission_sets_provisioned_to_account", {"AccountId": "123456789012"}),
]


def arns(client, **more):
    return [row["InstanceArn"] for row in client.list_instances(**more)["Instances"]]


def test_an_instance_tells_its_region_owner_and_store(world):
    """moto knows neither PrimaryRegion nor Regions (moto row 19)."""
    [instance] = world.sso.list_instances()["Instances"]

    assert instance["PrimaryRegion"] == "eu-west-1"
    assert [(row["RegionName"], row["IsPrimaryRegion"]) for row in instance["Regions"]] == [("eu-west-1", True)]
    assert (instance["OwnerAccountId"], instance["Status"]) == ("111122223333", "ACTIVE")
    described = world.sso.describe_instance(InstanceArn=world.instance)
    assert described["PermissionSetsEnabled"] is True
    assert {**instance}.items() <= described.items()


def test_another_region_lists_nothing_but_on_request_everything(world):
    """An empty list, not an error: the most common wrong configuration (aws-behaviour 13)."""
    elsewhere = world.client("sso-admin", region="us-east-1")

    assert arns(elsewhere) == []
    assert arns(elsewhere, RegionScope="CURRENT_REGION") == []
    assert arns(elsewhere, RegionScope="ALL_REGIONS") == [world.instance]


def test_another_region_does_not_know_store_and_instance(world):
    elsewhere = world.client("identitystore", region="us-east-1")
    store = world.error(elsewhere.list_users, IdentityStoreId=world.store)
    assert (store["Code"], store["ResourceType"]) == ("ResourceNotFoundException", "IDENTITY_STORE")

    sso = world.client("sso-admin", region="us-east-1")
    assert world.error(sso.list_permission_sets, InstanceArn=world.instance)["Code"] == "ResourceNotFoundException"
    assert world.error(sso.describe_instance, InstanceArn=world.instance)["Code"] == "AccessDeniedException"
    assert world.users.list_identity_stores()["IdentityStores"][0]["IdentityStoreId"] == world.store
    assert elsewhere.list_identity_stores()["IdentityStores"] == []


def test_an_additional_region_reads_users_and_applications_only(world):
    """Not permission sets, not assignments, no writes (aws-behaviour 14)."""
    world.sandbox.control("mutate", {"action": "add_region", "region": "eu-central-1"})
    users, sso = world.client("identitystore", region="eu-central-1"), world.client("sso-admin", region="eu-central-1")

    assert len(users.list_users(IdentityStoreId=world.store)["Users"]) == 12
    assert len(sso.list_applications(InstanceArn=world.instance)["Applications"]) == 2
    assert arns(sso) == [world.instance]
    regions = sso.list_regions(InstanceArn=world.instance)["Regions"]
    assert {row["RegionName"]: row["IsPrimaryRegion"] for row in regions} == {"eu-west-1": True, "eu-central-1": False}
    one = sso.describe_region(InstanceArn=world.instance, RegionName="eu-central-1")
    assert one["Status"] == "ACTIVE"
    for call, more in ADMIN_READS:
        assert world.error(getattr(sso, call), InstanceArn=world.instance, **more)["Code"] == "ValidationException"
    write = world.error(users.create_group, IdentityStoreId=world.store, DisplayName="x")
    assert write["Code"] == "ValidationException"


@pytest.mark.parametrize(("call", "more"), ADMIN_READS)
def test_an_instance_without_permission_sets_refuses_them(world, call, more):
    """PermissionSetsEnabled false: users, groups and applications only (aws-behaviour 15)."""
    world.sandbox.control("mutate", {"action": "set_permission_sets_enabled", "enabled": False})

    assert world.sso.describe_instance(InstanceArn=world.instance)["PermissionSetsEnabled"] is False
    assert world.error(getattr(world.sso, call), InstanceArn=world.instance, **more)["Code"] == "ValidationException"
    assert len(world.users.list_users(IdentityStoreId=world.store)["Users"]) == 12


def test_an_account_instance_is_its_owners_and_has_no_permission_sets(world):
    """Two instances are possible: the organisation's and an AWS account's own."""
    world.sandbox.control(
        "mutate",
        {"action": "add_instance", "region": "eu-west-1", "name": "own", "kind": "account", "owner": "123456789012"},
    )
    own = next(row for row in world.organisation.instances.values() if row.kind == "account")
    member = world.client("sso-admin", key="AKIAMEMBER0000000000")

    assert arns(world.sso) == [world.instance]
    assert arns(member) == [world.instance, own.arn]
    users = world.client("identitystore", key="AKIAMEMBER0000000000")
    users.create_group(IdentityStoreId=own.store.id, DisplayName="own group")
    for call, more in ADMIN_READS:
        assert world.error(getattr(member, call), InstanceArn=own.arn, **more)["Code"] == "ValidationException"
    principal = {"PrincipalType": "USER", "PrincipalId": "12345678-1234-1234-1234-123456789012"}
    refused = world.error(member.list_account_assignments_for_principal, InstanceArn=own.arn, **principal)
    assert refused["Code"] == "ValidationException"


def test_two_organisation_instances_keep_their_objects_apart(world):
    world.sandbox.control("mutate", {"action": "add_instance", "region": "eu-west-1", "name": "second"})
    second = list(world.organisation.instances.values())[1]

    assert arns(world.sso) == [world.instance, second.arn]
    assert world.users.list_users(IdentityStoreId=second.store.id)["Users"] == []
    assert world.sso.list_permission_sets(InstanceArn=second.arn)["PermissionSets"] == []
    other = world.error(
        world.sso.describe_permission_set, InstanceArn=second.arn, PermissionSetArn=world.permission_set("Read")
    )
    assert other["Code"] == "ResourceNotFoundException"


def test_an_identity_store_is_described(world):
    described = world.users.describe_identity_store(IdentityStoreId=world.store)

    assert described["IdentityStoreArn"] == f"arn:aws:identitystore::111122223333:identitystore/{world.store}"
    unknown = world.error(world.users.describe_identity_store, IdentityStoreId="d-0000000000")
    assert (unknown["Code"], unknown["ResourceType"]) == ("ResourceNotFoundException", "IDENTITY_STORE")
