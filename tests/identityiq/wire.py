"""Requests over HTTP as the connector sends them, and what it makes of the answers; every exchange is kept.

429 is sent again twice, after Retry-After. A failure is told in the words of IdentityIQ's log. `forget_next` loses one
answer after the service has acted, as a network does.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.identityiq.rejected import ConnectorException

RESENT = 2
"""How often a request answered 429 is sent again."""
SILENCE = 30.0
"""Seconds without a byte after which a client gives up."""


@dataclass(frozen=True)
class Exchange:
    """One request and its answer."""

    operation: str
    method: str
    url: str
    sent: Mapping[str, str]
    body: str
    status: int
    received: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The answer's body; None when there is none, `ConnectorException` when it is no JSON."""
        try:
            return json.loads(self.text) if self.text.strip() else None
        except ValueError as error:
            raise ConnectorException(
                f"Url: {self.url}, Message: the response is no JSON", status=self.status
            ) from error


@dataclass
class Wire:
    """The connector's HTTP client, with the settings of one application."""

    settings: Mapping[str, Any]
    silence: float = SILENCE
    sleep: Callable[[float], None] = time.sleep
    exchanges: list[Exchange] = field(default_factory=list)
    forget_next: str = ""
    """Operation whose next answer is lost."""
    _session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self._session.trust_env = False

    def send(
        self, operation: str, method: str, url: str, headers: Mapping[str, str], body: str, codes: tuple[str, ...] = ()
    ) -> Exchange:
        """One request; its answer, or `ConnectorException`."""
        for attempt in range(RESENT + 1):
            exchange = self._once(operation, method, url, headers, body)
            self.exchanges.append(exchange)
            if exchange.status != 429 or attempt == RESENT:
                break
            self.sleep(min(max(float(exchange.received.get("Retry-After", 1)), 1.0), 180.0))
        self._judge(exchange, codes)
        if self.forget_next == operation:
            self.forget_next = ""
            raise ConnectorException(f"Url: {url}, Message: Read timed out")
        return exchange

    def _once(self, operation: str, method: str, url: str, headers: Mapping[str, str], body: str) -> Exchange:
        if not self.settings.get("disableCookies"):
            raise AssertionError("cookies are nothing the simulator keeps")
        self._session.cookies.clear()
        authorization = self._authorization()
        if authorization and "authorization" in map(str.lower, headers):
            raise AssertionError("a second Authorization header")
        sent = {**headers, **authorization}
        try:
            answer = self._session.request(
                method, url, headers=sent, data=body.encode() or None, timeout=(10, self.silence), allow_redirects=False
            )
        except requests.RequestException as error:
            raise ConnectorException(f"Url: {url}, Message: {error}") from error
        shown = {name: value for name, value in sent.items() if name != "Authorization"}
        return Exchange(operation, method, url, shown, body, answer.status_code, answer.headers, answer.text)

    def _authorization(self) -> dict[str, str]:
        if self.settings["authenticationMethod"] == "BasicLogin":
            pair = f"{self.settings.get('username', '')}:{self.settings.get('password', '')}"
            return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
        token = str(self.settings.get("accesstoken") or "")
        return {"Authorization": token if " " in token else f"Bearer {token}"} if token else {}

    def _judge(self, exchange: Exchange, codes: tuple[str, ...]) -> None:
        status = str(exchange.status)
        expected = any(status == code or (code.endswith("**") and status[0] == code[0]) for code in codes or ("2**",))
        errors = self.settings.get("possibleHttpErrors", {})
        listed = status in errors.get("errorCodes", []) or any(
            text in exchange.text for text in errors.get("errorMessages", [])
        )
        if expected and not listed:
            return
        reason = requests.status_codes._codes.get(exchange.status, ("",))[0].replace("_", " ").title()  # type: ignore[attr-defined]
        raise ConnectorException(
            f"Url: {exchange.url}, Message: {status} : {reason} : {exchange.text}, HTTP Error Code: {status}",
            status=exchange.status,
            listed=listed,
        )
