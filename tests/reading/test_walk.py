"""The walk is chosen by counting; the formula is that of aws-behaviour 21."""

from __future__ import annotations

import pytest

from connector.reading import walk


def test_pairs_come_from_the_permission_sets_of_which_there_can_be_no_more_than_are_listed() -> None:
    chosen = walk.pairs(40)
    assert (chosen.name, chosen.calls) == (walk.PAIRS_BY_PERMISSION_SET, 40)


@pytest.mark.parametrize(
    ("pairs", "users", "groups", "name"),
    [
        (300, 500, 0, walk.ASSIGNMENTS_BY_PAIR),
        (1500, 10_000, 0, walk.ASSIGNMENTS_BY_PAIR),
        (60_000, 300, 40, walk.ASSIGNMENTS_BY_PRINCIPAL),
        (340, 300, 40, walk.ASSIGNMENTS_BY_PAIR),
    ],
)
def test_assignments_come_from_the_cheaper_side_and_from_pairs_on_a_tie(
    pairs: int, users: int, groups: int, name: str
) -> None:
    chosen = walk.assignments(pairs, users, groups)
    assert chosen.name == name
    assert chosen.calls == min(pairs, users + groups)


def test_memberships_come_by_group_unless_there_are_fewer_users() -> None:
    assert walk.memberships(60, 500).name == walk.MEMBERSHIPS_BY_GROUP
    assert walk.memberships(5000, 300).name == walk.MEMBERSHIPS_BY_USER


def test_an_empty_list_costs_a_call_too() -> None:
    assert [walk.pages(rows) for rows in (0, 1, 100, 101)] == [1, 1, 1, 2]
    assert walk.pages(41, walk.ORGANIZATIONS_PAGE) == 3


def test_a_walk_by_principal_that_takes_many_pages_is_given_up_early() -> None:
    assert not walk.dearer(asked=walk.SAMPLE - 1, calls=10_000, principals=300, pairs=1)
    assert walk.dearer(asked=10, calls=107, principals=300, pairs=3000)
    assert not walk.dearer(asked=10, calls=107, principals=300, pairs=6000)
    assert not walk.dearer(asked=299, calls=3200, principals=300, pairs=400)
