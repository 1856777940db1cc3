"""One way from bytes to an object, for both faces."""

from __future__ import annotations

import pytest

from connector.errors import FixRequest
from connector.wire.json_objects import object_in


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "not JSON in UTF-8"),
        (b"\xed\xa0\x80", "not JSON in UTF-8"),
        (b'{"a":NaN}', "not JSON in UTF-8"),
        (b'{"a":-Infinity}', "not JSON in UTF-8"),
        (b'{"a":' + b"[" * 100_000, "not JSON in UTF-8"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON in UTF-8"),
        (b"[1]", "The body is an object of ours"),
        (b'"x"', "The body is an object of ours"),
        (b"null", "The body is an object of ours"),
        (b'"\\ud800"', "The body is an object of ours"),
        (b'{"a":["\\ud800"]}', "half a character"),
        (b'{"\\uDFFF":1}', "half a character"),
    ],
)
def test_what_is_no_object_is_told(body: bytes, sentence: str) -> None:
    with pytest.raises(FixRequest, match=sentence):
        object_in(body, "an object of ours")


def test_both_halves_of_a_character_are_one() -> None:
    assert object_in(b'{"a":"\\ud83e\\udd86","b":"\\u00e9\\\\ud800"}', "x") == {"a": "🦆", "b": "é\\ud800"}
