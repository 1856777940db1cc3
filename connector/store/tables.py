"""The tables, as they are at the newest migration. Read by every module of this room; changed only with a migration.

Texts that are compared or sorted use the order of code points, as Python does, whatever the database's own language.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    text,
)

Key: Final = Text().with_variant(Text(collation="C"), "postgresql")

metadata: Final = MetaData()

source = Table(
    "source",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Key, nullable=False, unique=True),
    # The lease of the census being made; the owner is null when there is none. A fence is never used twice.
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("lease_owner", Text),
    Column("lease_until", Double),
    Column("lease_started", Double),
    # Number of the newest mark.
    Column("mark", BigInteger, nullable=False, server_default="0"),
    # The last census, if it failed.
    Column("failed_at", Double),
    Column("failure", Text),
)
"""One row a source. Writers of one source take turns by locking its row."""

kind = Table(
    "kind",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Key, nullable=False, unique=True),
)
"""Names of kinds, once, so that a fact carries a number."""

snapshot = Table(
    "snapshot",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("census", Integer, nullable=False),
    Column("completed_at", Double, nullable=False),
    Column("published_at", Double, nullable=False),
    # JSON: what the census said about itself.
    Column("summary", Text, nullable=False),
    # JSON: how many facts of each kind that was read.
    Column("counts", Text, nullable=False),
)
"""What can be read. A fact whose numbers no row here spans is invisible."""

fact = Table(
    "fact",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", Key, primary_key=True),
    Column("valid_from", Integer, primary_key=True, autoincrement=False),
    Column("valid_to", Integer),
    Column("digest", LargeBinary(16), nullable=False),
    Column("subject", Key, nullable=False),
    Column("held", Key, nullable=False),
    # JSON, keys sorted.
    Column("body", Text, nullable=False),
)
"""One row a fact and life span: snapshots valid_from up to, not including, valid_to; null while it lives."""

about_someone = fact.c.subject != text("''")
"""Literal, not a parameter: a planner uses a partial index only for what it can see."""
held_by_someone = fact.c.held != text("''")
closed = fact.c.valid_to.is_not(None)
opened_later = fact.c.valid_from > text("1")
"""Leaves the first census out of an index that is only for what came after some snapshot."""


def _partial(name: str, *columns: Column[int] | Column[str], where: object) -> Index:
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


_partial("fact_subject", fact.c.source, fact.c.kind, fact.c.subject, where=about_someone)
# The life span lets a tally be counted from the index alone.
_partial(
    "fact_held", fact.c.source, fact.c.kind, fact.c.held, fact.c.valid_from, fact.c.valid_to, where=held_by_someone
)
_partial("fact_opened", fact.c.source, fact.c.valid_from, where=opened_later)
_partial("fact_closed", fact.c.source, fact.c.valid_to, where=closed)

staged = Table(
    "staged",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("fence", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("id", Key, primary_key=True),
    Column("digest", LargeBinary(16), nullable=False),
    Column("subject", Key, nullable=False),
    Column("held", Key, nullable=False),
    Column("body", Text, nullable=False),
)
"""Facts of a census being made, under its fence: what a dead owner still writes can never join a later census."""

mark = Table(
    "mark",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("subject", Text, nullable=False),
    Column("at", Double, nullable=False),
    # JSON: kinds of facts about it that the change read back.
    Column("kinds", Text, nullable=False, server_default="[]"),
)
"""When own changes of a subject started or ended."""

note = Table(
    "note",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("key", Key, primary_key=True),
    Column("value", Text, nullable=False),
)
"""Small texts that the core wants to find again."""
