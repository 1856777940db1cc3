"""Tokens kept in memory, for tests that need no database (`ports.Tokens`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from connector.errors import RetryLater
from connector.tokens import KeptToken


class Memory:
    """A store that can be away."""

    def __init__(self, *known: KeptToken) -> None:
        self.known = {each.token.digest: each for each in known}
        self.finds = 0
        self.uses: list[tuple[bytes, float]] = []
        self.away = False

    def find(self, digest: bytes) -> KeptToken | None:
        self.finds += 1
        if self.away:
            raise RetryLater("The store is away.")
        return self.known.get(digest)

    def keep(self, token: KeptToken) -> None:
        self.known[token.token.digest] = token

    def listed(self) -> Sequence[KeptToken]:
        return [each for each in self.known.values() if each.parent is None]

    def revoke(self, digest: bytes) -> bool:
        return self.known.pop(digest, None) is not None

    def shorten(self, digest: bytes, until: datetime) -> None:
        kept = self.known[digest]
        self.known[digest] = replace(kept, token=replace(kept.token, expires=until))

    def used(self, digest: bytes, at: float) -> None:
        self.uses.append((digest, at))
