"""Tokens of the store, as a process sees them: asked for by hash, remembered for seconds.

What is taken away in the store is refused everywhere as soon as it is forgotten here; what is new is found at once,
since only what was found is remembered. Last uses go back to the store, once a minute at most.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar

import structlog

from connector.errors import ConnectorError
from connector.ports import Tokens
from connector.tokens import SCOPES, KeptToken, Scope, Token, digest_of, new_token

FRESH: Final = 2.0
"""Seconds a token is believed after the store was asked: so long a revoked one may still pass."""
ISSUED_FOR: Final = 900.0
"""Seconds a token lives that was had for another."""
NOTED: Final = 60.0
"""Seconds between two notes of the use of one token."""
REMEMBERED: Final = 1024
"""Tokens remembered."""

T = TypeVar("T")
log = structlog.get_logger(__name__)


class KeptTokens:
    """Thread-safe."""

    def __init__(self, tokens: Tokens, now: Callable[[], float]) -> None:
        self._tokens = tokens
        self._now = now
        self._found: OrderedDict[bytes, tuple[float, KeptToken]] = OrderedDict()
        self._used: OrderedDict[bytes, float] = OrderedDict()
        self._turn = threading.Lock()

    def find(self, digest: bytes, others: Callable[[bytes], Token | None]) -> Token | None:
        """The token of that hash; `others` finds those that are not of the store, for which some were had."""
        kept = self._remembered(digest)
        if kept is None or kept.parent is None:
            return kept.token if kept else None
        parent = self._remembered(kept.parent)
        above = others(kept.parent) if parent is None else parent.token
        return None if above is None else _under(kept.token, above)

    def own(self, digest: bytes) -> bool:
        """Whether a token stands for itself, so that others may be had for it."""
        kept = self._remembered(digest)
        return kept is None or kept.parent is None

    def issue(self, parent: Token, scope: Scope) -> tuple[str, float]:
        """A new token that stands for its parent for a short while, and for how many seconds."""
        now = self._now()
        ends = now + ISSUED_FOR if parent.expires is None else min(now + ISSUED_FOR, parent.expires.timestamp())
        secret = new_token()
        until = datetime.fromtimestamp(ends, UTC)
        child = Token(parent.name, scope, digest_of(secret), parent.sources, until)
        self._tokens.keep(KeptToken(child, now, parent=parent.digest))
        return secret, ends - now

    def note_use(self, digest: bytes) -> None:
        """Tell the store that it was used. That it cannot be told stops nobody."""
        now = self._now()
        with self._turn:
            if abs(now - self._used.get(digest, -NOTED)) < NOTED or digest not in self._found:
                return
            _put(self._used, digest, now)
            _, kept = self._found[digest]
        # Whoever writes may wait for a publication; whoever calls must not.
        about = (kept.parent or digest, now)
        threading.Thread(target=self._note, args=about, name="token use", daemon=True).start()

    def _note(self, digest: bytes, at: float) -> None:
        try:
            self._tokens.used(digest, at)
        except ConnectorError as error:
            log.warning("the use of a token could not be noted", why=str(error))

    def _remembered(self, digest: bytes) -> KeptToken | None:
        now = self._now()
        with self._turn:
            at, kept = self._found.get(digest, (0.0, None))
        if kept is not None and 0 <= now - at < FRESH:
            return kept
        found = self._tokens.find(digest)
        with self._turn:
            if found is None:
                self._found.pop(digest, None)
            else:
                _put(self._found, digest, (now, found))
        return found


def _under(token: Token, above: Token) -> Token:
    """The token with no more than what it was had for has now."""
    scope = min(token.scope, above.scope, key=SCOPES.index)
    ends = [each for each in (token.expires, above.expires) if each is not None]
    return replace(token, name=above.name, scope=scope, sources=above.sources, expires=min(ends, default=None))


def _put(memory: OrderedDict[bytes, T], digest: bytes, value: T) -> None:
    memory[digest] = value
    memory.move_to_end(digest)
    if len(memory) > REMEMBERED:
        memory.popitem(last=False)
