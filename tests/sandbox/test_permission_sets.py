"""Permission sets, their policies, and where they are provisioned."""

import pytest

DATA, CORE, LEGACY, ENG = "123456789012", "111122223333", "444455556666", "210987654321"
POLICY = "arn:aws:iam::aws:policy/job-function/Billing"


def of(world, name):
    return {"InstanceArn": world.instance, "PermissionSetArn": world.permission_set(name)}


def test_a_permission_set_has_aws_arn_and_duration(world):
    """moto has another ARN and an integer for the duration (moto rows 6 and 7)."""
    made = world.sso.create_permission_set(InstanceArn=world.instance, Name="New")["PermissionSet"]

    instance_id = world.instance.rsplit("/", 1)[1]
    assert made["PermissionSetArn"].startswith(f"arn:aws:sso:::permissionSet/{instance_id}/ps-")
    assert made["SessionDuration"] == "PT1H"
    described = world.sso.describe_permission_set(**of(world, "New"))["PermissionSet"]
    assert described == made


def test_a_second_permission_set_of_a_name_is_a_conflict(world):
    """moto accepts it (moto row 8)."""
    error = world.error(world.sso.create_permission_set, InstanceArn=world.instance, Name="Admin")

    assert error["Code"] == "ConflictException"


def test_an_update_leaves_the_pairs_behind_until_provisioned(world):
    """Drift shows in the ProvisioningStatus filter (aws-behaviour 20)."""

    def accounts(status):
        answer = world.sso.list_accounts_for_provisioned_permission_set(**of(world, "Write"), ProvisioningStatus=status)
        return set(answer["AccountIds"])

    latest, behind = "LATEST_PERMISSION_SET_PROVISIONED", "LATEST_PERMISSION_SET_NOT_PROVISIONED"
    assert (accounts(latest), accounts(behind)) == ({DATA, ENG}, set())

    world.sso.update_permission_set(**of(world, "Write"), SessionDuration="PT2H", Description="changed")
    assert (accounts(latest), accounts(behind)) == (set(), {DATA, ENG})

    started = world.sso.provision_permission_set(**of(world, "Write"), TargetType="AWS_ACCOUNT", TargetId=DATA)
    request = started["PermissionSetProvisioningStatus"]
    assert request["Status"] == "IN_PROGRESS"
    assert accounts(latest) == set()
    world.pass_time()
    ended = world.sso.describe_permission_set_provisioning_status(
        InstanceArn=world.instance, ProvisionPermissionSetRequestId=request["RequestId"]
    )
    assert ended["PermissionSetProvisioningStatus"]["Status"] == "SUCCEEDED"
    assert (accounts(latest), accounts(behind)) == ({DATA}, {ENG})
    described = world.sso.describe_permission_set(**of(world, "Write"))["PermissionSet"]
    assert (described["SessionDuration"], described["Description"]) == ("PT2H", "changed")


def test_all_pairs_can_be_provisioned_at_once(world):
    world.sso.update_permission_set(**of(world, "Write"), Description="changed")
    world.sso.provision_permission_set(**of(world, "Write"), TargetType="ALL_PROVISIONED_ACCOUNTS")
    world.pass_time()

    listed = world.sso.list_permission_set_provisioning_status(
        InstanceArn=world.instance, Filter={"Status": "SUCCEEDED"}
    )
    assert len(listed["PermissionSetsProvisioningStatus"]) == 1
    answer = world.sso.list_accounts_for_provisioned_permission_set(
        **of(world, "Write"), ProvisioningStatus="LATEST_PERMISSION_SET_PROVISIONED"
    )
    assert set(answer["AccountIds"]) == {DATA, ENG}


def test_provisioning_needs_a_pair(world):
    error = world.error(
        world.sso.provision_permission_set, **of(world, "Write"), TargetType="AWS_ACCOUNT", TargetId=LEGACY
    )

    assert error["Code"] == "ResourceNotFoundException"


def test_pairs_are_found_from_either_side_with_and_without_assignments(world):
    """moto finds none (moto rows 4 and 5); one pair of the small organisation has no assignment."""
    by_set, by_account = set(), set()
    for name in ("Admin", "Read", "Write", "Security"):
        answer = world.sso.list_accounts_for_provisioned_permission_set(**of(world, name))
        by_set |= {(world.permission_set(name), account) for account in answer["AccountIds"]}
    for account in (CORE, DATA, ENG, LEGACY):
        answer = world.sso.list_permission_sets_provisioned_to_account(InstanceArn=world.instance, AccountId=account)
        by_account |= {(arn, account) for arn in answer["PermissionSets"]}

    assert by_set == by_account
    assert len(by_set) == 12
    assert (world.permission_set("Read"), CORE) in by_set
    assert world.rows(CORE, "Read") == set()


def test_a_provisioned_permission_set_cannot_be_deleted(world):
    """moto deletes it and keeps the rows (moto row 8)."""
    assert world.error(world.sso.delete_permission_set, **of(world, "Write"))["Code"] == "ConflictException"

    world.sso.create_permission_set(InstanceArn=world.instance, Name="Unused")
    unused = of(world, "Unused")
    world.sso.delete_permission_set(**unused)
    assert world.error(world.sso.describe_permission_set, **unused)["Code"] == "ResourceNotFoundException"


def test_aws_managed_policies_are_attached_once_and_detached(world):
    world.sso.attach_managed_policy_to_permission_set(**of(world, "Write"), ManagedPolicyArn=POLICY)

    listed = world.sso.list_managed_policies_in_permission_set(**of(world, "Write"))["AttachedManagedPolicies"]
    assert {"Name": "Billing", "Arn": POLICY} in listed
    twice = world.error(
        world.sso.attach_managed_policy_to_permission_set, **of(world, "Write"), ManagedPolicyArn=POLICY
    )
    assert twice["Code"] == "ConflictException"
    world.sso.detach_managed_policy_from_permission_set(**of(world, "Write"), ManagedPolicyArn=POLICY)
    gone = world.error(
        world.sso.detach_managed_policy_from_permission_set, **of(world, "Write"), ManagedPolicyArn=POLICY
    )
    assert gone["Code"] == "ResourceNotFoundException"


def test_customer_managed_policies_are_references(world):
    reference = {"Name": "Guard", "Path": "/team/"}
    attach = world.sso.attach_customer_managed_policy_reference_to_permission_set

    attach(**of(world, "Write"), CustomerManagedPolicyReference=reference)

    listed = world.sso.list_customer_managed_policy_references_in_permission_set(**of(world, "Write"))
    assert listed["CustomerManagedPolicyReferences"] == [reference]
    twice = world.error(attach, **of(world, "Write"), CustomerManagedPolicyReference=reference)
    assert twice["Code"] == "ConflictException"
    world.sso.detach_customer_managed_policy_reference_from_permission_set(
        **of(world, "Write"), CustomerManagedPolicyReference=reference
    )
    listed = world.sso.list_customer_managed_policy_references_in_permission_set(**of(world, "Write"))
    assert listed["CustomerManagedPolicyReferences"] == []


def test_at_most_twenty_policies(world):
    """20 AWS- and customer-managed policies together (aws-behaviour 18)."""
    for number in range(19):
        world.sso.attach_customer_managed_policy_reference_to_permission_set(
            **of(world, "Write"), CustomerManagedPolicyReference={"Name": f"P{number}"}
        )

    error = world.error(
        world.sso.attach_managed_policy_to_permission_set, **of(world, "Write"), ManagedPolicyArn=POLICY
    )

    assert error["Code"] == "ServiceQuotaExceededException"


def test_an_inline_policy_is_empty_text_until_set(world):
    get = world.sso.get_inline_policy_for_permission_set
    assert get(**of(world, "Write"))["InlinePolicy"] == ""

    world.sso.put_inline_policy_to_permission_set(**of(world, "Write"), InlinePolicy='{"Statement":[]}')
    assert get(**of(world, "Write"))["InlinePolicy"] == '{"Statement":[]}'

    world.sso.delete_inline_policy_from_permission_set(**of(world, "Write"))
    assert get(**of(world, "Write"))["InlinePolicy"] == ""


def test_a_permissions_boundary_is_not_found_until_set(world):
    get = world.sso.get_permissions_boundary_for_permission_set
    assert world.error(get, **of(world, "Write"))["Code"] == "ResourceNotFoundException"

    boundary = {"ManagedPolicyArn": POLICY}
    world.sso.put_permissions_boundary_to_permission_set(**of(world, "Write"), PermissionsBoundary=boundary)
    assert get(**of(world, "Write"))["PermissionsBoundary"] == boundary

    world.sso.delete_permissions_boundary_from_permission_set(**of(world, "Write"))
    assert world.error(get, **of(world, "Write"))["Code"] == "ResourceNotFoundException"


def test_tags_are_set_listed_and_removed(world):
    resource = {"InstanceArn": world.instance, "ResourceArn": world.permission_set("Write")}

    world.sso.tag_resource(**resource, Tags=[{"Key": "team", "Value": "data"}, {"Key": "old", "Value": "x"}])
    world.sso.untag_resource(**resource, TagKeys=["old"])

    listed = world.sso.list_tags_for_resource(**resource)["Tags"]
    assert listed == [{"Key": "team", "Value": "data"}]


@pytest.mark.parametrize("call", ["describe_permission_set", "list_accounts_for_provisioned_permission_set"])
def test_an_unknown_permission_set_is_not_found(world, call):
    arn = world.permission_set("Read")[:-4] + "ffff"

    error = world.error(getattr(world.sso, call), InstanceArn=world.instance, PermissionSetArn=arn)

    assert error["Code"] == "ResourceNotFoundException"
