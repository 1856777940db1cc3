"""What the operator decided: environment and sources file, read once into frozen dataclasses (docs/configuration.md).

Goes to `app`, `serving` and `cli`. Every variable can also be given as `<NAME>_FILE`, the path of a file that holds
it. All mistakes are told at once. Nothing else in the service reads the environment, except boto3 its own variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Final, TypeVar

from environs import FileAwareEnv

from connector.errors import FixConfiguration, SourceNotFound
from connector.model import Source
from connector.sources import DEFAULT, parse_sources
from connector.tokens import Token, parse_tokens
from connector.variables import (
    LogLevel,
    Reach,
    audit_key,
    clients,
    hops,
    key_set,
    log_level,
    rate,
    readable,
    secret_address,
    store_url,
    unreadable,
    web_address,
)

_AWS_IDENTITY: Final = ("AWS_PROFILE", "AWS_ROLE_ARN")
_OF_KUBERNETES: Final = re.compile(
    r"CONNECTOR_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)\Z"
)
"""Variables that pods get, unasked, for a Service named `connector` or `connector-…` (service links)."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the service is told from outside, checked."""

    tokens: tuple[Token, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=lambda: {DEFAULT: Source(DEFAULT)})
    store_url: str = field(default="", repr=False)
    """SQLAlchemy URL; it may hold a password."""
    store_in_default_place: bool = False
    """Whether we make the store's folder. One that was named is there, or else its path was mistyped."""
    audit_log: str | None = None
    """Where the audit goes besides the store: a path, or `-` for standard output."""
    audit_key: bytes | None = field(default=None, repr=False)
    """Makes the hashes of the audit ones that nobody else can make."""
    aws_tps: float = 18
    """Calls a second to sso-admin, whose quota is 20 for the whole instance."""
    identitystore_tps: float = 18
    organizations_tps: float = 4
    log_level: LogLevel = "INFO"
    public_url: str | None = None
    """Where callers reach us, without a slash at the end; links in answers start with it."""
    proxy_hops: int | None = None
    """How many reverse proxies stand in front; None: not said."""
    tls_cert: str | None = None
    tls_key: str | None = None
    tls_client_ca: str | None = None
    """PEM file of those who sign certificates of clients; each client then needs one, beside its token."""
    oidc_issuer: str | None = None
    """The customer's identity provider, whose tokens are accepted as well."""
    oidc_audience: str | None = None
    oidc_jwks_url: str | None = None
    """Where its keys are; without it the provider says where."""
    oidc_jwks: str | None = field(default=None, repr=False)
    """Its keys themselves, which are then never asked for."""
    oidc_clients: Mapping[str, Reach] | None = None
    """What its clients may do; others may nothing."""
    aws_surroundings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """AWS variables that decide which AWS is asked; a snapshot of another one is not ours."""

    def source(self, name: str | None) -> Source:
        """The source an operator names, the default one without a name; `SourceNotFound`."""
        if name is None:
            return self.default_source
        if name not in self.sources:
            raise SourceNotFound(f"There is no source {name}; there are {', '.join(self.sources)}.")
        return self.sources[name]

    @property
    def default_source(self) -> Source:
        """The source that answers where none is named and none is needed: `default`, or the first one."""
        return self.sources.get(DEFAULT) or next(iter(self.sources.values()))


def read_settings() -> Settings:
    """Settings as the environment has them now. `FixConfiguration` lists every mistake, one a line."""
    problems: list[str] = []
    values = _Variables(problems)
    aws_tps = values.get("CONNECTOR_AWS_TPS", rate, 18.0)
    store = values.get("CONNECTOR_STORE_URL", store_url, None)
    settings = Settings(
        tokens=values.get("CONNECTOR_API_TOKENS", parse_tokens, ()),
        sources=_sources(values, problems),
        store_url=default_store_url() if store is None else store,
        store_in_default_place=store is None,
        audit_log=values.get("CONNECTOR_AUDIT_LOG", str, None),
        audit_key=values.get("CONNECTOR_AUDIT_KEY", audit_key, None),
        aws_tps=aws_tps,
        identitystore_tps=values.get("CONNECTOR_IDENTITYSTORE_TPS", rate, aws_tps),
        organizations_tps=values.get("CONNECTOR_ORGANIZATIONS_TPS", rate, 4.0),
        log_level=values.get("CONNECTOR_LOG_LEVEL", log_level, "INFO"),
        public_url=values.get("CONNECTOR_PUBLIC_URL", web_address, None),
        proxy_hops=values.get("CONNECTOR_PROXY_HOPS", hops, None),
        tls_cert=values.get("CONNECTOR_TLS_CERT", readable, None),
        tls_key=values.get("CONNECTOR_TLS_KEY", readable, None),
        tls_client_ca=values.get("CONNECTOR_TLS_CLIENT_CA", readable, None),
        oidc_issuer=values.get("CONNECTOR_OIDC_ISSUER", secret_address, None),
        oidc_audience=values.get("CONNECTOR_OIDC_AUDIENCE", str, None),
        oidc_jwks_url=values.get("CONNECTOR_OIDC_JWKS_URL", secret_address, None),
        oidc_jwks=values.get("CONNECTOR_OIDC_JWKS", key_set, None),
        oidc_clients=values.get("CONNECTOR_OIDC_CLIENTS", clients, None),
        aws_surroundings=aws_surroundings(),
    )
    problems += _contradictions(settings, values.given)
    problems += values.unknown()
    if problems:
        raise FixConfiguration("\n".join(problems))
    return settings


def _contradictions(settings: Settings, given: set[str]) -> Iterator[str]:
    """What does not go together. One that is given counts, also when its value is wrong: that is said already."""
    if ("CONNECTOR_TLS_CERT" in given) != ("CONNECTOR_TLS_KEY" in given):
        yield "CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY are set together, or neither of them."
    if "CONNECTOR_TLS_CLIENT_CA" in given and "CONNECTOR_TLS_CERT" not in given:
        yield "CONNECTOR_TLS_CLIENT_CA needs CONNECTOR_TLS_CERT: without TLS there are no certificates of clients."
    provider = given & {"CONNECTOR_OIDC_ISSUER", "CONNECTOR_OIDC_AUDIENCE", "CONNECTOR_OIDC_CLIENTS"}
    if 0 < len(provider) < 3:
        yield "CONNECTOR_OIDC_ISSUER, CONNECTOR_OIDC_AUDIENCE and CONNECTOR_OIDC_CLIENTS are set together."
    if given & {"CONNECTOR_OIDC_JWKS_URL", "CONNECTOR_OIDC_JWKS"} and not provider:
        yield "CONNECTOR_OIDC_JWKS_URL and CONNECTOR_OIDC_JWKS say nothing without CONNECTOR_OIDC_ISSUER."
    if not settings.sources:  # none could be read, so nobody knows which there are
        return
    limited = [("CONNECTOR_API_TOKENS", token.name, token.sources) for token in settings.tokens]
    limited += [("CONNECTOR_OIDC_CLIENTS", name, reach[1]) for name, reach in (settings.oidc_clients or {}).items()]
    for variable, name, sources in limited:
        for source in sorted((sources or frozenset()) - set(settings.sources)):
            yield f"{variable}: {name} is limited to {source}, which is no source here."


class _Variables:
    """Variables of the environment, or of the files it names, each parsed; mistakes are collected."""

    def __init__(self, problems: list[str]) -> None:
        self._env = FileAwareEnv(eager=False, strip_whitespace=True)
        self._problems = problems
        self._known: list[str] = []
        self.given: set[str] = set()
        """Those that are set, also to a value that is wrong."""

    def get(self, name: str, parse: Callable[[str], T], default: T) -> T:
        self._known.append(name)
        try:
            text = self._env.str(name, "").strip()
        except (ValueError, OSError) as error:  # undecodable is a ValueError too
            self.given.add(name)
            reason = unreadable(os.environ.get(f"{name}_FILE", ""), error.__cause__ or error)
            self._problems.append(
                f"{name}_FILE names a file that cannot be read{reason}; give the path of a text file."
            )
            return default
        if not text:
            return default
        self.given.add(name)
        try:
            return parse(text)
        except ValueError as error:
            self._problems.append(f"{name}: {error}.")
            return default

    def unknown(self) -> Iterator[str]:
        """A sentence about each variable that is set, looks like ours and is none: it would be ignored silently."""
        known = [*self._known, *(f"{name}_FILE" for name in self._known)]
        for name in sorted(os.environ):
            if not name.startswith("CONNECTOR_") or name in known or not os.environ[name].strip():
                continue
            if _OF_KUBERNETES.match(name):
                continue
            near = get_close_matches(name, known, 1, cutoff=0.8)
            yield f"{name} is not known; " + (
                f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(self._known))}."
            )


def _sources(values: _Variables, problems: list[str]) -> Mapping[str, Source]:
    """The sources by name; none where their file cannot be read."""
    # boto3 reads only AWS_DEFAULT_REGION; the other SDKs, and the platforms that set it, use AWS_REGION.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None
    sources = {DEFAULT: Source(DEFAULT)}
    if path := values.get("CONNECTOR_SOURCES", str, ""):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            reason = unreadable(path, error)
            problems.append(
                f"CONNECTOR_SOURCES names a file that cannot be read{reason}; give the path of a TOML file."
            )
            return {}
        sources, wrong = parse_sources(text)
        problems += [f"CONNECTOR_SOURCES ({path}): {sentence}." for sentence in wrong]
    return {name: source if source.region else replace(source, region=region) for name, source in sources.items()}


def aws_surroundings() -> tuple[tuple[str, str], ...]:
    """AWS's own variables that name an endpoint or an identity, but no secret among them."""
    names = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") or name in _AWS_IDENTITY]
    return tuple((name, os.environ[name]) for name in sorted(names))


def default_store_url() -> str:
    """SQLite in the user's state directory, so that a restart finds what was kept (XDG base directories)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return f"sqlite:///{Path(state) / 'idc-connector' / 'connector.db'}"
