"""The command line: what it prints works, and it stops when told to."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from click.testing import CliRunner

from connector.sandbox.main import banner, organisation_for, sandbox_command
from connector.sandbox.server import Sandbox

RUN = "from connector.sandbox.main import sandbox_command; sandbox_command()"


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_prints_exports_and_stops(how):
    """In a process of its own; an SDK's call works with nothing but the printed environment."""
    command = [sys.executable, "-c", RUN, "--port", "0", "--users", "30", "--groups", "5", "--seed", "7"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        exports = dict(process.stdout.readline().removeprefix("export ").strip().split("=", 1) for _ in range(7))
        try:
            ask = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
            called = subprocess.run(
                [sys.executable, "-c", ask], env={**os.environ, **exports}, capture_output=True, text=True, check=True
            )
            request = urllib.request.Request(
                f"{exports['SANDBOX_SCIM_ENDPOINT']}Users",
                headers={"Authorization": f"Bearer {exports['SANDBOX_SCIM_TOKEN']}"},
            )
            with urllib.request.urlopen(request, timeout=5) as answer:
                assert answer.status == 200
        finally:
            process.send_signal(how)
            rest, _ = process.communicate(timeout=10)

    assert "30 users, 5 groups" in first
    assert called.stdout.strip() == "100000000007"
    assert rest.strip() == "The sandbox has stopped."
    assert process.returncode == 0
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(exports["AWS_ENDPOINT_URL"], timeout=5)


def test_the_small_organisation_is_the_default_and_sizes_make_a_generated_one():
    none = dict.fromkeys(("users", "groups", "permission_sets", "aws_accounts", "applications", "pairs"))

    assert "Core" in {row.name for row in organisation_for(None, none, 1, "eu-west-1", False).accounts}
    assert len(organisation_for(None, {**none, "users": 7}, 1, "eu-west-1", False).store.users) == 7
    generated = organisation_for("generated", none, 1, "us-east-2", True)
    assert generated.instance.region == "us-east-2"
    assert all(user.external_ids for user in generated.store.users)


def test_a_size_for_the_small_organisation_is_refused():
    answer = CliRunner().invoke(sandbox_command, ["--organisation", "small", "--users", "5"])

    assert answer.exit_code == 2
    assert "leave out" in answer.output


def test_where_nobody_can_listen_is_said_in_a_sentence(world):
    """No traceback: the port is taken, is none, or the host is not this machine."""
    taken = world.sandbox.url.rsplit(":", 1)[1]
    for words, said in (
        (["--port", taken], f"Cannot listen on 127.0.0.1:{taken}: Address already in use. Choose another --port"),
        (["--port", "99999"], "99999 is not in the range"),
        (["--port", "0", "--host", "host.invalid"], "Cannot listen on host.invalid:0: "),
    ):
        answer = CliRunner().invoke(sandbox_command, words)
        assert answer.exit_code in (1, 2)
        assert said in answer.output
        assert isinstance(answer.exception, SystemExit)


def test_only_what_is_emulated_can_be_denied():
    answer = CliRunner().invoke(sandbox_command, ["--deny", "sso:ListPermissionSets", "--deny", "ListUser"])

    assert answer.exit_code == 2
    assert "there is no operation 'ListUser'; did you mean one of ListUsers" in answer.output


def test_every_option_explains_itself():
    assert all(option.help for option in sandbox_command.params)


def test_the_banner_names_people_and_exports(world):
    lines = banner(world.sandbox).splitlines()

    assert "12 users, 11 groups and 4 AWS accounts" in lines[0]
    assert f"export AWS_ENDPOINT_URL={world.sandbox.url}" in lines
    assert all(line.startswith("export ") for line in lines[1:])


def test_a_sandbox_can_be_started_and_stopped_again():
    """Stopping frees the port and ends idle connections."""
    sandbox = Sandbox()
    with sandbox:
        url = sandbox.url
        with urllib.request.urlopen(f"{url}/_sandbox/state", timeout=5) as answer:
            assert answer.status == 200
    sandbox.stop()
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)
    with Sandbox(port=int(url.rsplit(":", 1)[1])) as again:
        assert again.url == url
