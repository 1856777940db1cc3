"""What permission sets allow, whoever reads it when: of every pair that is shown, and never an older one's.

Censuses, lists and changes that come between the questions are made here one after another, in the order that hurts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import RetryLater
from connector.model import Entitlement, Fact, Lane, ListAccounts, ListEntitlements, OneEntitlement, Op, Snapshot, State
from connector.reading import facts
from connector.reading.details import detailed
from connector.reading.entitlements import Shelf
from connector.reading.views import kinds_in
from connector.reading.work import every
from connector.sandbox import building
from connector.sandbox.access import PermissionSet
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from tests.aggregation.restarting import Configured, Restarting

SIZE = Size(users=8, groups=4, permission_sets=3, aws_accounts=4, applications=0, pairs=7)
PAIR = "permissionSetAssignment"
ALLOWED = ("description", "sessionDuration", "managedPolicies", "customerManagedPolicies", "hasInlinePolicy")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(generated(SIZE, seed=3), Options(assignment_seconds=0.0)) as sandbox:
        yield sandbox


def add_permission_set(sandbox: Sandbox, *, provisioned: bool = True) -> str:
    """A new one; its id."""
    organisation = sandbox.organisation
    with organisation.lock:
        made = building.add_permission_set(organisation, organisation.instance, "New", "Made since", "Billing", "PT2H")
        if provisioned:
            building.provision(organisation, organisation.instance, made, organisation.management_account)
    return made.arn.rpartition("/")[2]


def edit(sandbox: Sandbox) -> None:
    """Every permission set allows something else from now on."""
    with sandbox.organisation.lock:
        for each in sandbox.organisation.instance.permission_sets:
            _allow(each)


def _allow(permission_set: PermissionSet) -> None:
    permission_set.managed_policies["arn:aws:iam::aws:policy/Wide"] = "Wide"
    permission_set.inline_policy = "{}"


def pairs(reading: Configured) -> list[Entitlement]:
    """A list."""
    return [each for each in reading.run("std:entitlement:list", ListEntitlements(PAIR)) if not isinstance(each, State)]


def on_shelf(reading: Configured, snapshot: Snapshot) -> list[Entitlement]:
    """What a snapshot shows."""
    return list(Shelf(reading.desk().source, reading.core.records, snapshot).all(PAIR))


def read(reading: Configured, snapshot: Snapshot, only: str | None = None) -> Snapshot:
    """As a command does that had got this snapshot."""
    desk = reading.desk()
    return detailed(desk.directory(Lane.LIVE), desk.records, desk.source, desk.clock, snapshot, only)


def are_true(found: Iterable[Entitlement], reading: Configured) -> None:
    truth, shown = reading.truth, {each.id: each.attributes for each in found}
    assert set(shown) == truth.pairs
    for id_, each in shown.items():
        assert {name: _plain(each[name]) for name in ALLOWED} == {name: truth.pair(id_)[name] for name in ALLOWED}, id_


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def publish(reading: Configured, details: Iterable[Fact]) -> None:
    """The newest snapshot as another census finds it, but with these details: it began before they were replaced."""
    records, newest = reading.core.records, reading.newest()
    kinds = kinds_in(newest)
    census = records.begin_census("default", "another", 30)
    assert census is not None
    for kind in kinds:
        records.stage(census, details if kind == facts.DETAILS else every(records, newest, kind))
    assert records.publish(census, kinds, newest.summary, census.mark) is not None


def details_of(reading: Configured) -> list[Fact]:
    return list(every(reading.core.records, reading.newest(), facts.DETAILS))


def test_a_census_between_two_questions_brings_a_permission_set_that_is_asked_as_well(
    connector: Restarting, sandbox: Sandbox
) -> None:
    reading = connector.on(sandbox, snapshot_max_age=0.0)
    reading.accounts()
    old = reading.newest()
    add_permission_set(sandbox)
    reading.accounts()
    found = read(reading, old)
    assert found.number > old.number
    are_true(on_shelf(reading, found), reading)


def test_one_permission_set_is_read_without_losing_the_others(connector: Restarting, sandbox: Sandbox) -> None:
    reading = connector.on(sandbox)
    reading.accounts()
    before = reading.newest()
    are_true(pairs(reading), reading)
    edit(sandbox)
    read(reading, before, only=min(reading.truth.sets))
    assert {each.id for each in details_of(reading)} == set(reading.truth.sets)


def test_what_a_slow_census_puts_back_is_read_again(connector: Restarting, sandbox: Sandbox) -> None:
    reading = connector.on(sandbox, snapshot_max_age=0.0)
    pairs(reading)
    before = details_of(reading)
    edit(sandbox)
    are_true(pairs(reading), reading)
    reading = connector.on(sandbox)
    publish(reading, before)
    are_true(pairs(reading), reading)


def test_a_permission_set_that_we_gave_first_shows_what_it_allows(connector: Restarting, sandbox: Sandbox) -> None:
    """No census knows it yet."""
    reading = connector.on(sandbox)
    are_true(pairs(reading), reading)
    made = add_permission_set(sandbox, provisioned=False)
    given = f"{sandbox.organisation.management_account}:{made}"
    reading.change(min(reading.truth.users), Op.ADD, "permissionSetAssignments", given)
    assert given in {each.id for each in pairs(reading)}
    are_true(pairs(reading), reading)
    (one,) = reading.run("std:entitlement:read", OneEntitlement(given, PAIR))
    assert one in pairs(reading)


def test_a_store_of_an_earlier_version_is_read_and_moved(connector: Restarting, sandbox: Sandbox) -> None:
    """There all details had one subject, and were replaced together."""
    reading = connector.on(sandbox)
    pairs(reading)
    publish(reading, [replace(each, subject="permission sets") for each in details_of(reading)])
    are_true(pairs(reading), reading)
    edit(sandbox)
    reading = connector.on(sandbox, snapshot_max_age=0.0)
    are_true(pairs(reading), reading)
    assert all(each.subject == each.id for each in details_of(reading))
    with sandbox.organisation.lock:
        sandbox.organisation.instance.remove_permission_set(next(iter(sandbox.organisation.instance.permission_sets)))
    are_true(pairs(reading), reading)
    assert {each.id for each in details_of(reading)} == set(reading.truth.sets)


def test_a_pair_whose_details_were_not_read_is_not_shown_without_them(connector: Restarting, sandbox: Sandbox) -> None:
    reading = connector.on(sandbox)
    reading.accounts()
    with pytest.raises(RetryLater, match="not read yet"):
        on_shelf(reading, reading.newest())


def test_the_state_of_a_list_of_accounts_is_no_gap_for_a_list_of_pairs(connector: Restarting, sandbox: Sandbox) -> None:
    """Its snapshot has no details, so everything differs."""
    reading = connector.on(sandbox)
    state = reading.run("std:account:list", ListAccounts(stateful=True))[-1]
    assert isinstance(state, State)
    *found, _ = reading.run("std:entitlement:list", ListEntitlements(PAIR, stateful=True, state=state.state))
    are_true(found, reading)


def test_another_configuration_between_two_questions_is_told(connector: Restarting, sandbox: Sandbox) -> None:
    reading = connector.on(sandbox)
    reading.accounts()
    old = reading.newest()
    connector.on(sandbox, inherited="none").accounts()
    with pytest.raises(RetryLater, match="another configuration"):
        read(reading, old)
