"""Looks at changes under way: soon after their end, and few."""

from __future__ import annotations

import random

import pytest

from connector.changing.looks import LONGEST, UNKNOWN, Durations


def _watch(durations: Durations, took: float) -> tuple[float, int]:
    """Seconds by which the end of a change was seen late, and the looks it took."""
    at, running, looks = durations.first(), 0.0, 0
    while at < took:
        running, at, looks = at, at + durations.pause(looks), looks + 1
    durations.learn(running, at)
    return at - took, looks + 1


@pytest.mark.parametrize("took", [0.5, 4.0, 30.0])
def test_changes_that_take_the_same_time(took):
    """After a few, the end is seen within a twentieth of the time, in few looks."""
    durations = Durations()
    for _ in range(10):
        _watch(durations, took)

    seen = [_watch(durations, took) for _ in range(50)]

    assert sum(late for late, _ in seen) / len(seen) <= max(0.1, took / 20)
    assert sum(looks for _, looks in seen) / len(seen) <= 3


@pytest.mark.parametrize("spread", [0.1, 0.5])
def test_changes_that_vary(spread):
    """The end is seen within a sixth of the time."""
    durations, luck = Durations(), random.Random(1)
    seen = [_watch(durations, luck.uniform(10 - 10 * spread, 10 + 10 * spread)) for _ in range(400)][20:]

    assert sum(late for late, _ in seen) / len(seen) <= 1.6
    assert sum(looks for _, looks in seen) / len(seen) <= 6


def test_changes_that_become_faster_or_slower():
    durations = Durations()
    for took in (20.0, 2.0, 20.0):
        for _ in range(20):
            _watch(durations, took)

        late, looks = _watch(durations, took)
        assert late <= max(0.3, took / 15)
        assert looks <= 6


def test_nothing_is_known_yet():
    """Also the first is not kept waiting for long, nor asked for all the time."""
    assert Durations().first() == UNKNOWN
    for took in (0.1, 5.0, 60.0):
        late, looks = _watch(Durations(), took)
        assert late <= max(UNKNOWN, took * 0.3)
        assert looks <= 30


def test_what_never_ends_is_looked_at_seldom():
    durations = Durations()
    _watch(durations, 3.0)

    assert durations.pause(40) == LONGEST
