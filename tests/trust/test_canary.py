"""Secrets planted everywhere are found nowhere: not in logs at DEBUG, answers, the store, the audit, metrics, reprs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.settings import read_settings
from tests.databases import Server, postgresql
from tests.running import SOURCES, Running
from tests.trust.canaries import Canaries, spellings
from tests.trust.provoking import Provoked

__all__ = ["postgresql"]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def provoked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provoked]:
    """A service that everything went wrong with, once on each kind of store."""
    directory, canaries = tmp_path_factory.mktemp("canary"), Canaries()
    with Sandbox(options=Options(assignment_seconds=0.05)) as sandbox:
        if request.param == "sqlite":
            world = Provoked(sandbox, directory, f"sqlite:///{directory / 'connector.db'}", canaries)
            world.run()
            yield world
            return
        server: Server = request.getfixturevalue("postgresql")
        url = server.create_database()
        ours = make_user(url, canaries.store_password)
        world = Provoked(sandbox, directory, ours, canaries, lambda: locked_out(url))
        world.run()
        yield world
        server.drop_database(url)
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("DROP USER canary")


def make_user(url: str, password: str) -> str:
    """A user of the database whose password nobody else has; the URL with which it connects."""
    with psycopg.connect(url) as connection:
        connection.execute(sql.SQL("CREATE USER canary PASSWORD {}").format(sql.Literal(password)))
        connection.execute("GRANT ALL ON SCHEMA public TO canary")
    parts = urlsplit(url)
    return f"postgresql://canary:{password}@{parts.hostname}:{parts.port}{parts.path}"


@contextmanager
def locked_out(url: str) -> Iterator[None]:
    """The database throws the user out and lets it in no more."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER USER canary NOLOGIN")
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'canary'")
        yield
        connection.execute("ALTER USER canary LOGIN")


def test_no_secret_is_found_anywhere(provoked: Provoked) -> None:
    found = {place: names for place, data in provoked.places.items() if (names := provoked.canaries.found_in(data))}
    issued = [place for place, data in provoked.places.items() if provoked.issued.encode() in data]

    assert (found, issued) == ({}, [])


def test_everything_was_provoked(provoked: Provoked) -> None:
    """Else there would have been nothing to find."""
    statuses = {status for _, status, _ in provoked.heard}
    assert statuses >= {200, 400, 401, 403, 404, 405, 422, 429, 500, 502, 503}
    log = provoked.service.log
    assert provoked.service.events("defect")
    for kind in ("aws-failed", "aws-permission-missing", "source-misconfigured", "aws-throttled", "unauthenticated"):
        assert f'"kind": "{kind}"' in log, kind
    places = provoked.places
    assert b'"what":"refused"' in places["audit export"]
    assert b'"what":"intent"' in places["audit export"]
    assert places["audit verify"].startswith(b"The audit is whole")
    assert b"[hidden]" in places["log"]
    kept = b"".join(data for place, data in places.items() if place.startswith(("table", "connector.db")))
    assert b"grace" in kept, "names of people are in the store, and this is how they are looked for"


@pytest.mark.parametrize("name", Canaries().named())
def test_what_is_shown_would_be_found(name: str) -> None:
    """In every spelling, in the middle of other things."""
    canaries = Canaries()
    for spelt in spellings(getattr(canaries, name)):
        assert len(spelt) >= 8
        assert canaries.found_in(b"before" + spelt + b"after") == [name]


def test_settings_and_sources_do_not_show_theirs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    canaries = Canaries()
    for name in os.environ:
        if name.startswith(("CONNECTOR_", "AWS_")):
            monkeypatch.delenv(name)
    sources = tmp_path / "sources.toml"
    role = "arn:aws:iam::111122223333:role/connector"
    sources.write_text(f'[sources.default]\nrole_arn = "{role}"\nexternal_id = "{canaries.external_id}"\n')
    for name, value in {
        "CONNECTOR_SOURCES": str(sources),
        "CONNECTOR_STORE_URL": f"postgresql://u:{canaries.store_password}@127.0.0.1:1/x",
        "CONNECTOR_AUDIT_KEY": canaries.audit_key,
        "AWS_SECRET_ACCESS_KEY": canaries.aws_secret_key,
        "AWS_SESSION_TOKEN": canaries.aws_session_token,
    }.items():
        monkeypatch.setenv(name, value)
    settings = read_settings()
    assert settings.sources["default"].external_id == canaries.external_id
    for shown in (repr(settings), str(settings), repr(settings.sources), f"{settings.default_source}"):
        assert canaries.found_in(shown.encode()) == []


MISTAKES = {
    "a database that is not there": lambda c: {
        "CONNECTOR_STORE_URL": f"postgresql://u:{c.store_password}@127.0.0.1:1/x"
    },
    "an unknown database": lambda c: {"CONNECTOR_STORE_URL": f"oracle://u:{c.store_password}@127.0.0.1:1/x"},
    "no URL": lambda c: {"CONNECTOR_STORE_URL": c.store_password},
    "a broken URL": lambda c: {"CONNECTOR_STORE_URL": f"postgresql://u:{c.store_password}@h:port/x"},
    "the token itself": lambda c: {"CONNECTOR_API_TOKENS": f"sailpoint:provision:{c.bearer}"},
    "a token alone": lambda c: {"CONNECTOR_API_TOKENS": c.bearer},
    "a short audit key": lambda c: {"CONNECTOR_AUDIT_KEY": c.audit_key[:30]},
    "a key as path": lambda c: {"CONNECTOR_AUDIT_KEY_FILE": c.audit_key},
    "a TLS key as path": lambda c: {"CONNECTOR_TLS_KEY": c.audit_key, "CONNECTOR_TLS_CERT": c.audit_key},
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_of_the_operator_are_not_repeated(tmp_path: Path, mistake: str) -> None:
    canaries = Canaries()
    with Sandbox() as sandbox:
        service = Running(sandbox, tmp_path, SOURCES, MISTAKES[mistake](canaries))
        (tmp_path / "sources.toml").write_text(service.sources)
        for words in (("serve", "--port", str(service.port)), ("token", "list")):
            done = service.command(*words)
            assert canaries.found_in((done.stdout + done.stderr).encode()) == []
            assert "Traceback" not in done.stderr
            assert done.returncode != 0


def test_a_source_that_is_wrong_does_not_show_its_external_id(tmp_path: Path) -> None:
    canaries = Canaries()
    with Sandbox() as sandbox:
        service = Running(sandbox, tmp_path)
        (tmp_path / "sources.toml").write_text(f'[sources.default]\nexternal_id = "{canaries.config_password}"\n')
        done = service.command("doctor")
        assert done.returncode != 0
        assert "external_id" in done.stdout + done.stderr
        assert canaries.found_in((done.stdout + done.stderr).encode()) == []
