"""The gate for AWS faults: complete for every call, by code and modelled field."""

from __future__ import annotations

import re
from pathlib import Path

import botocore.session
import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

import connector.aws
from connector.aws.faults import ANY, RULES, Again, BrokenAnswer, understand, verdict_of
from connector.aws.sentences import ACTION_PREFIX, ERRORS, Verdict
from connector.errors import (
    AskPermission,
    AwsConflict,
    AwsFailed,
    AwsThrottled,
    CallUs,
    FixConfiguration,
    InvalidAttribute,
    NotFoundInAws,
    NotGrantable,
)

SERVICES = ("identitystore", "sso-admin", "organizations", "sts")
GATEWAY = {"Error": {"Code": "502", "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 502}}
INPUT_REASONS = {"organizations": {"InvalidInputException"}}
"""Reasons that only say which part of our own input is wrong: one row serves them all."""


def _operations():
    """Every operation the room calls: names of AWS operations in its source."""
    session = botocore.session.get_session()
    text = "\n".join(each.read_text() for each in Path(connector.aws.__file__).parent.glob("*.py"))
    # Two names are put together from their halves.
    words = set(re.findall(r'"([A-Z]\w+)"', text)) | {
        f"{verb}AccountAssignment{kind}Status" for verb in ("Describe", "List") for kind in ("Creation", "Deletion")
    }
    for service in SERVICES:
        model = session.get_service_model(service)
        for operation in sorted(words & set(model.operation_names)):
            yield service, model.operation_model(operation)


OPERATIONS = list(_operations())


def test_the_operations_are_found():
    names = {operation.name for _, operation in OPERATIONS}

    assert {"ListUsers", "CreateUser", "AssumeRole", "DescribeAccountAssignmentDeletionStatus"} <= names
    assert len(names) > 40


@pytest.mark.parametrize(("service", "operation"), OPERATIONS, ids=lambda value: getattr(value, "name", value))
def test_every_modelled_error_has_a_row(service, operation):
    """Also every value of Reason and ResourceType, explicitly: a new one needs thought, not a default."""
    for shape in operation.error_shapes:
        code = (shape.metadata.get("error") or {}).get("code", shape.name)
        assert verdict_of(service, operation.name, code) is not None, code
        for field in ("Reason", "ResourceType"):
            values = getattr(shape.members.get(field), "enum", [])
            if code in INPUT_REASONS.get(service, set()):
                continue
            for value in values:
                assert any(key[2:] == (code, value) and key[0] == service for key in RULES), (code, value)


def test_every_verdict_has_a_sentence():
    assert set(ERRORS) == set(Verdict)
    assert {key[0] for key in RULES} <= {ANY, *ACTION_PREFIX}


def _client_error(code, operation="ListUsers", status=400, **fields):
    response = {
        "Error": {"Code": code, "Message": fields.pop("message", "text of AWS")},
        "ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "req-1", "HTTPHeaders": fields.pop("headers", {})},
        **fields,
    }
    return ClientError(response, operation)


@pytest.mark.parametrize(
    ("service", "operation", "code", "fields", "error", "again"),
    [
        ("identitystore", "ListUsers", "AccessDeniedException", {}, AskPermission, None),
        ("identitystore", "ListUsers", "AccessDeniedException", {"Reason": "KMS_ACCESS_DENIED"}, AskPermission, None),
        ("identitystore", "ListUsers", "ValidationException", {"Reason": "KMS_DISABLED"}, FixConfiguration, None),
        ("identitystore", "ListUsers", "ValidationException", {}, AwsFailed, None),
        ("identitystore", "CreateUser", "ValidationException", {}, InvalidAttribute, None),
        ("identitystore", "DescribeUser", "ResourceNotFoundException", {"ResourceType": "USER"}, NotFoundInAws, None),
        ("identitystore", "DescribeUser", "ResourceNotFoundException", {}, NotFoundInAws, None),
        (
            "identitystore",
            "DescribeUser",
            "ResourceNotFoundException",
            {"ResourceType": "IDENTITY_STORE"},
            FixConfiguration,
            None,
        ),
        (
            "identitystore",
            "DescribeUser",
            "ResourceNotFoundException",
            {"ResourceType": "USER", "Reason": "KMS_KEY_NOT_FOUND"},
            FixConfiguration,
            None,
        ),
        ("identitystore", "CreateUser", "ConflictException", {"Reason": "CONCURRENT_MODIFICATION"}, AwsConflict, None),
        ("sso-admin", "CreateAccountAssignment", "ConflictException", {}, AwsFailed, Again.BUSY),
        ("sso-admin", "CreateAccountAssignment", "ValidationException", {}, NotGrantable, None),
        ("sso-admin", "ListInstances", "ThrottlingException", {}, AwsThrottled, Again.THROTTLED),
        ("sso-admin", "ListInstances", "SomethingNew", {}, AwsFailed, None),
        ("sso-admin", "ListInstances", "503", {"status": 503}, AwsFailed, Again.BROKEN),
        ("sso-admin", "ListInstances", "429", {"status": 429}, AwsThrottled, Again.THROTTLED),
        ("sso-admin", "ListInstances", "UnrecognizedClientException", {}, FixConfiguration, None),
        ("sso-admin", "ListInstances", "ExpiredTokenException", {}, FixConfiguration, Again.EXPIRED),
        ("organizations", "ListAccounts", "TooManyRequestsException", {}, AwsThrottled, Again.THROTTLED),
        ("organizations", "ListAccounts", "AWSOrganizationsNotInUseException", {}, FixConfiguration, None),
    ],
)
def test_a_fault_becomes_what_the_caller_does_next(service, operation, code, fields, error, again):
    fault = understand(service, operation, _client_error(code, operation, **fields))

    assert (type(fault.error) is error or isinstance(fault.error, error), fault.again) == (True, again)
    assert fault.error.request_id == "req-1"


def test_a_denial_names_the_action_and_relays_aws():
    denied = _client_error(
        "AccessDeniedException", message="User: x is not authorized …\nwith an explicit deny in an SCP"
    )

    error = understand("sso-admin", "ListPermissionSets", denied).error

    assert isinstance(error, AskPermission)
    assert error.action == "sso:ListPermissionSets"
    assert error.sentence.endswith("with an explicit deny in an SCP")
    assert "\n" not in error.sentence


def test_a_denied_role_is_not_taken_for_the_call_it_was_needed_for():
    error = understand("identitystore", "ListUsers", _client_error("AccessDenied", "AssumeRole")).error

    assert isinstance(error, AskPermission)
    assert error.action == "sts:AssumeRole"
    assert "external_id" in error.sentence


def test_a_signature_fault_quotes_nothing():
    """AWS's text for it holds the canonical request, session token included."""
    error = understand("sso-admin", "ListInstances", _client_error("SignatureDoesNotMatch", message="token abc")).error

    assert "abc" not in error.sentence


@pytest.mark.parametrize(
    ("fields", "seconds"),
    [
        ({"RetryAfterSeconds": 7}, 7.0),
        ({"headers": {"x-amz-retry-after": "1500"}}, 1.5),
        ({"headers": {"retry-after": "3"}}, 3.0),
        ({"headers": {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}}, None),
        ({}, None),
    ],
)
def test_the_wait_that_aws_asks_for(fields, seconds):
    assert understand("identitystore", "ListUsers", _client_error("ThrottlingException", **fields)).after == seconds


@pytest.mark.parametrize(
    ("caught", "error", "again"),
    [
        (EndpointConnectionError(endpoint_url="https://x"), AwsFailed, Again.BROKEN),
        (ConnectionResetError(), AwsFailed, Again.BROKEN),
        (NoCredentialsError(), FixConfiguration, None),
        (ParamValidationError(report="x"), CallUs, None),
        (KeyError("x"), CallUs, None),
    ],
)
def test_faults_without_an_answer(caught, error, again):
    fault = understand("sso-admin", "ListInstances", caught)

    assert (type(fault.error), fault.again) == (error, again)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        (None, "at http://127.0.0.1:9."),
        ("AWS_ENDPOINT_URL", "at http://127.0.0.1:9, which AWS_ENDPOINT_URL names."),
        ("AWS_ENDPOINT_URL_SSO_ADMIN", "at http://127.0.0.1:9, which AWS_ENDPOINT_URL_SSO_ADMIN names."),
    ],
)
def test_an_endpoint_that_cannot_be_reached_is_named(monkeypatch, variable, told):
    """And the variable that may be forgotten in the environment; neither a path nor a user of it."""
    if variable is not None:
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    caught = EndpointConnectionError(endpoint_url="http://someone:hush@127.0.0.1:9/path?query")
    sentence = understand("sso-admin", "ListInstances", caught).error.sentence

    assert sentence.endswith(told)
    assert "hush" not in sentence
    assert "path" not in sentence


@pytest.mark.parametrize(
    ("caught", "silent"),
    [
        (ReadTimeoutError(endpoint_url="https://x"), True),
        (ConnectionClosedError(endpoint_url="https://x"), True),
        (BrokenAnswer("empty"), True),
        (ClientError(GATEWAY, "CreateUser"), True),
        (ClientError({"Error": {"Code": "InternalServerException"}}, "CreateUser"), False),
        (ClientError({"Error": {"Code": "ThrottlingException"}}, "CreateUser"), False),
        (ClientError({"Error": {"Code": "NeverHeardOf"}}, "CreateUser"), False),
        (EndpointConnectionError(endpoint_url="https://x"), False),
        (ConnectTimeoutError(endpoint_url="https://x"), False),
        (NoCredentialsError(), False),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_only_where_aws_said_nothing_it_may_have_acted(caught, silent):
    """An error of its own, or a connection that was never made, says that it did not."""
    assert understand("identitystore", "CreateUser", caught).silent is silent
