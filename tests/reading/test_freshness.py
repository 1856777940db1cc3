"""Single flight, and which snapshot answers: none that is doubted, none of another configuration."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from connector.clock import SystemClock
from connector.errors import RetryLater
from connector.model import Fact, Instance, Snapshot, Source
from connector.patience import Patience
from connector.ports import Records
from connector.reading import census as reading_census
from connector.reading.freshness import Freshness
from connector.reading.together import together
from connector.reading.work import Work
from connector.store import open_store

INSTANCE = "arn:aws:sso:::instance/ssoins-0000000000000001"
OWNER, MEMBER = "111111111111", "222222222222"
OWN = Instance(INSTANCE, "d-1", "eu-west-1", OWNER, None, True, OWNER, "", OWNER)
"""As the AWS account that owns it finds it."""
SUMMARY = {"fingerprint": "f", "kinds": ["user"], "orphans": [], "instance": INSTANCE}


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield store
    store.close()


class Late:
    """Records where another process publishes right after the first look for a snapshot."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self.published: Snapshot | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def latest(self, source: str) -> Snapshot | None:
        found = self._records.latest(source)
        if found is None:
            census = self._records.begin_census(source, "other", 30)
            assert census is not None
            self.published = self._records.publish(census, ("user",), SUMMARY, 0)
        return found


class Nobody:
    """Is stripped."""

    def disabled(self, source: str, user_id: str) -> bool:
        return False


def of(records: Any, fingerprint: str = "f") -> Freshness:
    clock = SystemClock()
    return Freshness(
        source=Source("default"),
        directories=None,  # type: ignore[arg-type]  # nobody may ask AWS
        records=records,
        operations=None,  # type: ignore[arg-type]  # nobody has changed anything
        stripped=None,  # type: ignore[arg-type]  # nobody may read accounts
        clock=clock,
        patience=lambda: Patience(1, clock),
        owner="me",
        fingerprint=fingerprint,
    )


def publish(records: Records, fingerprint: str = "f") -> Snapshot | None:
    """What a census that begins now publishes."""
    census = records.begin_census("default", "me", 30)
    assert census is not None
    published = records.publish(census, ("user",), {**SUMMARY, "fingerprint": fingerprint}, census.mark)
    if published is None:
        records.abandon(census, "")
    return published


def test_a_census_that_ended_between_the_look_and_the_turn_is_not_made_again(records: Records) -> None:
    late = Late(records)
    assert of(late).snapshot(Patience(1, SystemClock(), threading.Event())) == late.published
    assert not records.census_running("default")
    assert records.last_failure("default") is None


def test_a_list_that_comes_after_a_census_was_published_is_not_answered_with_it(
    records: Records, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tidies up still; but we may have changed something since, which is not in it."""
    published, tidied = threading.Event(), threading.Event()

    def make(work: Work, *_: object) -> Snapshot | None:
        found = records.publish(work.census, ("user",), SUMMARY, work.census.mark)
        published.set()
        tidied.wait(5)
        return found

    monkeypatch.setattr(reading_census, "make", make)
    freshness = of(records)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(freshness.snapshot, Patience(5, SystemClock()))
        assert published.wait(5)
        records.doubt("default")
        second = pool.submit(freshness.snapshot, Patience(5, SystemClock()))
        time.sleep(0.2)  # it waits for the census by now
        doubted = freshness.newest()
        tidied.set()
        assert doubted is not None
        assert first.result().number < doubted.number < second.result().number


def test_a_process_that_ends_is_no_defect(records: Records, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits for its census is to ask again, and no other process takes it for failed."""

    class Threaded:
        def calls(self, _: Source) -> dict[str, int]:
            return {}

        def open(self, *_: object) -> Any:
            list(together(1, str, "ab"))

    freshness = replace(of(records), directories=Threaded())  # type: ignore[arg-type]
    monkeypatch.setattr("concurrent.futures.thread._shutdown", True)  # what Python does first when the process ends
    with capture_logs() as lines, pytest.raises(RetryLater, match="stopping"):
        freshness.snapshot(Patience(5, SystemClock()))
    assert [each for each in lines if each["log_level"] != "info"] == []
    assert records.last_failure("default") is None
    assert not records.census_running("default")


def test_a_doubted_snapshot_is_there_but_answers_no_list(records: Records) -> None:
    freshness = of(records)
    published = publish(records)
    assert published is not None
    assert freshness.fresh() == published
    freshness.doubt("u1")
    newest = freshness.newest()
    assert newest is not None
    assert newest.census == published.number
    assert freshness.fresh() is None


@pytest.mark.parametrize(("by", "fresh"), [(599.0, True), (601.0, False), (-1.0, True), (-86400.0, False)])
def test_a_snapshot_from_the_future_is_not_young(records: Records, by: float, fresh: bool) -> None:
    """A clock that was a day ahead and was put right must not keep what was read then for a day."""

    class Moved(SystemClock):
        def now(self) -> float:
            return super().now() + by

    published = publish(records)
    assert replace(of(records), clock=Moved()).fresh() == (published if fresh else None)


def test_a_census_that_had_not_seen_the_doubt_is_not_published_over_it(records: Records) -> None:
    """It asks for what was marked first; then it knows what could not be read back."""
    freshness = of(records)
    census = records.begin_census("default", "me", 30)
    assert census is not None
    seen = census.mark
    freshness.doubt("u1")
    assert records.publish(census, ("user",), SUMMARY, seen) is None
    seen, subjects = records.marks("default", seen)
    assert subjects == {"u1"}
    assert records.publish(census, ("user",), SUMMARY, seen) is not None
    assert freshness.fresh() is not None


@pytest.mark.parametrize(
    ("found", "other", "shown"),
    [
        (OWN, {"role_arn": "another"}, True),
        (replace(OWN, caller=MEMBER), {"role_arn": "another"}, False),
        (replace(OWN, caller=MEMBER), {"role_arn": "another", "owned": False}, True),
        (replace(OWN, caller=MEMBER), {}, True),
        (replace(OWN, owner=None), {"role_arn": "another"}, False),
    ],
    ids=["the owner sees all", "who is delegated may not", "both are", "the same role", "who owns it is unknown"],
)
def test_lists_of_who_may_see_more_ask_aws_anew(
    records: Records, found: Instance, other: dict[str, Any], shown: bool
) -> None:
    """What the one that made a change read may lack the management account's access."""
    user, hidden = Fact("user", "u1", "u1", body={"attributes": {}}), Fact("assignment", "p/u1", "u1", "p")
    ours, theirs = of(records), of(records)
    theirs.source = Source("theirs", role_arn=other.get("role_arn"))
    theirs.stripped = Nobody()  # type: ignore[assignment]
    ours.others = lambda: [theirs]
    census = records.begin_census("theirs", "me", 30)
    assert census is not None
    records.stage(census, [user, hidden])
    records.publish(census, ("user", "assignment"), {**SUMMARY, "owned": other.get("owned", True)}, census.mark)

    ours.amend(found, ("user", "assignment"), {"u1": [user]})

    assert (theirs.fresh() is not None) is shown
    newest = theirs.newest()
    assert newest is not None
    assert records.page(newest, "assignment", "", 10) == ([] if shown else [hidden])


def test_a_census_under_way_keeps_what_a_change_did_not_read(records: Records) -> None:
    """Another source that shows groups only changes a user to whom somebody else has just granted access."""
    kinds, user, granted = ("user", "assignment"), Fact("user", "u1", "u1"), Fact("assignment", "p/u1", "u1", "p")
    publish(records)
    census = records.begin_census("default", "me", 30)
    assert census is not None
    records.stage(census, [user, granted])
    of(records).amend(OWN, ("user",), {"u1": [user]})
    published = records.publish(census, kinds, SUMMARY, census.mark)
    assert published is not None
    assert records.page(published, "assignment", "", 10) == [granted]


def test_a_change_that_is_not_put_into_the_snapshot_takes_nothing_from_a_census_under_way(tmp_path: Path) -> None:
    """What the census has read is newer than the snapshot that the change was not put into."""
    records = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    asked = ("default", "std:account:update", "u1", "u1", "me", "c", "", {}, "me", 30.0)
    change, _ = records.operations.accept(*asked)
    old, seen = (Fact("user", "u1", "u1", body={"title": title}) for title in ("Mate", "Captain"))
    ours = of(records)
    publish(records)
    ours.amend(OWN, ("user",), {"u1": [old]})
    census = records.begin_census("default", "me", 30)
    assert census is not None
    records.stage(census, [seen])
    with pytest.raises(RetryLater):
        ours.amend(OWN, ("user",), {"u1": [old]}, replace(change, fence=change.fence + 1))
    published = records.publish(census, ("user",), SUMMARY, census.mark)
    assert published is not None
    assert records.page(published, "user", "", 10) == [seen]
    records.close()


def test_a_change_is_put_into_no_snapshot_of_another_configuration(records: Records) -> None:
    """Nor does that one answer a list any more, should its configuration come back: it lacks the change."""
    ours, theirs = of(records), of(records, "another")
    publish(records)
    user = Fact("user", "u1", "u1")
    theirs.amend(OWN, ("user",), {"u1": [user]})
    newest = ours.newest()
    assert newest is not None
    assert records.page(newest, "user", "", 10) == []
    assert ours.fresh() is None
    assert theirs.newest() is None
    publish(records)
    ours.amend(OWN, ("user",), {"u1": [user]})
    newest = ours.fresh()
    assert newest is not None
    assert records.page(newest, "user", "", 10) == [user]


def test_a_change_is_put_into_the_snapshots_of_its_instance_and_no_other(records: Records) -> None:
    user = Fact("user", "u1", "u1", body={"attributes": {}})
    ours = of(records)
    here, elsewhere = of(records), of(records)
    here.source, elsewhere.source = Source("here"), Source("elsewhere")
    here.stripped = Nobody()  # type: ignore[assignment]
    ours.others = lambda: [here, elsewhere]
    for name, instance in [("here", INSTANCE), ("elsewhere", f"{INSTANCE}2")]:
        census = records.begin_census(name, "me", 30)
        assert census is not None
        records.publish(census, ("user",), {**SUMMARY, "instance": instance}, census.mark)

    ours.amend(OWN, ("user",), {"u1": [user]})
    found = here.fresh()
    assert found is not None
    assert records.page(found, "user", "", 10) == [user]
    other = elsewhere.fresh()
    assert other is not None
    assert records.page(other, "user", "", 10) == []

    ours.doubt("u1")
    assert here.fresh() is None, "which instance is ours, nothing says"
    assert elsewhere.fresh() is None
    for each in (ours, here, elsewhere):
        assert records.marks(each.source.name, 0)[1] == {"u1"}


def test_what_was_done_through_a_source_of_another_instance_is_not_looked_into(records: Records) -> None:
    """Of those with no snapshot yet nothing says what they serve."""
    operations = records.operations  # type: ignore[attr-defined]
    names = ("default", "here", "elsewhere", "new", "gone")
    done = {name: operations.accept(name, "update", name, name, "", name, "", {}, "me", 30)[0].id for name in names}
    ours = replace(of(records), operations=operations)
    others = [replace(of(records), source=Source(name)) for name in names[1:4]]
    ours.others = lambda: others
    for name, instance in [("here", INSTANCE), ("elsewhere", f"{INSTANCE}2")]:
        census = records.begin_census(name, "me", 30)
        assert census is not None
        records.publish(census, ("user",), {**SUMMARY, "instance": instance}, census.mark)

    found = [each.id for each in ours._recent(INSTANCE, 60)]

    assert found == [done[name] for name in ("default", "here", "new", "gone")]
