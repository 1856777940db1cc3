"""Envelopes are read leniently where SailPoint varies and strictly where a mistake would hide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import FixRequest
from connector.wire.envelopes import parse_envelope


def test_unknown_members_are_ignored_and_secrets_are_taken_out() -> None:
    envelope = parse_envelope(
        b'{"type":"std:account:list","input":{"a":1},"version":3,"connectorRef":"r","tag":"latest",'
        b'"config":{"source":"s","connectorToken":"hush1","proxyPassword":"hush2","spConnEnableStatefulCommands":true}}'
    )
    assert (envelope.type, envelope.input, envelope.source) == ("std:account:list", {"a": 1}, "s")
    assert envelope.secrets == ("hush1", "hush2")
    assert "hush" not in repr(envelope)
    assert "hush" not in str(envelope.config)


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (b"{}", "undefined"),
        (b'{"type":null}', "undefined"),
        (b'{"type":5}', "5"),
        (b'\xef\xbb\xbf{"type":"x"}', "x"),
        (b'{"type":"a\\n\\u0007b"}', "a\\n\\u0007b"),
        (b'{"type":"' + b"y" * 500 + b'"}', "y" * 100),
    ],
)
def test_any_type_can_be_shown(body: bytes, type_: str) -> None:
    assert parse_envelope(body).type == type_


@pytest.mark.parametrize(
    "body", [b"", b"{", b'"text"', b"5", b"null", b'{"a":NaN}', b"\xff", b"[" * 100_000, b'{"n":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(FixRequest):
        parse_envelope(body)


@pytest.mark.parametrize("config", [b"null", b'"x"', b"[]", b"{}", b'{"source":null}', b'{"source":" "}'])
def test_a_source_need_not_be_named(config: bytes) -> None:
    assert parse_envelope(b'{"config":' + config + b"}").source is None


def test_a_source_is_named_by_text() -> None:
    with pytest.raises(FixRequest, match=r"config\.source"):
        _ = parse_envelope(b'{"config":{"source":{"endpoint":"x"}}}').source


@given(st.binary(max_size=60))
def test_no_body_is_a_defect(body: bytes) -> None:
    try:
        parse_envelope(body)
    except FixRequest:
        return
