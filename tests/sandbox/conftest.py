"""A sandbox that every test of this folder shares: one server, a fresh small organisation for each test.

After each test the answers and errors that the sandbox gave must have agreed with botocore's models, and nothing in it
may have crashed.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from connector.sandbox.dispatch import EmulatedAws
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small

ONE_ATTEMPT = Config(retries={"mode": "standard", "total_max_attempts": 1}, read_timeout=10)


class World:
    """The sandbox, clients for it, and short ways to name what the small organisation holds."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._clients: dict[tuple[str, ...], Any] = {}

    def client(self, service: str, key: str = "AKIAMANAGEMENT000000", region: str = "eu-west-1", **more: str) -> Any:
        """A client without retries; made once."""
        asked = (service, key, region, *more.values())
        if asked not in self._clients:
            self._clients[asked] = boto3.client(
                service,
                endpoint_url=self.sandbox.url,
                region_name=region,
                aws_access_key_id=key,
                aws_secret_access_key="sandbox",
                config=ONE_ATTEMPT,
                **more,
            )
        return self._clients[asked]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()

    @property
    def users(self) -> Any:
        return self.client("identitystore")

    @property
    def sso(self) -> Any:
        return self.client("sso-admin")

    @property
    def organizations(self) -> Any:
        return self.client("organizations")

    @property
    def organisation(self) -> Organisation:
        return self.sandbox.organisation

    @property
    def options(self) -> Options:
        return self.sandbox.options

    @property
    def store(self) -> str:
        return self.organisation.store.id

    @property
    def instance(self) -> str:
        return self.organisation.instance.arn

    def user(self, name: str) -> str:
        return self.organisation.store.users_by_name[name].id

    def group(self, name: str) -> str:
        return self.organisation.store.groups_by_name[name].id

    def permission_set(self, name: str) -> str:
        return self.organisation.instance.permission_sets_by_name[name].arn

    def assignment(self, permission_set: str, account: str, kind: str, principal: str) -> dict[str, str]:
        """The parameters of CreateAccountAssignment and DeleteAccountAssignment."""
        return {
            "InstanceArn": self.instance,
            "PermissionSetArn": self.permission_set(permission_set),
            "TargetId": account,
            "TargetType": "AWS_ACCOUNT",
            "PrincipalType": kind,
            "PrincipalId": principal,
        }

    def pass_time(self, seconds: float = 60.0) -> None:
        self.sandbox.control("advance", {"seconds": seconds})

    def rows(self, account: str, permission_set: str) -> set[tuple[str, str]]:
        """What ListAccountAssignments says of a pair."""
        answer = self.sso.list_account_assignments(
            InstanceArn=self.instance, AccountId=account, PermissionSetArn=self.permission_set(permission_set)
        )
        return {(row["PrincipalType"], row["PrincipalId"]) for row in answer["AccountAssignments"]}

    def error(self, call: Callable[..., Any], **parameters: Any) -> dict[str, Any]:
        """The error that a call ends with: the whole response, and `Code`."""
        with pytest.raises(ClientError) as caught:
            call(**parameters)
        return {**caught.value.response, "Code": caught.value.response["Error"]["Code"]}

    def raw(self, target: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """A request without an SDK, which would check it first."""
        request = urllib.request.Request(
            self.sandbox.url,
            data=json.dumps(body).encode(),
            headers={
                "X-Amz-Target": target,
                "Authorization": "AWS4-HMAC-SHA256 Credential=AKIAMANAGEMENT000000/20260101/eu-west-1/sso/aws4_request",
                **headers,
            },
        )
        return self.send(request)

    def send(self, request: urllib.request.Request) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


@pytest.fixture(scope="session")
def _world() -> Iterator[World]:
    with Sandbox() as sandbox:
        world = World(sandbox)
        yield world
        world.close()


@pytest.fixture
def world(_world: World) -> Iterator[World]:
    """The shared sandbox with the small organisation as it was made; assignments take ten seconds of its own clock."""
    aws = EmulatedAws(small(), Options(check_answers=True, assignment_seconds=10.0))
    _world.sandbox.aws = aws
    yield _world
    assert list(aws.journal.wrong_answers) == []
    assert list(aws.journal.crashes) == []
