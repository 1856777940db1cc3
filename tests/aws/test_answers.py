"""Our parser of JSON answers makes what botocore's makes, or refuses what botocore would take for whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from botocore.parsers import ResponseParserError, ResponseParserFactory
from hypothesis import given
from hypothesis import strategies as st

from connector.aws.answers import Parsers, moment
from connector.aws.faults import BrokenAnswer
from connector.sandbox.dispatch import OPERATIONS

SESSION = botocore.session.Session()
OUTPUTS = {
    f"{service}:{name}": SESSION.get_service_model(service).operation_model(name).output_shape
    for service in ("identitystore", "sso-admin", "organizations")
    for name in OPERATIONS[service]
}
OURS, BOTOCORES = Parsers(), ResponseParserFactory()
TEXTS = st.text("aZ9é ", max_size=4)
SCALARS = {
    "boolean": st.booleans(),
    "integer": st.integers(-5, 5),
    "long": st.integers(-5, 2**40),
    "float": st.floats(-5, 5),
    "double": st.floats(-5, 5),
    "timestamp": st.one_of(
        st.integers(-(10**9), 10**11), st.floats(0, 10**10), st.just("2026-01-02T03:04:05Z"), st.just("1767322800")
    ),
}


@st.composite
def values(draw: st.DrawFn, shape: Shape) -> Any:
    """What AWS may send for a shape, and what it should not: members missing, null, too many or unknown."""
    if isinstance(shape, ListShape):
        return draw(st.lists(st.none() | values(shape.member), max_size=3))
    if isinstance(shape, MapShape):
        return draw(st.dictionaries(TEXTS, values(shape.value), max_size=2))
    if isinstance(shape, StructureShape):
        if shape.is_document_type:
            return draw(st.dictionaries(TEXTS, st.integers() | TEXTS, max_size=2))
        known = st.sampled_from([*shape.members, "Unknown"])
        union = shape.is_tagged_union and not draw(st.sampled_from([False, False, False, True]))
        names = [draw(known)] if union else draw(st.lists(known, unique=True))
        return {
            each: draw(st.none() | values(shape.members[each])) if each in shape.members else "new" for each in names
        }
    return draw(SCALARS.get(shape.type_name, TEXTS))


def _made(parsers: ResponseParserFactory, shape: Shape | None, body: bytes, status: int = 200) -> Any:
    """What a parser makes of a body; the class of what it raises."""
    headers = {"x-amzn-requestid": "r-1"}
    try:
        return parsers.create_parser("json").parse({"status_code": status, "headers": headers, "body": body}, shape)
    except (ResponseParserError, AttributeError, ValueError) as caught:
        return type(caught)


@given(st.data())
def test_every_operation_is_read_as_botocore_reads_it(data):
    shape = OUTPUTS[data.draw(st.sampled_from(sorted(OUTPUTS)))]
    body = json.dumps({} if shape is None else data.draw(values(shape))).encode()

    assert _made(OURS, shape, body) == _made(BOTOCORES, shape, body)


def test_errors_are_botocores():
    body = json.dumps({"__type": "x#ThrottlingException", "message": "Rate exceeded"}).encode()

    found = _made(OURS, OUTPUTS["identitystore:ListUsers"], body, 400)

    assert found == _made(BOTOCORES, OUTPUTS["identitystore:ListUsers"], body, 400)
    assert found["Error"]["Code"] == "ThrottlingException"


@pytest.mark.parametrize("body", [b"", b'{"Users": [', b"<html>", b"[]", b"null", b'"Users"'])
def test_what_is_not_whole_is_refused(body):
    with pytest.raises(BrokenAnswer):
        OURS.create_parser("json").parse(
            {"status_code": 200, "headers": {}, "body": body}, OUTPUTS["identitystore:ListUsers"]
        )


def test_an_operation_that_answers_nothing():
    shape = OUTPUTS["identitystore:DeleteUser"]

    for body in (b"", b"{}"):
        assert set(_made(OURS, shape, body)) == {"ResponseMetadata"}


def test_structures_that_hold_themselves():
    """None of ours does; one of Organizations' does."""
    shape = SESSION.get_service_model("organizations").operation_model("DescribeHandshake").output_shape
    inner = {"Value": "1", "Type": "ACCOUNT", "Resources": [{"Value": "2", "Type": "EMAIL"}]}
    body = json.dumps({"Handshake": {"Id": "h-1", "Resources": [inner]}}).encode()

    assert _made(OURS, shape, body) == _made(BOTOCORES, shape, body)


@pytest.mark.parametrize("value", [0, 1767322800, 1767322800.678, -1.5, "1767322800", "2026-01-02T03:00:00Z"])
def test_dates_are_the_moments_botocore_makes(value):
    (theirs,) = BOTOCORES.create_parser("json").parse(
        {"status_code": 200, "headers": {}, "body": json.dumps({"Users": [{"CreatedAt": value}]}).encode()},
        OUTPUTS["identitystore:ListUsers"],
    )["Users"]

    assert moment(value) == theirs["CreatedAt"]
    assert moment(value).utcoffset() == datetime.now(UTC).utcoffset()


@pytest.mark.parametrize("value", [10**20, "no date", float("inf")])
def test_what_is_no_date(value):
    with pytest.raises((ValueError, OverflowError, RuntimeError)):
        moment(value)
