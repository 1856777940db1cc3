"""A census: one owner at a time, invisible until it is published, and published whole or not at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connector.errors import CallUs, RetryLater
from connector.model import Fact
from connector.ports import Census
from connector.store import Store

USER = Fact("user", "u1", "u1", body={"name": "Ada"})
GROUP = Fact("group", "g1", body={"name": "Admins"})
MEMBERSHIP = Fact("membership", "g1/u1", "u1", "g1")
KINDS = ("user", "group", "membership")
LONG = 300.0
"""Seconds of a lease that does not run out in a test."""


def begin(store: Store, owner: str = "one", lease: float = LONG) -> Census:
    census = store.begin_census("aws", owner, lease)
    assert census is not None
    return census


def publish(store: Store, *facts: Fact, kinds: tuple[str, ...] = KINDS, configuration: str = "") -> int:
    census = begin(store)
    store.stage(census, facts)
    summary = {"fingerprint": configuration} if configuration else {}
    published = store.publish(census, kinds, summary, seen_changes=10**9)
    assert published is not None
    return published.number


# ---- leases ------------------------------------------------------------------------------------------------------


def test_one_census_at_a_time(store: Store) -> None:
    """While one holds the lease nobody gets it, not even its owner; another source has a lease of its own."""
    assert not store.census_running("aws")

    begin(store)

    assert store.census_running("aws")
    assert store.begin_census("aws", "two", LONG) is None
    assert store.begin_census("aws", "one", LONG) is None
    assert store.begin_census("other", "two", LONG) is not None


def test_a_lease_that_ran_out_is_taken_over(store: Store) -> None:
    """The dead owner's staged facts go, and whatever it still tries is refused."""
    dead = begin(store, "dead", lease=0)
    store.stage(dead, [USER, GROUP])
    assert not store.census_running("aws")

    living = begin(store, "living")

    assert list(store.staged(living, "user")) == []
    assert not store.renew(dead, LONG)
    with pytest.raises(RetryLater, match="source aws"):
        store.stage(dead, [USER])
    with pytest.raises(RetryLater, match="source aws"):
        store.restage(dead, "u1", KINDS, [USER])
    with pytest.raises(RetryLater, match="source aws"):
        store.unstage(dead, "user", ["u1"])
    with pytest.raises(RetryLater, match="source aws"):
        store.publish(dead, KINDS, {}, 0)
    store.abandon(dead, "too late to matter")
    assert store.last_failure("aws") is None
    assert store.latest("aws") is None
    store.stage(living, [GROUP])
    published = store.publish(living, KINDS, {}, 0)
    assert published is not None
    assert [store.count(published, kind) for kind in KINDS] == [0, 1, 0]


def test_a_slow_owner_keeps_what_nobody_took(store: Store) -> None:
    """A lease that ran out is renewed, and published under, as long as nobody came between."""
    slow = begin(store, lease=0)
    store.stage(slow, [USER])

    assert store.renew(slow, LONG)
    assert store.census_running("aws")
    assert store.publish(slow, KINDS, {}, 0) is not None


def test_an_ended_census_is_over(store: Store) -> None:
    """After publication or abandonment the same census can neither stage nor publish nor renew."""
    for end in (lambda census: store.publish(census, KINDS, {}, 0), lambda census: store.abandon(census, "why")):
        census = begin(store)
        end(census)
        assert not store.census_running("aws")
        assert not store.renew(census, LONG)
        with pytest.raises(RetryLater):
            store.stage(census, [USER])
        with pytest.raises(RetryLater):
            store.publish(census, KINDS, {}, 0)


def test_the_last_failure_is_told_until_a_census_succeeds(store: Store) -> None:
    """`abandon` keeps when and why."""
    assert store.last_failure("aws") is None
    census = begin(store)
    store.abandon(census, "AWS did not answer")

    begun = begin(store)
    told = store.last_failure("aws")
    assert told is not None
    assert told[1] == "AWS did not answer"
    assert census.started_at <= told[0] <= begun.started_at

    store.publish(begun, KINDS, {}, 0)
    assert store.last_failure("aws") is None


def test_a_census_of_elsewhere_is_a_defect(store: Store) -> None:
    """Only what `begin_census` gave out is a census."""

    class Stranger:
        source = "aws"
        started_at = 0.0
        mark = 0

    with pytest.raises(CallUs):
        store.renew(Stranger(), LONG)


# ---- staging -----------------------------------------------------------------------------------------------------


def test_staged_facts_are_for_their_census_only(store: Store) -> None:
    """They come back by id; nobody else sees them before publication; afterwards nothing is left."""
    census = begin(store)
    store.stage(census, (Fact("user", f"u{number}", f"u{number}") for number in (3, 1, 2)))
    store.stage(census, [GROUP])

    assert [fact.id for fact in store.staged(census, "user")] == ["u1", "u2", "u3"]
    assert list(store.staged(census, "group")) == [GROUP]
    assert list(store.staged(census, "pair")) == []
    assert store.are_staged(census, "user", ["u2", "u4", "u1"]) == {"u1", "u2"}
    assert store.staged_among(census, "group", ["g1", "u1"]) == [GROUP]
    assert [fact.id for fact in store.staged_about(census, "user", ["u2", "u4"])] == ["u2"]
    store.unstage(census, "user", ["u2", "u4"])
    store.unstage(census, "group", ["u1"])
    assert [fact.id for fact in store.staged(census, "user")] == ["u1", "u3"]
    store.stage(census, [Fact("user", "u2", "u2")])
    assert store.are_staged(census, "pair", ["u2"]) == store.are_staged(census, "user", []) == frozenset()
    assert store.latest("aws") is None

    store.publish(census, KINDS, {}, 0)
    assert list(store.staged(census, "user")) == []


@pytest.mark.parametrize("others", [("a",), ("z",), ("a", "z"), ()])
def test_what_others_stage_stays_when_a_census_ends(store: Store, others: tuple[str, ...]) -> None:
    """Of sources that were known before this one, and of later ones; its own goes."""
    going_on = {}
    for name in sorted({"m", *others}):
        census = store.begin_census(name, "one", LONG)
        assert census is not None
        store.stage(census, [USER])
        going_on[name] = census
    ended = going_on.pop("m")

    store.publish(ended, KINDS, {}, 0)

    assert list(store.staged(ended, "user")) == []
    assert [list(store.staged(each, "user")) for each in going_on.values()] == [[USER]] * len(others)


def test_a_later_census_keeps_what_it_staged_when_an_earlier_one_gives_up(store: Store) -> None:
    dead = begin(store, "dead", lease=0)
    store.stage(dead, [USER])
    living = begin(store, "living")
    store.stage(living, [GROUP])

    store.abandon(dead, "too late")

    assert list(store.staged(dead, "user")) == []
    assert list(store.staged(living, "group")) == [GROUP]


def test_more_facts_than_fit_a_batch(store: Store) -> None:
    """Staging and reading back work in batches; nothing gets lost at their borders."""
    facts = [Fact("user", f"u{number:05}") for number in range(10_001)]
    census = begin(store)

    store.stage(census, iter(facts))

    assert list(store.staged(census, "user")) == facts


def test_of_two_facts_with_one_name_the_later_stays(store: Store) -> None:
    """AWS's pages move while they are read: a user can come twice."""
    census = begin(store)
    store.stage(census, [USER, Fact("user", "u1", "u1", body={"name": "Countess"})])
    assert [fact.body for fact in store.staged(census, "user")] == [{"name": "Countess"}]

    store.stage(census, [USER])
    assert list(store.staged(census, "user")) == [USER]


def test_restage_replaces_what_is_said_about_a_subject(store: Store) -> None:
    """Of the named kinds only; the facts of other subjects stay."""
    other = Fact("membership", "g1/u2", "u2", "g1")
    assignment = Fact("assignment", "p/u1", "u1", "p")
    census = begin(store)
    store.stage(census, [USER, GROUP, MEMBERSHIP, other, assignment])

    renamed, joined = Fact("user", "u1", "u1", body={"name": "Countess"}), Fact("membership", "g2/u1", "u1", "g2")
    store.restage(census, "u1", ("user", "membership"), [renamed, joined])

    assert list(store.staged(census, "user")) == [renamed]
    assert list(store.staged(census, "membership")) == [other, joined]
    assert list(store.staged(census, "assignment")) == [assignment]
    store.restage(census, "u1", ("user", "membership", "assignment"), [])
    assert list(store.staged(census, "user")) == []


def test_a_staged_iterator_that_fails_leaves_the_census_unpublished(store: Store) -> None:
    """The failure passes; the last snapshot stays what it was."""
    number = publish(store, USER)
    census = begin(store)

    def broken() -> object:
        yield GROUP
        raise RetryLater("AWS went away")

    with pytest.raises(RetryLater, match="AWS went away"):
        store.stage(census, broken())

    latest = store.latest("aws")
    assert latest is not None
    assert latest.number == number
    assert store.count(latest, "user") == 1


@pytest.mark.parametrize("fact", [Fact("user", "u\0"), Fact("user", "u", "\ud800"), Fact("user", "u", body={"a": {1}})])
def test_what_cannot_be_kept_is_a_defect(store: Store, fact: Fact) -> None:
    """No database keeps NUL or half a character in a name, and a body must be JSON."""
    census = begin(store)
    with pytest.raises(CallUs):
        store.stage(census, [fact])


# ---- publication -------------------------------------------------------------------------------------------------


def test_a_snapshot_is_numbered_timed_and_summed_up(store: Store) -> None:
    """Numbers grow by one by source; the summary comes back as it was."""
    census = begin(store)
    store.stage(census, [USER])
    first = store.publish(census, KINDS, {"calls": {"ListUsers": 1}, "warnings": ["a – b"]}, 0)

    assert first is not None
    assert (first.source, first.number, first.census) == ("aws", 1, 1)
    assert first.summary == {"calls": {"ListUsers": 1}, "warnings": ["a – b"]}
    assert first.completed_at >= census.started_at
    assert store.latest("aws") == store.snapshot("aws", 1) == first
    assert publish(store, USER) == 2
    assert store.snapshot("aws", 1) == first
    assert store.snapshot("aws", 3) is None
    assert store.snapshot("other", 1) is None


def test_kinds_that_were_not_read_are_absent(store: Store) -> None:
    """Their facts end with the snapshot before, staged or not."""
    publish(store, USER, GROUP, MEMBERSHIP)

    publish(store, USER, GROUP, MEMBERSHIP, kinds=("user",))

    first, second = store.snapshot("aws", 1), store.snapshot("aws", 2)
    assert first is not None
    assert second is not None
    assert [store.count(first, kind) for kind in KINDS] == [1, 1, 1]
    assert [store.count(second, kind) for kind in KINDS] == [1, 0, 0]
    assert store.page(second, "group", "", 10) == []
    assert store.page(first, "group", "", 10) == [GROUP]


def test_sources_do_not_mix(store: Store) -> None:
    """The same facts in two sources are two facts."""
    publish(store, USER)
    census = store.begin_census("other", "one", LONG)
    assert census is not None
    store.stage(census, [GROUP])
    other = store.publish(census, KINDS, {}, 0)

    assert other is not None
    assert other.number == 1
    assert [store.count(other, kind) for kind in KINDS] == [0, 1, 0]
    first = store.latest("aws")
    assert first is not None
    assert store.page(first, "user", "", 10) == [USER]


# ---- own changes -------------------------------------------------------------------------------------------------


def test_a_change_that_no_snapshot_has_stops_publication(store: Store) -> None:
    """Nothing is done; with the mark seen it goes on."""
    assert store.marks("aws", 0) == (0, frozenset())
    census = begin(store)
    store.stage(census, [USER])
    assert store.mark_change("aws", "u1", KINDS) == 1
    assert store.mark_change("aws", "u2", KINDS) == 2

    assert store.publish(census, KINDS, {}, 1) is None

    assert store.latest("aws") is None
    assert store.census_running("aws")
    newest, subjects = store.marks("aws", census.mark)
    assert (newest, subjects) == (2, {"u1", "u2"})
    published = store.publish(census, KINDS, {}, newest)
    assert published is not None
    assert store.count(published, "user") == 1


def test_a_census_publishes_what_was_changed_meanwhile_as_its_change_read_it(store: Store) -> None:
    """Also what the change took away, and what the census read before; the rest is as the census read it."""
    other = Fact("user", "u2", "u2")
    publish(store, USER, GROUP, MEMBERSHIP, other)
    census = begin(store)
    store.stage(census, [USER, GROUP, MEMBERSHIP, replace(other, body={"title": "read"})])
    store.mark_change("aws", "u1", KINDS)
    changed = replace(USER, body={"title": "changed"})
    store.amend("aws", "", KINDS, {"u1": [changed]})

    published = store.publish(census, KINDS, {}, census.mark)

    assert published is not None
    assert published.census == published.number
    assert [each.body for each in store.page(published, "user", "", 10)] == [changed.body, {"title": "read"}]
    assert store.page(published, "membership", "", 10) == []
    assert [store.count(published, kind) for kind in ("user", "membership")] == [2, 0]


def test_a_census_keeps_its_own_reading_of_the_kinds_that_a_change_did_not_read(store: Store) -> None:
    """The newest snapshot has these from the census before."""
    publish(store, USER, GROUP)
    census = begin(store)
    granted = Fact("assignment", "p/u1", "u1", "p")
    store.stage(census, [USER, GROUP, granted])
    store.mark_change("aws", "u1", ("user", "membership"))
    store.amend("aws", "", ("user", "membership"), {"u1": [USER, MEMBERSHIP]})
    store.mark_change("aws", "u1", ("user",))

    published = store.publish(census, (*KINDS, "assignment"), {}, census.mark)

    assert published is not None
    assert store.page(published, "membership", "", 10) == [MEMBERSHIP]
    assert store.page(published, "assignment", "", 10) == [granted]


@pytest.mark.parametrize("why", ["of another configuration", "doubted"])
def test_a_snapshot_that_cannot_say_what_was_changed_stops_publication(store: Store, why: str) -> None:
    publish(store, USER)
    census = begin(store)
    store.stage(census, [USER])
    store.mark_change("aws", "u1", KINDS)
    if why == "doubted":
        store.doubt("aws")
    summary = {"fingerprint": "another"} if why == "of another configuration" else {}

    assert store.publish(census, KINDS, summary, census.mark) is None
    newest, subjects = store.marks("aws", census.mark)
    assert subjects == {"u1"}
    assert store.publish(census, KINDS, summary, newest) is not None


def test_what_is_laid_out_takes_changes_until_the_census_is_published(store: Store) -> None:
    census = begin(store)
    store.stage(census, [USER, GROUP])
    store.mark_change("aws", "u1", KINDS)

    seen = store.lay_out(census, KINDS, {})

    laid_out = store.latest("aws")
    assert laid_out is not None
    assert laid_out.doubted
    assert store.census_running("aws")
    assert store.marks("aws", seen) == (seen, frozenset())
    changed = replace(USER, body={"title": "changed"})
    store.mark_change("aws", "u1", KINDS)
    store.amend("aws", "", KINDS, {"u1": [changed]})
    published = store.publish(census, KINDS, {}, seen)
    assert published is not None
    assert not published.doubted
    assert store.page(published, "user", "", 10) == [changed]
    assert store.page(published, "group", "", 10) == [GROUP]


def test_what_is_laid_out_can_be_doubted_like_any_other(store: Store) -> None:
    """What could not be read back since must be read again."""
    census = begin(store)
    store.stage(census, [USER])
    seen = store.lay_out(census, KINDS, {})
    store.mark_change("aws", "u1", KINDS)
    store.doubt("aws")

    assert store.publish(census, KINDS, {}, seen) is None
    assert store.publish(census, KINDS, {}, store.lay_out(census, KINDS, {})) is not None


def test_marks_are_told_from_a_number_on(store: Store) -> None:
    """The number is the newest ever; the subjects are those marked since."""
    store.mark_change("aws", "u1", KINDS)
    assert begin(store).mark == 1
    store.mark_change("aws", "u2", KINDS)

    assert store.marks("aws", 1) == (2, {"u2"})
    assert store.marks("aws", 2) == (2, frozenset())


def test_amend_publishes_only_what_differs(store: Store) -> None:
    """A new number of the same census; all else stays; the snapshot before still reads as it did."""
    publish(store, USER, GROUP, MEMBERSHIP, Fact("user", "u2", "u2"))
    first = store.latest("aws")
    assert first is not None
    joined = Fact("membership", "g2/u1", "u1", "g2")

    amended = store.amend("aws", "", ("user", "membership"), {"u1": [USER, joined]})

    assert amended is not None
    assert (amended.number, amended.census, amended.completed_at) == (2, 1, first.completed_at)
    assert store.latest("aws") == amended
    assert store.about(amended, "membership", ["u1"]) == [joined]
    assert [store.count(amended, kind) for kind in KINDS] == [2, 1, 1]
    assert list(store.changed("aws", 1, 2, KINDS)) == [("membership", "g1/u1"), ("membership", "g2/u1")]
    assert store.about(first, "membership", ["u1"]) == [MEMBERSHIP]


def test_amend_without_a_difference_is_no_snapshot(store: Store) -> None:
    """The newest comes back unchanged."""
    publish(store, USER, MEMBERSHIP)

    assert store.amend("aws", "", ("user", "membership"), {"u1": [USER, MEMBERSHIP]}) == store.latest("aws")
    amended = store.latest("aws")
    assert amended is not None
    assert amended.number == 1


def test_amend_removes_a_deleted_user(store: Store) -> None:
    """No facts about a subject: it is gone, with all it held."""
    publish(store, USER, GROUP, MEMBERSHIP)

    amended = store.amend("aws", "", ("user", "membership"), {"u1": []})

    assert amended is not None
    assert [store.count(amended, kind) for kind in KINDS] == [0, 1, 0]
    assert store.one(amended, "user", "u1") is None


def test_amend_before_any_census(store: Store) -> None:
    """There is nothing to amend."""
    assert store.amend("aws", "", ("user",), {"u1": [USER]}) is None
    begin(store)
    assert store.amend("aws", "", ("user",), {"u1": [USER]}) is None


def test_amend_makes_the_marks_it_is_asked_for(store: Store) -> None:
    """Also where there is nothing to amend; none where its change is another's by now."""
    assert store.amend("aws", "", ("user",), {"u1": [USER]}, marked=True) is None
    publish(store, USER)
    census = begin(store)
    other = Fact("user", "u2", "u2")
    store.amend("aws", "", ("user",), {"u1": [USER], "u2": [other]}, marked=True)
    assert census.mark == 1
    assert store.marks("aws", 0) == (3, {"u1", "u2"})
    assert store.marks("aws", 1) == (3, {"u1", "u2"})
    published = store.publish(census, KINDS, {}, census.mark)
    assert published is not None
    assert list(store.page(published, "user", "", 10)) == [USER, other]
    change, _ = store.operations.accept("aws", "c", "u3", "u3", "me", "c", "", {}, "me", LONG)
    with pytest.raises(RetryLater):
        store.amend("aws", "", ("user",), {"u3": []}, replace(change, fence=change.fence + 1), marked=True)
    assert store.marks("aws", 3) == (3, frozenset())


def test_amend_leaves_absent_kinds_absent(store: Store) -> None:
    """A kind that the census did not read must not begin to exist for one account only."""
    publish(store, USER, kinds=("user",))

    amended = store.amend("aws", "", ("user", "membership"), {"u1": [USER, MEMBERSHIP]})

    assert amended is not None
    assert amended.number == 1
    assert store.page(amended, "membership", "", 10) == []


def test_amend_takes_over_a_name(store: Store) -> None:
    """A fact has one subject: told about another, it ends for the first."""
    publish(store, USER, MEMBERSHIP)
    moved = Fact("membership", MEMBERSHIP.id, "u2", "g1")

    amended = store.amend("aws", "", ("membership",), {"u2": [moved]})

    assert amended is not None
    assert store.page(amended, "membership", "", 10) == [moved]
    assert store.count(amended, "membership") == 1


@pytest.mark.parametrize("fact", [Fact("user", "u2", "u2"), Fact("group", "g1", "u1")])
def test_amend_with_facts_about_something_else_is_a_defect(store: Store, fact: Fact) -> None:
    """Another subject, or a kind that was not named."""
    publish(store, USER)
    with pytest.raises(CallUs):
        store.amend("aws", "", ("user",), {"u1": [fact]})


def test_amend_of_several_subjects_leaves_the_others(store: Store) -> None:
    """More than fit into one statement, in one snapshot."""
    users = [Fact("user", f"v{number:04d}", f"v{number:04d}") for number in range(1200)]
    publish(store, USER, *users)
    renamed = [Fact("user", each.id, each.id, body={"name": "Bob"}) for each in users[:1100]]

    amended = store.amend("aws", "", ("user",), {each.id: [each] for each in renamed} | {users[1100].id: []})

    assert amended is not None
    assert amended.number == 2
    assert store.page(amended, "user", "", 2000) == [USER, *renamed, *users[1101:]]
    assert store.count(amended, "user") == 1200


def test_amend_leaves_the_snapshot_of_another_configuration_alone(store: Store) -> None:
    """An account that one configuration shows is none of another's."""
    publish(store, USER, configuration="a")
    first = store.latest("aws")

    assert store.amend("aws", "b", ("user",), {"u2": [Fact("user", "u2", "u2")]}) is None

    assert store.latest("aws") == first
    amended = store.amend("aws", "a", ("user",), {"u2": [Fact("user", "u2", "u2")]})
    assert amended is not None
    assert (amended.number, amended.configuration) == (2, "a")


def test_what_a_change_read_before_it_was_taken_over_is_refused(store: Store) -> None:
    """Its new owner may have ended it, and the next change of the account may be in the list already."""
    publish(store, USER)
    first = store.latest("aws")
    slow, _ = store.operations.accept("aws", "std:account:update", "u1", "u1", "me", "c", "", {}, "slow", 0)
    taken = store.operations.take_abandoned("quick", LONG)
    assert taken is not None

    with pytest.raises(RetryLater, match=slow.id):
        store.amend("aws", "", ("user",), {"u1": []}, slow)

    assert store.latest("aws") == first
    amended = store.amend("aws", "", ("user",), {"u1": []}, taken)
    assert amended is not None
    assert store.count(amended, "user") == 0
    store.operations.end(taken, "succeeded", {})
    with pytest.raises(RetryLater, match=slow.id):
        store.amend("aws", "", ("user",), {"u1": [USER]}, taken)


def test_a_doubt_stays_until_the_next_census(store: Store) -> None:
    """It is a snapshot of its own: nothing that was published changes. What amends it lacks the same change."""
    store.doubt("aws")
    assert store.latest("aws") is None, "there was nothing to doubt"
    publish(store, USER, MEMBERSHIP)
    first = store.latest("aws")
    assert first is not None

    store.doubt("aws")
    store.doubt("aws")

    doubted = store.latest("aws")
    assert doubted is not None
    assert (first.doubted, doubted.doubted) == (False, True)
    assert store.snapshot("aws", 1) == first
    assert (doubted.number, doubted.census, doubted.completed_at) == (2, 1, first.completed_at)
    assert [store.count(doubted, kind) for kind in KINDS] == [1, 0, 1]
    assert list(store.changed("aws", 1, 2, KINDS)) == []
    amended = store.amend("aws", "", ("user", "membership"), {"u1": [USER]})
    assert amended is not None
    assert amended.doubted
    publish(store, USER)
    healed = store.latest("aws")
    assert healed is not None
    assert not healed.doubted


def test_a_census_after_amendments_keeps_what_is_equal(store: Store) -> None:
    """Facts that an amendment brought and the next census confirms do not begin again."""
    publish(store, USER)
    store.amend("aws", "", ("user", "membership"), {"u1": [USER, MEMBERSHIP]})

    assert publish(store, USER, MEMBERSHIP) == 3

    assert list(store.changed("aws", 2, 3, KINDS)) == []
    assert list(store.changed("aws", 1, 3, KINDS)) == [("membership", "g1/u1")]


# ---- notes -------------------------------------------------------------------------------------------------------


def test_notes(store: Store) -> None:
    """The value last put under a source and a key."""
    assert store.note("aws", "names") is None
    store.put_note("aws", "names", "a")
    store.put_note("aws", "names", "b – ü")
    store.put_note("other", "names", "c")

    assert store.note("aws", "names") == "b – ü"
    assert store.note("other", "names") == "c"
    assert store.note("aws", "else") is None
    assert store.note("aws", "\0") is None


@pytest.mark.parametrize("subject", ["u1", ""])
def test_a_doubt_that_came_late_is_seen_by_a_census_under_way(store: Store, subject: str) -> None:
    """Also one about somebody whom nobody knows yet: the census may have read the users before he was made."""
    publish(store, USER)
    before, _ = store.marks("aws", 0)
    store.owe_doubt(subject)
    latest = store.latest("aws")
    assert latest is not None
    assert latest.doubted
    assert subject in store.marks("aws", before)[1]
