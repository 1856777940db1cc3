"""What callers send becomes frozen inputs, or a sentence that says where it is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.commands import COMMANDS
from connector.errors import FixRequest, InvalidAttribute
from connector.model import (
    Change,
    ChangeAccount,
    ListAccounts,
    ListEntitlements,
    NewAccount,
    NoInput,
    OneAccount,
    OneEntitlement,
    Op,
)
from connector.wire.inputs import INPUTS

SIMPLE = {"simple": {"id": "u-1"}}
READ, CREATE, UPDATE = "std:account:read", "std:account:create", "std:account:update"


def test_every_command_has_its_input() -> None:
    assert set(INPUTS) == set(COMMANDS)


@pytest.mark.parametrize("command", ["std:test-connection", "std:spec:read", "std:account:discover-schema"])
@pytest.mark.parametrize("sent", [None, {}, {"accountSchema": {"attributes": []}}])
def test_commands_without_input_ignore_what_comes(command: str, sent: object) -> None:
    assert INPUTS[command](sent) == NoInput()


@pytest.mark.parametrize(
    "sent",
    [
        {"key": SIMPLE},
        {"key": SIMPLE, "identity": "other"},
        {"identity": "u-1"},
        {"identity": "u-1", "key": None},
        {"key": {"compound": {"lookupId": "u-1", "uniqueId": "x"}}},
        {"key": {"simple": {"id": ""}}, "identity": "u-1"},
        {"key": SIMPLE, "schema": {}, "futureMember": [1]},
    ],
)
def test_an_account_is_named_by_key_or_identity(sent: object) -> None:
    assert INPUTS[READ](sent) == OneAccount("u-1")


@pytest.mark.parametrize(
    "sent", [None, {}, {"identity": None}, {"identity": 7}, {"key": "u-1"}, {"key": {"simple": []}}]
)
def test_an_account_must_be_named(sent: object) -> None:
    with pytest.raises(FixRequest, match=r"input\.key\.simple\.id"):
        INPUTS[READ](sent)


def test_entitlements_are_named_by_id_and_type() -> None:
    assert INPUTS["std:entitlement:read"]({"key": SIMPLE, "type": "group"}) == OneEntitlement("u-1", "group")
    with pytest.raises(FixRequest, match=r"input\.type is missing"):
        INPUTS["std:entitlement:read"]({"identity": "g-1"})


def test_lists_take_a_state() -> None:
    assert INPUTS["std:account:list"](None) == ListAccounts()
    assert INPUTS["std:account:list"]({"stateful": None, "state": None}) == ListAccounts()
    assert INPUTS["std:account:list"]({"stateful": True, "state": {"a": "1"}}) == ListAccounts(True, {"a": "1"})
    assert INPUTS["std:entitlement:list"]({"type": "group", "stateful": True}) == ListEntitlements("group", True)


@pytest.mark.parametrize("command", ["std:account:list", "std:entitlement:list"])
@pytest.mark.parametrize("value", [17, None, True, ["17"], {"deep": 1}])
def test_a_state_that_no_list_handed_back_says_what_to_send(command: str, value: object) -> None:
    """Which member is wrong, and how to go on."""
    asked = {"type": "group", "stateful": True}
    advice = "send the state as the last list handed it back, or none to list everything"
    with pytest.raises(FixRequest, match=rf"input\.state\.snapshot is a text: {advice}"):
        INPUTS[command]({**asked, "state": {"completedAt": "1.5", "snapshot": value}})
    for state in (17, "x", ["17"], True):
        with pytest.raises(FixRequest, match=rf"input\.state is an object: {advice}"):
            INPUTS[command]({**asked, "state": state})


def test_entitlements_of_a_new_account_come_as_one_or_many() -> None:
    sent = {
        "identity": None,
        "attributes": {
            "userName": "ada",
            "employeeNumber": 7,
            "costCenter": 12.5,
            "title": None,
            "email": ["ada@example.com"],
            "locale": [],
            "groups": "g-1",
            "permissionSetAssignments": ["p", "q"],
            "applicationAssignments": "",
            "madeUp": ["x"],
        },
    }
    assert INPUTS[CREATE](sent) == NewAccount(
        {
            "userName": "ada",
            "employeeNumber": "7",
            "costCenter": "12.5",
            "email": "ada@example.com",
            "groups": ("g-1",),
            "permissionSetAssignments": ("p", "q"),
            "applicationAssignments": (),
            "madeUp": ("x",),
        }
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("title", True), ("title", {"a": 1}), ("groups", [["g"]]), ("groups", ["g", None]), ("title", ["a", "b"])],
)
def test_what_is_no_text_is_refused_by_the_attributes_name(name: str, value: object) -> None:
    with pytest.raises(InvalidAttribute, match=name):
        INPUTS[CREATE]({"attributes": {name: value}})


@pytest.mark.parametrize("sent", [None, {}, {"attributes": None}, {"attributes": []}])
def test_a_new_account_has_attributes(sent: object) -> None:
    with pytest.raises(FixRequest, match=r"input\.attributes"):
        INPUTS[CREATE](sent)


@pytest.mark.parametrize(
    ("value", "values"),
    [("g", ("g",)), (["g", "h"], ("g", "h")), ([], ()), (None, None), (7, ("7",)), ("", ("",)), (3.0, ("3",))],
)
def test_values_of_a_change_come_as_one_many_or_none(value: object, values: object) -> None:
    sent = {"key": SIMPLE, "changes": [{"op": "Set", "attribute": "groups", "value": value}]}
    assert INPUTS[UPDATE](sent) == ChangeAccount("u-1", (Change(Op.SET, "groups", values),))  # type: ignore[arg-type]


def test_a_change_may_lack_a_value() -> None:
    sent = {"identity": "u-1", "changes": [{"op": "Remove", "attribute": "title"}]}
    assert INPUTS[UPDATE](sent) == ChangeAccount("u-1", (Change(Op.REMOVE, "title", None),))


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ([{"op": "add", "attribute": "groups"}], r"input\.changes\[0\]\.op is Add, Set or Remove, not 'add'\."),
        ([{"op": "Set", "attribute": "a"}, {"op": "Move", "attribute": "b"}], r"changes\[1\]\.op .*'Move'"),
        ([{"attribute": "groups"}], r"changes\[0\]\.op is missing"),
        ([{"op": "Set"}], r"changes\[0\]\.attribute is missing"),
        (["Set"], r"changes\[0\] is an object"),
        ({"op": "Set"}, r"input\.changes is a list"),
        (None, r"input\.changes"),
    ],
)
def test_a_malformed_change_is_told_where_it_is(changes: object, sentence: str) -> None:
    with pytest.raises(FixRequest, match=sentence):
        INPUTS[UPDATE]({"key": SIMPLE, "changes": changes})


def changes(count: int, values: int = 1) -> dict[str, Any]:
    """So many changes, each with so many values."""
    one = {"op": "Add", "attribute": "groups", "value": [f"g-{number}" for number in range(values)]}
    return {"key": SIMPLE, "changes": [one] * count}


@pytest.mark.parametrize(
    ("command", "sent", "sentence"),
    [
        (UPDATE, changes(2_001), "2,001 changes are too many for one command, which takes at most 2,000"),
        (UPDATE, changes(1, 5_001), "5,001 values are too many for one command, which takes at most 5,000"),
        (UPDATE, changes(51, 100), "5,100 values are too many"),
        (CREATE, {"attributes": {"groups": ["g"] * 5_001}}, "5,001 values are too many"),
    ],
)
def test_one_command_asks_no_more_than_can_be_planned(command: str, sent: Any, sentence: str) -> None:
    with pytest.raises(FixRequest, match=sentence):
        INPUTS[command](sent)


def test_what_sailpoint_sends_is_far_below_that() -> None:
    for count, values in ((2_000, 2), (50, 100), (1, 5_000)):
        loaded = INPUTS[UPDATE](changes(count, values))
        assert isinstance(loaded, ChangeAccount)
        assert sum(len(each.values or ()) for each in loaded.changes) == count * values


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["key", "simple", "id", "identity", "changes", "op", "attribute", "value", "attributes", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(INPUTS)), JSON)
def test_nothing_a_caller_sends_is_a_defect(command: str, sent: Any) -> None:
    try:
        INPUTS[command](sent)
    except FixRequest:
        return  # a sentence; anything else raised here is a defect
