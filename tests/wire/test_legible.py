"""What is shown can steer nothing, and nobody's name is spoilt."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.wire.legible import legible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\r\nb\tc", "a\\r\\nb\\tc"),
        ("\x1b[31mred\x9b0m\x7f\x00", "\\u001b[31mred\\u009b0m\\u007f\\u0000"),
        ("\u202egpj.exe\u2028\u200b\ufeff", "\\u202egpj.exe\\u2028\\u200b\\ufeff"),
        ("half \ud800 and \udfff", "half \\ud800 and \\udfff"),
    ],
)
def test_what_steers_or_hides_is_escaped(text: str, shown: str) -> None:
    assert legible(text) == shown


@pytest.mark.parametrize("name", ["Zoë Ångström", "山田\u3000太郎", "Jean\u00a0Luc", "नमस्ते", "🦆", "a\\u001b", ""])
def test_what_people_write_stays(name: str) -> None:
    assert legible(name) == name


@given(st.text(st.characters()))
def test_any_text_can_be_written_and_a_line_of_json_still_means_the_same(text: str) -> None:
    assert "\n" not in legible(text)
    legible(text).encode()
    assert json.loads(legible(json.dumps(text, ensure_ascii=False))) == text
