"""What was taken from disabled users."""

from __future__ import annotations

from connector.store import Store, open_store
from tests.store.test_concurrency import together


def test_a_journal(store: Store, store_url: str) -> None:
    """Grows, repeats nothing, is another for each user and source, and goes when the user is restored."""
    assert store.stripped.journal("aws", "u1") is None
    assert store.stripped.all("aws") == frozenset()

    whole = store.stripped.strip("aws", "u1", {"groups": ["g2", "g1"], "roleGrants": []})
    assert whole == store.stripped.journal("aws", "u1") == {"groups": ["g1", "g2"]}
    whole = store.stripped.strip("aws", "u1", {"groups": ["g3", "g1"], "permissionSetAssignments": ["p1"]})
    assert whole == {"groups": ["g1", "g2", "g3"], "permissionSetAssignments": ["p1"]}
    assert store.stripped.strip("aws", "u1", {}) == whole
    store.stripped.strip("other", "u1", {"groups": ["g9"]})
    store.stripped.strip("aws", "u2", {"groups": ["g1"]})
    assert store.stripped.all("aws") == frozenset(), "nobody is disabled before all was taken"
    assert not store.stripped.disabled("aws", "u1")
    for source, user in (("aws", "u1"), ("aws", "u2"), ("other", "u1")):
        store.stripped.complete(source, user)

    other = open_store(store_url)
    assert other.stripped.journal("aws", "u1") == whole
    assert other.stripped.all("aws") == {"u1", "u2"}
    other.stripped.restored("aws", "u1")
    other.stripped.restored("aws", "u1")
    other.close()
    assert store.stripped.journal("aws", "u1") is None
    assert store.stripped.all("aws") == {"u2"}
    assert store.stripped.all("other") == {"u1"}
    told = {
        (source, user): store.stripped.disabled(source, user) for source in ("aws", "other") for user in ("u1", "u2")
    }
    assert told == {("aws", "u1"): False, ("aws", "u2"): True, ("other", "u1"): True, ("other", "u2"): False}
    assert store.stripped.journal("other", "u1") == {"groups": ["g9"]}


def test_who_had_nothing_is_disabled_too(store: Store) -> None:
    """An empty journal is not none."""
    assert store.stripped.strip("aws", "u1", {}) == {}
    store.stripped.complete("aws", "u1")
    store.stripped.complete("aws", "u1")
    assert store.stripped.journal("aws", "u1") == {}
    assert store.stripped.all("aws") == {"u1"}


def test_ids_that_are_none(store: Store) -> None:
    """Nobody has them, and a source that was never written has nobody."""
    store.stripped.restored("aws", "u1")
    store.stripped.strip("aws", "u1", {})
    assert store.stripped.journal("aws", "\0") is None
    store.stripped.restored("aws", "\0")
    assert store.stripped.all("none") == frozenset()
    assert not store.stripped.disabled("aws", "\0")
    assert not store.stripped.disabled("none", "u1")


def test_what_is_forgotten_is_not_given_back(store: Store) -> None:
    store.stripped.strip("aws", "u1", {"groups": ["g1", "g2"], "permissionSetAssignments": ["g1"]})
    store.stripped.strip("aws", "u2", {"groups": ["g1"]})
    store.stripped.complete("aws", "u1")
    for _ in range(2):
        store.stripped.forget("u1", {"groups": ["g1", "g9"], "roleGrants": []})
        assert store.stripped.journal("aws", "u1") == {"groups": ["g2"], "permissionSetAssignments": ["g1"]}
    store.stripped.forget("u1", {"groups": ["g2"], "permissionSetAssignments": ["g1"]})
    assert store.stripped.journal("aws", "u1") == {}
    assert store.stripped.disabled("aws", "u1"), "with nothing to come back to"
    assert store.stripped.journal("aws", "u2") == {"groups": ["g1"]}


def test_what_is_forgotten_no_source_gives_back(store: Store) -> None:
    """Two may serve one instance, and the user is the same in both."""
    store.stripped.strip("aws", "u1", {"groups": ["g1", "g2"]})
    store.stripped.strip("other", "u1", {"groups": ["g2", "g3"], "permissionSetAssignments": ["p1"]})
    store.stripped.strip("other", "u2", {"groups": ["g2", "g4"]})
    store.stripped.complete("other", "u1")
    assert store.stripped.journals("u1") == {"groups": ["g1", "g2", "g3"], "permissionSetAssignments": ["p1"]}
    assert store.stripped.journals("u3") == store.stripped.journals("\0") == {}

    store.stripped.forget("u1", {"groups": ["g2"], "permissionSetAssignments": ["p1"]})

    assert store.stripped.journal("aws", "u1") == {"groups": ["g1"]}
    assert store.stripped.journal("other", "u1") == {"groups": ["g3"]}
    assert store.stripped.disabled("other", "u1")
    assert store.stripped.journal("other", "u2") == {"groups": ["g2", "g4"]}


def test_a_journal_goes_to_a_source_that_has_the_user_disabled_too(store: Store) -> None:
    store.stripped.strip("aws", "u1", {"groups": ["g1", "g2"]})
    store.stripped.complete("aws", "u1")
    store.stripped.strip("other", "u1", {"groups": ["g2", "g3"]})
    assert not store.stripped.hand_over("aws", "u1", ["other", "never"]), "it has not taken all yet"
    store.stripped.complete("other", "u1")
    assert not store.stripped.hand_over("aws", "u1", []), "it is not there any more"
    assert not store.stripped.hand_over("aws", "u2", ["other"])
    assert store.stripped.journal("aws", "u1") == {"groups": ["g1", "g2"]}

    assert store.stripped.hand_over("aws", "u1", ["other"])

    assert store.stripped.journal("aws", "u1") is None
    assert not store.stripped.disabled("aws", "u1")
    assert store.stripped.journal("other", "u1") == {"groups": ["g1", "g2", "g3"]}
    assert store.stripped.disabled("other", "u1")
    assert not store.stripped.hand_over("other", "u1", ["aws"])


def test_stripped_by_many(store: Store) -> None:
    """The journal has what each has noted."""
    held = [{"groups": [f"g{number}", "g", f"g{9 - number}"]} for number in range(8)]

    together(*(lambda each=each: store.stripped.strip("aws", "u1", each) for each in held))

    assert store.stripped.journal("aws", "u1") == {"groups": sorted({each for one in held for each in one["groups"]})}
