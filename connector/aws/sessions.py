"""A source becomes boto3 clients: whose credentials, which Region, how patient, and what counts as an answer.

Credentials come from botocore's default chain (environment, profile, web identity, container, instance), or from the
source's role, assumed by that chain's identity and refreshed before it expires. Never from a caller, and never from
the base identity once a role is configured: a role that cannot be assumed is a fault. Clients are made once for each
source, service and Region, and shared by threads (clients are thread-safe, sessions are not: boto3 guide "Session").
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Final, cast

import boto3
import botocore.session
from botocore.config import Config
from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials
from botocore.exceptions import BotoCoreError, NoCredentialsError

from connector.aws.answers import Parsers
from connector.aws.faults import BrokenAnswer, misconfigured
from connector.aws.sentences import ACTION_PREFIX
from connector.errors import FixConfiguration
from connector.model import Source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CONNECT_TIMEOUT: Final = 3.0
READ_TIMEOUT: Final = 20.0
"""Seconds of silence after which an attempt is given up. A call with less patience left waits less."""
CONNECTIONS: Final = 50
"""Pool of each client: above the threads a census and its neighbours use, or urllib3 drops connections."""

RENEWAL: Final = 10.0
"""Seconds within which credentials are not renewed a second time."""

CONFIG: Final = Config(
    # Once: `calls` retries, so that every attempt is paced and counted (docs/decisions/0002).
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=CONNECT_TIMEOUT,
    read_timeout=READ_TIMEOUT,
    max_pool_connections=CONNECTIONS,
    tcp_keepalive=True,
    user_agent_appid="idc-connector",  # type: ignore[call-arg]  # missing in the stubs of 1.43
)


class Sessions:
    """Clients of all sources, made when first asked for."""

    def __init__(self) -> None:
        _models()  # now, rather than while the first caller waits
        self._lock = threading.Lock()
        self._sessions: dict[Source, boto3.Session] = {}
        self._clients: dict[tuple[Source, str, str], Any] = {}
        self._renewed: dict[Source, float] = {}

    def region(self, source: Source) -> str:
        """Region the source is configured for; `FixConfiguration` when nothing names one."""
        # boto3 reads AWS_DEFAULT_REGION only; containers and functions of AWS set AWS_REGION.
        named = source.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
        if named:
            return named
        with self._lock:
            from_profile = self._session(source).region_name
        if not from_profile:
            raise FixConfiguration(f"No Region for source {source.name}: set its region, or AWS_REGION.")
        return from_profile

    def client(self, source: Source, service: str, region: str) -> Any:
        """The client, untyped: `calls` names operations as data."""
        with self._lock:
            key = (source, service, region)
            if key not in self._clients:
                self._clients[key] = self._make(source, service, region)
            return self._clients[key]

    def renew(self, source: Source) -> None:
        """Forget the source's credentials and clients, so that the next call looks for new ones.

        Many threads find out at once that the same credentials ran out: the first renews for all.
        """
        with self._lock:
            if time.monotonic() - self._renewed.get(source, -RENEWAL) < RENEWAL:
                return
            self._renewed[source] = time.monotonic()
            self._drop(source)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            for source in {each[0] for each in self._clients}:
                self._drop(source)

    def _drop(self, source: Source) -> None:
        self._sessions.pop(source, None)
        for key in [each for each in self._clients if each[0] == source]:
            # Calls under way keep their connection; only idle ones are closed.
            self._clients.pop(key).close()

    def _make(self, source: Source, service: str, region: str) -> Any:
        try:
            # One of the service names of faults.ACTION_PREFIX; the stubs want a literal.
            client = cast("Any", self._session(source)).client(service, region_name=region, config=CONFIG)
        except (BotoCoreError, ValueError) as caught:
            raise misconfigured(caught) from caught
        return _watched(client)

    def _session(self, source: Source) -> boto3.Session:
        if source not in self._sessions:
            try:
                self._sessions[source] = _session_of(source)
            except BotoCoreError as caught:
                raise misconfigured(caught) from caught
        return self._sessions[source]


@cache
def _models() -> Any:
    """botocore's service models: megabytes of JSON, read once and not once for each source."""
    loader = botocore.session.Session().get_component("data_loader")
    for service in ACTION_PREFIX:
        loader.load_service_model(service, "service-2")
        loader.load_service_model(service, "endpoint-rule-set-1")
    for name in ("endpoints", "partitions"):
        loader.load_data(name)
    return loader


def _new_session() -> botocore.session.Session:
    session = botocore.session.Session()
    session.register_component("data_loader", _models())
    session.register_component("response_parser_factory", Parsers())
    return session


def _session_of(source: Source) -> boto3.Session:
    base = _new_session()
    if source.role_arn is None:
        return boto3.Session(botocore_session=base)
    credentials = base.get_credentials()
    if credentials is None:
        raise NoCredentialsError
    fetcher = AssumeRoleCredentialFetcher(
        partial(_sts, base, _sts_region(source, base)),
        credentials,
        source.role_arn,
        extra_args={
            "RoleSessionName": "idc-connector",
            **({"ExternalId": source.external_id} if source.external_id else {}),
        },
        cache={},
    )
    assumed = _new_session()
    # botocore has no public setter for credentials that refresh themselves; a test holds this one.
    cast("Any", assumed)._credentials = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return boto3.Session(botocore_session=assumed)


def _sts(base: botocore.session.Session, region: str | None, service: str, **credentials: Any) -> Any:
    """The client that assumes the role, as watchful as the others."""
    return _watched(cast("Any", base).create_client(service, region_name=region, config=CONFIG, **credentials))


def _sts_region(source: Source, base: botocore.session.Session) -> str | None:
    named = source.region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    return named or cast("str | None", base.get_config_variable("region"))


# ---- what every client does around a call ----------------------------------------------------------------------

_wait = threading.local()


def _watched(client: Any) -> Any:
    """Handlers on a client, before any thread can share it."""
    client.meta.events.register("before-call", _bound_wait)
    client.meta.events.register("before-parse", _refuse_half_answers)
    return client


@contextmanager
def waiting_at_most(seconds: float) -> Iterator[None]:
    """Calls made by this thread within give up after `seconds` of silence, `READ_TIMEOUT` at most."""
    _wait.seconds = min(READ_TIMEOUT, max(0.2, seconds))
    try:
        yield
    finally:
        _wait.seconds = READ_TIMEOUT


def _bound_wait(params: dict[str, Any], **_: Any) -> None:
    """`before-call`: botocore takes a read time-out of one request from its context (httpsession, since 1.43)."""
    params["context"]["read_timeout"] = getattr(_wait, "seconds", READ_TIMEOUT)


def _refuse_half_answers(response_dict: Mapping[str, Any], **_: Any) -> None:
    """`before-parse`: botocore takes a body that breaks off for whole."""
    announced = response_dict["headers"].get("Content-Length")
    if announced is not None and announced.isdigit() and int(announced) != len(response_dict["body"]):
        raise BrokenAnswer(f"{len(response_dict['body'])} of {announced} bytes")
