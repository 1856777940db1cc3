"""What the operator decided: environment and sources file, read once into frozen dataclasses (DESIGN §7).

Goes to `app`, `serving` and `cli`. Every variable can also be given as `<NAME>_FILE`, the path of a file that holds
it. All mistakes are told at once. Nothing else in the service reads the environment, except boto3 its own variables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Literal, TypeVar, cast
from urllib.parse import urlsplit

from environs import FileAwareEnv

from connector.errors import FixConfiguration
from connector.model import Source
from connector.sources import DEFAULT, parse_sources
from connector.tokens import Token, parse_tokens

LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
_AWS_IDENTITY: Final = ("AWS_PROFILE", "AWS_ROLE_ARN")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the service is told from outside, checked."""

    tokens: tuple[Token, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=lambda: {DEFAULT: Source(DEFAULT)})
    store_url: str = field(default="", repr=False)
    """SQLAlchemy URL; it may hold a password."""
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
    aws_surroundings: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """AWS variables that decide which AWS is asked; a snapshot of another one is not ours."""

    @property
    def default_source(self) -> Source:
        """The source that answers where none is named and none is needed: `default`, or the first one."""
        return self.sources.get(DEFAULT) or next(iter(self.sources.values()))


def read_settings() -> Settings:
    """Settings as the environment has them now. `FixConfiguration` lists every mistake, one a line."""
    problems: list[str] = []
    values = _Variables(problems)
    aws_tps = values.get("CONNECTOR_AWS_TPS", _rate, 18.0)
    settings = Settings(
        tokens=values.get("CONNECTOR_API_TOKENS", parse_tokens, ()),
        sources=_sources(values, problems),
        store_url=values.get("CONNECTOR_STORE_URL", _store_url, None) or default_store_url(),
        audit_log=values.get("CONNECTOR_AUDIT_LOG", str, None),
        audit_key=values.get("CONNECTOR_AUDIT_KEY", _audit_key, None),
        aws_tps=aws_tps,
        identitystore_tps=values.get("CONNECTOR_IDENTITYSTORE_TPS", _rate, aws_tps),
        organizations_tps=values.get("CONNECTOR_ORGANIZATIONS_TPS", _rate, 4.0),
        log_level=values.get("CONNECTOR_LOG_LEVEL", _log_level, "INFO"),
        public_url=values.get("CONNECTOR_PUBLIC_URL", _web_address, None),
        proxy_hops=values.get("CONNECTOR_PROXY_HOPS", _hops, None),
        tls_cert=values.get("CONNECTOR_TLS_CERT", _readable, None),
        tls_key=values.get("CONNECTOR_TLS_KEY", _readable, None),
        aws_surroundings=aws_surroundings(),
    )
    if (settings.tls_cert is None) != (settings.tls_key is None):
        problems.append("CONNECTOR_TLS_CERT and CONNECTOR_TLS_KEY are set together, or neither of them.")
    for token in settings.tokens:
        for source in sorted((token.sources or frozenset()) - set(settings.sources)):
            problems.append(f"CONNECTOR_API_TOKENS: {token.name} is limited to {source}, which is no source here.")
    if problems:
        raise FixConfiguration("\n".join(problems))
    return settings


class _Variables:
    """Variables of the environment, or of the files it names, each parsed; mistakes are collected."""

    def __init__(self, problems: list[str]) -> None:
        self._env = FileAwareEnv(eager=False, strip_whitespace=True)
        self._problems = problems

    def get(self, name: str, parse: Callable[[str], T], default: T) -> T:
        try:
            text = self._env.str(name, "").strip()
        except (ValueError, OSError):  # undecodable is a ValueError too
            self._problems.append(f"{name}_FILE names a file that cannot be read; give the path of a text file.")
            return default
        try:
            return parse(text) if text else default
        except ValueError as error:
            self._problems.append(f"{name}: {error}.")
            return default


def _sources(values: _Variables, problems: list[str]) -> Mapping[str, Source]:
    # boto3 reads only AWS_DEFAULT_REGION; the other SDKs, and the platforms that set it, use AWS_REGION.
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or None
    sources = {DEFAULT: Source(DEFAULT)}
    if path := values.get("CONNECTOR_SOURCES", str, ""):
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError):
            problems.append("CONNECTOR_SOURCES names a file that cannot be read; give the path of a TOML file.")
        else:
            sources, wrong = parse_sources(text)
            problems += [f"CONNECTOR_SOURCES: {sentence}." for sentence in wrong]
    return {name: source if source.region else replace(source, region=region) for name, source in sources.items()}


def aws_surroundings() -> tuple[tuple[str, str], ...]:
    """AWS's own variables that name an endpoint or an identity, but no secret among them."""
    names = [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL") or name in _AWS_IDENTITY]
    return tuple((name, os.environ[name]) for name in sorted(names))


def default_store_url() -> str:
    """SQLite in the user's state directory, so that a restart finds what was kept (XDG base directories)."""
    state = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return f"sqlite:///{Path(state) / 'idc-connector' / 'connector.db'}"


# ---- what a variable can be --------------------------------------------------------------------------------------


def _rate(text: str) -> float:
    rate = _number(text, "calls a second, such as 18")
    if not 0.1 <= rate <= 1000:
        raise ValueError("give calls a second, from 0.1 to 1000")
    return rate


def _number(text: str, means: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"'{text}' is no number; give {means}") from None


def _hops(text: str) -> int:
    if not text.isdecimal() or not 0 <= int(text) <= 10:
        raise ValueError("give the number of reverse proxies in front, 0 to 10")
    return int(text)


def _log_level(text: str) -> LogLevel:
    if text.upper() not in _LEVELS:
        raise ValueError(f"give one of {', '.join(_LEVELS)}")
    return cast(LogLevel, text.upper())


def _store_url(text: str) -> str:
    if "://" not in text:
        raise ValueError("give an SQLAlchemy URL, such as sqlite:////var/lib/connector/connector.db")
    return text


def _audit_key(text: str) -> bytes:
    if len(text) < 32:
        raise ValueError("give at least 32 characters nobody can guess, such as `openssl rand -hex 32` prints")
    return text.encode()


def _web_address(text: str) -> str:
    address = urlsplit(text)
    if address.scheme not in ("http", "https") or not address.netloc or address.query or address.fragment:
        raise ValueError("give the address callers use, such as https://connector.example.com")
    return text.rstrip("/")


def _readable(text: str) -> str:
    try:
        with Path(text).open("rb"):
            return text
    except (OSError, ValueError):
        raise ValueError("the file cannot be read; give the path of a PEM file") from None
