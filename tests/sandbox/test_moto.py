"""moto as an independent witness: where it is right the sandbox agrees, where it is wrong the difference is meant.

The rows of DIFFERENCES are those of the table in docs/sandbox.md. Both sides are run: a row that moto
mends, or that the sandbox breaks, fails here.
"""

import re
from collections.abc import Iterator

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from moto import mock_aws

UNKNOWN = "12345678-1234-1234-1234-123456789012"
NAME = {"GivenName": "Nina", "FamilyName": "Simone"}


class Cloud:
    """Clients of one side and the names they start with."""

    def __init__(self, client, pass_time):
        self.client = client
        self.pass_time = pass_time
        self.users, self.sso, self.organizations = client("identitystore"), client("sso-admin"), client("organizations")
        instance = self.sso.list_instances()["Instances"][0]
        self.instance, self.store = instance["InstanceArn"], instance["IdentityStoreId"]
        self.account = "123456789012"

    def user(self, name="nina", **more):
        return self.users.create_user(IdentityStoreId=self.store, UserName=name, DisplayName=name, Name=NAME, **more)[
            "UserId"
        ]

    def group(self, name="music"):
        return self.users.create_group(IdentityStoreId=self.store, DisplayName=name)["GroupId"]

    def join(self, group, user):
        return self.users.create_group_membership(IdentityStoreId=self.store, GroupId=group, MemberId={"UserId": user})[
            "MembershipId"
        ]

    def permission_set(self, name="Play"):
        return self.sso.create_permission_set(InstanceArn=self.instance, Name=name)["PermissionSet"]

    def assignment(self, permission_set, kind, principal):
        return {
            "InstanceArn": self.instance,
            "PermissionSetArn": permission_set["PermissionSetArn"],
            "TargetId": self.account,
            "TargetType": "AWS_ACCOUNT",
            "PrincipalType": kind,
            "PrincipalId": principal,
        }

    def assign(self, permission_set, kind, principal):
        answer = self.sso.create_account_assignment(**self.assignment(permission_set, kind, principal))
        self.pass_time()
        return answer["AccountAssignmentCreationStatus"]

    def status(self, request):
        answer = self.sso.describe_account_assignment_creation_status(
            InstanceArn=self.instance, AccountAssignmentCreationRequestId=request["RequestId"]
        )
        return answer["AccountAssignmentCreationStatus"]["Status"]


def outcome(call, **parameters):
    """`ok`, or the code of the error."""
    try:
        call(**parameters)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


@pytest.fixture(scope="module")
def moto_client():
    """Clients for moto, made once: making them takes longer than the tests."""
    made = {}

    def client(service, region="eu-west-1"):
        if (service, region) not in made:
            made[service, region] = boto3.client(
                service,
                region_name=region,
                aws_access_key_id="moto",
                aws_secret_access_key="moto",
                config=Config(retries={"total_max_attempts": 1}),
            )
        return made[service, region]

    yield client
    for one in made.values():
        one.close()


@pytest.fixture
def moto(moto_client) -> Iterator[Cloud]:
    with mock_aws():
        moto_client("organizations").create_organization(FeatureSet="ALL")
        yield Cloud(moto_client, lambda: None)


@pytest.fixture
def ours(world) -> Cloud:
    return Cloud(lambda service, region="eu-west-1": world.client(service, region=region), world.pass_time)


def inherited_rows(cloud):
    user, group, permission_set = cloud.user(), cloud.group(), cloud.permission_set()
    cloud.join(group, user)
    cloud.assign(permission_set, "GROUP", group)
    answer = cloud.sso.list_account_assignments_for_principal(
        InstanceArn=cloud.instance, PrincipalType="USER", PrincipalId=user
    )
    return len(answer["AccountAssignments"])


def first_status(cloud):
    return cloud.assign(cloud.permission_set(), "USER", cloud.user())["Status"]


def status_for_an_unknown_principal(cloud):
    return cloud.status(cloud.assign(cloud.permission_set(), "USER", UNKNOWN))


def rows_after_a_duplicate(cloud):
    permission_set, user = cloud.permission_set(), cloud.user()
    cloud.assign(permission_set, "USER", user)
    cloud.assign(permission_set, "USER", user)
    answer = cloud.sso.list_account_assignments(
        InstanceArn=cloud.instance, AccountId=cloud.account, PermissionSetArn=permission_set["PermissionSetArn"]
    )
    return len(answer["AccountAssignments"])


def provisioned_by_an_assignment(cloud):
    permission_set = cloud.permission_set()
    cloud.assign(permission_set, "USER", cloud.user())
    answer = cloud.sso.list_accounts_for_provisioned_permission_set(
        InstanceArn=cloud.instance, PermissionSetArn=permission_set["PermissionSetArn"]
    )
    return answer["AccountIds"]


def arn_type(cloud):
    return cloud.permission_set()["PermissionSetArn"].split(":::")[1].split("/")[0]


def session_duration(cloud):
    return cloud.permission_set()["SessionDuration"]


def second_permission_set_of_a_name(cloud):
    cloud.permission_set()
    return outcome(cloud.permission_set)


def deletion_of_an_assigned_permission_set(cloud):
    permission_set = cloud.permission_set()
    cloud.assign(permission_set, "USER", cloud.user())
    return outcome(
        cloud.sso.delete_permission_set,
        InstanceArn=cloud.instance,
        PermissionSetArn=permission_set["PermissionSetArn"],
    )


def revision_and_status_are_shown(cloud):
    user = cloud.users.describe_user(IdentityStoreId=cloud.store, UserId=cloud.user())
    return {"Revision", "UserArn", "UserStatus", "CreatedAt"} <= set(user)


def same_name_in_capitals(cloud):
    cloud.user("nina")
    return outcome(cloud.user, name="NINA")


def same_email(cloud):
    emails = [{"Value": "n@example.com", "Type": "work", "Primary": True}]
    cloud.user("nina", Emails=emails)
    return outcome(cloud.user, name="other", Emails=emails)


def second_membership(cloud):
    group, user = cloud.group(), cloud.user()
    cloud.join(group, user)
    return outcome(cloud.join, group=group, user=user)


def deletion_of_an_absent_user(cloud):
    return outcome(cloud.users.delete_user, IdentityStoreId=cloud.store, UserId=UNKNOWN)


def filter_by_another_path(cloud):
    cloud.user()
    filters = [{"AttributePath": "Title", "AttributeValue": "x"}]
    return outcome(cloud.users.list_users, IdentityStoreId=cloud.store, Filters=filters)


def members_of_an_unknown_group(cloud):
    return outcome(cloud.users.list_group_memberships, IdentityStoreId=cloud.store, GroupId=UNKNOWN)


def a_page_of_a_thousand(cloud):
    return outcome(cloud.users.list_users, IdentityStoreId=cloud.store, MaxResults=1000)


def a_token_of_another_request(cloud):
    for number in range(3):
        cloud.group(f"g{number}")
    token = cloud.users.list_groups(IdentityStoreId=cloud.store, MaxResults=1)["NextToken"]
    return outcome(cloud.users.list_users, IdentityStoreId=cloud.store, NextToken=token)


def store_id_fits_the_model(cloud):
    return re.fullmatch("d-[0-9a-f]{10}", cloud.store) is not None


def instances_in_another_region(cloud):
    return len(cloud.client("sso-admin", region="us-east-1").list_instances()["Instances"])


def delegated_administrators(cloud):
    return outcome(cloud.organizations.list_delegated_administrators, ServicePrincipal="sso.amazonaws.com")


def deletion_has_an_id_of_its_own(cloud):
    permission_set, user = cloud.permission_set(), cloud.user()
    made = cloud.assign(permission_set, "USER", user)
    removed = cloud.sso.delete_account_assignment(**cloud.assignment(permission_set, "USER", user))
    return made["RequestId"] != removed["AccountAssignmentDeletionStatus"]["RequestId"]


# (moto row, what is looked at, moto, the sandbox)
DIFFERENCES = [
    (1, inherited_rows, 0, 1),
    (2, first_status, "SUCCEEDED", "IN_PROGRESS"),
    (2, status_for_an_unknown_principal, "SUCCEEDED", "FAILED"),
    (3, rows_after_a_duplicate, 2, 1),
    (4, provisioned_by_an_assignment, [], ["123456789012"]),
    (6, arn_type, "instance", "permissionSet"),
    (7, session_duration, 3600, "PT1H"),
    (8, second_permission_set_of_a_name, "ok", "ConflictException"),
    (8, deletion_of_an_assigned_permission_set, "ok", "ConflictException"),
    (9, revision_and_status_are_shown, False, True),
    (10, same_name_in_capitals, "ok", "ConflictException"),
    (10, same_email, "ok", "ConflictException"),
    (11, second_membership, "ok", "ConflictException"),
    (12, deletion_of_an_absent_user, "ok", "ResourceNotFoundException"),
    (13, filter_by_another_path, "ok", "ValidationException"),
    (14, members_of_an_unknown_group, "ok", "ResourceNotFoundException"),
    (15, a_page_of_a_thousand, "ok", "ValidationException"),
    (16, a_token_of_another_request, "InvalidToken", "ValidationException"),
    (18, store_id_fits_the_model, False, True),
    (19, instances_in_another_region, 1, 0),
    (20, delegated_administrators, "InvalidInputException", "ok"),
    (21, deletion_has_an_id_of_its_own, False, True),
]


@pytest.mark.parametrize(
    ("row", "look", "in_moto", "here"),
    DIFFERENCES,
    ids=lambda value: getattr(value, "__name__", str(value))[:40],
)
def test_a_difference_is_meant(moto, ours, row, look, in_moto, here):
    assert look(moto) == in_moto, f"moto mended row {row}"
    assert look(ours) == here


def story(cloud):
    """What both do right, by call: the members of the answers, ids left out."""
    user, group, permission_set = cloud.user(), cloud.group(), cloud.permission_set()
    membership = cloud.join(group, user)
    cloud.assign(permission_set, "USER", user)
    store = {"IdentityStoreId": cloud.store}
    found = {"AttributePath": "userName", "AttributeValue": "nina"}
    looked_up = cloud.users.get_user_id(**store, AlternateIdentifier={"UniqueAttribute": found})["UserId"]
    described = cloud.users.describe_user(**store, UserId=user)
    pair = {
        "InstanceArn": cloud.instance,
        "AccountId": cloud.account,
        "PermissionSetArn": permission_set["PermissionSetArn"],
    }
    [row] = cloud.sso.list_account_assignments(**pair)["AccountAssignments"]
    members = cloud.users.list_group_memberships(**store, GroupId=group)["GroupMemberships"]
    by_member = cloud.users.list_group_memberships_for_member(**store, MemberId={"UserId": user})["GroupMemberships"]
    sets = cloud.sso.list_permission_sets(InstanceArn=cloud.instance)["PermissionSets"]
    outcomes = {
        "same name": outcome(cloud.user),
        "same group name": outcome(cloud.group),
        "no display name": outcome(cloud.users.create_user, **store, UserName="x", Name=NAME),
        "unknown user": outcome(cloud.users.describe_user, **store, UserId=UNKNOWN),
        "unknown group": outcome(cloud.users.describe_group, **store, GroupId=UNKNOWN),
    }
    cloud.users.delete_group_membership(**store, MembershipId=membership)
    return {
        **outcomes,
        "looked up": looked_up == user,
        "name": described["Name"],
        "display name": described["DisplayName"],
        "assigned": (row["PrincipalType"], row["PrincipalId"] == user, row["AccountId"]),
        "members": [(found["MembershipId"] == membership, found["GroupId"] == group) for found in members],
        "the same from the other side": [found["MembershipId"] for found in by_member] == [membership],
        "listed": permission_set["PermissionSetArn"] in sets,
        "left": cloud.users.list_group_memberships(**store, GroupId=group)["GroupMemberships"],
    }


def test_where_moto_is_right_the_sandbox_agrees(moto, ours):
    told = story(ours)

    assert told == story(moto)
    assert told["same name"] == "ConflictException"


def test_conflicts_have_the_same_reason_and_message(moto, ours):
    """Row 22 of the table: the same style."""
    said = []
    for cloud in (moto, ours):
        cloud.user("nina")
        with pytest.raises(ClientError) as caught:
            cloud.user("nina")
        response = caught.value.response
        said.append((response["Error"]["Code"], response["Error"]["Message"], response["Reason"]))

    assert said[0] == said[1] == ("ConflictException", "Duplicate UserName", "UNIQUENESS_CONSTRAINT_VIOLATION")


def test_organizations_and_sts_show_what_moto_shows(moto, ours):
    """Every member that moto gives is given here; STS answers the same members."""
    account = moto.organizations.list_accounts()["Accounts"][0]
    assert set(account) <= set(ours.organizations.list_accounts()["Accounts"][0])

    organisation = moto.organizations.describe_organization()["Organization"]
    assert set(organisation) <= set(ours.organizations.describe_organization()["Organization"])

    identities = [cloud.client("sts").get_caller_identity() for cloud in (moto, ours)]
    assert set(identities[0]) == set(identities[1])
    assert all(re.fullmatch(r"\d{12}", identity["Account"]) for identity in identities)
