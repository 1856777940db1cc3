"""Requests are judged by botocore's models, in AWS's words."""

import pytest

from connector.sandbox.errors import AwsError
from connector.sandbox.models import check_answer, check_error
from connector.sandbox.patterns import compiled


@pytest.mark.parametrize(
    ("target", "body", "code", "says"),
    [
        ("AWSIdentityStore.ListUsers", {}, "ValidationException", "Value null at 'identityStoreId'"),
        (
            "AWSIdentityStore.ListUsers",
            {"IdentityStoreId": "{store}", "Everything": True},
            "ValidationException",
            "'everything'",
        ),
        (
            "AWSIdentityStore.ListUsers",
            {"IdentityStoreId": "{store}", "MaxResults": "10"},
            "SerializationException",
            "integer",
        ),
        (
            "AWSIdentityStore.ListUsers",
            {"IdentityStoreId": "{store}", "MaxResults": True},
            "SerializationException",
            "integer",
        ),
        (
            "AWSIdentityStore.ListUsers",
            {"IdentityStoreId": "d-slyonxzva7"},
            "ValidationException",
            "regular expression",
        ),
        (
            "AWSIdentityStore.DescribeUser",
            {"IdentityStoreId": "{store}", "UserId": "alan"},
            "ValidationException",
            "Value 'alan' at 'userId'",
        ),
        (
            "AWSIdentityStore.CreateGroup",
            {"IdentityStoreId": "{store}", "DisplayName": ""},
            "ValidationException",
            "greater than or equal to 1",
        ),
        (
            "AWSIdentityStore.CreateGroup",
            {"IdentityStoreId": "{store}", "DisplayName": "x" * 1025},
            "ValidationException",
            "less than or equal to 1024",
        ),
        (
            "AWSIdentityStore.IsMemberInGroups",
            {"IdentityStoreId": "{store}", "MemberId": {}, "GroupIds": []},
            "ValidationException",
            "Exactly one member",
        ),
        (
            "SWBExternalService.CreateAccountAssignment",
            {
                "InstanceArn": "{instance}",
                "PermissionSetArn": "{ps}",
                "TargetId": "1",
                "TargetType": "ORG",
                "PrincipalType": "ROLE",
                "PrincipalId": "{user}",
            },
            "ValidationException",
            "enum value set: [USER, GROUP]",
        ),
        (
            "SWBExternalService.ListPermissionSets",
            {"InstanceArn": "arn:aws:sso:::instance/other"},
            "ValidationException",
            "'instanceArn'",
        ),
        (
            "SWBExternalService.ListAccountAssignmentsForPrincipal",
            {
                "InstanceArn": "{instance}",
                "PrincipalType": "USER",
                "PrincipalId": "arn:aws:identitystore:::user/{user}",
            },
            "ValidationException",
            "less than or equal to 47",
        ),
        ("AWSOrganizationsV20161128.DescribeAccount", {"AccountId": "1"}, "InvalidInputException", "'accountId'"),
        ("AWSIdentityStore.EnableUser", {}, "UnknownOperationException", "EnableUser"),
        ("SWBExternalService.CreateInstance", {}, "UnknownOperationException", "CreateInstance"),
        ("SomethingElse.List", {}, "UnknownOperationException", "SomethingElse"),
        ("AWSIdentityStore.ListUsers", [], "SerializationException", "JSON"),
    ],
)
def test_a_wrong_request_is_answered_as_aws_does(world, target, body, code, says):
    names = {
        "store": world.store,
        "instance": world.instance,
        "user": world.user("ada"),
        "ps": world.permission_set("Read"),
    }
    if isinstance(body, dict):
        body = {key: value.format(**names) if isinstance(value, str) else value for key, value in body.items()}

    status, answer = world.raw(target, body)

    assert status == 400
    assert answer["__type"] == code
    assert says in answer["Message"]


def test_a_sensitive_value_is_not_repeated_in_the_message(world):
    """AWS keeps names out of its messages; `DisplayName` of a user is sensitive in the model."""
    secret = "s" * 1025
    status, answer = world.raw(
        "AWSIdentityStore.CreateUser", {"IdentityStoreId": world.store, "UserName": "x", "DisplayName": secret}
    )

    assert (status, answer["__type"]) == (400, "ValidationException")
    assert secret not in answer["Message"]
    assert "'displayName'" in answer["Message"]


@pytest.mark.parametrize(
    ("pattern", "right", "wrong"),
    [
        (r"[\p{L}\p{M}\p{S}\p{N}\p{P}]+", ["ada", "Zoë", "陳", "a+b@c", "😀"], ["", "a b", "a\tb"]),
        (r"\p{L}+(?:\.\p{L}+){0,2}", ["name.givenName", "emails"], ["emails[0]", "a.b.c.d", "a-b"]),
        (r"\d{12}", ["123456789012"], ["١٢٣٤٥٦٧٨٩٠١٢"]),
        (r"[\w+=,.@-]+", ["Admin"], ["Ädmin"]),
    ],
)
def test_patterns_of_the_models_mean_what_they_mean_in_java(pattern, right, wrong):
    for text in right:
        assert compiled(pattern).fullmatch(text), text
    for text in wrong:
        assert not compiled(pattern).fullmatch(text), text


def test_the_judge_of_answers_finds_faults():
    """The check that every other test relies on does fail."""
    right = {"IdentityStoreId": "d-0123456789", "GroupId": "12345678-1234-1234-1234-123456789012"}
    assert check_answer("identitystore", "DescribeGroup", right)  # GroupArn and Revision are required
    assert check_answer("sso-admin", "ListPermissionSets", {"PermissionSets": ["ps-1"]})
    assert check_answer("sso-admin", "ListPermissionSets", {"Sets": []})
    assert check_answer("sso-admin", "ListPermissionSets", {"PermissionSets": []}) == []


def test_the_judge_of_errors_finds_faults():
    assert check_error("sso-admin", "ListInstances", AwsError("ResourceNotFoundException", "x"))
    assert check_error("identitystore", "DescribeUser", AwsError("ResourceNotFoundException", "x", ResourceType="CAT"))
    assert check_error("identitystore", "DescribeUser", AwsError("ResourceNotFoundException", "x")) == []
