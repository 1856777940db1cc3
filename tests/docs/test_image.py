"""The image, as far as it can be tested without a container engine: its recipe, its parts, and the process it runs.

Run this file to write `requirements-build.lock` anew after `make lock`.
"""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from connector.tokens import Token, digest_of, new_token, written

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
BUILD_TOOLS = ("hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
"""hatchling and what it needs."""


def instructions() -> list[tuple[str, str]]:
    """(instruction, its text) in their order; comments are gone and continued lines joined."""
    lines = [
        line for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines() if not line.startswith("#")
    ]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [tuple(line.split(None, 1)) for line in joined.splitlines() if line]


def last_stage() -> dict[str, list[str]]:
    """Texts by instruction, of the stage that becomes the image."""
    stage: dict[str, list[str]] = {}
    for name, text in instructions():
        if name == "FROM":
            stage = {}
        stage.setdefault(name, []).append(text)
    return stage


def health_check() -> list[str]:
    (text,) = last_stage()["HEALTHCHECK"]
    return json.loads(text.partition("CMD ")[2])


def command() -> list[str]:
    (entry,), (arguments,) = last_stage()["ENTRYPOINT"], last_stage()["CMD"]
    return [*json.loads(entry), *json.loads(arguments)]


# ---- the recipe --------------------------------------------------------------------------------------------------


def test_the_user_is_fixed_and_not_root():
    """A number, because Kubernetes cannot prove a name to be other than root."""
    assert last_stage()["USER"] == ["10001:10001"]


def test_processes_start_without_a_shell_and_stop_with_sigterm():
    """Exec form everywhere, so that gunicorn is PID 1 and gets the signal."""
    assert command()[:2] == ["idc-connector", "serve"]
    assert health_check()[0] == "python"
    assert last_stage()["STOPSIGNAL"] == ["SIGTERM"]


def test_everything_is_installed_by_hash():
    """Every `pip install` from an index has hashes; the project itself has no index at all."""
    installs = re.findall(r"pip install ([^&]*)", "\n".join(text for name, text in instructions() if name == "RUN"))

    assert len(installs) == 3
    assert [each for each in installs if "--require-hashes" not in each and "--no-index" not in each] == []
    assert all("--no-deps" in each for each in installs)


def test_without_an_image_the_same_is_installed():
    """docs/operations.md has the image's steps, with other places."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    steps = [
        line.split("/bin/")[1] for line in text.splitlines() if re.match(r"/opt/idc-connector\S*/bin/(pip|hatch)", line)
    ]
    image = "\n".join(text for name, text in instructions() if name == "RUN")
    same = re.findall(r"/bin/((?:pip install|hatchling build) [^&\n]*)", image)

    assert [plain(each) for each in steps] == [plain(each) for each in same]


def plain(step: str) -> str:
    """A step without the place of the wheel."""
    return re.sub(r"-d \S+|\S+\.whl", "", step).strip()


def test_state_has_one_place():
    """The volume, the store and the home are the same directory; all else can be read-only."""
    (environment,) = last_stage()["ENV"]
    variables = dict(pair.split("=", 1) for pair in shlex.split(environment))

    assert last_stage()["VOLUME"] == ['["/var/lib/idc-connector"]']
    assert variables["HOME"] == "/var/lib/idc-connector"
    assert variables["CONNECTOR_STORE_URL"].startswith("sqlite:////var/lib/idc-connector/")
    assert variables["PYTHONDONTWRITEBYTECODE"] == "1"


def test_no_secret_and_no_index_address_is_in_the_image():
    """Nothing that must be kept, and nothing that names a mirror."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")

    assert not re.search(r"idc_|AKIA|CONNECTOR_API_TOKENS=|--index-url|https?://", text)


def test_labels_are_those_of_oci():
    """Who looks at the image finds what it is."""
    (labels,) = last_stage()["LABEL"]
    named = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", labels))

    assert {"title", "description", "version", "revision", "licenses"} <= named


def test_the_builder_gets_exactly_what_is_copied():
    """`.dockerignore` lets through what the recipe copies, and nothing more."""
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source
        for name, text in instructions()
        if name == "COPY" and "--from" not in text
        for source in text.split()[:-1]
    }

    assert copied == kept
    assert [each for each in copied if not (ROOT / each).exists()] == []


def build_lock() -> str:
    """The lines of the development lock file that building the project needs."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").strip())
    return "".join(f"{each}\n" for each in entries if each.split("==")[0] in BUILD_TOOLS)


def test_build_tools_are_those_of_the_development_lock():
    """The image is built with the tools that the tests were run with."""
    assert (ROOT / "requirements-build.lock").read_text(encoding="utf-8") == build_lock(), (
        "run: python tests/docs/test_image.py"
    )
    assert build_lock().count("==") == len(BUILD_TOOLS)


# ---- the parts and the process -----------------------------------------------------------------------------------


def test_the_wheel_has_everything_the_service_needs(tmp_path):
    """Migrations are no Python package; they must come along all the same."""
    subprocess.run([BIN / "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=ROOT, check=True, timeout=60)
    (wheel,) = tmp_path.glob("*.whl")

    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (scripts,) = (name for name in names if name.endswith("entry_points.txt"))
        entry_points = archive.read(scripts).decode()

    assert "idc-connector = connector.cli:main" in entry_points
    assert {"connector/app.py", "connector/store/migrations/env.py"} <= names
    assert any(name.startswith("connector/store/migrations/versions/0001") for name in names)
    assert not any(name.startswith("tests/") for name in names)


@pytest.fixture
def served(tmp_path):
    """The image's own command as a process, on a free port, with an empty home and working directory."""
    port = free_port()
    places = {name: tmp_path / name for name in ("state", "home", "work", "tmp")}
    for place in places.values():
        place.mkdir()
    environment = {
        "PATH": f"{BIN}:{os.environ['PATH']}",
        "HOME": str(places["home"]),
        "TMPDIR": str(places["tmp"]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "CONNECTOR_STORE_URL": f"sqlite:///{places['state'] / 'connector.db'}",
        "CONNECTOR_API_TOKENS": written(Token("test", "read", digest_of(new_token()))),
        "AWS_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    line = ["127.0.0.1" if each == "0.0.0.0" else str(port) if each == "8080" else each for each in command()]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / line[0], *line[1:]], cwd=places["work"], env=environment, stdout=log, stderr=log
        )
    try:
        yield process, port, places, environment, tmp_path / "log"
    finally:
        process.kill()
        process.wait()


def test_the_command_serves_is_healthy_and_stops(served):
    """It answers its own health check, writes nowhere but to its state, and ends well when told to stop."""
    process, port, places, environment, log = served
    check = [each.replace("8080", str(port)) for each in health_check()]

    until = time.monotonic() + 30
    while (healthy := subprocess.run([BIN / check[0], *check[1:]], env=environment, capture_output=True)).returncode:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < until, healthy.stderr.decode() + log.read_text()
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=20) == 0, log.read_text()
    assert any(places["state"].iterdir())
    assert {name: list(places[name].iterdir()) for name in ("home", "work", "tmp")} == {
        "home": [],
        "work": [],
        "tmp": [],
    }


def test_without_tls_or_a_proxy_it_says_so_and_stops(tmp_path):
    """Off loopback, plain HTTP has to be asked for."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "CONNECTOR_API_TOKENS": written(Token("test", "read", digest_of(new_token()))),
    }
    line = [str(free_port()) if each == "8080" else each for each in command()]

    refused = subprocess.run([BIN / line[0], *line[1:]], env=environment, capture_output=True, text=True, timeout=30)

    assert refused.returncode != 0
    assert "--behind-proxy" in refused.stderr
    assert "Traceback" not in refused.stderr


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


if __name__ == "__main__":
    (ROOT / "requirements-build.lock").write_text(build_lock(), encoding="utf-8")
