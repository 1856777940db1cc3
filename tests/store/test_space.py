"""What snapshots cost: six of them, each with one per cent changed, take less than one and a half times one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, text

from connector.model import Fact
from connector.store import Store
from connector.store.tables import fact

USERS = 1000
KINDS = ("user", "membership")


def organisation(generation: int) -> Iterator[Fact]:
    """Users with four memberships each; every hundredth differs in each generation."""
    for number in range(USERS):
        id_ = f"906760b2d7-{number:08x}-0000-4000-8000-000000000000"
        body = {"name": f"user{number}", "title": generation if number % 100 == generation else 0}
        yield Fact("user", id_, id_, body={"attributes": body})
        for group in range(4):
            held = f"906760b2d7-{(number * 7 + group) % 200:08x}-0000-4000-8000-0000000000aa"
            new = generation if (number + group) % 100 == generation else 0
            yield Fact("membership", f"{held}/{id_}", id_, held, {"id": f"{number}-{group}-{new}"})


@pytest.fixture
def sizes(store: Store) -> list[tuple[int, int]]:
    """Rows and bytes after each of six publications."""
    measured = []
    for generation in range(6):
        census = store.begin_census("aws", "one", 300)
        assert census is not None
        store.stage(census, organisation(generation))
        assert store.publish(census, KINDS, {}, 0) is not None
        measured.append((_rows(store), _bytes(store)))
    return measured


def test_six_snapshots(sizes: list[tuple[int, int]]) -> None:
    """Rows of facts, and the whole database with its indexes and what staging left."""
    rows, space = zip(*sizes, strict=True)
    assert rows[0] == USERS * 5
    assert rows[-1] < 1.15 * rows[0]
    assert space[-1] < 1.5 * space[0]


def _rows(store: Store) -> int:
    with store._database.reading() as connection:
        return connection.execute(select(func.count()).select_from(fact)).scalar_one()


def _bytes(store: Store) -> int:
    with store._database.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            # What its cleaner does by itself a little later.
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM staged, fact"))
            return connection.execute(text("SELECT pg_total_relation_size('fact')")).scalar_one()
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.exec_driver_sql("BEGIN")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        return pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one()
