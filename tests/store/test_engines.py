"""Which URLs are taken, how the file is made, and what becomes of a database's faults."""

from __future__ import annotations

import sqlite3
import stat
import time
import traceback
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from connector.errors import Busy, CallUs, ConnectorError, FixConfiguration, RetryLater
from connector.model import Fact
from connector.store import open_store, shown
from connector.store.faults import store_faults
from tests.databases import PASSWORD, Server

SECRET = "hush"
PERSON = "Ada Lovelace"
NOBODY = f"postgresql://user:{SECRET}@127.0.0.1:1/database"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://user:{SECRET}@host/database", "starts with mysql"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file:store.db?uri=true", "must name a file"),
        (f"not a url: {SECRET}", "is no URL"),
        (f"postgresql://user:{SECRET}@host:notaport/database", "is no URL"),
        ("", "is no URL"),
    ],
)
def test_urls_that_are_of_no_use(url: str, said: str) -> None:
    """The setting is named, the password is not."""
    with pytest.raises(FixConfiguration, match=said) as caught:
        open_store(url)
    assert "CONNECTOR_STORE_URL" in str(caught.value)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_the_file_is_its_owners_only(tmp_path: Path) -> None:
    """With its folder, where we make it, and its logs."""
    path = tmp_path / "new" / "folder" / "store.db"

    store = open_store(f"sqlite:///{path}", make_folder=True)
    store.put_note("aws", "key", "value")

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    files = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
    assert files == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    store.close()


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    """The sentence names it."""
    (tmp_path / "file").touch()
    with pytest.raises(FixConfiguration, match="cannot be made") as caught:
        open_store(f"sqlite:///{tmp_path}/file/store.db")
    assert f"The store {tmp_path}/file/store.db (CONNECTOR_STORE_URL)" in str(caught.value)
    assert "Not a directory" in str(caught.value)


def test_a_mistyped_folder_is_not_made(tmp_path: Path) -> None:
    """A new, empty store there would forget every token, operation and journal."""
    with pytest.raises(FixConfiguration, match="No such file or directory"):
        open_store(f"sqlite:///{tmp_path}/conector/store.db")
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_shown_without_its_secrets() -> None:
    assert shown(f"postgresql://user:{SECRET}@host/database?password={SECRET}") == "postgresql://user:***@host/database"
    assert shown("sqlite:////var/store.db") == "sqlite:////var/store.db"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    """It is left alone."""
    path = tmp_path / "store.db"
    path.write_text("precious" * 1000)
    with pytest.raises(FixConfiguration, match="no database"):
        open_store(f"sqlite:///{path}")
    assert path.read_text() == "precious" * 1000


def test_nobody_answers() -> None:
    """A PostgreSQL that is not there is to be waited for; its password stays secret."""
    with pytest.raises(RetryLater, match="store does not answer") as caught:
        open_store(NOBODY)
    assert SECRET not in "".join(traceback.format_exception(caught.value))


def test_the_password_is_never_shown(postgresql: Server) -> None:
    """In what the store's objects say of themselves, and in what a fault drags along; nor are people's data."""
    url = postgresql.create_database()
    store = open_store(url)
    shown = [repr(store), repr(store._database), repr(store._database.engine), str(store._database.engine.url)]
    postgresql.drop_database(url)
    with pytest.raises(RetryLater) as caught:
        store.put_note("aws", "key", PERSON)
    store.close()

    shown.append("".join(traceback.format_exception(caught.value)))
    assert PASSWORD not in "".join(shown)
    assert PERSON not in "".join(shown)


def test_a_database_that_comes_back(postgresql: Server) -> None:
    """Connections that were cut are replaced without a word."""
    url = postgresql.create_database()
    store = open_store(url)
    store.put_note("aws", "key", "value")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert store.note("aws", "key") == "value"
    store.close()
    postgresql.drop_database(url)


def test_who_stood_still_in_a_transaction_is_cut_off_and_may_try_again(postgresql: Server) -> None:
    """The server ends it, so that it holds up nobody else; it is no defect."""
    url = postgresql.create_database()
    store = open_store(url)

    def stands_still() -> None:
        with store._database.writing() as connection:
            connection.execute(text("SET idle_in_transaction_session_timeout = '100ms'"))
            time.sleep(0.5)
            connection.execute(text("SELECT 1"))

    with pytest.raises(RetryLater, match="does not answer"):
        stands_still()
    store.put_note("aws", "key", "value")
    assert store.note("aws", "key") == "value"
    store.close()
    postgresql.drop_database(url)


def test_a_full_disk(tmp_path: Path) -> None:
    """Nothing is published, what was there stays, and with space the census goes on."""
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    census = store.begin_census("aws", "one", 300)
    assert census is not None
    engine = store._database.engine
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    engine.dispose()
    facts = [Fact("user", f"u{number}", body={"name": "x" * 1000}) for number in range(500)]

    def limit(pages: int) -> None:
        engine.dispose()
        with engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    limit(pages + 5)
    with pytest.raises(RetryLater, match="disk is full"):
        store.stage(census, facts)
    limit(10**6)
    store.stage(census, facts)
    published = store.publish(census, ("user",), {}, 0)
    assert published is not None
    assert store.count(published, "user") == 500
    store.close()


def _sqlite(code: int) -> DBAPIError:
    fault = sqlite3.OperationalError("secret")
    fault.sqlite_errorcode = code
    return OperationalError("SELECT", {}, fault)


def _postgresql(sqlstate: str | None) -> DBAPIError:
    if sqlstate is None:
        return OperationalError("SELECT", {}, psycopg.OperationalError("secret"))
    return DBAPIError("SELECT", {}, psycopg.errors.lookup(sqlstate)("secret"))


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        (_sqlite(5), RetryLater, "busy"),
        (_sqlite(5 | 2 << 8), RetryLater, "busy"),  # SQLITE_BUSY_SNAPSHOT
        (_sqlite(13), RetryLater, "disk is full"),
        (_sqlite(10 | 3 << 8), RetryLater, "disk is full"),  # SQLITE_IOERR_WRITE
        (_sqlite(8), FixConfiguration, "cannot be written"),
        (_sqlite(11), FixConfiguration, "damaged"),
        (_sqlite(1), CallUs, "defect"),
        (_postgresql("08006"), RetryLater, "does not answer"),
        (_postgresql("57P01"), RetryLater, "does not answer"),
        (_postgresql("25006"), RetryLater, "does not answer"),
        (_postgresql("25P03"), RetryLater, "does not answer"),
        (DBAPIError("SELECT", {}, psycopg.Error("secret"), connection_invalidated=True), RetryLater, "does not answer"),
        (_postgresql(None), RetryLater, "does not answer"),
        (OperationalError("SELECT", {}, psycopg.errors.ConnectionTimeout("secret")), RetryLater, "does not answer"),
        (_postgresql("40P01"), RetryLater, "busy"),
        (_postgresql("55P03"), RetryLater, "busy"),
        (_postgresql("53300"), RetryLater, "busy"),
        (_postgresql("53100"), RetryLater, "disk is full"),
        (_postgresql("28P01"), FixConfiguration, "refuses us"),
        (_postgresql("42501"), FixConfiguration, "refuses us"),
        (_postgresql("42P01"), CallUs, "defect"),
        (PoolTimeout("secret"), Busy, "busy"),
    ],
)
def test_faults_by_code(fault: Exception, kind: type[ConnectorError], said: str) -> None:
    """The database's own words stay behind."""
    with pytest.raises(kind, match=said) as caught, store_faults():
        raise fault
    assert type(caught.value) is kind
    assert caught.value.__cause__ is fault
    assert "secret" not in str(caught.value)
