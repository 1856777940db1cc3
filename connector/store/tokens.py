"""Tokens of callers in the store (`ports.Tokens`): found by hash, made and taken away by `idc-connector token`.

Every process asks here, so that what one operator changes is true everywhere. Whether a token is good is not decided
here, and none is ever seen: only hashes come in.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Row, delete, func, or_, select, update

from connector.store.database import Database
from connector.store.ledgers import token
from connector.tokens import KeptToken, Scope, Token


class Tokens:
    """Tokens of all callers."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, digest: bytes) -> KeptToken | None:
        """The token of that hash, expired or not."""
        with self._database.reading() as connection:
            row = connection.execute(select(token).where(token.c.digest == digest.hex())).one_or_none()
        return None if row is None else _kept(row)

    def keep(self, kept: KeptToken) -> None:
        """Make it known; one that is known already is left as it is."""
        about = kept.token
        row = {
            "digest": about.digest.hex(),
            "name": about.name,
            "scope": about.scope,
            "sources": None if about.sources is None else "+".join(sorted(about.sources)),
            "made_at": kept.made,
            "expires_at": None if about.expires is None else about.expires.timestamp(),
            "used_at": kept.used,
            "parent": None if kept.parent is None else kept.parent.hex(),
        }
        with self._database.writing() as connection:
            connection.execute(self._database.insert(token).values(row).on_conflict_do_nothing())

    def listed(self) -> Sequence[KeptToken]:
        """All that stand for themselves, by name, the oldest first."""
        own = select(token).where(token.c.parent.is_(None)).order_by(token.c.name, token.c.made_at, token.c.digest)
        with self._database.reading() as connection:
            return [_kept(row) for row in connection.execute(own)]

    def revoke(self, digest: bytes) -> bool:
        """Forget it and all that were had for it."""
        with self._database.writing() as connection:
            connection.execute(delete(token).where(token.c.parent == digest.hex()))
            return connection.execute(delete(token).where(token.c.digest == digest.hex())).rowcount > 0

    def shorten(self, digest: bytes, until: datetime) -> None:
        """Have it end then, unless it ends before."""
        end = until.timestamp()
        later = or_(token.c.expires_at.is_(None), token.c.expires_at > end)
        with self._database.writing() as connection:
            connection.execute(update(token).where(token.c.digest == digest.hex(), later).values(expires_at=end))

    def used(self, digest: bytes, at: float) -> None:
        """Note its last use; processes may tell theirs in any order."""
        latest = func.coalesce(token.c.used_at, 0.0) < at
        with self._database.writing() as connection:
            connection.execute(update(token).where(token.c.digest == digest.hex(), latest).values(used_at=at))


def _kept(row: Row[tuple[object, ...]]) -> KeptToken:
    about = Token(
        name=str(row.name),
        scope=cast(Scope, row.scope),
        digest=bytes.fromhex(row.digest),
        sources=None if row.sources is None else frozenset(row.sources.split("+")),
        expires=None if row.expires_at is None else datetime.fromtimestamp(row.expires_at, UTC),
    )
    parent = None if row.parent is None else bytes.fromhex(row.parent)
    return KeptToken(about, row.made_at, row.used_at, parent)
