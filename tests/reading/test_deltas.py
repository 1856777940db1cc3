"""The delta applied to the old list is the new list, exactly, for random organisations and random changes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connector.model import (
    Account,
    Application,
    ApplicationAssignment,
    Assignment,
    AwsAccount,
    Entitlement,
    Fact,
    Group,
    Membership,
    Pair,
    PermissionSet,
    Policies,
    Principal,
    Snapshot,
    Source,
    User,
)
from connector.ports import Records
from connector.reading import deltas, facts, views
from connector.reading.entitlements import Shelf
from connector.store import open_store

SOURCE = Source("default", entitlement_types=("group", "permissionSetAssignment", "applicationAssignment"))
KINDS = (
    facts.USER,
    facts.GROUP,
    facts.MEMBERSHIP,
    facts.PERMISSION_SET,
    facts.DETAILS,
    facts.AWS_ACCOUNT,
    facts.PAIR,
    facts.ASSIGNMENT,
    facts.APPLICATION,
    facts.APPLICATION_ASSIGNMENT,
)
ACCOUNTS = ("111111111111", "222222222222")
SETS = ("ps-000000000000000a", "ps-000000000000000b")
PAIRS = tuple(Pair(account, set_) for account in ACCOUNTS for set_ in SETS)
USERS = tuple(f"u{n}" for n in range(5))
GROUPS = tuple(f"g{n}" for n in range(4))
APPLICATIONS = ("apl-1", "apl-2")
PRINCIPALS = tuple(Principal("USER", each) for each in (*USERS, "gone")) + tuple(
    Principal("GROUP", each) for each in GROUPS
)

names = st.sampled_from(["old", "new"])


@st.composite
def organisations(draw: st.DrawFn) -> list[Fact]:
    """Facts of one census; any of them may be there or not, and be called one thing or another."""
    found: list[Fact] = []
    for id_ in draw(st.sets(st.sampled_from(USERS))):
        found.append(facts.of_user(User(id_, {"userId": id_, "userName": draw(names)}, draw(st.sampled_from("12")))))
    found += [facts.of_group(Group(id_, draw(names))) for id_ in draw(st.sets(st.sampled_from(GROUPS)))]
    found += [facts.of_permission_set(PermissionSet(id_, draw(names))) for id_ in SETS]
    found += [
        facts.of_details(PermissionSet(id_, "", draw(names)), Policies(inline=draw(st.booleans()))) for id_ in SETS
    ]
    found += [facts.of_aws_account(AwsAccount(id_, draw(names), "ACTIVE")) for id_ in ACCOUNTS]
    found += [
        facts.of_application(Application(id_, f"arn:{id_}", draw(names)))
        for id_ in draw(st.sets(st.sampled_from(APPLICATIONS)))
    ]
    members = st.tuples(st.sampled_from(GROUPS), st.sampled_from(USERS))
    found += [facts.of_membership(Membership(group, user, "m")) for group, user in draw(st.sets(members))]
    found += [facts.of_pair(each) for each in draw(st.sets(st.sampled_from(PAIRS)))]
    held = st.tuples(st.sampled_from(PAIRS), st.sampled_from(PRINCIPALS))
    found += [facts.of_assignment(Assignment(*each)) for each in draw(st.sets(held, max_size=8))]
    given_ = st.tuples(st.sampled_from(APPLICATIONS), st.sampled_from(PRINCIPALS))
    found += [
        facts.of_application_assignment(ApplicationAssignment(*each)) for each in draw(st.sets(given_, max_size=4))
    ]
    return found


@pytest.fixture(scope="module")
def records() -> Iterator[Records]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"sqlite:///{Path(folder) / 'store.db'}")
        yield store
        store.close()


def published(records: Records, found: list[Fact]) -> Snapshot:
    census = records.begin_census("default", "test", 60)
    assert census is not None
    records.stage(census, found)
    snapshot = records.publish(census, KINDS, {"fingerprint": "f", "kinds": list(KINDS), "orphans": []}, census.mark)
    assert snapshot is not None
    return snapshot


Item = TypeVar("Item", Account, Entitlement)


def applied(old: list[Item], delta: list[Item]) -> list[Item]:
    result = {each.id: each for each in old}
    for each in delta:
        if each.deleted:
            del result[each.id]
        else:
            result[each.id] = each
    return [result[id_] for id_ in sorted(result)]


@settings(deadline=None, max_examples=20)
@given(st.lists(organisations(), min_size=2, max_size=3))
def test_the_delta_of_accounts_is_exact(records: Records, stages: list[list[Fact]]) -> None:
    first, *later = [published(records, each) for each in stages]
    old = list(views.accounts(SOURCE, records, first))
    new = list(views.accounts(SOURCE, records, later[-1]))
    delta = list(deltas.accounts(SOURCE, records, first, later[-1]))
    assert applied(old, delta) == new
    assert not [each for each in delta if each in old], "an account that looks the same was sent"


@settings(deadline=None, max_examples=20)
@given(st.lists(organisations(), min_size=2, max_size=4), st.data())
def test_an_inexact_delta_serves_whoever_saw_anything_since(
    records: Records, stages: list[list[Fact]], data: st.DataObject
) -> None:
    """A reader that saw any snapshot after the base is brought up to date by it, from any place on."""
    on_the_way = [published(records, each) for each in stages]
    first, last = on_the_way[0], on_the_way[-1]
    seen = list(views.accounts(SOURCE, records, data.draw(st.sampled_from(on_the_way))))
    delta = deltas.Delta(SOURCE, records, first, last, exact=False)
    told = list(delta.accounts())

    known = {each.id: each for each in seen} | {each.id: each for each in told}
    assert [each for _, each in sorted(known.items()) if not each.deleted] == list(
        views.accounts(SOURCE, records, last)
    )
    for place in USERS:
        assert list(delta.accounts(place)) == [each for each in told if each.id > place]


@settings(deadline=None, max_examples=20)
@given(organisations(), organisations(), st.sampled_from(SOURCE.entitlement_types))
def test_the_delta_of_entitlements_is_exact(records: Records, one: list[Fact], two: list[Fact], type_: str) -> None:
    first, second = published(records, one), published(records, two)
    old = list(Shelf(SOURCE, records, first).all(type_))
    new = list(Shelf(SOURCE, records, second).all(type_))
    delta = list(deltas.entitlements(SOURCE, records, first, second, type_))
    assert applied(old, delta) == new
    assert not [each for each in delta if each in old]


def test_a_state_that_cannot_be_trusted_gives_no_base(records: Records) -> None:
    snapshot = published(records, [])
    told = deltas.state(snapshot).state
    assert deltas.of_state(records, snapshot, told) == snapshot
    for name in told:
        assert deltas.of_state(records, snapshot, {**told, name: told[name] + "0"}) is None
        assert deltas.of_state(records, snapshot, {each: told[each] for each in told if each != name}) is None
    for state in (None, {}, {"snapshot": "x"}, {"snapshot": "9" * 30}, {"snapshot": str(snapshot.number + 1)}):
        assert deltas.of_state(records, snapshot, state) is None
        assert deltas.base(records, snapshot, state) is None
