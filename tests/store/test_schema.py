"""Opening a store: fresh, twice at once, again, and after a newer version."""

from __future__ import annotations

import subprocess
import sys

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from connector.clock import SystemClock
from connector.errors import FixConfiguration, RetryLater
from connector.store import open_store
from connector.store.engines import connect
from connector.store.schema import configuration
from connector.store.tables import metadata
from tests.store.test_operations import accept

HEAD = ScriptDirectory.from_config(configuration()).get_current_head()
OPEN = "import sys; from connector.store import open_store; open_store(sys.argv[1]).put_note('aws', sys.argv[2], 'x')"


def test_migrations_make_what_the_tables_say(store_url: str) -> None:
    """Columns, types, keys and indexes."""
    store = open_store(store_url)
    with store._database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        found = inspect(connection)
        for table in metadata.sorted_tables:
            indexes = {index["name"]: index["column_names"] for index in found.get_indexes(table.name)}
            expected = {index.name: [column.name for column in index.columns] for index in table.indexes}
            assert {name: indexes.get(name) for name in expected} == expected
            key = found.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key.columns]
    store.close()


def test_opening_again_keeps_what_is_there(store_url: str) -> None:
    """The second time there is nothing to do."""
    first = open_store(store_url)
    first.put_note("aws", "key", "value")
    first.close()

    second = open_store(store_url)

    assert second.note("aws", "key") == "value"
    second.close()


def test_operations_of_all_sources_are_numbered_anew(store_url: str) -> None:
    """By time, in the order their sources know, also where a clock was put back; what comes next follows them."""
    database = connect(store_url, SystemClock())
    with database.writing() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0006")
        connection.execute(text("INSERT INTO source (id, name, operation) VALUES (1, 'a', 4), (2, 'b', 7)"))
        for source, number, at in ((1, 2, 10), (1, 3, 5), (1, 4, 30), (2, 6, 7), (2, 7, 20)):
            connection.execute(
                text(
                    "INSERT INTO operation (id, source, number, command, account, turn, caller, content, key, asked,"
                    " state, steps, answer, accepted_at, fence) VALUES (:id, :source, :number, 'c', 'u1', 'u1', '',"
                    " :id, '', '{}', 'accepted', '[]', '{}', :at, 1)"
                ),
                {"id": f"{source}-{number}", "source": source, "number": number, "at": at},
            )
    database.dispose()

    store = open_store(store_url)
    new, mine = accept(store, source="a")

    assert mine
    listed = [each.id for each in store.operations.listed(None, False, 9)]
    assert listed == [new.id, "1-4", "2-7", "1-3", "1-2", "2-6"]
    with store._database.writing() as connection:
        assert next(iter(inspect(connection).get_unique_constraints("source")))["column_names"] == ["name"]
        config.attributes["connection"] = connection
        command.downgrade(config, "0006")
        assert set(connection.execute(text("SELECT operation FROM source")).scalars()) == {6}
    store.close()


def test_processes_that_start_together(store_url: str) -> None:
    """One migrates, the others wait for it."""
    keys = ["a", "b", "c"]
    processes = [
        subprocess.Popen([sys.executable, "-W", "error", "-c", OPEN, store_url, key], stderr=subprocess.PIPE)
        for key in keys
    ]
    for process in processes:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said.decode()

    store = open_store(store_url)
    assert [store.note("aws", key) for key in keys] == ["x"] * 3
    store.close()


def test_a_newer_store_is_left_alone(store_url: str) -> None:
    """Its tables may mean something else by now."""
    open_store(store_url).close()
    database = connect(store_url, SystemClock())
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.dispose()

    with pytest.raises(FixConfiguration, match="newer version"):
        open_store(store_url)


def test_who_had_opened_it_before_a_newer_version_changed_it_does_nothing_more(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list could lack what is kept elsewhere by now, and a change be kept where nobody looks."""
    monkeypatch.setattr("connector.store.database.BELIEVED", 0.0)
    store = open_store(store_url)
    operation, _ = accept(store)
    database = connect(store_url, SystemClock())
    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for does in (
        lambda: accept(store, "c2"),
        lambda: store.operations.end(operation, "failed", {}),
        lambda: store.operations.take_abandoned("two", 10.0),
        lambda: store.audit.append({"what": "intent"}),
        lambda: store.begin_census("aws", "one", 10.0),
        lambda: store.latest("aws"),
        lambda: store.operations.operation(operation.id),
    ):
        with pytest.raises(RetryLater, match="Another version"):
            does()

    with database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :head"), {"head": HEAD})
    assert store.operations.end(operation, "failed", {}).state == "failed"
    database.dispose()
    store.close()


def test_names_sort_alike_everywhere(store_url: str) -> None:
    """PostgreSQL is told for each column that pages or orders by a name; SQLite does so anyway."""
    store = open_store(store_url)
    with store._database.reading() as connection:
        if connection.dialect.name == "postgresql":
            found = connection.execute(
                text(
                    "SELECT table_name || '.' || column_name FROM information_schema.columns"
                    " WHERE table_schema = 'public' AND collation_name = 'C' ORDER BY 1"
                )
            ).scalars()
            assert {"fact.id", "fact.subject", "fact.held", "staged.id", "note.key"} <= set(found)
    store.close()
