"""Who calls, and how far that reaches (DESIGN §7).

Tokens found in a request come in, the callers they prove go out. Every token given is compared with every token
known, always all of them, so that the time taken tells nothing. Nothing is logged here and no token is kept.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from connector.errors import Forbidden, Unauthenticated
from connector.tokens import Scope, Token, digest_of

_LONGEST = 4096


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
    return tuple(each for each in given if 0 < len(each.token) <= _LONGEST)


class Callers:
    """Everybody who may call."""

    def __init__(self, tokens: Sequence[Token], now: Callable[[], float]) -> None:
        self._tokens = tuple(tokens)
        self._now = now

    def identify(self, given: Sequence[Credential]) -> tuple[Token, ...]:
        """The known tokens among those given, at least one; one wrong among them harms nothing. `Unauthenticated`."""
        if not given:
            raise Unauthenticated("A token is needed: Authorization: Bearer, or config.connectorToken.")
        found = [token for credential in given for token in self._match(credential)]
        valid = tuple(token for token in found if not token.expired(self._now()))
        if not valid:
            raise Unauthenticated("The token has expired." if found else "The token is not known here.")
        return valid

    def _match(self, credential: Credential) -> list[Token]:
        digest = digest_of(credential.token)
        matches = [(hmac.compare_digest(digest, token.digest), token) for token in self._tokens]
        return [token for same, token in matches if same and credential.name in (None, token.name)]


def authorise(callers: Sequence[Token], scope: Scope, source: str | None) -> Token:
    """The caller that may do what needs `scope` on `source`. `Forbidden` says what is missing."""
    able = [caller for caller in callers if caller.covers(scope)]
    if not able:
        raise Forbidden(f"The token of {callers[0].name} has the scope {callers[0].scope}; this needs {scope}.")
    for caller in able:
        if source is None or caller.reaches(source):
            return caller
    raise Forbidden(f"The token of {able[0].name} is not for this source.")
