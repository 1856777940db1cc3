"""Who calls (docs/callers.md): tokens found in a request come in, the callers they prove go out.

Every token given is compared with every token of the environment, always all of them, so that the time taken tells
nothing; those of the store are asked for by hash. How far a caller reaches is in `scopes`. No token is kept here.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.errors import Busy, RetryLater, Unauthenticated
from connector.tokens import Scope, Token, digest_of
from connector.web.attempts import Attempts
from connector.web.kept_tokens import KeptTokens

LONGEST: Final = 16_384
"""Characters of a token: those of identity providers are long."""
SHORTEST: Final = 32
"""Fewer characters cannot hold 256 bits: such a token was thought up, and whoever sees its hash can find it."""

NEEDED: Final = (
    "A token is needed: Authorization: Bearer <token>, or Basic with name:token; a command may carry it in"
    " config.connectorToken."
)


@dataclass(frozen=True, slots=True)
class Credential:
    """A token as it was given, with the name given beside it by Basic."""

    token: str = field(repr=False)
    name: str | None = None


def credentials_of(authorization: str | None, secrets: Iterable[str] = ()) -> tuple[Credential, ...]:
    """Everything in a request that can be a token: `Bearer`, `Basic name:token`, and secrets of the body."""
    given = [Credential(secret) for secret in secrets]
    scheme, _, value = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        given.append(Credential(value.strip()))
    if scheme.lower() == "basic":
        try:
            name, _, token = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except ValueError:
            pass  # no base64, or no text: no credential
        else:
            given.append(Credential(token, name))
    return tuple(each for each in given if 0 < len(each.token) <= LONGEST)


class Callers:
    """Everybody who may call."""

    def __init__(
        self,
        tokens: Sequence[Token],
        now: Callable[[], float],
        kept: KeptTokens | None = None,
        provider: Callable[[str], Token | None] | None = None,
        attempts: Attempts | None = None,
    ) -> None:
        self._tokens = tuple(tokens)
        self._now = now
        self._kept = kept
        self._provider = provider
        self._attempts = attempts or Attempts()

    def identify(self, given: Sequence[Credential], address: str = "") -> tuple[Token, ...]:
        """The known tokens among those given, at least one; one wrong among them harms nothing.

        `Unauthenticated` without one; `Busy` when it was tried too often from this address or under this name.
        """
        if not given:
            raise Unauthenticated(NEEDED)
        found = [(credential, token) for credential in given for token in self._match(credential)]
        long = [token for credential, token in found if len(credential.token) >= SHORTEST]
        valid = tuple(token for token in long if not token.expired(self._now()))
        if not valid:
            names = {credential.name for credential in given if credential.name} | {token.name for _, token in found}
            raise self._failure(address, names, known=bool(found), long=bool(long))
        if self._kept is not None:
            for token in valid:
                self._kept.note_use(token.digest)
        return valid

    def clients(self, given: Sequence[Credential], address: str = "") -> tuple[Token, ...]:
        """Of those that `identify` finds, the ones that prove their own name and were had for no other."""
        named = [credential for credential in given if credential.name is not None]
        valid = self.identify(named, address) if named else ()
        own = tuple(token for token in valid if token.digest and (self._kept is None or self._kept.own(token.digest)))
        if not own:
            raise Unauthenticated("The client is not known here.")
        return own

    def issue(self, client: Token, scope: Scope) -> tuple[str, float]:
        """A token of the client's for a short while, and for how many seconds. `RetryLater` without a store."""
        if self._kept is None:
            raise RetryLater("Tokens cannot be had for others here: there is no store.")
        return self._kept.issue(client, scope)

    def _match(self, credential: Credential) -> list[Token]:
        digest = digest_of(credential.token)
        found = self._of_environment(digest)
        if not found and self._kept is not None:
            kept = self._kept.find(digest, lambda other: next(iter(self._of_environment(other)), None))
            found = [kept] if kept is not None else []
        if not found and self._provider is not None and credential.name is None:
            proven = self._provider(credential.token)
            found = [proven] if proven is not None else []
        return [token for token in found if credential.name in (None, token.name)]

    def _of_environment(self, digest: bytes) -> list[Token]:
        matches = [(hmac.compare_digest(digest, token.digest), token) for token in self._tokens]
        return [token for same, token in matches if same]

    def _failure(self, address: str, names: set[str], *, known: bool, long: bool) -> Busy | Unauthenticated:
        after = self._attempts.failed(address, names, self._now())
        if after:
            return Busy("Too many tokens that are not valid; try again later.", after=after)
        if not known:
            return Unauthenticated("The token is not known here.")
        if not long:
            return Unauthenticated("The token is too short to be safe; make one with idc-connector token new.")
        return Unauthenticated("The token has expired.")
