"""No half answer (acceptance 4): whatever goes wrong at AWS, a list fails or is whole, and every client can tell.

Each AWS read that a list makes is made to fail in every way, for account:list and for each entitlement list. The
matrix is run once, side by side, by several emulated organisations with a service each; every case has a source of its
own that nothing has been read for, so that every call is really made. Each test then looks at one row.
"""

from __future__ import annotations

import itertools
import json
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from connector.sandbox import building
from connector.sandbox.options import Options
from connector.sandbox.organisation import Organisation
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from connector.sandbox.small import small
from tests.acceptance.oracle import Truth, dump
from tests.running import TOKEN, Answer, Client, Running, key

DEADLINE = 0.8
"""read_deadline of the sources whose reads fail; seconds."""
GUARD = 30.0
"""Seconds after which a command hangs; generous, for machines with much to do."""

LISTS: dict[str, dict[str, Any]] = {
    "accounts": {"type_": "std:account:list"},
    "groups": {"type_": "std:entitlement:list", "asked": {"type": "group"}},
    "pairs": {"type_": "std:entitlement:list", "asked": {"type": "permissionSetAssignment"}},
    "applications": {"type_": "std:entitlement:list", "asked": {"type": "applicationAssignment"}},
}

# Paged operations of a census, and those that answer once. Each is made by all four lists.
PAGED = (
    "ListInstances",
    "ListUsers",
    "ListGroups",
    "ListGroupMemberships",
    "ListPermissionSets",
    "ListAccountsForProvisionedPermissionSet",
    "ListAccountAssignments",
    "ListApplications",
    "ListApplicationAssignments",
    "ListAccounts",
)
SINGLE = (
    "GetCallerIdentity",
    "DescribeInstance",
    "DescribeOrganization",
    "DescribePermissionSet",
    "DescribeUser",  # proves that an assignment is an orphan
    "GetApplicationAssignmentConfiguration",
)
# What a list of pairs reads beside a census.
PAGED_DETAILS = ("ListManagedPoliciesInPermissionSet", "ListCustomerManagedPolicyReferencesInPermissionSet")
SINGLE_DETAILS = ("GetInlinePolicyForPermissionSet", "GetPermissionsBoundaryForPermissionSet")
# The other walks, which an organisation of few users takes.
OTHER_WALKS = ("ListGroupMembershipsForMember", "ListAccountAssignmentsForPrincipal")

LASTING = ("denied", "throttled", "error500", "reset", "half")
TOLERATED = {("ListAccounts", "denied"), ("DescribeOrganization", "denied"), ("DescribeInstance", "denied")}
"""Reads that lists can do without, when they are denied and only then."""


def small_organisation() -> Organisation:
    """The small one: its census asks pairs and groups."""
    return small()


def wide_organisation() -> Organisation:
    """Few users: its census asks principals, users and AWS accounts."""
    return generated(Size(users=6, groups=9, permission_sets=7, aws_accounts=5, pairs=30, applications=2), seed=3)


@dataclass(frozen=True)
class Case:
    """One operation that goes wrong in one way."""

    organisation: Callable[[], Organisation]
    operation: str
    fault: str
    lists: tuple[str, ...] = tuple(LISTS)

    @property
    def name(self) -> str:
        return f"{self.operation}-{self.fault}"


def _cases() -> Iterator[Case]:
    for operation in (*PAGED, *SINGLE, *PAGED_DETAILS, *SINGLE_DETAILS, *OTHER_WALKS):
        organisation = wide_organisation if operation in OTHER_WALKS else small_organisation
        lists = ("pairs",) if operation in PAGED_DETAILS + SINGLE_DETAILS else tuple(LISTS)
        looping = ("loop",) if operation in PAGED + PAGED_DETAILS + OTHER_WALKS else ()
        for fault in LASTING + looping:
            if (operation, fault) not in TOLERATED:
                yield Case(organisation, operation, fault, lists)


CASES = list(_cases())
TRIES = 3
"""A machine with much to do may not come to the call that goes wrong before the deadline."""
STACKS = 4
"""Organisations with a service each that the matrix runs on."""
ALL_TYPES = 'entitlement_types = ["group", "permissionSetAssignment", "applicationAssignment"]'


def _sources(count: int, deadline: float) -> str:
    return "".join(f"[sources.s{number}]\n{ALL_TYPES}\nread_deadline = {deadline}\n" for number in range(count))


@dataclass
class Stack:
    """An emulated AWS, a service, and sources that were never used."""

    sandbox: Sandbox
    service: Running
    unused: Iterator[int]

    def fresh(self) -> Client:
        """A client of the next source of which nothing has been read."""
        return self.service.client(f"s{next(self.unused)}")


def _stack(organisation: Organisation, directory: Path, count: int, deadline: float) -> Iterator[Stack]:
    sandbox = Sandbox(organisation, Options())
    with sandbox, Running(sandbox, directory, _sources(count, deadline)) as service:
        yield Stack(sandbox, service, itertools.count())


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Answer]]:
    """Every case's answers: by case, by list."""
    waiting, answers, failures = list(CASES), {}, []  # type: ignore[var-annotated]

    def work(number: int) -> None:
        wide = number == STACKS - 1
        wanted = wide_organisation if wide else small_organisation
        # Lasting throttles make a service slow down for good reasons; another case must not wait for that.
        for case in [each for each in CASES if each.organisation is wanted]:
            try:
                waiting.remove(case)
            except ValueError:
                continue  # another stack has it
            answers[case.name] = run(case, stacks[number])

    stacks: list[Stack] = []
    opened = []
    try:
        for number in range(STACKS):
            organisation = wide_organisation() if number == STACKS - 1 else small_organisation()
            opened.append(_stack(organisation, tmp_path_factory.mktemp("stack"), TRIES * len(CASES), DEADLINE))
            stacks.append(next(opened[-1]))
        with ThreadPoolExecutor(STACKS) as pool:
            failures = [each.exception() for each in [pool.submit(work, number) for number in range(STACKS)]]
    finally:
        for each in opened:
            each.close()
    assert failures == [None] * STACKS
    return answers


def run(case: Case, stack: Stack) -> dict[str, Answer]:
    """The answers of all lists, asked at once, while the fault lasts."""
    for _ in range(TRIES):
        client = stack.fresh()
        stack.sandbox.control("faults", {"operation": case.operation, "fault": case.fault})
        try:
            with ThreadPoolExecutor(len(case.lists)) as pool:
                asked = {name: pool.submit(client.post, **LISTS[name]) for name in case.lists}
                answers = {name: each.result() for name, each in asked.items()}
            if stack.sandbox.control("state")["faults"][0]["hits"]:
                return answers
        finally:
            stack.sandbox.control("faults", {"clear": True})
    raise AssertionError(f"{case.name} did not happen")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_read_that_fails_fails_the_list(case: Case, matrix: dict[str, dict[str, Answer]]) -> None:
    for name in case.lists:
        answer = matrix[case.name][name]
        assert not answer.complete, f"{name} took a {case.fault} {case.operation} for an answer: {answer.text[:300]}"
        assert answer.status == 500, f"{name}: frames before the whole was read"
        assert answer.text.startswith("generic error: \n + ConnectorError: "), answer.text
        assert f":{case.operation}" in answer.text, f"{name} does not name the operation: {answer.text}"
        assert answer.seconds < GUARD


def test_the_table_has_every_read_that_lists_make(tmp_path: Path) -> None:
    """A new operation has to be entered above, and one that is made no more taken out."""
    made: dict[Callable[[], Organisation], set[str]] = {}
    for organisation in (small_organisation, wide_organisation):
        directory = tmp_path / organisation.__name__
        directory.mkdir()
        for stack in _stack(organisation(), directory, 1, 20):
            _lists(stack.fresh())
            made[organisation] = set(stack.sandbox.control("state")["calls"])
    assert made[small_organisation] == {*PAGED, *SINGLE, *PAGED_DETAILS, *SINGLE_DETAILS}
    assert set(OTHER_WALKS) <= made[wide_organisation]
    assert made[wide_organisation] <= made[small_organisation] | set(OTHER_WALKS)


@pytest.mark.parametrize("operation", ["ListInstances", "DescribeUser"])
def test_commands_that_meet_a_fault_together_do_not_wait_for_one_another(operation: str, tmp_path: Path) -> None:
    """Each fails within its own deadline, not after those of all before it."""
    deadline, commands = 1.0, 12
    for stack in _stack(small_organisation(), tmp_path, 1, deadline):
        client = stack.fresh()
        user = stack.sandbox.organisation.store.users_by_name["ada"].id
        if operation == "DescribeUser":
            client.one("std:account:read", key(user))
        stack.sandbox.control("faults", {"operation": operation, "fault": "error500"})
        with ThreadPoolExecutor(commands) as pool:
            asked = [pool.submit(client.post, "std:account:read", key(user)) for _ in range(commands)]
            answers = [each.result() for each in asked]
        for answer in answers:
            assert f":{operation}" in answer.text
            assert answer.seconds < commands * deadline / 2


# ---- what does not fail a list


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The small organisation, with sources that wait long enough."""
    yield from _stack(small_organisation(), tmp_path_factory.mktemp("patient"), 200, 20)


@pytest.fixture(scope="module")
def patient_wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The one of few users, likewise."""
    yield from _stack(wide_organisation(), tmp_path_factory.mktemp("patient-wide"), 100, 20)


@pytest.fixture(scope="module")
def whole(patient: Stack) -> dict[str, list[Any]]:
    """What the lists answer when nothing is wrong; agrees with the oracle."""
    return _whole(patient)


@pytest.fixture(scope="module")
def whole_wide(patient_wide: Stack) -> dict[str, list[Any]]:
    """The same for the organisation of few users."""
    return _whole(patient_wide)


def _whole(stack: Stack) -> dict[str, list[Any]]:
    found = _lists(stack.fresh())
    truth = Truth(dump(stack.sandbox))
    for each in found["accounts"]:
        expected = truth.account(each["identity"])
        assert {name: each["attributes"][name] for name in expected} == expected
    assert {each["identity"] for each in found["accounts"]} == set(truth.users)
    assert {each["identity"] for each in found["groups"]} == set(truth.groups)
    assert {each["identity"] for each in found["pairs"]} == truth.pairs
    assert {each["identity"] for each in found["applications"]} == set(truth.applications)
    return found


def _lists(client: Client) -> dict[str, list[Any]]:
    return {name: client.outputs(asked["type_"], asked.get("asked")) for name, asked in LISTS.items()}


@pytest.mark.parametrize("fault", ["short", "empty"])
def test_short_and_empty_pages_with_a_token_are_followed(
    fault: str, patient: Stack, whole: dict[str, list[Any]], patient_wide: Stack, whole_wide: dict[str, list[Any]]
) -> None:
    for stack, expected in ((patient, whole), (patient_wide, whole_wide)):
        stack.sandbox.control("faults", {"operation": "*", "fault": fault})
        stack.sandbox.control("options", {"page_limit": 2})
        try:
            assert _lists(stack.fresh()) == expected
        finally:
            stack.sandbox.control("faults", {"clear": True})
            stack.sandbox.control("options", {"page_limit": None})


@pytest.mark.parametrize(("fault", "times"), [("throttled", 1), ("error500", 2), ("reset", 2), ("half", 2)])
def test_faults_that_pass_do_not_fail_a_list(
    fault: str,
    times: int,
    patient: Stack,
    whole: dict[str, list[Any]],
    patient_wide: Stack,
    whole_wide: dict[str, list[Any]],
) -> None:
    """Every operation goes wrong so many times, and then works."""
    every = [*PAGED, *SINGLE, *PAGED_DETAILS, *SINGLE_DETAILS]
    for stack, expected, operations in ((patient, whole, every), (patient_wide, whole_wide, OTHER_WALKS)):
        rules = [{"operation": each, "fault": fault, "times": times} for each in operations]
        stack.sandbox.control("faults", rules)
        try:
            assert _lists(stack.fresh()) == expected
            seen = {rule["operation"]: rule["hits"] for rule in stack.sandbox.control("state")["faults"]}
            assert seen == dict.fromkeys(operations, times)
        finally:
            stack.sandbox.control("faults", {"clear": True})


@pytest.mark.parametrize("operation", ["ListAccounts", "DescribeOrganization", "DescribeInstance"])
def test_what_lists_can_do_without_may_be_denied(operation: str, patient: Stack, whole: dict[str, list[Any]]) -> None:
    client = patient.fresh()
    patient.sandbox.control("options", {"deny": [operation]})
    try:
        found = _lists(client)
    finally:
        patient.sandbox.control("options", {"deny": []})
    if operation != "ListAccounts":
        assert found == whole
        return
    truth = Truth(dump(patient.sandbox), names=False)
    for each in found["accounts"]:
        expected = truth.account(each["identity"])
        assert {name: each["attributes"][name] for name in expected} == expected
    for each in found["pairs"]:
        expected = truth.pair(each["identity"])
        assert {name: each["attributes"][name] for name in expected} == expected
        assert each["attributes"]["awsAccountState"] == ""
    warned = [line for line in patient.service.events("census published") if line["source"] == client.source]
    assert "organizations:ListAccounts" in str(warned[-1]["warnings"])


# ---- what clients make of it


@pytest.fixture(scope="module")
def late(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Lists that fail half-way, for a real reason: the last account needs a frame that SailPoint would refuse."""
    organisation = small_organisation()
    instance, store = organisation.instance, organisation.store
    last = max(store.users, key=lambda user: user.id)
    for number in range(24):
        group = building.add_group(organisation, store, f"{number:04d} {'x' * 1000}")
        building.join(organisation, store, group, last)
        for pair in list(instance.pairs.values()):
            permission_set = instance.permission_sets_by_arn[pair.permission_set_arn]
            building.assign(organisation, instance, permission_set, pair.account_id, ("GROUP", group.id))
    yield from _stack(organisation, tmp_path_factory.mktemp("late"), 10, 20)


@pytest.fixture(scope="module")
def early(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Lists that fail before their first frame: listing users is denied."""
    for stack in _stack(small_organisation(), tmp_path_factory.mktemp("early"), 10, 20):
        stack.sandbox.control("options", {"deny": ["ListUsers"]})
        yield stack


def test_a_late_failure_is_cut_off_after_its_frames_and_says_why(late: Stack) -> None:
    users = sorted(user.id for user in late.sandbox.organisation.store.users)
    answer = late.service.client("s0").post("std:account:list")
    assert answer.status == 200
    assert not answer.whole
    assert [each["identity"] for each in answer.outputs] == users[:-1]
    tail = answer.text.splitlines()[-2:]
    assert tail[0] == "generic error: "
    assert users[-1] in tail[1]
    assert 'inherited = "none"' in tail[1]
    alone = late.service.client("s0").post("std:account:read", key(users[-1]))
    assert alone.status == 500
    assert users[-1] in alone.text


def test_the_service_goes_on_after_a_late_failure(late: Stack) -> None:
    client = late.service.client("s0")
    assert not client.post("std:account:list").whole
    assert len(client.outputs("std:entitlement:list", {"type": "group"})) == 35
    done = late.service.events("command failed")
    assert done
    assert all(line["kind"] == "too-large" for line in done)
    assert "Traceback" not in late.service.log


def _with_requests(client: Client) -> bool:
    """Whether it takes the answer for complete."""
    try:
        answer = requests.post(
            f"http://127.0.0.1:{client.port}/",
            data=client.envelope("std:account:list"),
            headers={"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"},
            timeout=60,
        )
        answer.raise_for_status()
    except requests.RequestException:
        return False
    return bool(answer.content)


def _with_curl(client: Client) -> bool:
    arguments = ["curl", "--silent", "--fail", "--output", "-", "--header", "Content-Type: application/json"]
    arguments += [
        "--header",
        f"Authorization: Bearer {TOKEN}",
        "--data-binary",
        "@-",
        f"http://127.0.0.1:{client.port}",
    ]
    ended = subprocess.run(
        arguments, input=client.envelope("std:account:list"), capture_output=True, timeout=60, check=False
    )
    return ended.returncode == 0 and bool(ended.stdout)


FETCH = """
const [url, body, token] = process.argv.slice(1);
const headers = {"Content-Type": "application/json", "Authorization": `Bearer ${token}`};
fetch(url, {method: "POST", headers, body})
  .then(async (answer) => { const text = await answer.text(); console.log(answer.ok && text.length > 0); })
  .catch(() => console.log(false));
"""


def _with_fetch(client: Client) -> bool:
    body = client.envelope("std:account:list").decode()
    arguments = ["node", "--eval", FETCH, f"http://127.0.0.1:{client.port}/", body, TOKEN]
    ended = subprocess.run(arguments, capture_output=True, timeout=60, check=True, text=True)
    return bool(json.loads(ended.stdout))


def _needs(program: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is not installed")


CLIENTS = [
    pytest.param(_with_requests, id="requests"),
    pytest.param(_with_curl, id="curl", marks=_needs("curl")),
    pytest.param(_with_fetch, id="fetch", marks=_needs("node")),
]


@pytest.mark.parametrize("takes_for_complete", CLIENTS)
def test_no_client_takes_a_failed_list_for_complete(
    takes_for_complete: Callable[[Client], bool], early: Stack, late: Stack, patient: Stack
) -> None:
    assert not takes_for_complete(early.service.client("s1"))
    assert not takes_for_complete(late.service.client("s1"))
    assert takes_for_complete(patient.fresh()), "this client takes nothing for complete"


def test_an_http_1_0_client_is_refused_a_list_and_given_the_rest(patient: Stack) -> None:
    """It could not see a broken body."""
    client = patient.fresh()
    for type_, expected in (("std:account:list", b" 505 "), ("std:spec:read", b" 200 ")):
        assert expected in _over_http_1_0(client, type_).splitlines()[0]


def _over_http_1_0(client: Client, type_: str) -> bytes:
    body = client.envelope(type_)
    with socket.create_connection(("127.0.0.1", client.port), 60) as connection:
        head = f"POST / HTTP/1.0\r\nContent-Type: application/json\r\nAuthorization: Bearer {TOKEN}\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    return received
