"""`idc-connector audit` and `idc-connector operations`: what is in a store, shown, checked and exported."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, update

from connector.audit_sink import open_sink
from connector.cli import main
from connector.model import Recorded, Result, Step, Verb
from connector.store import Store, open_store
from connector.store.ledgers import audit

KEY = "0123456789abcdef" * 2


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log: Path) -> Store:
    """The store that the settings name, with five entries."""
    for name in os.environ:
        if name.startswith(("CONNECTOR_", "AWS_")):
            monkeypatch.delenv(name)
    url = f"sqlite:///{tmp_path / 'store.db'}"
    monkeypatch.setenv("CONNECTOR_STORE_URL", url)
    monkeypatch.setenv("CONNECTOR_AUDIT_KEY", KEY)
    opened = open_store(url, audit_key=KEY.encode(), audit_sink=open_sink(str(log)))
    for number in range(5):
        opened.audit.append({"number": number})
    opened.close()
    return opened


def run(*words: str | Path) -> tuple[int, str, str]:
    answer = CliRunner().invoke(main, [str(word) for word in words])
    return answer.exit_code, answer.stdout, answer.stderr


# ---- audit


def test_the_store_is_whole(store: Store) -> None:
    assert run("audit", "verify") == (0, "The audit is whole: 5 entries.\n", "")


def test_an_entry_taken_out_of_the_store_is_not_told_as_a_change(store: Store) -> None:
    """The store keeps no hash of the one before, so the next entry does not fit either: both may be the reason."""
    with store._database.writing() as connection:
        connection.execute(delete(audit).where(audit.c.seq == 3))
    assert run("audit", "verify")[2] == (
        "The audit is broken at line 3: entries 3 to 3 are missing before it,"
        " or it was changed, or another key was used.\n"
    )


def test_the_store_is_not(store: Store) -> None:
    with store._database.writing() as connection:
        connection.execute(update(audit).where(audit.c.seq == 3).values(record='{"number":9}'))
    code, out, said = run("audit", "verify")
    assert (code, out) == (1, "")
    assert said.startswith("The audit is broken at line 3: it was changed")
    with store._database.writing() as connection:
        connection.execute(delete(audit).where(audit.c.seq >= 3))
    assert run("audit", "verify")[2] == "The audit is broken at line 3: entries 3 to 5 are missing before it.\n"
    store.close()


def test_another_key(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_AUDIT_KEY", KEY[::-1])
    assert run("audit", "verify")[0] == 1
    monkeypatch.delenv("CONNECTOR_AUDIT_KEY")
    assert run("audit", "verify")[2].startswith("The audit is broken at line 1: ")


def test_an_export(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proves itself, without the store; is written for nobody else, and over nothing."""
    file = tmp_path / "export.jsonl"
    assert run("audit", "export", "--out", file) == (0, "", "")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert run("audit", "export")[1] == file.read_text()
    code, _, said = run("audit", "export", "--out", file)
    assert code == 2
    assert "File exists" in said

    monkeypatch.setenv("CONNECTOR_STORE_URL", "postgresql://nobody@127.0.0.1:1/none")
    assert run("audit", "verify", "--file", file) == (0, "The audit is whole: 5 entries.\n", "")
    lines = file.read_bytes().splitlines(keepends=True)
    for broken, line in (
        (lines[1:], 1),
        ([*lines[:2], lines[2].replace(b'"number":2', b'"number":7'), *lines[3:]], 3),
        ([lines[0], lines[2], lines[1], *lines[3:]], 2),
        ([*lines[:3], *lines[4:]], 4),
        ([*lines[:3], lines[2], *lines[3:]], 4),
        ([*lines[:3], b"\xff\xfe\n", *lines[3:]], 4),
        ([*lines[:3], lines[3].replace(b"\n", b"\r\n"), *lines[4:]], 4),
    ):
        file.write_bytes(b"".join(broken))
        assert run("audit", "verify", "--file", file)[2].startswith(f"The audit is broken at line {line}: ")
    file.write_bytes(b"".join(lines[:3]))
    assert "does not answer" in run("audit", "verify", "--file", file)[2]


def test_an_export_from_a_date_on(store: Store) -> None:
    code, out, _ = run("audit", "export", "--since", "2020-01-01")
    assert (code, len(out.splitlines())) == (0, 6)
    code, out, _ = run("audit", "export", "--since", "2120-01-01T00:00:00+02:00")
    assert (code, len(out.splitlines())) == (0, 1)
    assert run("audit", "export", "--since", "soon")[0] == 2


def test_a_log(store: Store, log: Path) -> None:
    """Is held to the store's end."""
    assert run("audit", "verify", "--file", log) == (0, "The audit is whole: 5 entries.\n", "")
    lines = log.read_text().splitlines(keepends=True)
    log.write_text("".join(lines[2:]))
    assert run("audit", "verify", "--file", log)[0] == 0
    log.write_text("".join(lines[:4]))
    code, _, said = run("audit", "verify", "--file", log)
    assert (code, said) == (1, "The audit is broken at line 5: the end is missing: the store goes on to entry 5.\n")
    log.write_text("")
    assert run("audit", "verify", "--file", log)[2].startswith("The audit is broken at line 1: ")


def test_mistakes_in_settings(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONNECTOR_AUDIT_KEY", "short")
    code, _, said = run("audit", "verify")
    assert code == 1
    assert "CONNECTOR_AUDIT_KEY" in said
    assert "short" not in said


# ---- operations


@pytest.fixture
def operations(store: Store) -> list[str]:
    """Ids of three, the second ended."""
    made = [
        store.operations.accept(
            source, "std:account:update", "\x1b[31mu1", "", "isc", f"c{n}", "", {"id": "u1"}, "one", 30
        )[0]
        for n, source in enumerate(("eu", "eu", "us"))
    ]
    steps = (Recorded(Step(Verb.JOIN, "groups", "g1"), Result.FAILED, "gone"), Recorded(Step(Verb.LEAVE, "x"), None))
    store.operations.record(made[1], steps)
    store.operations.end(made[1], "partly", {"problem": "x"})
    store.close()
    return [each.id for each in made]


def test_operations_are_listed(operations: list[str]) -> None:
    """The newest first; nothing in them reaches the terminal as a command to it."""
    code, out, _ = run("operations")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["id", *operations[::-1]]
    assert "partly" in out.splitlines()[2]
    assert "\\u001b[31mu1" in out
    assert "\x1b" not in out
    assert operations[1] not in run("operations", "--unfinished")[1]
    assert operations[2] not in run("operations", "--source", "eu")[1]
    assert run("operations", "--limit", "1", "--json")[1].count("\n") == 1
    assert [json.loads(line)["id"] for line in run("operations", "--json")[1].splitlines()] == operations[::-1]


def test_operations_of_a_source_that_nobody_knows_are_refused(operations: list[str]) -> None:
    """One that the store knows is listed, configured or not, and one that is configured may have none yet."""
    code, out, err = run("operations", "--source", "nosuch")
    assert (code, out) == (1, "")
    assert "There is no source nosuch; there are default." in err
    assert run("operations", "--source", "default")[0] == 0
    assert operations[2] in run("operations", "--source", "us")[1]


def test_one_operation(operations: list[str]) -> None:
    """All that is known of it."""
    code, out, _ = run("operations", "show", operations[1])
    assert code == 0
    shown = json.loads(out)
    assert shown["id"] == operations[1]
    assert (shown["state"], shown["asked"], shown["answer"]) == ("partly", {"id": "u1"}, {"problem": "x"})
    assert [(step["verb"], step["result"], step["reason"]) for step in shown["steps"]] == [
        ("join group", "failed", "gone"),
        ("leave group", None, ""),
    ]
    assert shown["endedAt"].endswith("+00:00")
    code, out, said = run("operations", "show", "op_none")
    assert (code, out) == (1, "")
    assert "op_none" in said
