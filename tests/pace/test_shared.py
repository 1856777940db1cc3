"""One pace for several processes, through PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest
from psycopg_pool import ConnectionPool

from connector.clock import SystemClock
from connector.errors import RetryLater
from connector.model import Lane
from connector.pace import Pace
from connector.patience import Patience

CLOCK = SystemClock()
WORKER = """
import sys, time
from psycopg_pool import ConnectionPool
from connector.clock import SystemClock
from connector.model import Lane
from connector.pace import Pace
from connector.patience import Patience
url, calls, lane = sys.argv[1], int(sys.argv[2]), Lane[sys.argv[3]]
with ConnectionPool(url, min_size=2, max_size=6, kwargs={"options": "-c timezone=UTC"}) as pool:
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
    with ConnectionPool(url, min_size=2, max_size=8, kwargs={"options": "-c timezone=UTC"}) as made:
        yield made


def _worker(url: str, calls: int, lane: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, url, str(calls), lane],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


def test_two_processes_share_one_pace(url):
    workers = [_worker(url, 30, "CENSUS"), _worker(url, 30, "CENSUS")]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("go\n")
        worker.stdin.flush()
    answers = [worker.communicate(timeout=30)[0].split() for worker in workers]
    times = sorted(float(line) for answer in answers for line in answer)

    assert [worker.returncode for worker in workers] == [0, 0]
    assert len(times) == 60
    assert max(sum(1 for other in times if at <= other < at + 1.0) for at in times) <= 22  # told a moment late
    assert 1.9 < times[-1] - times[0] < 4.0


def test_another_processes_change_goes_first(url, pool):
    """The censuses of two replicas hold back for a change of a third."""
    workers = [_worker(url, 400, "CENSUS"), _worker(url, 400, "CENSUS")]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
        worker.stdin.write("go\n")
        worker.stdin.flush()
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
    pace, order = Pace({"sso-admin": 5}, CLOCK, pool), []
    for _ in range(5):
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
        assert session.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").fetchone() == (0,)


def test_without_the_database_nobody_calls_aws(url, pool):
    pace = Pace({"sso-admin": 5}, CLOCK, pool)
    pace.take("owner", "sso-admin", Lane.LIVE, Patience(60, CLOCK))
    pool.close()

    with pytest.raises(RetryLater):
        pace.take("owner", "sso-admin", Lane.LIVE, Patience(60, CLOCK))


class OneAtATime:
    """A bucket that remembers one verdict, as pyrate-limiter's do: who asks in between spoils it."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.overlapped = False
        self._asking = threading.Lock()

    def spend(self, lane: Lane) -> float:
        """A token, after a moment."""
        self.overlapped = self.overlapped or not self._asking.acquire(blocking=False)
        self.asked.set()
        time.sleep(0.3)
        if self._asking.locked():
            self._asking.release()
        return 0.0

    def waiting(self, lane: Lane) -> AbstractContextManager[None]:
        """Nobody else takes from it."""
        return nullcontext()


def test_lanes_of_one_process_ask_one_after_the_other() -> None:
    """Also when a higher one comes while a lower one is asking."""
    pace, bucket = Pace({"sso-admin": 60}, CLOCK), OneAtATime()
    pace._gate("111122223333", "sso-admin")._bucket = bucket

    def take(lane: Lane) -> None:
        pace.take("111122223333", "sso-admin", lane, Patience(60, CLOCK))

    threads = [threading.Thread(target=take, args=(lane,)) for lane in (Lane.CENSUS, Lane.CHANGE)]
    for each in threads:
        each.start()
        assert bucket.asked.wait(5)
    for each in threads:
        each.join()
    assert not bucket.overlapped
