"""What an operator types, and what comes back."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner

from connector.cli import COMMANDS, main
from connector.errors import FixConfiguration
from connector.serving import OPTIONS, check_free, options_for
from connector.settings import Settings
from connector.tokens import digest_of, parse_tokens

SECRET = "idc_secret-of-the-test-and-long-enough"
CLI = [sys.executable, "-m", "connector.cli"]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> CliRunner:
    for name in os.environ:
        if name.startswith(("CONNECTOR_", "AWS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return CliRunner()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(**more: str) -> dict[str, str]:
    """The shell's, without what would reach a real AWS."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CONNECTOR_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true"} | more


# ---- help, token


def test_help_explains_every_command(cli: CliRunner) -> None:
    shown = cli.invoke(main, ["--help"]).output
    for name in COMMANDS:
        assert name in shown
        answer = cli.invoke(main, [name, "--help"])
        assert answer.exit_code == 0
        assert "--" in answer.output
    assert cli.invoke(main, ["no-such"]).exit_code == 2


def test_a_new_token_is_shown_once_with_the_line_that_makes_it_known(cli: CliRunner) -> None:
    answer = cli.invoke(
        main,
        [
            "token",
            "new",
            "--environment",
            "--name",
            "isc",
            "--scope",
            "provision",
            "--source",
            "eu",
            "--expires",
            "2030-01-01",
        ],
    )
    assert answer.exit_code == 0
    secret = next(line.strip() for line in answer.output.splitlines() if line.strip().startswith("idc_"))
    line = next(line.strip() for line in answer.output.splitlines() if "CONNECTOR_API_TOKENS=" in line)
    (token,) = parse_tokens(line.split("=", 1)[1].strip("'"))
    assert (token.name, token.scope, token.sources, token.digest) == ("isc", "provision", {"eu"}, digest_of(secret))
    assert answer.output.count(secret) == 1


def test_a_new_token_joins_those_the_environment_has(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_API_TOKENS", f"old:read:{digest_of('x').hex()}")
    output = cli.invoke(main, ["token", "new", "--environment", "--name", "new", "--scope", "read"]).output
    line = next(line for line in output.splitlines() if "CONNECTOR_API_TOKENS=" in line)
    assert [token.name for token in parse_tokens(line.split("=", 1)[1].strip("'"))] == ["old", "new"]


@pytest.mark.parametrize(
    "options",
    [
        ["--name", "i s c", "--scope", "read"],
        ["--name", "isc", "--scope", "write"],
        ["--name", "isc", "--scope", "read", "--source", "A B"],
        ["--name", "isc", "--scope", "read", "--expires", "soon"],
        ["--name", "isc", "--scope", "read", "--expires", "9999-12-31"],
        ["--name", "isc", "--scope", "read", "--expires", "2020-01-01"],
        ["--environment", "--name", "isc", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"],
        ["--scope", "read"],
    ],
)
def test_a_token_with_a_mistake_is_not_made(cli: CliRunner, options: list[str]) -> None:
    answer = cli.invoke(main, ["token", "new", *options])
    assert answer.exit_code == 2
    assert "idc_" not in answer.output
    if "2020" in options[-1]:
        assert f"{options[-1]} has passed" in answer.output


def test_ends_are_shown_as_they_were_given(cli: CliRunner) -> None:
    """A date is the last day: the midnight after it would look like another day."""
    ends = ("2035-06-30", "2035-06-30T12:00:00+02:00")
    for end in ends:
        assert cli.invoke(main, ["token", "new", "--name", "isc", "--scope", "read", "--expires", end]).exit_code == 0
    lines = cli.invoke(main, ["token", "list"]).output.splitlines()[1:]
    assert "  after 2035-06-30 " in lines[0]
    assert "  2035-06-30T10:00:00+00:00" in lines[1]
    told = cli.invoke(main, ["token", "rotate", lines[0].split()[0], "--old-until", "2034-12-31"]).output
    assert "The old one ends after 2034-12-31." in told


# ---- serve


def test_nobody_could_call_says_what_to_run(cli: CliRunner) -> None:
    answer = cli.invoke(main, ["serve"])
    assert answer.exit_code == 1
    assert "idc-connector token new" in answer.output


def test_plain_http_is_not_shown_to_the_network(cli: CliRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_API_TOKENS", f"isc:read:{digest_of('x').hex()}")
    answer = cli.invoke(main, ["serve", "--host", "0.0.0.0"])
    assert answer.exit_code == 1
    assert "--behind-proxy" in answer.output


@pytest.mark.parametrize(
    ("host", "settings", "behind_proxy", "bind"),
    [
        ("127.0.0.1", Settings(), False, "127.0.0.1:8080"),
        ("::1", Settings(), False, "[::1]:8080"),
        ("localhost", Settings(), False, "localhost:8080"),
        ("0.0.0.0", Settings(), True, "0.0.0.0:8080"),
        ("0.0.0.0", Settings(tls_cert="c", tls_key="k"), False, "0.0.0.0:8080"),
    ],
)
def test_addresses_that_are_served(host: str, settings: Settings, behind_proxy: bool, bind: str) -> None:
    options = options_for(settings, host, 8080, behind_proxy)
    assert options["bind"] == bind
    assert options.get("certfile") == settings.tls_cert


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "connector.example.com"])
def test_addresses_that_are_not(host: str) -> None:
    with pytest.raises(FixConfiguration, match="would show tokens"):
        options_for(Settings(), host, 8080, behind_proxy=False)


def test_a_port_in_use_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(FixConfiguration, match=f"127.0.0.1:{port}: Address already in use"):
            check_free("127.0.0.1", port)


def test_our_options_are_ones_that_gunicorn_knows() -> None:
    from gunicorn.config import Config

    config = Config()
    for name, value in OPTIONS.items():
        config.set(name, value)
    assert config.settings["threads"].get() > 40


def test_gunicorn_can_be_started_without_us(tmp_path: Path) -> None:
    env = environment(
        CONNECTOR_STORE_URL=f"sqlite:///{tmp_path / 'store.db'}",
        CONNECTOR_API_TOKENS=f"isc:read:{digest_of(SECRET).hex()}",
    )
    gunicorn = [sys.executable, "-m", "gunicorn", "--check-config", "-c", "python:connector.gunicorn_options"]
    done = subprocess.run([*gunicorn, "connector.wsgi:app"], check=False, capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr


# ---- demo: the whole service on the sandbox


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str, Path]]:
    """A running demo: its address, its token, the lines it prints to try, and its standard error."""
    directory, port = tmp_path_factory.mktemp("demo"), free_port()
    printed, errors = directory / "out", directory / "err"
    with printed.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [*CLI, "demo", "--port", str(port)], stdout=out, stderr=err, env=environment(TMPDIR=str(directory))
        )
    deadline = time.monotonic() + 30
    while "# Delete" not in printed.read_text() and time.monotonic() < deadline:
        assert process.poll() is None, errors.read_text()
        time.sleep(0.05)
    time.sleep(0.2)
    text = printed.read_text()
    token = next(line.strip() for line in text.splitlines() if line.strip().startswith("idc_"))
    yield f"http://127.0.0.1:{port}", token, text[text.index("# Test") :], errors
    process.send_signal(signal.SIGINT)
    assert process.wait(15) == 0
    assert not list(directory.glob("idc-connector-demo-*"))
    assert not sandboxes()
    assert errors.read_text() == ""


def sandboxes() -> list[str]:
    """Command lines of sandboxes that outlived their demo."""
    running = subprocess.run(["ps", "-eo", "ppid,args"], check=True, capture_output=True, text=True).stdout
    return [line for line in running.splitlines() if "connector.cli.emulated" in line and line.split()[0] == "1"]


def test_the_lines_of_the_demo_work_as_printed(demo: tuple[str, str, str, Path]) -> None:
    _, _, lines, _ = demo
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", lines], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert {each["type"] for each in answers} == {"output"}
    assert answers[0]["data"] == {}
    assert sum("userName" in each["data"].get("attributes", {}) for each in answers[:13]) == 12
    given, read, taken, disabled, deleted = (each["data"] for each in answers[-5:])
    assert given["attributes"]["userName"] == "newcomer"
    assert len(given["attributes"]["groups"]) == 1
    assert read["attributes"]["permissionSetAssignments"] == given["attributes"]["permissionSetAssignments"] != []
    assert taken["attributes"]["permissionSetAssignments"] == []
    assert disabled["disabled"] is True
    assert deleted == {}


def test_the_demo_is_alive_ready_and_counted(demo: tuple[str, str, str, Path]) -> None:
    url, token, _, _ = demo
    assert requests.get(f"{url}/livez", timeout=5).ok
    assert requests.get(f"{url}/readyz", timeout=5).ok
    metrics = requests.get(f"{url}/metrics", headers={"Authorization": f"Bearer {token}"}, timeout=5)
    assert "idc_aws_calls_total" in metrics.text


def test_a_second_demo_says_that_the_port_is_taken(demo: tuple[str, str, str, Path]) -> None:
    port = demo[0].rsplit(":", 1)[1]
    second = subprocess.run([*CLI, "demo", "--port", port], check=False, capture_output=True, env=environment())
    assert second.returncode == 1
    assert b"Address already in use" in second.stderr
    assert b"may be running already" in second.stderr


# ---- doctor


def test_the_doctor_says_what_is_wrong(cli: CliRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_AWS_TPS", "fast")
    answer = cli.invoke(main, ["doctor", "--json"])
    assert answer.exit_code == 1
    assert json.loads(answer.output)["ok"] is False
    assert "CONNECTOR_AWS_TPS" in json.loads(answer.output)["error"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[dict[str, str]]:
    """The environment of a running sandbox."""
    from connector.sandbox.server import Sandbox

    with Sandbox() as running:
        yield running.environment()


def run_doctor(sandbox: dict[str, str], tmp_path: Path, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = environment(**sandbox, CONNECTOR_STORE_URL=f"sqlite:///{tmp_path / 'store.db'}", **more)
    return subprocess.run([*CLI, "doctor", *options], check=False, capture_output=True, text=True, env=env)


def test_the_doctor_shows_what_was_found(sandbox: dict[str, str], tmp_path: Path) -> None:
    answer = run_doctor(sandbox, tmp_path)
    assert answer.returncode == 0, answer.stderr
    assert "The source default works." in answer.stdout
    assert "region: eu-west-1" in answer.stdout
    assert "identitystore:ListUsers" in answer.stdout


def test_the_doctor_says_where_the_instance_is_not(sandbox: dict[str, str], tmp_path: Path) -> None:
    wrong = sandbox | {"AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1"}
    answer = run_doctor(wrong, tmp_path, "--json")
    found = json.loads(answer.stdout)
    assert (answer.returncode, found["ok"], found["kind"]) == (1, False, "source-misconfigured")
    assert "us-east-1" in found["error"]


def test_the_doctor_notices_what_only_some_commands_need(sandbox: dict[str, str], tmp_path: Path) -> None:
    """It works for lists, and ends with 1: who is to be disabled would not be."""
    sources = tmp_path / "sources.toml"
    sources.write_text(
        f'[sources.default]\ndisable_by = "scim"\nscim_endpoint = "{sandbox["AWS_ENDPOINT_URL"]}/x/scim/v2/"\n'
        f'scim_token_file = "{tmp_path / "missing"}"\n'
    )
    answer = run_doctor(sandbox, tmp_path, CONNECTOR_SOURCES=str(sources))
    assert answer.returncode == 1
    assert "The source default can be listed, but a command fails." in answer.stdout
    assert "std:account:enable and std:account:disable fail: scim_token_file of source default" in answer.stdout
    (line,) = answer.stderr.splitlines()
    assert "scim_token_file cannot be read" in line
    assert f"{tmp_path / 'missing'}: No such file" in line  # the log's reader may know the path, callers may not


def test_the_doctor_sends_a_plain_member_elsewhere(sandbox: dict[str, str], tmp_path: Path) -> None:
    member = sandbox | {"AWS_ACCESS_KEY_ID": "AKIAMEMBER0000000000"}
    found = json.loads(run_doctor(member, tmp_path, "--json").stdout)
    assert (found["ok"], found["kind"]) == (False, "source-misconfigured")
    assert "delegated administrator" in found["error"]
    assert "Allow" not in found["do"]


def test_the_doctor_knows_its_sources(cli: CliRunner) -> None:
    answer = cli.invoke(main, ["doctor", "--source", "nowhere"])
    assert answer.exit_code == 1
    assert "There is no source nowhere; there are default." in answer.output
    assert "Name one of these with --source" in answer.output


# ---- serve, on the sandbox


def test_a_service_starts_serves_and_stops(sandbox: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    tokens = f"isc:provision:{digest_of(SECRET).hex()}"
    env = environment(**sandbox, CONNECTOR_STORE_URL=f"sqlite:///{tmp_path / 'store.db'}", CONNECTOR_API_TOKENS=tokens)
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen([*CLI, "serve", "--port", str(port)], stderr=errors, env=env)
    try:
        body = {"type": "std:account:list", "config": {"source": "default", "connectorToken": SECRET}}
        answer = asked(process, port, body, log)
        assert answer.status_code == 200
        assert len(answer.content.splitlines()) == 12
    finally:
        process.terminate()
        assert process.wait(15) == 0
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert any(line["message"] == "command done" and line["caller"] == "isc" for line in lines)
    assert "secret-of-the-test" not in log.read_text()


def asked(process: subprocess.Popen[bytes], port: int, body: object, log: Path) -> requests.Response:
    for _ in range(200):
        assert process.poll() is None, log.read_text()
        try:
            return requests.post(f"http://127.0.0.1:{port}/", json=body, timeout=30)
        except requests.exceptions.ConnectionError:
            time.sleep(0.05)
    raise AssertionError(log.read_text())


def test_a_store_that_cannot_be_is_told_in_a_sentence(sandbox: dict[str, str], tmp_path: Path) -> None:
    tokens = f"isc:read:{digest_of('x').hex()}"
    env = environment(**sandbox, CONNECTOR_STORE_URL="mysql://x/y", CONNECTOR_API_TOKENS=tokens)
    command = [*CLI, "serve", "--port", str(free_port())]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=env, timeout=30)
    assert done.returncode != 0
    assert "CONNECTOR_STORE_URL starts with mysql:" in done.stderr
    assert "Traceback" not in done.stderr
