"""Planning is pure: from what is there and what is asked to the steps between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.changing.planning import Unsettled, new_attributes, new_entitlements, plan, unseen
from connector.errors import InvalidAttribute
from connector.model import Account, Change, Op, Source, Step, Verb

SOURCE = Source("default")
GROUP = "0123456789-a0000000-0000-4000-8000-00000000000a"
ADMIN = "111111111111:ps-0000000000000001"
READ = "111111111111:ps-0000000000000002"
HELD = Account(
    "u1",
    False,
    {
        "userId": "u1",
        "userName": "ada",
        "displayName": "Ada L",
        "givenName": "Ada",
        "familyName": "L",
        "title": "Engineer",
        "groups": ("g1", "g2"),
        "permissionSetAssignments": (READ,),
        "inheritedPermissionSetAssignments": (ADMIN,),
        "inheritedAccess": ("Admin on Data (111111111111) via Admins",),
    },
)


def change(op: str, attribute: str, *values: str, missing: bool = False) -> Change:
    return Change(Op(op), attribute, None if missing else values)


def steps(*changes: Change) -> list[tuple[str, str]]:
    return [(each.verb.value, each.value) for each in plan(SOURCE, HELD, changes).steps]


def test_add_set_and_remove_of_entitlements_become_the_difference_removals_first() -> None:
    assert steps(change("Add", "groups", "g3"), change("Set", "permissionSetAssignments", ADMIN)) == [
        ("unassign", READ),
        ("join group", "g3"),
        ("assign", ADMIN),
    ]
    assert steps(change("Remove", "groups", "g1", "g2")) == [("leave group", "g1"), ("leave group", "g2")]


def test_what_is_held_already_needs_no_step() -> None:
    assert steps(change("Add", "groups", "g1"), change("Set", "permissionSetAssignments", READ)) == []


def test_what_is_named_to_be_taken_is_taken_though_the_account_does_not_show_it() -> None:
    remove = change("Remove", "permissionSetAssignments", ADMIN)
    assert steps(remove) == [("unassign", ADMIN)]
    found = plan(SOURCE, HELD, [remove, change("Remove", "permissionSetAssignments", READ)])
    assert [each.value for each in unseen(HELD, found.steps)] == [ADMIN]
    add = change("Add", "permissionSetAssignments", ADMIN)
    assert steps(remove, add) == [("assign", ADMIN)], "the later one counts"
    assert steps(add, remove) == [("unassign", ADMIN)]


@pytest.mark.parametrize("value", ["Admins", "", " ", GROUP + ",", f" {GROUP}", f"{GROUP}\n"])
def test_a_remove_of_what_can_be_no_id_is_refused_before_anything_else(value: str) -> None:
    with pytest.raises(InvalidAttribute, match="is no id: expected the id of a group"):
        steps(change("Remove", "groups", "g1", value))


def test_an_id_in_other_letters_is_the_one_that_is_held() -> None:
    held = Account("u1", False, {**HELD.attributes, "groups": (GROUP,)})
    asked = [change("Add", "groups", GROUP.upper()), change("Remove", "groups", GROUP.upper())]
    assert [each.value for each in plan(SOURCE, held, asked).steps] == [GROUP]


def test_an_id_in_other_letters_is_the_one_that_was_given_though_no_list_shows_it() -> None:
    """AWS may find no such group: the revoke would be answered, and the access stay."""
    given = Unsettled({"groups": {GROUP}})
    held = Account("u1", False, {**HELD.attributes, "groups": ()})
    remove = plan(SOURCE, held, [change("Remove", "groups", GROUP.upper())], given)
    assert [(each.verb, each.value) for each in remove.steps] == [(Verb.LEAVE, GROUP)]
    kept = plan(SOURCE, held, [change("Set", "groups", GROUP.upper())], given)
    assert [(each.verb, each.value) for each in kept.steps] == [(Verb.JOIN, GROUP)]


def test_set_to_an_empty_array_takes_everything_but_a_missing_value_takes_nothing() -> None:
    assert steps(change("Set", "groups")) == [("leave group", "g1"), ("leave group", "g2")]
    for op in ("Set", "Remove", "Add"):
        with pytest.raises(InvalidAttribute, match="groups needs a value"):
            steps(change(op, "groups", missing=True))


def test_scalars_are_set_and_cleared_in_one_step() -> None:
    made = plan(
        SOURCE, HELD, [change("Set", "department", "R&D"), change("Remove", "title"), change("Set", "nickName", "")]
    )
    assert made.steps == (
        Step(Verb.SET_ATTRIBUTES, "department, title", attributes={"department": "R&D", "title": None}),
    )


def test_remove_of_another_value_than_the_present_one_is_already_done() -> None:
    assert steps(change("Remove", "title", "Manager")) == []
    assert len(steps(change("Remove", "title", "Engineer"))) == 1


@pytest.mark.parametrize(
    "asked", [change("Set", "familyName", ""), change("Remove", "userName"), change("Set", "displayName", missing=True)]
)
def test_a_required_attribute_cannot_be_cleared(asked: Change) -> None:
    with pytest.raises(InvalidAttribute, match="cannot be cleared"):
        steps(asked)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (change("Set", "shoeSize", "44"), "no attribute 'shoeSize'; there are userId, userName, "),
        (change("Set", "nick", "Tim"), r"no attribute 'nick'; did you mean nickName\?"),
        (change("Set", "userId", "u2"), "userId is read-only"),
        (change("Set", "userStatus", "DISABLED"), "userStatus is read-only"),
        (change("Add", "inheritedPermissionSetAssignments", READ), "inheritedPermissionSetAssignments is read-only"),
        (change("Set", "inheritedAccess", "all"), "inheritedAccess is read-only"),
        (change("Set", "title", "a", "b"), "takes one value, not 2"),
        (change("Set", "title", "x" * 1025), "at most 1024 characters"),
        (change("Set", "userName", "x" * 129), "at most 128 characters"),
        (change("Add", "applicationAssignments", "apl-1"), "applicationAssignment is not enabled"),
        (change("Add", "title", missing=True), "Add of title needs a value"),
    ],
)
def test_what_cannot_be_is_refused_whatever_else_is_asked(asked: Change, sentence: str) -> None:
    with pytest.raises(InvalidAttribute, match=sentence):
        steps(change("Remove", "groups", "g1"), asked)


@pytest.mark.parametrize(
    "asked",
    [
        change("Set", "userId", "u1"),
        change("Set", "userArn", missing=True),
        change("Set", "inheritedPermissionSetAssignments", ADMIN),
        change("Remove", "inheritedAccess", missing=True),
        change("Set", "createdAt", ""),
    ],
)
def test_a_read_only_attribute_sent_back_unchanged_or_null_is_ignored(asked: Change) -> None:
    assert steps(asked) == []


IDS = [f"a0000000-0000-4000-8000-00000000000{n}" for n in range(4)]
changes = st.lists(
    st.builds(
        lambda op, values: Change(op, "groups", tuple(values)),
        st.sampled_from(Op),
        st.lists(st.sampled_from(IDS), max_size=3),
    ),
    max_size=6,
)


@given(changes)
def test_doing_the_steps_gives_what_the_changes_say_one_after_the_other_and_replaying_gives_nothing(
    asked: list[Change],
) -> None:
    account = Account("u1", False, {**HELD.attributes, "groups": tuple(IDS[:2])})
    expected = set(IDS[:2])
    for each in asked:
        values = set(each.values or ())
        expected = {Op.ADD: expected | values, Op.SET: values, Op.REMOVE: expected - values}[each.op]
    held = set(IDS[:2])
    for step in plan(SOURCE, account, asked).steps:
        held = held | {step.value} if step.verb is Verb.JOIN else held - {step.value}
    assert held == expected
    again = Account("u1", False, {**HELD.attributes, "groups": tuple(sorted(held))})
    assert plan(SOURCE, again, [Change(Op.SET, "groups", tuple(expected))]).steps == ()


def test_a_new_user_needs_names_and_gets_a_display_name() -> None:
    given_ = {"userName": "ada", "givenName": "Ada", "familyName": "Lovelace", "title": "", "groups": ("g1",)}
    assert new_attributes(SOURCE, given_) == {
        "userName": "ada",
        "givenName": "Ada",
        "familyName": "Lovelace",
        "displayName": "Ada Lovelace",
    }
    with pytest.raises(InvalidAttribute, match=r"a user needs userName, familyName \(displayName is made of both"):
        new_attributes(SOURCE, {"givenName": "Ada"})
    with pytest.raises(InvalidAttribute, match="userId is read-only"):
        new_attributes(SOURCE, {**given_, "userId": "u9"})
    with pytest.raises(InvalidAttribute, match="no attribute 'shoeSize'"):
        new_attributes(SOURCE, {**given_, "shoeSize": "44"})


def test_entitlements_of_a_new_user_come_as_scalar_or_array() -> None:
    assert new_entitlements(SOURCE, {"userName": "ada", "groups": "g1", "permissionSetAssignments": (READ, ADMIN)}) == [
        Change(Op.ADD, "groups", ("g1",)),
        Change(Op.ADD, "permissionSetAssignments", (READ, ADMIN)),
    ]
    assert new_entitlements(SOURCE, {"groups": ""}) == []
