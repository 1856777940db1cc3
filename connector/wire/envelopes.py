"""The envelope of the SaaS face, `{type, input, config, version?}`: bytes of a request become one frozen `Envelope`.

Secrets that callers put into `config` are taken out at once and kept apart, so that nothing later can show them.
Members nobody knows are ignored: SailPoint's own clients send `connectorRef`, `tag` and whatever a source's form holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.errors import FixRequest
from connector.wire.json_objects import object_in
from connector.wire.legible import legible

SECRETS: Final = ("connectorToken", "proxyPassword")
"""Members of `config` that can hold the caller's token; ISC stores both as secrets."""
_SHOWN_TYPE: Final = 100


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a caller of the SaaS face sent."""

    type: str
    """The command; `undefined` where none was sent, as SailPoint's runtime calls it."""
    input: object
    config: Mapping[str, Any]
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @property
    def source(self) -> str | None:
        """The source `config` names. `FixRequest` when that is no text."""
        named = self.config.get("source")
        if named is not None and not isinstance(named, str):
            raise FixRequest("config.source is the name of a source, as text.")
        return named.strip() if named and named.strip() else None


def parse_envelope(body: bytes) -> Envelope:
    """The envelope in a JSON body; `FixRequest` says why it is none."""
    sent = object_in(body, "a JSON object: {type, input, config}")
    config = sent.get("config")
    config = dict(config) if isinstance(config, dict) else {}
    secrets = [config.pop(name, None) for name in SECRETS]
    return Envelope(
        type=_type(sent.get("type")),
        input=sent.get("input"),
        config=config,
        secrets=tuple(secret for secret in secrets if isinstance(secret, str) and secret),
    )


def _type(sent: object) -> str:
    if sent is None:
        return "undefined"
    text = sent if isinstance(sent, str) else json.dumps(sent)
    return legible(text[:_SHOWN_TYPE])
