"""What the simulator does with answers: pages, mapping, failures, retries. The service answers by a script."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any

import pytest

from tests.identityiq import test_mistakes as mistakes
from tests.identityiq.rejected import ConnectorException, Rejected
from tests.identityiq.scripted import Answer, Handler, Scripted
from tests.identityiq.simulator import PAGES, IdentityIQ, Plan, Request

BASE = "/v1/sources/default"
SAME_PAGE = '$endpoint.fullUrl$ = $application.baseUrl$ + "/v1/sources/default/accounts"'
ADA = {"id": "u-1", "userId": "u-1", "userName": "ada", "disabled": False, "groups": ["g-1"]}
ALAN = {"id": "u-2", "userId": "u-2", "userName": "alan", "disabled": True, "groups": []}


def problem(status: int, kind: str, retryable: bool = False, **headers: str) -> Answer:
    """A problem document as the REST face sends it."""
    body = {"type": f"/problems/{kind}", "status": status, "retryable": retryable}
    return status, {"Content-Type": "application/problem+json", **headers}, body


def page(*items: Mapping[str, Any], cursor: str | None = None) -> Answer:
    """A page of a list."""
    return 200, {}, {"items": list(items), "nextCursor": cursor, "hasMore": cursor is not None}


def installed(service: Scripted, xml: str = mistakes.XML, **wire: Any) -> IdentityIQ:
    return IdentityIQ(xml, service.url, "idc_token", **wire)


def one(answer: Answer) -> Handler:
    """The same answer to everything."""
    return lambda method, path, body: answer


def pages(answers: Mapping[str, Answer]) -> Handler:
    """An answer for each path."""
    return lambda method, path, body: answers[path]


def test_pages_are_read_to_the_end() -> None:
    """A last page without rows is asked for and is no failure."""
    first = f"{BASE}/accounts?limit=250"
    answers = {first: page(ADA, cursor="b"), f"{first}&cursor=b": page(ALAN, cursor="c"), f"{first}&cursor=c": page()}
    with Scripted(pages(answers)) as service:
        found = installed(service).accounts()

    assert [(each.identity, each.display, each.disabled) for each in found] == [
        ("u-1", "ada", False),
        ("u-2", "alan", True),
    ]
    assert [path for _, path, _ in service.asked] == list(answers)


def test_one_account_on_two_pages_is_one() -> None:
    """Accounts are joined on their identity."""
    first = f"{BASE}/accounts?limit=250"
    answers = {first: page(ADA, cursor="b"), f"{first}&cursor=b": page({**ADA, "title": "Countess"})}
    with Scripted(pages(answers)) as service:
        (found,) = installed(service).accounts()

    assert found.attributes == {"userId": "u-1", "userName": "ada", "groups": ["g-1"], "title": "Countess"}


def test_a_wrong_root_path_reads_nothing() -> None:
    """No error, no accounts: what an administrator sees in IdentityIQ."""
    xml = mistakes.edited(mistakes.on("Account Aggregation", "rootPath", "$.accounts"))
    with Scripted(one(page(ADA, ALAN))) as service:
        assert installed(service, xml).accounts() == []


def test_a_wrong_path_leaves_its_attribute_out() -> None:
    """No error either."""
    xml = mistakes.edited(mistakes.on("Account Aggregation", "groups", "group"))
    with Scripted(one(page(ADA))) as service:
        assert "groups" not in installed(service, xml).accounts()[0].attributes


def test_pages_without_an_end_fail() -> None:
    """IdentityIQ would go on for ever; the simulator counts."""
    xml = mistakes.edited(
        mistakes.on("Account Aggregation", "paginationSteps", f"TERMINATE_IF $response.more$ == FALSE\n{SAME_PAGE}")
    )
    with Scripted(one(page(ADA))) as service, pytest.raises(ConnectorException, match="which is a loop"):
        installed(service, xml).accounts()
    assert len(service.asked) == PAGES


def test_more_pages_without_a_cursor_fail() -> None:
    """A service that says hasMore must say where."""
    answer: Answer = (200, {}, {"items": [ADA], "hasMore": True, "nextCursor": None})
    with Scripted(one(answer)) as service, pytest.raises(ConnectorException, match="Final URL can not be null"):
        installed(service).accounts()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"disabled": "false"}, "IIQDisabled is fed from a boolean"),
        ({"title": ["a", "b"]}, "title is single-valued"),
        ({"groups": [{"id": "g-1"}]}, "the text of a map"),
    ],
)
def test_values_of_the_wrong_kind_fail(change: Mapping[str, Any], says: str) -> None:
    """IdentityIQ would keep them as text."""
    with Scripted(one(page({**ADA, **change}))) as service, pytest.raises(Rejected, match=says):
        installed(service).accounts()


def test_an_account_without_identity_is_dropped() -> None:
    """Silently, as there."""
    with Scripted(one(page({"userName": "nobody"}, ADA))) as service:
        assert [each.identity for each in installed(service).accounts()] == ["u-1"]


def test_an_id_is_encoded_in_a_url() -> None:
    """As one segment, whatever is in it."""
    with Scripted(one((200, {}, ADA))) as service:
        installed(service).get_object("a/b@c:d é")

    assert service.asked[0][1] == f"{BASE}/accounts/a%2Fb%40c%3Ad%20%C3%A9"


def test_a_missing_account_is_none() -> None:
    """Told by the application's text; any other 404 is a failure."""
    with Scripted(one(problem(404, "account-not-found"))) as service:
        assert installed(service).get_object("u-9") is None
    with Scripted(one(problem(404, "source-not-found"))) as service, pytest.raises(ConnectorException):
        installed(service).get_object("u-9")


def test_an_account_that_is_gone_is_known_by_its_text_alone() -> None:
    """Its 404 and its text are listed nowhere as errors, which might come first."""
    with Scripted(one(problem(404, "account-not-found"))) as service:
        iiq = installed(service)
        iiq.settings["objectNotFoundErrorMsg"] = ""
        with pytest.raises(ConnectorException) as failed:
            iiq.get_object("u-9")

    assert not failed.value.listed


@pytest.mark.parametrize("type_", ["group", "permissionSetAssignment"])
def test_a_missing_entitlement_is_a_failure(type_: str) -> None:
    """The setting has room for one text, that of accounts: the catalog keeps the entry until the next aggregation."""
    answer = one(problem(404, "entitlement-not-found"))
    with Scripted(answer) as service, pytest.raises(ConnectorException, match="entitlement-not-found"):
        installed(service).get_object("g-9", type_)


def test_a_failure_reads_as_in_the_log() -> None:
    """So that the guide can quote it."""
    with Scripted(one(problem(422, "not-grantable"))) as service:
        result = installed(service).provision(Plan("Delete", "u-1"))

    assert result.status == "failed"
    assert result.errors[0].startswith(
        "Exception occurred while performing 'Delete' operation on identity 'u-1': "
        f"Url: {service.url}{BASE}/accounts/u-1, Message: 422 : Unprocessable"
    )
    assert result.errors[0].endswith("HTTP Error Code: 422")


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (problem(504, "still-running", retryable=True), "retry"),
        (problem(503, "aws-throttled", retryable=True), "retry"),
        (problem(503, "retry-later", retryable=True), "retry"),
        (problem(409, "conflict"), "failed"),
        (problem(502, "aws-failed", retryable=True), "failed"),
        (problem(200, "not-grantable"), "failed"),
        (problem(500, "still-running"), "failed"),
    ],
)
def test_what_is_tried_again(answer: Answer, status: str) -> None:
    """What `retryableErrors` names and `possibleHttpErrors` does not; a problem is one at any status."""
    with Scripted(one(answer)) as service:
        assert installed(service).provision(Plan("Delete", "u-1")).status == status


def test_too_many_requests_are_sent_again_twice() -> None:
    """After the time the service asks for, 180 seconds at most."""
    slept: list[float] = []
    with Scripted(one(problem(429, "busy", retryable=True, **{"Retry-After": "600"}))) as service:
        result = installed(service, sleep=slept.append).provision(Plan("Delete", "u-1"))

    assert result.status == "retry"
    assert slept == [180.0, 180.0]
    assert len(service.asked) == 3


def test_silence_ends_in_a_failure() -> None:
    """A service that does not answer within the client's patience has failed."""

    def silent(method: str, path: str, body: str) -> Answer:
        time.sleep(0.5)
        return page()

    with Scripted(silent) as service, pytest.raises(ConnectorException, match="timed out"):
        installed(service, silence=0.2).accounts()


def test_a_broken_answer_is_a_failure() -> None:
    """Half a page is no page."""
    cut: Answer = (200, {"Content-Length": "1000"}, b'{"items":[')

    def broken(method: str, path: str, body: str) -> Answer:
        return cut

    with Scripted(broken) as service, pytest.raises(ConnectorException):
        installed(service, silence=0.5).accounts()


def test_a_create_sends_what_the_plan_has() -> None:
    """And nothing else: no entitlement, no key without a value; then Get Object, then each entitlement by itself."""

    def service_(method: str, path: str, body: str) -> Answer:
        return (201 if path.endswith("/accounts") else 200), {}, ADA

    with Scripted(service_) as service:
        iiq = installed(service)
        plan = iiq.create_plan(
            {"name": "ada", "firstname": "Ada", "lastname": 'Love"lace', "email": "ada@example.com"},
            (Request("groups", ["g-1", "g-2"], "Add"), Request("permissionSetAssignments", "1:ps", "Add")),
        )
        result = iiq.provision(plan)

    assert (result.status, result.identity) == ("committed", "u-1")
    sent = [
        (method, path.removeprefix(BASE), json.loads(body) if body else None) for method, path, body in service.asked
    ]
    assert sent == [
        (
            "POST",
            "/accounts",
            {"userName": "ada", "givenName": "Ada", "familyName": 'Love"lace', "email": "ada@example.com"},
        ),
        ("GET", "/accounts/u-1", None),
        ("POST", "/accounts/u-1/entitlements/group", {"value": "g-1"}),
        ("POST", "/accounts/u-1/entitlements/group", {"value": "g-2"}),
        ("POST", "/accounts/u-1/entitlements/permissionSetAssignment", {"value": "1:ps"}),
    ]


def test_a_create_whose_answer_has_no_identity_skips_the_rest() -> None:
    """The account shows as ??? in IdentityIQ."""
    with Scripted(one((201, {}, {"name": "ada"}))) as service:
        iiq = installed(service)
        result = iiq.provision(Plan("Create", None, (Request("userName", "ada"), Request("groups", ["g"], "Add"))))

    assert result.status == "failed"
    assert "???" in result.errors[0]
    assert len(service.asked) == 1


def test_a_form_that_lacks_a_value_waits_for_somebody() -> None:
    """Nothing is sent without what the service needs."""
    with Scripted(one(page())) as service, pytest.raises(ConnectorException, match="fill in familyName"):
        installed(service).create_plan({"name": "ada", "firstname": "Ada"})


def test_a_change_sends_only_what_changed() -> None:
    """An empty text is sent and clears; a null is taken out, as a value the plan does not have."""
    with Scripted(one((200, {}, ADA))) as service:
        requests = (Request("title", ""), Request("nickName", None), Request("department", "Data"))
        installed(service).provision(Plan("Modify", "u-1", (*requests, Request("groups", ["g-2"], "Remove"))))

    (_, path, body), removal = service.asked
    assert (path, json.loads(body)) == (f"{BASE}/accounts/u-1", {"title": "", "department": "Data"})
    assert removal == ("DELETE", f"{BASE}/accounts/u-1/entitlements/group/g-2", "")


def test_a_plan_without_requests_asks_nothing() -> None:
    """A refresh logs a Modify even when nothing changed."""
    with Scripted(one((500, {}, {}))) as service:
        assert installed(service).provision(Plan("Modify", "u-1")).status == "committed"
    assert service.asked == []


def test_an_operation_without_endpoint_is_told_in_identityiqs_words() -> None:
    """The default source cannot disable."""
    with (
        Scripted(one(page())) as service,
        pytest.raises(Rejected, match="No configuration found for 'Disable Account'"),
    ):
        installed(service).provision(Plan("Disable", "u-1"))


def test_the_token_is_sent_as_bearer() -> None:
    """A bare token gets the scheme; one with a scheme stays."""
    with Scripted(one((200, {}, {}))) as service:
        for token in ("idc_x", "Bearer idc_x"):
            IdentityIQ(mistakes.XML, service.url, token).test_connection()
        sent = [headers["Authorization"] for headers in service.headers]

    assert sent == ["Bearer idc_x", "Bearer idc_x"]
