"""One pace for several processes, through PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from psycopg import OperationalError
from psycopg_pool import ConnectionPool

from connector.clock import SystemClock
from connector.errors import RetryLater
from connector.model import Family, Lane
from connector.pace import Pace, shared_pool
from connector.patience import Patience

CLOCK = SystemClock()
WORKER = """
import sys, time
from connector.clock import SystemClock
from connector.model import Lane
from connector.pace import Pace, shared_pool
from connector.patience import Patience
url, calls, lane = sys.argv[1], int(sys.argv[2]), Lane[sys.argv[3]]
with shared_pool(url) as pool:
    clock = SystemClock()
    pace = Pace({"sso-admin": 20}, clock, pool)
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(calls):
        pace.take("111122223333", "sso-admin", lane, Patience(60, clock))
        print(time.time(), flush=True)
"""


@pytest.fixture
def url(postgresql) -> Iterator[str]:
    made = postgresql.create_database()
    yield made
    postgresql.drop_database(made)


@pytest.fixture
def pool(url) -> Iterator[ConnectionPool]:
    made = shared_pool(url)
    assert made is not None
    with made:
        yield made


def _worker(url: str, calls: int, lane: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, str(calls), lane],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def _go(*workers: subprocess.Popen[str]) -> None:
    """Have them begin at the same time."""
    for each in workers:
        assert each.stdout is not None
        assert each.stdout.readline() == "ready\n"
    for each in workers:
        assert each.stdin is not None
        each.stdin.write("go\n")
        each.stdin.flush()


def test_two_processes_share_one_pace(url):
    workers = [_worker(url, 30, "CENSUS"), _worker(url, 30, "CENSUS")]
    _go(*workers)
    answers = [worker.communicate(timeout=30)[0].split() for worker in workers]
    times = sorted(float(line) for answer in answers for line in answer)

    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(times) == 60
    assert max(sum(1 for other in times if at <= other < at + 1.0) for at in times) <= 24  # told a moment late
    assert 2.8 < times[-1] - times[0] < 4.0


def test_another_processes_change_goes_first(url, pool):
    """The censuses of two replicas hold back for a change of a third."""
    workers = [_worker(url, 400, "CENSUS"), _worker(url, 400, "CENSUS")]
    _go(*workers)
    pace = Pace({"sso-admin": 20}, CLOCK, pool)
    time.sleep(1.5)
    began = time.time()
    for _ in range(20):
        pace.take("111122223333", "sso-admin", Lane.CHANGE, Patience(60, CLOCK))
    ended = time.time()

    for worker in workers:
        worker.kill()
    times = [float(line) for worker in workers for line in worker.communicate(timeout=10)[0].split("\n")[:-1]]
    # Taking turns, the two censuses would get two tokens for each of the change's: 40. Some were on their way.
    assert len([at for at in times if began <= at <= ended]) <= 20


def test_lanes_within_one_process(pool):
    pace, order = Pace({"sso-admin": 2}, CLOCK, pool), []
    pace.take("owner", "sso-admin", Lane.CENSUS, Patience(60, CLOCK))

    def job(lane, delay):
        time.sleep(delay)
        pace.take("owner", "sso-admin", lane, Patience(60, CLOCK))
        order.append(lane)

    threads = [
        threading.Thread(target=job, args=arguments)
        for arguments in ((Lane.CENSUS, 0.0), (Lane.CENSUS, 0.0), (Lane.LIVE, 0.1), (Lane.CHANGE, 0.2))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)

    assert order == [Lane.CHANGE, Lane.LIVE, Lane.CENSUS, Lane.CENSUS]
    with pool.connection() as session:
        assert session.execute("SELECT count(*) FROM pace_waiting").fetchone() == (0,)


def test_who_waits_for_a_turn_holds_no_connection(pool):
    """Three lanes of each family and two owners wait, more than there are connections: each is passed by the next."""
    families: tuple[Family, ...] = ("sso-admin", "identitystore", "organizations")
    buckets = [(owner, family) for owner in ("owner", "other") for family in families]
    pace = Pace(dict.fromkeys(families, 1), CLOCK, pool)
    for each in buckets:
        pace.take(*each, Lane.LIVE, Patience(60, CLOCK))
    began = time.monotonic()

    with ThreadPoolExecutor(3 * len(buckets)) as threads:
        waits = []
        for lane in (Lane.LIVE, Lane.CHANGE, Lane.SUBMISSION):
            waits += [threads.submit(pace.take, *each, lane, Patience(60, CLOCK)) for each in buckets]
            time.sleep(0.15)
        assert [each.result(20) for each in waits] == [None] * len(waits)
    assert time.monotonic() - began < 8


def test_a_process_that_died_while_it_waited_is_waited_for_no_longer(url, pool):
    worker = _worker(url, 10_000, "SUBMISSION")
    _go(worker)
    pace = Pace({"sso-admin": 20}, CLOCK, pool)
    time.sleep(1.0)
    worker.kill()
    worker.communicate(timeout=10)

    assert _taking(pace, 2) < 2.5


def test_without_the_database_nobody_calls_aws(url, pool):
    pace = Pace({"sso-admin": 5}, CLOCK, pool)
    pace.take("owner", "sso-admin", Lane.LIVE, Patience(60, CLOCK))
    pool.close()

    with pytest.raises(RetryLater):
        pace.take("owner", "sso-admin", Lane.LIVE, Patience(60, CLOCK))


def _taking(pace: Pace, calls: int) -> float:
    """Seconds that so many calls take."""
    began = time.monotonic()
    for _ in range(calls):
        pace.take("111122223333", "sso-admin", Lane.LIVE, Patience(60, CLOCK))
    return time.monotonic() - began


def test_a_database_that_lost_the_row_still_keeps_the_pace(pool):
    """The table is unlogged: a crash empties it, and a replica that takes over never had its rows."""
    pace = Pace({"sso-admin": 20}, CLOCK, pool)
    _taking(pace, 1)
    with pool.connection() as session:
        session.execute("TRUNCATE pace")

    assert _taking(pace, 12) > 0.4


def test_a_clock_that_was_set_back_stops_nobody(pool):
    pace = Pace({"sso-admin": 20}, CLOCK, pool)
    _taking(pace, 1)
    with pool.connection() as session:
        session.execute("UPDATE pace SET spent_until = spent_until + interval '1 hour'")

    assert _taking(pace, 12) < 3


def test_nobody_who_stands_still_keeps_the_others_waiting(url, pool):
    """A process that is stopped in the middle of anything, as a virtual machine is when it moves."""
    worker = _worker(url, 10_000, "CENSUS")
    _go(worker)
    pace = Pace({"sso-admin": 20}, CLOCK, pool)
    try:
        for _ in range(20):
            time.sleep(0.05)
            worker.send_signal(signal.SIGSTOP)
            assert _taking(pace, 2) < 2
            worker.send_signal(signal.SIGCONT)
    finally:
        worker.kill()
        worker.communicate(timeout=10)


def test_connections_that_the_database_cut_are_replaced(pool):
    """A restart, a failover, an administrator: the next call has its turn all the same."""
    pace = Pace({"sso-admin": 20}, CLOCK, pool)
    threads = [threading.Thread(target=_taking, args=(pace, 3)) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with pool.connection() as session:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        session.execute(f"SELECT pg_terminate_backend(pid) {others}")
        itself = "SELECT pg_terminate_backend(pg_backend_pid())"
        with suppress(OperationalError):
            session.execute(itself)

    assert _taking(pace, 12) < 5
