"""Every operation that the sandbox implements, called once with success; its answer agrees with botocore's model.

The fixture `world` does the checking: it runs with `check_answers`, and fails a test after which an answer was wrong.
"""

import pytest

from connector.sandbox.dispatch import OPERATIONS
from connector.sandbox.models import operation_model

DATA, ENG = "123456789012", "210987654321"
POLICY = "arn:aws:iam::aws:policy/job-function/Billing"
REFERENCE = {"Name": "Guard", "Path": "/"}
BY_NAME = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": "ada"}}
BY_GROUP_NAME = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": "aws_data_read"}}


def store(world, **more):
    return {"IdentityStoreId": world.store, **more}


def of_set(world, **more):
    return {"InstanceArn": world.instance, "PermissionSetArn": world.permission_set("Write"), **more}


def of_instance(world, **more):
    return {"InstanceArn": world.instance, **more}


def application(world, **more):
    return {"ApplicationArn": next(iter(world.organisation.instance.applications)).arn, **more}


def principal(world):
    return {"PrincipalType": "USER", "PrincipalId": world.user("grace")}


def membership(world):
    return next(iter(world.organisation.store.memberships))


def change(path, value):
    return [{"AttributePath": path, "AttributeValue": value}]


def started(world, kind):
    """The id of a request of a kind."""
    what = world.assignment("Write", DATA, "USER", world.user("barbara"))
    if kind == "creation":
        return world.sso.create_account_assignment(**what)["AccountAssignmentCreationStatus"]["RequestId"]
    if kind == "deletion":
        return world.sso.delete_account_assignment(**what)["AccountAssignmentDeletionStatus"]["RequestId"]
    answer = world.sso.provision_permission_set(**of_set(world), TargetType="ALL_PROVISIONED_ACCOUNTS")
    return answer["PermissionSetProvisioningStatus"]["RequestId"]


def with_reference(world):
    world.sso.attach_customer_managed_policy_reference_to_permission_set(
        **of_set(world, CustomerManagedPolicyReference=REFERENCE)
    )
    return of_set(world, CustomerManagedPolicyReference=REFERENCE)


def with_inline_policy(world):
    world.sso.put_inline_policy_to_permission_set(**of_set(world, InlinePolicy="{}"))
    return of_set(world)


def with_boundary(world):
    world.sso.put_permissions_boundary_to_permission_set(
        **of_set(world, PermissionsBoundary={"CustomerManagedPolicyReference": REFERENCE})
    )
    return of_set(world)


def unused_set(world):
    made = world.sso.create_permission_set(InstanceArn=world.instance, Name="Unused")["PermissionSet"]
    return of_instance(world, PermissionSetArn=made["PermissionSetArn"])


PARAMETERS = {
    "ListIdentityStores": lambda world: {},
    "DescribeIdentityStore": store,
    "ListUsers": lambda world: store(world, Extensions=["aws:identitystore:enterprise"]),
    "DescribeUser": lambda world: store(world, UserId=world.user("ada")),
    "GetUserId": lambda world: store(world, AlternateIdentifier=BY_NAME),
    "CreateUser": lambda world: store(
        world, UserName="new", DisplayName="New", Name={"GivenName": "N", "FamilyName": "W"}
    ),
    "UpdateUser": lambda world: store(world, UserId=world.user("ada"), Operations=change("title", "x")),
    "DeleteUser": lambda world: store(world, UserId=world.user("ada")),
    "ListGroups": store,
    "DescribeGroup": lambda world: store(world, GroupId=world.group("aws_data_read")),
    "GetGroupId": lambda world: store(world, AlternateIdentifier=BY_GROUP_NAME),
    "CreateGroup": lambda world: store(world, DisplayName="new"),
    "UpdateGroup": lambda world: store(
        world, GroupId=world.group("aws_data_read"), Operations=change("description", "x")
    ),
    "DeleteGroup": lambda world: store(world, GroupId=world.group("aws_data_read")),
    "ListGroupMemberships": lambda world: store(world, GroupId=world.group("aws_data_read")),
    "ListGroupMembershipsForMember": lambda world: store(world, MemberId={"UserId": world.user("ada")}),
    "DescribeGroupMembership": lambda world: store(world, MembershipId=membership(world)),
    "GetGroupMembershipId": lambda world: store(
        world, GroupId=world.group("aws_data_read"), MemberId={"UserId": world.user("mary")}
    ),
    "IsMemberInGroups": lambda world: store(
        world, GroupIds=[world.group("aws_data_read")], MemberId={"UserId": world.user("mary")}
    ),
    "CreateGroupMembership": lambda world: store(
        world, GroupId=world.group("aws_data_read"), MemberId={"UserId": world.user("tim")}
    ),
    "DeleteGroupMembership": lambda world: store(world, MembershipId=membership(world)),
    "ListInstances": lambda world: {},
    "DescribeInstance": of_instance,
    "ListRegions": of_instance,
    "DescribeRegion": lambda world: of_instance(world, RegionName="eu-west-1"),
    "ListPermissionSets": of_instance,
    "DescribePermissionSet": of_set,
    "CreatePermissionSet": lambda world: of_instance(
        world, Name="New", Description="d", RelayState="https://example.com", Tags=[{"Key": "a", "Value": "b"}]
    ),
    "UpdatePermissionSet": lambda world: of_set(world, Description="x"),
    "DeletePermissionSet": unused_set,
    "ListAccountsForProvisionedPermissionSet": of_set,
    "ListPermissionSetsProvisionedToAccount": lambda world: of_instance(world, AccountId=DATA),
    "ListManagedPoliciesInPermissionSet": of_set,
    "AttachManagedPolicyToPermissionSet": lambda world: of_set(world, ManagedPolicyArn=POLICY),
    "DetachManagedPolicyFromPermissionSet": lambda world: of_set(
        world, ManagedPolicyArn="arn:aws:iam::aws:policy/PowerUserAccess"
    ),
    "ListCustomerManagedPolicyReferencesInPermissionSet": lambda world: {
        key: value for key, value in with_reference(world).items() if key != "CustomerManagedPolicyReference"
    },
    "AttachCustomerManagedPolicyReferenceToPermissionSet": lambda world: of_set(
        world, CustomerManagedPolicyReference=REFERENCE
    ),
    "DetachCustomerManagedPolicyReferenceFromPermissionSet": with_reference,
    "GetInlinePolicyForPermissionSet": with_inline_policy,
    "PutInlinePolicyToPermissionSet": lambda world: of_set(world, InlinePolicy="{}"),
    "DeleteInlinePolicyFromPermissionSet": with_inline_policy,
    "GetPermissionsBoundaryForPermissionSet": with_boundary,
    "PutPermissionsBoundaryToPermissionSet": lambda world: of_set(
        world, PermissionsBoundary={"ManagedPolicyArn": POLICY}
    ),
    "DeletePermissionsBoundaryFromPermissionSet": with_boundary,
    "ListTagsForResource": lambda world: of_instance(world, ResourceArn=world.instance),
    "TagResource": lambda world: of_instance(world, ResourceArn=world.instance, Tags=[{"Key": "a", "Value": "b"}]),
    "UntagResource": lambda world: of_instance(world, ResourceArn=world.instance, TagKeys=["a"]),
    "ProvisionPermissionSet": lambda world: of_set(world, TargetType="AWS_ACCOUNT", TargetId=DATA),
    "DescribePermissionSetProvisioningStatus": lambda world: of_instance(
        world, ProvisionPermissionSetRequestId=started(world, "provisioning")
    ),
    "ListPermissionSetProvisioningStatus": lambda world: (started(world, "provisioning"), of_instance(world))[1],
    "CreateAccountAssignment": lambda world: world.assignment("Write", ENG, "USER", world.user("tim")),
    "DeleteAccountAssignment": lambda world: world.assignment("Write", DATA, "USER", world.user("barbara")),
    "DescribeAccountAssignmentCreationStatus": lambda world: of_instance(
        world, AccountAssignmentCreationRequestId=started(world, "creation")
    ),
    "DescribeAccountAssignmentDeletionStatus": lambda world: of_instance(
        world, AccountAssignmentDeletionRequestId=started(world, "deletion")
    ),
    "ListAccountAssignmentCreationStatus": lambda world: (started(world, "creation"), of_instance(world))[1],
    "ListAccountAssignmentDeletionStatus": lambda world: (started(world, "deletion"), of_instance(world))[1],
    "ListAccountAssignments": lambda world: of_set(world, AccountId=DATA),
    "ListAccountAssignmentsForPrincipal": lambda world: of_instance(world, **principal(world)),
    "ListApplications": of_instance,
    "DescribeApplication": application,
    "ListApplicationAssignments": application,
    "ListApplicationAssignmentsForPrincipal": lambda world: of_instance(world, **principal(world)),
    "CreateApplicationAssignment": lambda world: application(world, **principal(world)),
    "DeleteApplicationAssignment": lambda world: application(world, **principal(world)),
    "DescribeApplicationAssignment": lambda world: application(world, **principal(world)),
    "GetApplicationAssignmentConfiguration": application,
    "PutApplicationAssignmentConfiguration": lambda world: application(world, AssignmentRequired=False),
    "ListAccounts": lambda world: {},
    "DescribeAccount": lambda world: {"AccountId": DATA},
    "DescribeOrganization": lambda world: {},
    "ListDelegatedAdministrators": lambda world: {},
    "GetCallerIdentity": lambda world: {},
    "AssumeRole": lambda world: {
        "RoleArn": f"arn:aws:iam::{DATA}:role/IdentityCenterConnector",
        "RoleSessionName": "run",
    },
}
IMPLEMENTED = [(service, operation) for service, table in OPERATIONS.items() for operation in table]


def test_the_table_has_every_operation_and_no_other():
    assert sorted(PARAMETERS) == sorted(operation for _, operation in IMPLEMENTED)


@pytest.mark.parametrize(("service", "operation"), IMPLEMENTED)
def test_the_answer_agrees_with_the_model(world, service, operation):
    """And whatever list the model promises is there: an absent list would read as an empty one."""
    client = world.client(service)
    method = client.meta.method_to_api_mapping
    name = next(method_name for method_name, api_name in method.items() if api_name == operation)

    answer = getattr(client, name)(**PARAMETERS[operation](world))

    shape = operation_model(service, operation).output_shape
    listed = shape.members.items() if operation.startswith("List") else ()
    lists = [key for key, member in listed if member.type_name == "list"]
    assert set(lists) <= set(answer)
    assert world.sandbox.control("state")["calls"][operation] == 1
