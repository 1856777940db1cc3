"""From a request to an operation of the emulated AWS and back.

server.py hands every AWS request here. In order: which service and operation (X-Amz-Target, or the query protocol for
STS), who calls from where, faults, quota, denied operations, botocore's model, then the operation under the
organisation's lock. The answer, or AWS's error, is rendered; every call ends up in the journal.
"""

import json
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from connector.sandbox import identitystore, organizations, sso_admin, sts
from connector.sandbox.call import Answer, Call, Operation, Page
from connector.sandbox.callers import Caller, caller_of
from connector.sandbox.clock import Clock
from connector.sandbox.connection import HttpAnswer, HttpRequest
from connector.sandbox.errors import AwsError, denied, internal, throttled
from connector.sandbox.faults import FaultRule, Faults
from connector.sandbox.journal import Journal
from connector.sandbox.models import ACTION_PREFIXES, check_answer, check_error, check_request, targets
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.provisioning import settle
from connector.sandbox.quota import Quota

OPERATIONS: dict[str, dict[str, Operation]] = {
    "identitystore": identitystore.OPERATIONS,
    "sso-admin": sso_admin.OPERATIONS,
    "organizations": organizations.OPERATIONS,
    "sts": sts.OPERATIONS,
}
_XML = "text/xml"
_JSON = "application/x-amz-json-1.1"


@dataclass
class EmulatedAws:
    """The organisation and everything that decides how it answers."""

    organisation: Organisation
    options: Options = field(default_factory=Options)
    clock: Clock = field(default_factory=Clock)
    faults: Faults = field(default_factory=Faults)
    quota: Quota = field(default_factory=Quota)
    journal: Journal = field(default_factory=Journal)
    leaving: threading.Event = field(default_factory=threading.Event)  # set when the server stops: nobody waits on

    def handle(self, request: HttpRequest) -> HttpAnswer:
        """Answer one request of an AWS SDK."""
        started = time.monotonic()
        journal = self.journal  # a reset in the middle replaces it
        journal.begin()
        entry: dict[str, Any] = {
            "at": time.time(),
            "service": "unknown",
            "operation": "unknown",
            "outcome": "ok",
            "user_agent": request.header("user-agent"),
        }
        try:
            return self._answer(request, entry)
        finally:
            entry["ms"] = round((time.monotonic() - started) * 1000, 3)
            journal.end(entry)

    def _answer(self, request: HttpRequest, entry: dict[str, Any]) -> HttpAnswer:
        request_id = str(uuid.uuid4())
        service = "sts" if "x-amz-target" not in request.headers else ""
        strikes: dict[str, FaultRule] = {}
        try:
            service, operation, parameters = _asked_for(request)
            entry.update(service=service, operation=operation)
            strikes = self._strikes(operation, entry)
            self.wait(strikes)
            if strikes.keys() & {"reset", "before"}:
                entry["outcome"] = "reset"
                return HttpAnswer(500, b"", manner="reset")
            body = self._perform(service, operation, parameters, request, strikes, entry, request_id)
            answer = HttpAnswer(200, body, _XML if service == "sts" else _JSON)
        except AwsError as error:
            entry["outcome"] = error.code
            self._check_error(entry, error)
            answer = _error_answer(service, error, request_id)
        answer.headers["x-amzn-RequestId"] = request_id
        return _spoiled(answer, strikes, entry)

    def _perform(
        self,
        service: str,
        operation: str,
        parameters: dict[str, Any],
        request: HttpRequest,
        strikes: dict[str, FaultRule],
        entry: dict[str, Any],
        request_id: str,
    ) -> bytes:
        now = self.clock.now()
        caller, region = caller_of(self.organisation, request.header("authorization"), self.options.caller, now)
        entry.update(caller=caller.arn, region=region)
        self._refuse(service, operation, caller, strikes)
        if operation not in OPERATIONS[service]:
            raise AwsError("UnknownOperationException", f"{operation} is not emulated", status=400)
        check_request(service, operation, parameters)
        page_fault = next((kind for kind in ("loop", "empty", "short") if kind in strikes), None)
        call = Call(self.organisation, self.options, service, operation, parameters, caller, region, now, page_fault)
        with self.organisation.lock:
            settle(self.organisation, self.options, now)
            answer = OPERATIONS[service][operation](call)
            body = _rendered(service, operation, answer, request_id)
        self._check(service, operation, answer, body)
        return body

    def _strikes(self, operation: str, entry: dict[str, Any]) -> dict[str, FaultRule]:
        strikes = self.faults.striking(operation, entry["user_agent"])
        if self.options.fault_rate and self.organisation.luck.random() < self.options.fault_rate:
            kind = self.organisation.luck.choice(("throttled", "error500", "reset"))
            strikes = {kind: FaultRule(operation, kind), **strikes}
        return strikes

    def wait(self, strikes: dict[str, FaultRule]) -> None:
        """Let the latency pass, and a slow rule's seconds."""
        seconds = self.options.latency_ms / 1000
        if "slow" in strikes:
            seconds += strikes["slow"].seconds
        if seconds:
            self.leaving.wait(seconds)

    def _refuse(self, service: str, operation: str, caller: Caller, strikes: dict[str, FaultRule]) -> None:
        if "throttled" in strikes or not self.quota.admits(service, self.options):
            raise throttled(service)
        if "error500" in strikes:
            raise internal(service)
        action = f"{ACTION_PREFIXES[service]}:{operation}"
        if "denied" in strikes or {operation, action} & set(self.options.deny):
            raise denied(caller.arn, action)

    def _check(self, service: str, operation: str, answer: Answer, body: bytes) -> None:
        if not self.options.check_answers:
            return
        complaints = check_answer(service, operation, answer if service == "sts" else json.loads(body))
        if complaints:
            self.journal.wrong_answers.append(f"{service}:{operation}: {'; '.join(complaints)}")

    def _check_error(self, entry: dict[str, Any], error: AwsError) -> None:
        service, operation = entry["service"], entry["operation"]
        if not self.options.check_answers or operation not in OPERATIONS.get(service, {}):
            return
        for complaint in check_error(service, operation, error):
            self.journal.wrong_answers.append(f"{service}:{operation}: {complaint}")


def _asked_for(request: HttpRequest) -> tuple[str, str, dict[str, Any]]:
    """Service, operation and parameters of a request."""
    target = request.header("x-amz-target")
    if not target:
        operation, form = sts.parameters_of(request.body)
        if operation not in sts.OPERATIONS:
            raise AwsError("InvalidAction", f"Could not find operation {operation} for version 2011-06-15")
        return "sts", operation, form
    prefix, _, operation = target.partition(".")
    service = targets().get(prefix)
    if service is None or request.method != "POST":
        raise AwsError("UnknownOperationException", f"Unknown target {target}")
    try:
        parameters = json.loads(request.body or b"{}")
    except ValueError:
        raise AwsError("SerializationException", "The body is not JSON") from None
    if not isinstance(parameters, dict):
        raise AwsError("SerializationException", "The body is not a JSON object")
    return service, operation, parameters


def _rendered(service: str, operation: str, answer: Answer, request_id: str) -> bytes:
    if isinstance(answer, Page):
        items = b",".join(item if isinstance(item, bytes) else json.dumps(item).encode() for item in answer.items)
        token = b"" if answer.next_token is None else b',"NextToken":"' + answer.next_token.encode() + b'"'
        return b'{"' + answer.member.encode() + b'":[' + items + b"]" + token + b"}"
    if service == "sts":
        return sts.rendered(operation, answer, request_id)
    return json.dumps(answer).encode()


def _error_answer(service: str, error: AwsError, request_id: str) -> HttpAnswer:
    if service == "sts":
        return HttpAnswer(error.status, sts.rendered_error(error, request_id), _XML)
    body = {"__type": error.code, "Message": error.message, **error.fields}
    if service == "identitystore":
        body["RequestId"] = request_id
    return HttpAnswer(error.status, json.dumps(body).encode(), headers={"x-amzn-ErrorType": error.code})


def _spoiled(answer: HttpAnswer, strikes: dict[str, FaultRule], entry: dict[str, Any]) -> HttpAnswer:
    """The answer with the faults that happen on its way back."""
    if "after" in strikes:
        entry["outcome"] = "lost"
        answer.manner = "reset"
    elif "half" in strikes:
        entry["outcome"] = "half"
        answer.manner, answer.cut_at = "half", strikes["half"].cut_at
    return answer
