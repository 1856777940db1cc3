"""The audit as text: every change of an exported file is found, at the right line."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.audit_trail import GENESIS, Head, canonical, closes, closing, entry
from connector.audit_verification import Verdict, verify

KEYS = [None, b"k" * 32]


def written(count: int, key: bytes | None = None, start: str = GENESIS, first: int = 1) -> list[str]:
    """An audit of so many entries, without a closing line."""
    lines, previous = [], start
    for seq in range(first, first + count):
        line, previous = entry(seq, 1_800_000_000.0 + seq / 3, previous, canonical({"n": seq, "who": "ü\0"}), key)
        lines.append(line)
    return lines


def head_of(lines: list[str]) -> Head:
    last = json.loads(lines[-1])
    return Head(last["seq"], last["hash"])


def exported(count: int, key: bytes | None = None) -> list[str]:
    lines = written(count, key)
    return [*lines, closing(1, head_of(lines) if lines else Head(0, GENESIS), key)]


def differing(one: list[str], other: list[str]) -> int:
    """The first line, counted from 1, where they differ."""
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    return same + 1


# ---- what is whole


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_whole(count: int, key: bytes | None) -> None:
    """With line ends or without, from anything that gives lines."""
    lines = exported(count, key)
    assert verify(iter(lines), key) == Verdict(True, count)
    assert verify((f"{line}\n" for line in lines), key) == Verdict(True, count)
    assert [closes(line) for line in lines] == [False] * count + [True]


def test_an_export_from_the_middle() -> None:
    """Says where it begins, and is held to it."""
    lines = written(5)
    part = [*lines[2:], closing(3, head_of(lines), None)]
    assert verify(part) == Verdict(True, 3)
    assert verify(part[1:]).line == 1
    assert verify([lines[1], *part]).line == 1
    nothing = [closing(6, head_of(lines), None)]
    assert verify(nothing) == Verdict(True, 0)


def test_a_log_ends_where_the_store_says() -> None:
    """Or later: it was written before the store. It may begin anywhere."""
    lines = written(5)
    for begin in range(4):
        assert verify(lines[begin:], head=head_of(lines[:4])).ok
    assert verify(lines, head=head_of(lines)).ok
    assert verify([], head=Head(0, GENESIS)).ok

    short = verify(lines[:3], head=head_of(lines))
    assert (short.ok, short.line) == (False, 4)
    assert "goes on to entry 5" in short.wrong
    other = written(5, start=GENESIS, first=1)
    other[3:] = written(2, start=json.loads(other[2])["hash"], first=4)
    assert verify(other, head=Head(4, "f" * 64)).line == 4
    assert verify(lines, head=Head(0, GENESIS)).line == 1
    assert verify(lines[3:], head=head_of(lines[:2])).line == 1


def test_an_entry_that_was_announced_and_not_kept() -> None:
    """In a log it is no fault, however often; in an export it cannot be."""
    lines = written(2)
    base = json.loads(lines[0])["hash"]
    lost = [entry(2, 1_700_000_000.0 + n, base, canonical({"lost": n}), None)[0] for n in range(2)]
    rest = written(2, start=json.loads(lines[1])["hash"], first=3)
    log = [lines[0], *lost, lines[1], *rest]

    assert verify(log, head=head_of(rest)) == Verdict(True, 6)
    assert verify([*log, closing(1, head_of(rest), None)]).line == 2
    # What the next one is not chained to was put in.
    assert verify([lines[0], lines[1], lost[0], *rest], head=head_of(rest)).line == 3


# ---- what is not


@pytest.mark.parametrize("key", KEYS)
def test_a_store_that_was_cut_off_lacks_what_its_log_goes_on_to(key: bytes | None) -> None:
    """Its head too: nothing in the store tells. The last entry may have been announced and not kept."""
    lines = written(6, key)
    for last in (6, 5):
        head = head_of(lines[:last])
        assert verify(lines, key, head, lambda head=head: head).ok
    for last in (4, 1):
        head = head_of(lines[:last])
        why = f"the store has lost what comes after entry {last}"
        assert verify(lines, key, head, lambda head=head: head) == Verdict(False, last, last + 1, why)
    assert not verify(lines, key, Head(0, GENESIS), lambda: Head(0, GENESIS)).ok
    grown = written(9, key)
    assert verify(grown, key, head_of(lines), lambda: head_of(grown)).ok, "written to meanwhile"
    assert not verify(grown, key, head_of(grown), lambda: head_of(lines)).ok, "cut off meanwhile"


def test_the_beginning_of_a_line_on_a_disk_that_was_full() -> None:
    """Nothing is missing: the entry was made anew. In an export, which is written at once, it has no place."""
    lines = written(4)
    head = head_of(lines)
    for cut in (1, 7, 40, len(lines[2]) - 1):
        for place in (0, 2, 4):
            torn = [*lines[:place], lines[min(place, 3)][:cut], *lines[place:]]
            assert verify(torn, None, head) == Verdict(True, 4)
            assert not verify([*torn, closing(1, head, None)]).ok
    instead = [*lines[:2], lines[2][:40], *lines[3:]]
    assert verify(instead, None, head).line == 3
    assert verify([*lines[:3], lines[3][:40]], None, head).line == 4
    twice = [*lines[:2], lines[2][:40], lines[2][:30], *lines[2:]]
    assert verify(twice, None, head) == Verdict(True, 4)
    for other in ("garbage", "", "{}", '{"at":"2026"}', lines[2][:-1] + "}}", '{"at":"\u00fc'):
        assert verify([*lines[:2], other, *lines[2:]], None, head).line == 3


def test_no_closing_line() -> None:
    """Nothing says that this is all."""
    lines = exported(3)
    assert verify(lines[:-1]) == Verdict(False, 3, 4, "the end is missing: there is no closing line")
    assert verify([]).line == 1
    assert verify([*lines, lines[-1]]).line == 5


@pytest.mark.parametrize("key", KEYS)
def test_another_key(key: bytes | None) -> None:
    """Nothing passes with it, from the first line on."""
    other = b"o" * 32 if key else b"k" * 32
    found = verify(exported(3, key), other)
    assert (found.ok, found.line, found.count) == (False, 1, 0)
    assert "key" in found.wrong


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        "null",
        "not json",
        "[" * 100_000,
        '{"seq":NaN}',
        "9" * 5000,
        '{"at":"x","hash":"é","previous":"y","record":{},"seq":1}',
        '{"at":"x","hash":"\\u00e9","previous":"y","record":{},"seq":1}',
        '{"at":"x","hash":"y","previous":"y","record":{},"seq":true}',
        '{"closing":true}',
    ],
)
def test_any_text(line: str) -> None:
    """It is found wrong, and nothing breaks."""
    lines = exported(3)
    assert verify([*lines[:2], line, *lines[2:]]).line == 3
    assert not closes(line)


@pytest.mark.parametrize("spelling", [" {line}", "{line} ", "{line}\r\n", "{line}\n\n"])
def test_another_spelling(spelling: str) -> None:
    """Every character is as it was written."""
    lines = exported(3)
    lines[1] = spelling.format(line=lines[1])
    assert verify(lines).line == 2


def test_who_has_no_key_cannot_forge() -> None:
    """A line made without it, or under another, in the place of the true one."""
    lines = exported(5, KEYS[1])
    previous = json.loads(lines[1])["hash"]
    for key in (None, b"o" * 32):
        forged = entry(3, 1.0, previous, canonical({"n": 3}), key)[0]
        assert verify([*lines[:2], forged, *lines[3:]], KEYS[1]).line == 3
        assert verify([*lines[:2], forged, *lines[2:]], KEYS[1]).line == 3


def test_who_makes_the_hash_of_one_line_anew_is_found_at_the_next() -> None:
    """Without a key, that line itself is as good as any."""
    lines = exported(5)
    lines[2] = entry(3, 1.0, json.loads(lines[1])["hash"], canonical({"forged": 1}), None)[0]
    assert verify(lines).line == 4


@given(st.integers(1, 12), st.sampled_from(KEYS), st.randoms(use_true_random=False), st.data())
def test_whatever_is_done_is_found_at_the_first_line_that_differs(
    count: int, key: bytes | None, rng: random.Random, data: st.DataObject
) -> None:
    """A character changed, lines taken out, put in twice, moved, swapped, cut off."""
    lines = exported(count, key)
    last = len(lines) - 1
    place, other = data.draw(st.integers(0, last)), data.draw(st.integers(0, last))
    kind = data.draw(st.sampled_from(["tamper", "delete", "duplicate", "copy", "swap", "move", "cut", "shuffle"]))
    changed = list(lines)
    if kind == "tamper":
        text = changed[place]
        at = rng.randrange(len(text))
        changed[place] = text[:at] + rng.choice('0af}"x \u00fc') + text[at + 1 :]
    elif kind == "delete":
        del changed[place]
    elif kind == "duplicate":
        changed.insert(place, changed[place])
    elif kind == "copy":
        changed.insert(place, changed[other])
    elif kind == "swap":
        changed[place], changed[other] = changed[other], changed[place]
    elif kind == "move":
        changed.insert(other, changed.pop(place))
    elif kind == "cut":
        del changed[place:]
    else:
        rng.shuffle(changed)

    verdict = verify(iter(changed), key)

    if changed == lines:
        assert verdict == Verdict(True, count)
    else:
        assert not verdict.ok
        assert verdict.line == differing(lines, changed)
        assert verdict.wrong
