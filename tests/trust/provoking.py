"""A service whose every secret is known, and everything that can go wrong with it: what then could show one is kept."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg import sql

from connector.sandbox.connection import HttpAnswer, HttpRequest
from connector.sandbox.organisation import Role
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE
from connector.store import open_store
from connector.tokens import KeptToken, Token, digest_of
from connector.web.rest.walking import KEY
from tests.named import Named
from tests.running import Running, change, key
from tests.trust.canaries import Canaries

ROLE = f"arn:aws:iam::{CORE}:role/connector"
TALKATIVE = (
    "AccessDeniedException",
    "ValidationException",
    "ConflictException",
    "SignatureDoesNotMatch",
    "ServiceQuotaExceededException",
    "ResourceNotFoundException",
    "InternalServerException",
    "NeverHeardOf",
)
"""Errors that AWS is made to answer with, each with secrets in its text."""

SHOWING = (
    "audit export",
    "audit verify",
    "token list",
    "operations --json",
    "doctor",
    "walk",
    "doctor --source guessed",
    "doctor --source unscim",
)
"""Commands that tell what is kept or found."""


@dataclass
class Provoked(Named):
    """The service, its callers, and what was heard of it."""

    sandbox: Sandbox
    directory: Path
    store_url: str
    canaries: Canaries
    away: Callable[[], AbstractContextManager[None]] = nullcontext
    """While in it, the store does not answer."""
    heard: list[tuple[str, int, bytes]] = field(default_factory=list)
    """What was asked, with which status it was answered, and all bytes of the answer, head included."""

    def __post_init__(self) -> None:
        planted = self.canaries
        organisation = self.sandbox.organisation
        organisation.roles[ROLE] = Role(ROLE, planted.external_id)
        tenant = next(iter(organisation.scim_tokens))
        organisation.scim_tokens[tenant] = planted.scim_token
        for name in ("scim_token", "wrong_scim_token"):
            (self.directory / name).write_text(getattr(planted, name))
        environment = {
            "CONNECTOR_STORE_URL": self.store_url,
            "CONNECTOR_LOG_LEVEL": "DEBUG",
            "CONNECTOR_AUDIT_KEY": planted.audit_key,
            "CONNECTOR_AUDIT_LOG": str(self.directory / "audit.log"),
            "CONNECTOR_API_TOKENS": f"sailpoint:provision:{digest_of(planted.bearer).hex()},"
            f"reader:read:{digest_of(planted.reader).hex()},former:admin:{'0' * 64}:2020-01-01",
            "AWS_ACCESS_KEY_ID": planted.aws_access_key,
            "AWS_SECRET_ACCESS_KEY": planted.aws_secret_key,
            "AWS_SESSION_TOKEN": planted.aws_session_token,
        }
        self.service = Running(self.sandbox, self.directory, self._sources(), environment)

    def _sources(self) -> str:
        def scim(token: str) -> str:
            return (
                f'disable_by = "scim"\nscim_endpoint = "{self.sandbox.scim_url}"\n'
                f'scim_token_file = "{self.directory / token}"\nread_deadline = 0.5\n'
            )

        def role(external_id: str) -> str:
            return f'role_arn = "{ROLE}"\nexternal_id = "{external_id}"\nread_deadline = 0.5\nsnapshot_max_age = 0\n'

        return (
            f"[sources.default]\n{role(self.canaries.external_id)}"
            f"[sources.guessed]\n{role(self.canaries.wrong_external_id)}"
            f"[sources.scim]\n{scim('scim_token')}[sources.unscim]\n{scim('wrong_scim_token')}"
        )

    def run(self) -> None:
        """Start it, provoke everything, stop it."""
        with closing(open_store(self.store_url)) as store:
            client = Token("iiq", "provision", digest_of(self.canaries.client_secret))
            store.tokens.keep(KeptToken(client, 0.0))
        self.service.start()
        try:
            for provoke in (
                self._callers,
                self._changes,
                self._aws,
                self._scim,
                self._defects,
                self._sink,
                self._store,
            ):
                provoke()
            self.metrics = self.ask("GET", "/metrics", self.canaries.reader).content
        finally:
            self.service.stop()

    # ---- asking

    def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> requests.Response:
        """A request, and what it was answered."""
        headers = {"Cookie": f"session={self.canaries.cookie}"} | more.pop("headers", {})
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            answer = requests.request(method, self.service.url + path, headers=headers, timeout=30, **more)
        except requests.RequestException as broken:
            self.heard.append((f"{method} {path}", 0, repr(broken).encode()))
            raise
        shown = f"{answer.reason} {dict(answer.headers)}".encode() + answer.content
        self.heard.append((f"{method} {path}", answer.status_code, shown))
        return answer

    def command(self, type_: str, asked: Any = None, source: str = "default", **config: Any) -> requests.Response:
        """A command of the SaaS face, with secrets in `config`."""
        planted = self.canaries
        config = {
            "source": source,
            "connectorToken": planted.config_token,
            "proxyPassword": planted.config_password,
            "awsSecretAccessKey": planted.config_key,
            **config,
        }
        body = {"type": type_, "input": asked or {}, "config": config, "connectorRef": planted.config_key}
        return self.ask("POST", "/", planted.bearer, json=body)

    # ---- what goes wrong

    def _callers(self) -> None:
        planted = self.canaries
        accounts = "/v1/sources/default/accounts"
        for token in (planted.wrong_bearer, planted.reader):
            self.ask("GET", accounts, token)
            self.ask("POST", accounts, token, json={"userName": "x"})
            self.ask("POST", "/", token, json={"type": "std:account:create", "config": {"source": "default"}})
        for name, password in (
            (planted.token_as_name, ""),
            (planted.token_as_name, "x"),
            ("sailpoint", planted.wrong_password),
        ):
            basic = base64.b64encode(f"{name}:{password}".encode()).decode()
            for path in (accounts, "/metrics", "/nowhere"):
                self.ask("GET", path, headers={"Authorization": f"Basic {basic}"})
            self.ask("POST", "/oauth/token", data={"grant_type": "client_credentials"},
                     headers={"Authorization": f"Basic {basic}"})  # fmt: skip
        self._oauth()
        for path in (accounts, "/openapi.json", "/metrics", "/livez", "/v1/nowhere", "/"):
            query = {"access_token": planted.query_token, "client_secret": planted.query_secret}
            self.ask("GET", path, planted.bearer, params=query)
            self.ask("GET", path, params={"cursor": planted.query_secret})
        self.ask("GET", accounts, planted.bearer, params={"cursor": planted.query_secret})
        self.ask("GET", accounts, planted.bearer, params={"since": planted.query_secret})
        self.ask("POST", "/", planted.bearer, data=f'{{"config": {{"password": "{planted.config_key}"', headers=JSON)
        self.ask("POST", "/", planted.bearer, data=planted.config_key.encode(), headers=JSON)

        for _ in range(12):
            self.ask("GET", "/metrics", headers={"Authorization": f"Basic {basic}"})

    def _oauth(self) -> None:
        planted = self.canaries
        form = {"grant_type": "client_credentials", "client_id": "iiq"}
        self.ask("POST", "/oauth/token", data=form | {"client_secret": planted.wrong_client_secret})
        self.ask("POST", "/oauth/token", data=form | {"client_secret": planted.client_secret, "scope": "nothing"})
        self.ask("POST", "/oauth/token", json=form | {"client_secret": planted.client_secret})
        answer = self.ask("POST", "/oauth/token", data=form | {"client_secret": planted.client_secret})
        assert answer.status_code == 200
        self.issued = str(answer.json()["access_token"])
        self.heard.pop()  # the one answer that shows a token
        assert self.ask("GET", "/metrics", self.issued).status_code == 200

    def _changes(self) -> None:
        planted = self.canaries
        headers = {"Idempotency-Key": planted.idempotency_key}
        title = {"title": "Engineer"}
        path = f"/v1/sources/default/accounts/{self.user('grace')}"
        for body in (title, title, {"title": "Other"}):  # done, told again, refused
            self.ask("PATCH", path, planted.bearer, json=body, headers=headers)
        made = {"userName": "canary", "givenName": "C", "familyName": "C", "password": planted.input_password}
        self.command("std:account:create", {"attributes": made})
        self.ask("POST", "/v1/sources/default/accounts", planted.bearer, json=made)
        self.command("std:account:update", key(self.user("grace"), changes=[change("Set", "title", "Boss")]))
        self.command("std:account:update",
                     key(self.user("grace"), changes=[change("Set", "password", planted.input_password)]))  # fmt: skip

    def _aws(self) -> None:
        self.command("std:test-connection", source="guessed")
        self.ask("GET", "/v1/sources/guessed", self.canaries.bearer)
        handle = self.sandbox.aws.handle
        for code in TALKATIVE:
            self.sandbox.aws.handle = self._talkative(code, handle)  # type: ignore[method-assign]
            self.command("std:account:read", key(self.user("grace")))
            self.command("std:account:list")
            self.command("std:account:update", key(self.user("grace"), changes=[change("Set", "title", code)]))
            grant = [change("Add", "permissionSetAssignments", self.pair("Read", "123456789012"))]
            self.command("std:account:update", key(self.user("grace"), changes=grant))
            self.ask("GET", f"/v1/sources/default/accounts/{self.user('grace')}", self.canaries.bearer)
        self.sandbox.aws.handle = handle  # type: ignore[method-assign]
        for fault in ("denied", "throttled", "reset", "half"):
            self.sandbox.control("faults", {"operation": "*", "fault": fault})
            self.command("std:account:read", key(self.user("grace")))
            self.sandbox.control("faults", {"clear": True})

    def _talkative(self, code: str, handle: Callable[[HttpRequest], HttpAnswer]) -> Callable[[HttpRequest], HttpAnswer]:
        planted = self.canaries
        text = (
            f"Canonical string: x-amz-security-token:{planted.aws_session_token} Credential={planted.aws_access_key}"
            f"/20261124/eu-west-1/sso/aws4_request ExternalId={planted.external_id} "
            f"SecretAccessKey={planted.aws_secret_key} Authorization: Bearer {planted.scim_token}"
        )

        def answer(request: HttpRequest) -> HttpAnswer:
            target = request.header("x-amz-target") or ""
            if target.endswith(("DescribeUser", "ListUsers", "UpdateUser", "CreateAccountAssignment")):
                body = json.dumps({"__type": code, "Message": text}).encode()
                return HttpAnswer(500 if code.startswith("Internal") else 400, body)
            return handle(request)

        return answer

    def _scim(self) -> None:
        self.command("std:account:disable", key(self.user("grace")), source="unscim")
        for fault in ("denied", "throttled", "error500", "reset"):
            self.sandbox.control("faults", {"operation": "ScimPatchUser", "fault": fault})
            self.command("std:account:disable", key(self.user("grace")), source="scim")
            self.sandbox.control("faults", {"clear": True})

    def _defects(self) -> None:
        """A cursor's key that is none: nothing foresees it."""
        with closing(open_store(self.store_url)) as store:
            store.keep_note("scim", KEY, f"no hexadecimal: {self.canaries.query_secret[:6]}")
        self.ask("GET", "/v1/sources/scim/accounts", self.canaries.bearer, params={"limit": "2"})

    def _sink(self) -> None:
        """The audit cannot be written."""
        log = self.directory / "audit.log"
        log.rename(self.directory / "audit.log.1")
        log.mkdir()
        self.ask("PATCH", f"/v1/sources/scim/accounts/{self.user('grace')}", self.canaries.bearer, json={"title": "No"})
        self.ask("GET", "/v1/sources/default/accounts", self.canaries.wrong_bearer)
        log.rmdir()

    def _store(self) -> None:
        with self.away():
            self.ask("GET", "/readyz")
            for token in (self.canaries.bearer, self.canaries.client_secret, self.canaries.wrong_bearer):
                self.ask("GET", "/v1/sources/default/accounts", token)
            self.command("std:account:update", key(self.user("grace"), changes=[change("Set", "title", "No")]))

    # ---- where something could be shown

    @cached_property
    def places(self) -> dict[str, bytes]:
        """Name and bytes of everything that leaves the service, or stays when it has ended."""
        return dict(self._places())

    def _places(self) -> Iterator[tuple[str, bytes]]:
        yield "log", self.service.log.encode()
        yield "metrics", self.metrics
        for number, (asked, status, answer) in enumerate(self.heard):
            yield f"answer {number}: {asked} {status}", answer
        for path in sorted(self.directory.iterdir()):
            if path.name not in ("scim_token", "wrong_scim_token", "sources.toml") and path.is_file():
                yield path.name, path.read_bytes()
        if self.store_url.startswith("postgresql"):
            yield from dump(self.store_url)
        for words in SHOWING:
            done = self.service.command(*words.split())
            yield words, (done.stdout + done.stderr).encode()


JSON = {"Content-Type": "application/json"}


def dump(url: str) -> Iterator[tuple[str, bytes]]:
    """Every row of every table, as text."""
    with psycopg.connect(url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
        for (table,) in tables:
            rows = connection.execute(sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))).fetchall()
            yield f"table {table}", "\n".join(row[0] for row in rows).encode()
