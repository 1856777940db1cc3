"""The README tells the truth: its commands are run against a demo, and what it shows is what comes back."""

import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
ANSWERS = ("json", "text")


@dataclass
class Demo:
    """A running demo and what it printed."""

    port: int
    printed: str
    home: Path

    @property
    def token(self) -> str:
        return re.findall(r"idc_[\w-]+", self.printed)[0]

    @property
    def sandbox(self) -> str:
        """Where it says that the emulated AWS is steered."""
        return re.findall(r"SANDBOX=(\S+)", self.printed)[0]

    def run(self, script: str) -> str:
        """What a shell says to `script`, all its commands together."""
        done = subprocess.run(
            ["bash", "-eu", "-o", "pipefail", "-c", script],
            env={
                "PATH": f"{BIN}:{os.environ['PATH']}",
                "HOME": str(self.home),
                "TOKEN": self.token,
                "SANDBOX": self.sandbox,
                "NO_PROXY": "127.0.0.1",
            },
            capture_output=True,
            text=True,
            timeout=90,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    directory = tmp_path_factory.mktemp("demo")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    printed = directory / "printed"
    with printed.open("wb") as output, (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [BIN / "idc-connector", "demo", "--port", str(port)],
            env={"PATH": os.environ["PATH"], "HOME": str(directory)},
            stdout=output,
            stderr=log,
        )
    try:
        until = time.monotonic() + 60
        while "std:account:delete" not in printed.read_text():
            assert process.poll() is None, (directory / "log").read_text()
            assert time.monotonic() < until, (directory / "log").read_text()
            time.sleep(0.1)
        yield Demo(port, printed.read_text(), directory)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=30)


def blocks(text: str) -> list[tuple[str, str]]:
    """(language, text) of every fenced block, indented ones too."""
    found = re.findall(r"^( *)```(\w+)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [(language, textwrap.dedent(body)) for _, language, body in found]


def pattern(shown: str) -> re.Pattern[str]:
    """What is shown, `…` standing for anything within a line."""
    return re.compile("[^\n]*".join(map(re.escape, shown.strip().split("…"))))


def test_its_commands_do_what_it_shows(demo):
    """Every `sh` block in its order, in one shell; the `json` or `text` block after it is the answer."""
    shown = blocks(README)
    commands = [body for language, body in shown if language == "sh"]
    answers = [after[1] if after[0] in ANSWERS else "" for (language, _), after in pairwise(shown) if language == "sh"]
    script = "echo '--- next ---'\n".join(commands).replace(":8080", f":{demo.port}")

    said = demo.run(script).split("--- next ---\n")

    assert len(said) == len(answers) > 8
    for command, answer, came in zip(commands, answers, said, strict=True):
        assert pattern(answer).fullmatch(came.strip()), f"{command}\nshown:\n{answer}\ncame:\n{came}"


def test_the_lines_of_the_demo_work_as_printed(demo):
    """Copied from the first comment on, into a shell that knows nothing."""
    lines = demo.printed[demo.printed.index("# ") :]

    said = demo.run(lines)

    assert '"type":"output"' in said
    assert "error" not in said
    assert "ERROR" not in said
    assert said.count('{"data":{},"type":"output"}') == 2, "test-connection and delete"


def test_readme_and_demo_speak_of_the_same_commands(demo):
    """Whoever read one finds himself in the other."""
    in_readme = {f"std:{name}" for name in re.findall(r"ask (\w+:\w+)", README)} | {"std:test-connection"}
    in_demo = set(re.findall(r'"type":"(std:[\w:-]+)"', demo.printed))

    assert in_readme <= in_demo


def test_every_room_is_on_the_map():
    """A new module or room in `connector/` gets its line."""
    there = {
        f"connector/{path.name}{'/' if path.is_dir() else ''}"
        for path in (ROOT / "connector").iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }

    assert there - {"connector/__init__.py"} == set(re.findall(r"`(connector/[\w/.]+)`", README))
