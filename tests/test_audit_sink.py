"""Where the audit's lines go: a file or a stream; what cannot be written is said."""

from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest

from connector import audit_sink
from connector.audit_sink import FileSink, StreamSink, open_sink
from connector.errors import FixConfiguration


def test_a_file(tmp_path: Path) -> None:
    """Made for its owner only, appended to, and found again when it was moved away."""
    path = tmp_path / "audit.jsonl"
    before = os.umask(0)
    try:
        sink = open_sink(str(path))
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""

    sink("one")
    open_sink(str(path))("two")
    assert path.read_text() == "one\ntwo\n"
    path.rename(tmp_path / "audit.jsonl.1")
    sink("three")
    assert path.read_text() == "three\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_each_line_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the sink returns, and all of it."""
    done: list[str] = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: done.append("write") or write(file, data[:3]))
    monkeypatch.setattr(os, "fsync", lambda _file: done.append("fsync"))
    path = tmp_path / "audit.jsonl"
    FileSink(path)("12345")
    assert done == ["write", "write", "fsync"]
    assert path.read_text() == "12345\n"


def test_half_a_line_spoils_no_other(tmp_path: Path) -> None:
    """It stays, and is found wrong; the next begins on its own line."""
    path = tmp_path / "audit.jsonl"
    path.write_text('whole\n{"ha')
    FileSink(path)("next")
    FileSink(path)("last")
    assert path.read_text() == 'whole\n{"ha\nnext\nlast\n'


def test_files_that_cannot_be_written(tmp_path: Path) -> None:
    """Said at the start, with the setting's name and the file's; later, each time."""
    os.mkfifo(tmp_path / "pipe")
    for where in (tmp_path / "none" / "audit.jsonl", tmp_path, tmp_path / "pipe", Path("/dev/null")):
        with pytest.raises(FixConfiguration, match="CONNECTOR_AUDIT_LOG") as caught:
            open_sink(str(where))
        assert f"({where}: " in str(caught.value)
    folder = tmp_path / "gone"
    folder.mkdir()
    sink = open_sink(str(folder / "audit.jsonl"))
    (folder / "audit.jsonl").unlink()
    folder.rmdir()
    with pytest.raises(OSError, match="No such file"):
        sink("line")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no disk that is always full")
def test_a_full_disk() -> None:
    """Is an error, not a line less."""
    with pytest.raises(OSError, match="No space"):
        FileSink(Path("/dev/full"))("line")


def test_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    """Unbuffered."""
    sink = open_sink("-")
    sink("one")
    sink("two")
    assert capfd.readouterr().out == "one\ntwo\n"


def test_a_long_line_through_a_pipe() -> None:
    """Whole, as fast as it is read."""
    reading, writing = os.pipe()
    line = "x" * 300_000
    with open(reading, "rb") as pipe:
        read: list[bytes] = []
        reader = threading.Thread(target=lambda: read.append(pipe.read()))
        reader.start()
        StreamSink(writing)(line)
        os.close(writing)
        reader.join()
    assert read == [f"{line}\n".encode()]


def test_a_pipe_that_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Holds nobody up for long; what was cut off ends before the next line."""
    monkeypatch.setattr(audit_sink, "PATIENCE", 0.05)
    reading, writing = os.pipe()
    sink = StreamSink(writing)
    with open(reading, "rb") as pipe:
        with pytest.raises(TimeoutError):
            sink("x" * 300_000)
        filled = pipe.read1(1_000_000)
        assert set(filled) == {ord("x")}
        sink("next")
        os.close(writing)
        assert pipe.read() == b"\nnext\n"


def test_a_pipe_that_is_closed() -> None:
    """Is an error."""
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(OSError, match="Broken pipe"):
        StreamSink(writing)("line")
    os.close(writing)
