"""The small languages in an application: placeholders, JSONPath, paging steps."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.identityiq import paths
from tests.identityiq.pagingsteps import Variables, read_steps
from tests.identityiq.placeholders import filled_body, filled_url, tokens
from tests.identityiq.rejected import ConnectorException, Rejected

PEOPLE = {"data": [{"name": {"first": "Ada"}, "roles": [{"id": 1}, {"id": 2}], "kind": "x"}, {"kind": "y"}], "n": 2}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("$", PEOPLE),
        ("n", 2),
        ("$.n", 2),
        ("$.data[0].name.first", "Ada"),
        ("data[*].kind", ["x", "y"]),
        ("$.data[*].name.first", ["Ada"]),
        ("$['data'][0].roles[*].id", [1, 2]),
        ("$.data[?(@.kind == 'y')]", [{"kind": "y"}]),
        ("$.data[7]", paths.MISSING),
        ("$.nothing.here", paths.MISSING),
        ("$.n.x", paths.MISSING),
    ],
)
def test_json_paths(path: str, expected: Any) -> None:
    """As far as Web Services applications use them."""
    found = paths.found(PEOPLE, path)
    assert found is expected or found == expected


@pytest.mark.parametrize("path", ["$data", "a..b", "a b", "[", " a", "$.", "a[x]"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(Rejected):
        paths.found(PEOPLE, path)


@pytest.mark.parametrize(
    ("root", "count"), [("$.data", 2), ("data", 2), ("data[*]", 2), ("$", 1), ("rows", 0), ("$.data[0].name", 1)]
)
def test_records_at_a_root(root: str, count: int) -> None:
    """Elements of the array there, or the one object, or nothing."""
    assert len(paths.records(PEOPLE, root)) == count


PLAN = {"plan": {"a": "x", "flag": True, "many": ["1", "2"], "none": None, "empty": "", "quote": '"\\'}}


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        ('{"a": "$plan.a$"}', {"a": "x"}),
        ('{"a": "$plan.a$", "b": "$plan.b$"}', {"a": "x"}),
        ('{"b": "$plan.none$"}', {}),
        ('{"b": "$plan.empty$"}', {"b": ""}),
        ('{"b": "$plan.quote$"}', {"b": '"\\'}),
        ('{"a": "<$plan.a$>", "deep": {"b": "$plan.b$", "c": 1}}', {"a": "<x>", "deep": {"c": 1}}),
        ('{"flag": $plan.flag$, "many": $plan.many$, "gone": $plan.gone$}', {"flag": True, "many": ["1", "2"]}),
        ('{"flag": "$plan.flag$"}', {"flag": "true"}),
    ],
)
def test_bodies(body: str, sent: Any) -> None:
    """A pair without a value is taken out; quotes make text, no quotes make JSON."""
    assert json.loads(filled_body(body, PLAN)) == sent


@pytest.mark.parametrize("body", ['{"many": "$plan.many$"}', '{"a": $plan.a$}'])
def test_bodies_that_come_out_broken(body: str) -> None:
    """A list between quotes; text without them."""
    with pytest.raises(Rejected):
        filled_body(body, PLAN)


def test_urls() -> None:
    """Values are encoded, placeholders without one vanish."""
    assert filled_url("/u/$plan.quote$/$plan.b$", PLAN) == "/u/%22%5C/"
    with pytest.raises(Rejected):
        filled_url("/u/$plan.many$", PLAN)


@pytest.mark.parametrize("text", ["/x?$filter=1", "$limit$", "$plan.$", "$Plan.a$"])
def test_a_dollar_that_is_no_placeholder(text: str) -> None:
    with pytest.raises(Rejected):
        tokens(text)


def variables(**more: Any) -> Variables:
    return Variables("http://x", "/people", 2, 0, **more)


OFFSET = """TERMINATE_IF $RECORDS_COUNT$ < $limit$
$offset$ = $offset$ + $limit$
$endpoint.fullUrl$ = $application.baseUrl$ + "/people?offset=" + $offset$"""
MARKER = """TERMINATE_IF ($response.has_more$ == FALSE) && ($response.next$ == NULL)
$endpoint.fullUrl$ = $application.baseUrl$ + $endpoint.relativeUrl$ + "/continue"
$request.cursor$ = $response.cursor$
REMOVE $request.limit$"""
LINK = """TERMINATE_IF $responseHeaders.link$ == NULL
$endpoint.fullUrl$ = $responseHeaders.link$"""


def test_paging_by_offset() -> None:
    """Variables are kept from page to page."""
    kept, steps = variables(records=2), read_steps(OFFSET)

    assert [steps.next_url(kept), steps.next_url(kept)] == ["http://x/people?offset=2", "http://x/people?offset=4"]
    kept.records = 1
    assert steps.next_url(kept) is None


@pytest.mark.parametrize(
    ("response", "url"),
    [
        ({"has_more": True, "cursor": "c"}, "http://x/people/continue"),
        ({"has_more": False}, None),
        ({"has_more": False, "next": "n"}, "http://x/people/continue"),
    ],
)
def test_paging_by_marker(response: Any, url: str | None) -> None:
    """Read from the root of the answer; missing is NULL."""
    assert read_steps(MARKER).next_url(variables(response=response)) == url


def test_paging_by_link() -> None:
    """A header that is not there is NULL."""
    assert read_steps(LINK).next_url(variables()) is None
    assert read_steps(LINK).next_url(variables(headers={"link": "http://y"})) == "http://y"


def test_an_address_that_is_nothing() -> None:
    """IdentityIQ's own words."""
    with pytest.raises(ConnectorException, match="Final URL can not be null"):
        read_steps("$endpoint.fullUrl$ = $response.next$").next_url(variables(response={}))


@pytest.mark.parametrize(
    "line", ["$a$ = $b$+1", "TERMINATE_IF", "TERMINATE_IF $a$ ==", "$a$ == 1", "REMOVE a", "offset", "$a$ = ", "IF $a$"]
)
def test_what_is_no_step_is_refused(line: str) -> None:
    with pytest.raises(Rejected, match="no paging step"):
        read_steps(line)
