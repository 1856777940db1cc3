"""Random histories of censuses and amendments against a model that keeps every snapshot whole."""

from __future__ import annotations

from collections import Counter
from itertools import count, pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.model import Fact, Snapshot
from connector.store import Store

KINDS = ("user", "membership", "assignment")
SUBJECTS = ("", "u1", "u2", "u3", "ü4")
HELD = ("", "g1", "g2")
Facts = dict[tuple[str, str], Fact]

# No 1 beside True: they are equal here, and not in JSON.
fact = st.builds(
    Fact,
    kind=st.sampled_from(KINDS),
    id=st.sampled_from(["a", "b", "B", "ä", "c/d", "e"]),
    subject=st.sampled_from(SUBJECTS),
    held=st.sampled_from(HELD),
    body=st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from([2, True, None, "é", ["l"]]), max_size=2),
)
facts = st.lists(fact, max_size=12)
census = st.tuples(st.just("census"), facts, st.sets(st.sampled_from(KINDS)))
amendment = st.tuples(st.just("amend"), st.sampled_from(SUBJECTS[1:]), st.sets(st.sampled_from(KINDS)), facts)
history = st.lists(census | amendment, min_size=1, max_size=6)
source = count(1)


def test_every_snapshot_reads_as_published(store: Store) -> None:
    """Whatever came later; and `changed` is the difference of the oldest and the newest to any other, `touched` all on
    the way between them."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(history)
    def check(steps: list[tuple[object, ...]]) -> None:
        name = f"source {next(source)}"
        published = _play(store, name, steps)
        for snapshot, expected in published:
            _reads_as(store, snapshot, expected)
        for first, before in published[:1] + published[-1:]:
            for second, after in published:
                differing = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
                assert list(store.changed(name, first.number, second.number, KINDS)) == differing
                ends = sorted((first.number, second.number))
                way = [each for snapshot, each in published if ends[0] <= snapshot.number <= ends[1]]
                touched = {
                    key
                    for one, next_ in pairwise(way)
                    for key in one.keys() | next_.keys()
                    if one.get(key) != next_.get(key)
                }
                assert list(store.touched(name, first.number, second.number, KINDS)) == sorted(touched)

    check()


def _play(store: Store, name: str, steps: list[tuple[object, ...]]) -> list[tuple[Snapshot, Facts]]:
    published: list[tuple[Snapshot, Facts]] = []
    read: set[str] = set()
    for step in steps:
        if step[0] == "census":
            _, found, read = step
            expected = {(each.kind, each.id): each for each in found if each.kind in read}
            snapshot = _publish(store, name, found, read)
            assert snapshot.number == (published[-1][0].number + 1 if published else 1)
        else:
            _, subject, kinds, found = step
            about = {(each.kind, each.id): _about(each, subject) for each in found if each.kind in kinds}
            snapshot = store.amend(name, "", sorted(kinds), {subject: about.values()})
            if not published:
                assert snapshot is None
                continue
            last, expected = published[-1]
            kept = {key: each for key, each in expected.items() if each.kind not in kinds or each.subject != subject}
            expected = kept | {key: each for key, each in about.items() if each.kind in read}
            assert snapshot.number == last.number + (expected != published[-1][1])
        published.append((snapshot, expected))
    return published


def _about(fact: Fact, subject: str) -> Fact:
    return Fact(fact.kind, fact.id, subject, fact.held, fact.body)


def _publish(store: Store, name: str, found: list[Fact], read: set[str]) -> Snapshot:
    census = store.begin_census(name, "one", 300)
    store.stage(census, found)
    snapshot = store.publish(census, sorted(read), {}, 0)
    assert snapshot is not None
    return snapshot


def _reads_as(store: Store, snapshot: Snapshot, expected: Facts) -> None:
    for kind in KINDS:
        of_kind = [expected[key] for key in sorted(expected) if key[0] == kind]
        assert store.page(snapshot, kind, "", 100) == of_kind
        assert store.count(snapshot, kind) == len(of_kind)
        assert store.tally(snapshot, kind) == Counter(each.held for each in of_kind if each.held)
        about = [each for each in of_kind if each.subject]
        assert store.about(snapshot, kind, SUBJECTS) == sorted(about, key=lambda each: (each.subject, each.id))
        for held in HELD[1:]:
            assert store.holding(snapshot, kind, held) == [each for each in of_kind if each.held == held]
        for each in of_kind:
            assert store.one(snapshot, kind, each.id) == each
