"""Cursors: every place survives, nothing else is understood."""

from __future__ import annotations

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import CallUs, FixRequest
from connector.model import Place
from connector.wire.cursors import FORM, LONGEST, seal, unseal

KEY = b"k" * 32
ids = st.text(max_size=25) | st.text(string.ascii_letters + string.digits + string.punctuation, max_size=100)
"""What fits: a letter of another script takes up to twelve places."""
places = st.builds(
    Place,
    st.integers(1, 10**9),
    ids,
    st.none() | st.integers(0, 10**9),
    st.booleans(),
)


@given(places)
def test_a_place_comes_back(place: Place) -> None:
    cursor = seal(KEY, "default", "accounts", place)

    assert re.fullmatch(FORM, cursor)
    assert unseal(KEY, "default", "accounts", cursor) == place


@given(places, st.data())
def test_an_altered_cursor_is_refused(place: Place, data: st.DataObject) -> None:
    """Wherever it is altered, cut or lengthened; also where base64 would not notice."""
    cursor = seal(KEY, "default", "accounts", place)
    where = data.draw(st.integers(0, len(cursor) - 1))
    altered = cursor[:where] + data.draw(st.sampled_from("aB9_-").filter(lambda each: each != cursor[where]))
    for text in (altered + cursor[where + 1 :], cursor[:where], cursor + "A", f"{cursor}=", f"{cursor}\n"):
        with pytest.raises(FixRequest):
            unseal(KEY, "default", "accounts", text)


@pytest.mark.parametrize("text", ["", "a", "A" * 22, "A" * LONGEST, "A" * (LONGEST + 1), "ä", "a b", "\0"])
def test_what_is_no_cursor_is_refused(text: str) -> None:
    with pytest.raises(FixRequest):
        unseal(KEY, "default", "accounts", text)


def test_a_cursor_belongs_to_one_list_of_one_source_and_one_key() -> None:
    """Names that only look the same when they are joined are told apart."""
    cursor = seal(KEY, "a", "b", Place(1))
    for key, source, listed in ((KEY, "a", "c"), (KEY, "b", "b"), (KEY, "a\nb", ""), (b"other", "a", "b")):
        with pytest.raises(FixRequest):
            unseal(key, source, listed, cursor)


def test_ids_that_do_not_fit_are_our_own_mistake() -> None:
    with pytest.raises(CallUs):
        seal(KEY, "a", "b", Place(1, "x" * 400))
