"""The queue at the quota: order, rate, braking."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from connector.clock import SystemClock
from connector.errors import Cancelled
from connector.model import Lane
from connector.pace import Pace
from connector.pace.buckets import LocalBucket, rate_of
from connector.pace.lanes import RECOVERY, Brake
from connector.patience import Patience

CLOCK = SystemClock()


def _patience(cancelled: threading.Event | None = None) -> Patience:
    return Patience(60, CLOCK, cancelled)


def _run(*jobs: Callable[[], None]) -> None:
    threads = [threading.Thread(target=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)


def _most_within(seconds: float, times: list[float]) -> int:
    return max(sum(1 for other in times if at <= other < at + seconds) for at in times)


@pytest.mark.parametrize(("tps", "calls", "threads"), [(20.0, 50, 4), (200.0, 500, 12)])
def test_the_pace_is_kept_and_used(tps, calls, threads):
    """Tokens come evenly and all of them are used; beyond the pace only a ninth of a second's is ever there at once."""
    pace, times = Pace({"sso-admin": tps}, CLOCK), []
    left = iter(range(calls))
    lock = threading.Lock()

    def work():
        patience = _patience()
        while True:
            with lock:
                if next(left, None) is None:
                    return
            pace.take("owner", "sso-admin", Lane.CENSUS, patience)
            times.append(time.monotonic())

    _run(*[work] * threads)

    assert len(times) == calls
    late = 2  # measured after the grant, which may be late by a moment
    assert _most_within(1.0, times) <= tps + tps / 9 + late
    assert _most_within(0.25, times) <= tps / 4 + tps / 9 + late
    assert (calls - tps / 9 - late) / tps <= max(times) - min(times) <= calls / tps * 1.1 + 0.2


@pytest.mark.parametrize("tps", [0.5, 1, 4, 18, 18.5, 200])
def test_a_rate_is_never_above_what_was_asked(tps):
    rate = rate_of(tps)

    assert rate.limit / (rate.interval / 1000) <= tps


@pytest.mark.parametrize("quota", [20, 100, 200])
def test_nine_tenths_of_a_quota_stay_under_it_in_any_second(quota):
    rate = rate_of(quota * 0.9)

    assert rate.limit + rate.burst <= quota


def test_quotas_are_apart():
    pace = Pace({"sso-admin": 1, "identitystore": 1, "organizations": 1}, CLOCK)
    began = time.monotonic()

    for owner in ("a", "b"):
        for family in ("sso-admin", "identitystore", "organizations"):
            pace.take(owner, family, Lane.LIVE, _patience())

    assert time.monotonic() - began < 0.5


def test_higher_lanes_first():
    """Everybody queues while the bucket is empty; whoever came last but matters most goes first."""
    pace, order = Pace({"sso-admin": 3}, CLOCK), []
    pace.take("owner", "sso-admin", Lane.CENSUS, _patience())

    def job(lane, delay):
        def run():
            time.sleep(delay)
            pace.take("owner", "sso-admin", lane, _patience())
            order.append(lane)

        return run

    _run(
        *[job(Lane.CENSUS, 0.0)] * 3,
        *[job(Lane.LIVE, 0.05)] * 2,
        *[job(Lane.CHANGE, 0.1)] * 2,
        job(Lane.SUBMISSION, 0.15),
    )

    assert order == sorted(order)
    assert len(order) == 8


def test_within_a_lane_first_come_first_served():
    pace, order = Pace({"sso-admin": 5}, CLOCK), []
    pace.take("owner", "sso-admin", Lane.CENSUS, _patience())

    def job(number):
        def run():
            time.sleep(number * 0.05)
            pace.take("owner", "sso-admin", Lane.CENSUS, _patience())
            order.append(number)

        return run

    _run(*[job(number) for number in range(4)])

    assert order == [0, 1, 2, 3]


@pytest.mark.parametrize(("busy", "higher"), [(Lane.CENSUS, Lane.CHANGE), (Lane.CHANGE, Lane.SUBMISSION)])
def test_a_higher_lane_hardly_waits_behind_a_busy_one(busy, higher):
    """The next token is never far, whoever takes them; and what the higher leaves, the lower uses."""
    pace, stop, waits, taken = Pace({"sso-admin": 20}, CLOCK), threading.Event(), [], []

    def lower():
        while not stop.is_set():
            pace.take("owner", "sso-admin", busy, _patience())
            taken.append(time.monotonic())

    def change():
        time.sleep(0.3)
        for _ in range(24):
            began = time.monotonic()
            pace.take("owner", "sso-admin", higher, _patience())
            waits.append(time.monotonic() - began)
            time.sleep(0.1)
        stop.set()

    _run(lower, lower, lower, change)

    assert max(waits) < 0.25
    seconds = max(taken) - min(taken)
    assert len(taken) + len(waits) >= 20 * seconds * 0.85


def test_a_client_that_leaves_gives_up_its_place():
    pace, left = Pace({"sso-admin": 0.2}, CLOCK), threading.Event()
    pace.take("owner", "sso-admin", Lane.CENSUS, _patience())
    ended = []

    def change():
        with pytest.raises(Cancelled):
            pace.take("owner", "sso-admin", Lane.CHANGE, _patience(left))
        ended.append(time.monotonic())

    thread = threading.Thread(target=change)
    thread.start()
    time.sleep(0.1)
    began = time.monotonic()
    left.set()
    thread.join(timeout=5)

    assert ended[0] - began < 0.6
    assert pace._gates["owner", "sso-admin"]._queue == []


def test_waiting_for_our_own_pace_is_not_lack_of_progress():
    """The patience is nearly out, the queue is long: the token comes all the same."""
    pace = Pace({"sso-admin": 2}, CLOCK)
    for _ in range(3):
        pace.take("owner", "sso-admin", Lane.CENSUS, Patience(0.1, CLOCK))


def test_a_throttle_halves_the_speed_which_comes_back():
    brake = Brake(20)
    assert brake.speed(0) == 1

    brake.press(100.0)
    assert brake.speed(100.0) == 0.5
    brake.press(100.5)  # the same episode
    assert brake.speed(100.5) == pytest.approx(0.525)
    brake.press(102.0)
    assert brake.speed(102.0) == pytest.approx(0.3)
    assert brake.speed(102.0 + RECOVERY) == 1
    brake.press(300.0)
    assert brake.speed(300.0) == 0.5


def test_never_slower_than_one_a_second():
    brake = Brake(20)
    for second in range(60):
        brake.press(float(second) + second * 0.01)

    assert brake.speed(60.0) * 20 >= 1
    slow = Brake(0.5)
    slow.press(1.0)
    assert slow.speed(1.0) == 1


def test_braking_spreads_the_calls():
    pace = Pace({"sso-admin": 20}, CLOCK)
    pace.take("owner", "sso-admin", Lane.LIVE, _patience())
    pace.slow_down("owner", "sso-admin")
    began = time.monotonic()

    for _ in range(5):
        pace.take("owner", "sso-admin", Lane.LIVE, _patience())

    assert 0.4 < time.monotonic() - began < 0.7


class Hour:
    """A clock that only sleeping moves."""

    at = 0.0

    def monotonic(self):
        return self.at

    now = monotonic

    def sleep(self, seconds):
        self.at += seconds


def test_the_pace_is_exact_over_a_long_time():
    clock = Hour()
    bucket = LocalBucket(18, clock)
    for _ in range(1000):
        while (delay := bucket.spend(Lane.CENSUS)) > 0:
            clock.sleep(delay)

    assert clock.at == pytest.approx((1000 - 2) / 18, rel=0.001)


def test_tokens_nobody_took_are_not_saved_up():
    clock = Hour()
    bucket = LocalBucket(18, clock)
    clock.sleep(3600)

    assert [bucket.spend(Lane.CENSUS) > 0 for _ in range(4)] == [False, False, True, True]
