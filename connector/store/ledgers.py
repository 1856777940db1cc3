"""The tables of what we did ourselves: operations and their keys, what was stripped, the audit and its head,
tokens of callers.

Read by the modules of the same nouns; changed only with a migration. `tables` says how texts are compared.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import BigInteger, Column, Double, Index, Integer, Table, Text

from connector.store.tables import Key, metadata

operation = Table(
    "operation",
    metadata,
    Column("id", Key, primary_key=True),
    Column("source", Integer, nullable=False),
    # Acceptance in order, of all sources: clocks may stand still or jump, this never does.
    Column("number", BigInteger, nullable=False),
    Column("command", Text, nullable=False),
    Column("account", Key, nullable=False),
    Column("turn", Key, nullable=False),
    Column("caller", Text, nullable=False),
    Column("content", Key, nullable=False),
    Column("key", Text, nullable=False),
    # JSON.
    Column("asked", Text, nullable=False),
    Column("state", Text, nullable=False),
    # JSON, a list.
    Column("steps", Text, nullable=False),
    # JSON.
    Column("answer", Text, nullable=False),
    Column("accepted_at", Double, nullable=False),
    Column("ended_at", Double),
    # Owner and time are null once it has ended; the fence stays.
    Column("fence", BigInteger, nullable=False),
    Column("lease_owner", Text),
    Column("lease_until", Double),
)
"""One row a change that was accepted."""

unfinished: Final = operation.c.ended_at.is_(None)
ended: Final = operation.c.ended_at.is_not(None)

Index("operation_number", operation.c.number, unique=True)
# The way to the few unfinished ones. There may be two of one content, with another between them.
Index(
    "operation_unfinished",
    operation.c.source,
    operation.c.content,
    sqlite_where=unfinished,
    postgresql_where=unfinished,
)
# The way to the oldest of them, which is looked for every few seconds.
Index("operation_oldest", operation.c.number, sqlite_where=unfinished, postgresql_where=unfinished)
Index("operation_content", operation.c.source, operation.c.content)
Index("operation_turn", operation.c.source, operation.c.turn, operation.c.number)
Index("operation_account", operation.c.account, operation.c.number)
Index("operation_ended", operation.c.ended_at, sqlite_where=ended, postgresql_where=ended)

operation_head = Table(
    "operation_head",
    metadata,
    # One row. Who accepts holds it.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, nullable=False),
)
"""Number of the newest operation."""

operation_key = Table(
    "operation_key",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("caller", Key, primary_key=True),
    Column("key", Key, primary_key=True),
    Column("operation", Key, nullable=False),
    Column("at", Double, nullable=False),
)
"""Which operation a caller's Idempotency-Key stands for. Several keys may stand for one: it was joined under them."""

stripped = Table(
    "stripped",
    metadata,
    Column("source", Integer, primary_key=True, autoincrement=False),
    Column("user", Key, primary_key=True),
    Column("attribute", Key, primary_key=True),
    Column("value", Key, primary_key=True),
    Column("at", Double, nullable=False),
)
"""What was taken from users to disable them. Rows without attribute say that a journal is begun, and complete."""

Index("stripped_user", stripped.c.user)

audit = Table(
    "audit",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Double, nullable=False),
    # JSON in one spelling: the hash is over its text.
    Column("record", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""The record of what was asked and done. Nothing here is ever changed or taken away."""

audit_head = Table(
    "audit_head",
    metadata,
    # One row. Who appends holds it.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("entries", BigInteger, nullable=False),
    Column("hash", Text, nullable=False),
)
"""How far the audit goes, so that entries missing at its end are missed."""

token = Table(
    "token",
    metadata,
    # SHA-256 in hex; the token itself is kept nowhere.
    Column("digest", Key, primary_key=True),
    Column("name", Key, nullable=False),
    Column("scope", Text, nullable=False),
    # Names joined by '+'; null: all.
    Column("sources", Text),
    Column("made_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("used_at", Double),
    # Digest of the token it was had for, which may be one of the environment.
    Column("parent", Key),
)
"""Who may call."""

Index("token_parent", token.c.parent)
Index("token_expires", token.c.expires_at)
