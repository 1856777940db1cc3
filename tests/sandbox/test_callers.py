"""Who calls decides what is allowed: management account, delegated administrator, member; roles and their sessions."""

import pytest
from botocore.exceptions import ClientError

DELEGATED, MEMBER = "AKIADELEGATED0000000", "AKIAMEMBER0000000000"
DATA, CORE, ENG = "123456789012", "111122223333", "210987654321"
ROLE = f"arn:aws:iam::{CORE}:role/IdentityCenterConnector"
GUARDED = f"arn:aws:iam::{CORE}:role/IdentityCenterConnectorExternal"


@pytest.mark.parametrize(("key", "account"), [("AKIAANY", CORE), (DELEGATED, ENG), (MEMBER, DATA)])
def test_the_access_key_decides_the_caller(world, key, account):
    identity = world.client("sts", key=key).get_caller_identity()

    assert identity["Account"] == account
    assert identity["Arn"] == f"arn:aws:iam::{account}:user/sandbox"


def test_the_option_decides_about_any_other_key(world):
    world.options.caller = "member"

    assert world.client("sts", key="AKIAANY").get_caller_identity()["Account"] == DATA


def test_a_delegated_administrator_may_not_touch_the_management_account(world):
    """Nor a permission set that is provisioned there, for any AWS account (aws-behaviour 35)."""
    sso = world.client("sso-admin", key=DELEGATED)
    tim = world.user("tim")

    for permission_set, account in (("Write", CORE), ("Admin", DATA), ("Read", DATA)):
        for call in (sso.create_account_assignment, sso.delete_account_assignment):
            error = world.error(call, **world.assignment(permission_set, account, "USER", tim))
            assert error["Code"] == "AccessDeniedException"
    for call in (sso.update_permission_set, sso.delete_permission_set, sso.delete_inline_policy_from_permission_set):
        name = {"InstanceArn": world.instance, "PermissionSetArn": world.permission_set("Admin")}
        assert world.error(call, **name)["Code"] == "AccessDeniedException"

    sso.create_account_assignment(**world.assignment("Write", DATA, "USER", tim))
    assert len(sso.list_permission_sets(InstanceArn=world.instance)["PermissionSets"]) == 4
    assert len(world.client("organizations", key=DELEGATED).list_accounts()["Accounts"]) == 4


def test_the_management_accounts_access_can_be_hidden_from_a_delegated_administrator(world):
    """Unproven on AWS (aws-behaviour 35): an option."""
    sso = world.client("sso-admin", key=DELEGATED)
    admin = {"InstanceArn": world.instance, "PermissionSetArn": world.permission_set("Admin")}
    ada = {"InstanceArn": world.instance, "PrincipalType": "USER", "PrincipalId": world.user("ada")}

    def seen():
        pairs = sso.list_accounts_for_provisioned_permission_set(**admin)["AccountIds"]
        rows = sso.list_account_assignments_for_principal(**ada)["AccountAssignments"]
        return set(pairs), {row["AccountId"] for row in rows}

    assert seen() == ({CORE, DATA, ENG}, {CORE, DATA})
    world.options.hide_management_account = True
    assert seen() == ({DATA, ENG}, {DATA})


def test_a_member_sees_the_instance_and_reads_the_store_but_administers_nothing(world):
    """The model lets member accounts read the identity store; writes and sso-admin are denied."""
    users, sso = world.client("identitystore", key=MEMBER), world.client("sso-admin", key=MEMBER)

    assert [row["InstanceArn"] for row in sso.list_instances()["Instances"]] == [world.instance]
    assert len(users.list_users(IdentityStoreId=world.store)["Users"]) == 12
    denied = [
        world.error(users.create_group, IdentityStoreId=world.store, DisplayName="x"),
        world.error(sso.list_permission_sets, InstanceArn=world.instance),
        world.error(sso.list_applications, InstanceArn=world.instance),
        world.error(sso.create_account_assignment, **world.assignment("Write", DATA, "USER", world.user("tim"))),
        world.error(world.client("organizations", key=MEMBER).list_accounts),
    ]
    assert {error["Code"] for error in denied} == {"AccessDeniedException"}
    assert "is not authorized to perform: identitystore:CreateGroup" in denied[0]["Error"]["Message"]
    world.options.member_identity_reads = False
    assert world.error(users.list_users, IdentityStoreId=world.store)["Code"] == "AccessDeniedException"


def test_any_account_may_ask_which_is_the_management_account(world):
    organisation = world.client("organizations", key=MEMBER).describe_organization()["Organization"]

    assert organisation["MasterAccountId"] == CORE


def test_a_role_is_assumed_and_is_then_the_caller(world):
    """The credentials work for every service, as the role's AWS account."""
    role = f"arn:aws:iam::{ENG}:role/IdentityCenterConnector"

    answer = world.client("sts").assume_role(RoleArn=role, RoleSessionName="run")

    credentials = answer["Credentials"]
    session = {"key": credentials["AccessKeyId"], "aws_session_token": credentials["SessionToken"]}
    identity = world.client("sts", **session).get_caller_identity()
    assert identity["Arn"] == answer["AssumedRoleUser"]["Arn"]
    assert identity["Arn"] == f"arn:aws:sts::{ENG}:assumed-role/IdentityCenterConnector/run"
    error = world.error(
        world.client("sso-admin", **session).create_account_assignment,
        **world.assignment("Write", CORE, "USER", world.user("tim")),
    )
    assert error["Code"] == "AccessDeniedException"


def test_an_external_id_is_demanded_where_the_role_has_one(world):
    sts = world.client("sts")

    for more in ({}, {"ExternalId": "wrong-id"}):
        error = world.error(sts.assume_role, RoleArn=GUARDED, RoleSessionName="run", **more)
        assert error["Code"] == "AccessDenied"
    sts.assume_role(RoleArn=GUARDED, RoleSessionName="run", ExternalId="sandbox-external-id")
    unknown = world.error(sts.assume_role, RoleArn=f"arn:aws:iam::{CORE}:role/Other", RoleSessionName="run")
    assert unknown["Code"] == "AccessDenied"


def test_a_session_expires(world):
    """Seconds of the sandbox's clock; the option makes sessions shorter than AWS would."""
    world.options.session_seconds = 30
    credentials = world.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="run")["Credentials"]
    users = world.client("identitystore", key=credentials["AccessKeyId"], aws_session_token=credentials["SessionToken"])
    assert users.list_users(IdentityStoreId=world.store)["Users"]

    world.pass_time(31)

    assert world.error(users.list_users, IdentityStoreId=world.store)["Code"] == "ExpiredTokenException"


def test_unknown_temporary_credentials_and_none_at_all_are_refused(world):
    unknown = world.client("identitystore", key="ASIAUNKNOWN000000000", aws_session_token="x")
    assert world.error(unknown.list_users, IdentityStoreId=world.store)["Code"] == "UnrecognizedClientException"

    status, body = world.raw("AWSIdentityStore.ListUsers", {"IdentityStoreId": world.store}, Authorization="none")
    assert (status, body["__type"]) == (403, "MissingAuthenticationTokenException")


def test_assume_role_is_checked_against_the_model(world):
    with pytest.raises(ClientError) as caught:
        world.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="has space")

    assert caught.value.response["Error"]["Code"] == "ValidationError"
