"""The control endpoint: `/_sandbox/…`, how a test or a person steers the emulated AWS and sees what was called.

Reached over HTTP from loopback only, or through `Sandbox.control`. It is no part of AWS: nothing that an AWS SDK sends
comes here, and nothing here is counted in the journal. Changes to the organisation are in mutations.py.
"""

import json
from collections.abc import Callable, Collection
from difflib import get_close_matches
from typing import Any
from urllib.parse import parse_qs

from connector.sandbox import mutations, oracle
from connector.sandbox.connection import HttpAnswer, HttpRequest
from connector.sandbox.dispatch import OPERATIONS, EmulatedAws
from connector.sandbox.journal import Journal
from connector.sandbox.models import ACTION_PREFIXES
from connector.sandbox.provisioning import settle


def state(aws: EmulatedAws, _: Any) -> dict[str, Any]:
    """Counts of calls and of the organisation, assignments in flight, faults."""
    organisation = aws.organisation
    return {
        **aws.journal.as_dict(),
        "in_flight": sum(len(instance.in_flight) for instance in organisation.instances.values()),
        "in_flight_peak": max((instance.peak_in_flight for instance in organisation.instances.values()), default=0),
        "organisation": mutations.counts(organisation),
        "faults": aws.faults.as_list(),
        "options": aws.options.as_dict(),
    }


def options(aws: EmulatedAws, body: Any) -> dict[str, Any]:
    """Change options, if any are given; tell them all."""
    if body:
        if isinstance(body.get("deny"), list):
            check_denied(body["deny"])
        aws.options.merge(body)
    return aws.options.as_dict()


def faults(aws: EmulatedAws, body: Any) -> dict[str, Any]:
    """Add a rule, or several; `{"clear": true}` drops them all first."""
    rows = body if isinstance(body, list) else [body or {}]
    _check_known([row["operation"] for row in rows if "operation" in row], {"*", *_EMULATED, *_OF_SCIM})
    for row in rows:
        described = dict(row)
        if described.pop("clear", False):
            aws.faults.clear()
        if described:
            aws.faults.add(described)
    return {"faults": aws.faults.as_list()}


def reset(aws: EmulatedAws, _: Any) -> dict[str, Any]:
    """Make the organisation anew from its seed, forget counts, rules and sessions; options stay."""
    recipe = aws.organisation.recipe
    if recipe is None:
        raise ValueError("this organisation has no recipe to make it anew")
    aws.organisation = recipe()
    aws.journal = Journal()
    aws.faults.clear()
    return {"reset": True}


def forget(aws: EmulatedAws, _: Any) -> dict[str, Any]:
    """Forget the counts only."""
    aws.journal = Journal()
    for instance in aws.organisation.instances.values():
        instance.peak_in_flight = len(instance.in_flight)
    return {"forgotten": True}


def organisation(aws: EmulatedAws, _: Any) -> dict[str, Any]:
    """The whole truth, for oracles."""
    with aws.organisation.lock:
        settle(aws.organisation, aws.options, aws.clock.now())
        return oracle.dump(aws.organisation)


def advance(aws: EmulatedAws, body: Any) -> dict[str, Any]:
    """Move the clock forward by `seconds`, a number."""
    aws.clock.advance(_number("seconds", (body or {}).get("seconds")))
    return {"now": aws.clock.now()}


def calls(aws: EmulatedAws, body: Any) -> dict[str, Any]:
    """The last calls (`last`: how many)."""
    last = (body or {}).get("last")
    return {"calls": aws.journal.log(None if last is None else int(_number("last", last)))}


def rates(aws: EmulatedAws, _: Any) -> dict[str, Any]:
    """Requests second by second."""
    return {"rates": aws.journal.rates()}


def mutate(aws: EmulatedAws, body: Any) -> dict[str, Any]:
    """Change the organisation behind the API's back: `{"action": …}`; see mutations.py."""
    asked = dict(body or {})
    action = asked.pop("action", "")
    with aws.organisation.lock:
        settle(aws.organisation, aws.options, aws.clock.now())
        return mutations.perform(aws.organisation, str(action), asked, aws.clock.now())


def check_denied(names: list[Any]) -> None:
    """Raise ValueError for a name that is no operation emulated here, nor its IAM action: nothing would be denied."""
    actions = {f"{ACTION_PREFIXES[service]}:{each}" for service, found in OPERATIONS.items() for each in found}
    _check_known(names, {*_EMULATED, *actions})


def _check_known(names: list[Any], known: Collection[str]) -> None:
    for name in names:
        if not isinstance(name, str) or name not in known:
            near = get_close_matches(str(name), known, 3) or sorted(each for each in known if ":" not in each)
            raise ValueError(f"there is no operation {name!r}; did you mean one of {', '.join(near)}?")


def _number(name: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} is a number, not {value!r}") from None


ACTIONS: dict[str, Callable[[EmulatedAws, Any], dict[str, Any]]] = {
    "state": state,
    "options": options,
    "faults": faults,
    "reset": reset,
    "forget": forget,
    "organisation": organisation,
    "advance": advance,
    "calls": calls,
    "rates": rates,
    "mutate": mutate,
}
_EMULATED = frozenset(name for found in OPERATIONS.values() for name in found)
_OF_SCIM = ("ScimGetUser", "ScimListUsers", "ScimPatchUser")
READABLE = ("state", "options", "organisation", "calls", "rates")


def perform(aws: EmulatedAws, name: str, body: Any = None) -> dict[str, Any]:
    """Run an action; raise ValueError for a wrong request."""
    if name not in ACTIONS:
        raise ValueError(f"unknown action {name!r}; there are {', '.join(ACTIONS)}")
    rows = body if isinstance(body, list) else [body or {}]
    if not all(isinstance(row, dict) for row in rows) or (isinstance(body, list) and name != "faults"):
        raise ValueError(f"{name} takes an object: {ACTIONS[name].__doc__}")
    return ACTIONS[name](aws, body)


def handle(aws: EmulatedAws, request: HttpRequest, local: bool) -> HttpAnswer:
    """Answer a request: GET reads, POST changes."""
    name = request.path.removeprefix("/_sandbox/").strip("/")
    if not local:
        return _json(404, {"error": "not found"})
    if request.method == "GET" and name not in READABLE:
        return _json(404, {"error": f"GET reads {', '.join(READABLE)}; POST does the rest: {', '.join(ACTIONS)}"})
    try:
        body = json.loads(request.body) if request.body else None
    except ValueError as error:
        return _json(400, {"error": f"the body is not JSON: {error}"})
    try:
        if request.method == "GET":
            body = {key: values[0] for key, values in parse_qs(request.query).items()} if name == "calls" else None
        return _json(200, perform(aws, name, body))
    except ValueError as error:
        return _json(400, {"error": str(error)})


def _json(status: int, body: Any) -> HttpAnswer:
    return HttpAnswer(status, json.dumps(body).encode(), "application/json")
