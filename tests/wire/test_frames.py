"""Frames are byte for byte those of SailPoint's own runtime, and never longer than it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import AwsFailed, TooLarge
from connector.model import Account, Done, Entitlement, Event, Refusal, State
from connector.wire.frames import KEEP_ALIVE, MAX_FRAME, frame, javascript_number

RECORDED = json.loads((Path(__file__).parents[1] / "web" / "recorded" / "connector-sdk-1.1.17.json").read_text())
ANSWERS = {each["name"]: each for each in RECORDED}
BIG = [1e21, 1e20, 123456789012345680000.0]
NUMBERS = [0, -0.0, 1.0, 2.5, -3.0, *BIG, 1e-6, 1e-7, 1.5e-9, 1e16, 0.1, 1e300, -1e-10, 5e-324]
PAIR = "123456789012:ps-0123456789abcdef"


def account(**attributes: Any) -> Account:
    return Account("u-1", False, attributes)


def titled(title: str) -> Account:
    return account(title=title)


SAME_OBJECTS: dict[str, list[Event | bytes]] = {
    "an account with every list attribute": [
        account(
            userId="u-1",
            userName="ada",
            groups=("g-1", "g-2"),
            permissionSetAssignments=(),
            inheritedAccess=("AdministratorAccess on Data (123456789012) via Admins",),
        )
    ],
    "two accounts, a keepAlive between, a state at the end": [
        Account("u-1", True, {}),
        KEEP_ALIVE,
        Account("u-2", False, {}),
        State({"snapshot": "42"}),
    ],
    "a keepAlive alone": [KEEP_ALIVE],
    "no frames": [],
    "text beyond ASCII, quotes, slashes, markup": [
        account(displayName="Zo\u00eb \u2013 \u65e5\u672c \U0001f600", title='a/b \\ "c" <&>')
    ],
    "control characters": [titled("\0\1\b\t\n\x0b\f\r\x1f\x7f\x85\xa0")],
    "line and paragraph separators": [titled("a\u2028b\u2029c\ufeff\uffff")],
    "lone surrogates": [account(title="\ud83d", nickName="x\ude00y", displayName="\udc00\ud800")],
    "refusals": [
        Account(
            "u-1",
            False,
            {"userName": "ada"},
            (Refusal("groups", "g-9", "no such group"), Refusal("groups", "g-8", "no such group")),
        )
    ],
    "a deleted account": [Account("u-1", False, {}, deleted=True)],
    "nothing to show": [Done({"deleted": "u-1"})],
    "an entitlement": [
        Entitlement(
            PAIR,
            "permissionSetAssignment",
            {
                "id": PAIR,
                "requestable": True,
                "notRequestableReason": "",
                "userCount": 3,
                "groupCount": 0,
                "managedPolicies": ("arn:aws:iam::aws:policy/AdministratorAccess",),
            },
        )
    ],
    "numbers as JavaScript writes them": [
        Done(
            {
                "n": NUMBERS,
                "nan": float("nan"),
                "inf": float("inf"),
                "nil": None,
                "yes": True,
            }
        )
    ],
}


@pytest.mark.parametrize("name", [each["name"] for each in RECORDED if not each.get("fail") and each["status"] == 200])
def test_frames_equal_those_of_sailpoints_runtime(name: str) -> None:
    recorded = ANSWERS[name]
    frames = [each if isinstance(each, bytes) else frame(each, recorded["type"]) for each in SAME_OBJECTS[name]]
    assert b"".join(frames) == recorded["body"].encode()


@given(st.text(alphabet=st.characters(), max_size=40))
def test_any_text_survives_a_frame(text: str) -> None:
    line = frame(titled(text), "std:account:read")
    assert json.loads(line)["data"]["attributes"]["title"] == text
    assert line.count(b"\n") == 1


def test_a_character_in_two_halves_is_written_whole() -> None:
    halves = frame(titled("\ud83d\ude00"), "std:account:read")
    assert "\U0001f600".encode() in halves


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_mean_the_same_after_a_frame(number: float) -> None:
    assert float(javascript_number(number)) == number


def test_details_are_shown_only_where_they_are_the_answer() -> None:
    details = Done({"specification": {"name": "x"}})
    assert frame(details, "std:spec:read") == b'{"data":{"specification":{"name":"x"}},"type":"output"}\n'
    assert frame(details, "std:test-connection") == b'{"data":{},"type":"output"}\n'


def test_a_frame_of_just_the_limit_is_sent() -> None:
    empty = len(frame(titled(""), "std:account:list"))
    assert len(frame(titled("x" * (MAX_FRAME - empty)), "std:account:list")) == 262_144


def test_a_longer_account_is_refused_with_its_id_and_the_options_that_shorten_it() -> None:
    with pytest.raises(TooLarge, match=r'u-1 .*inherited = "none".*entitlement_types'):
        frame(titled("é" * (MAX_FRAME // 2)), "std:account:list")


def test_an_account_that_is_not_deleted_or_disabled_yet_is_no_answer() -> None:
    """SailPoint would take it for done."""
    with pytest.raises(AwsFailed, match="is kept, because"):
        frame(replace(account(), undone="user u-1 is kept, because …"), "std:account:delete")


def test_a_longer_entitlement_is_refused_too() -> None:
    with pytest.raises(TooLarge, match=r"group g-1 .*entitlement_types"):
        frame(Entitlement("g-1", "group", {"description": "x" * MAX_FRAME}), "std:entitlement:list")


def test_refusals_are_grouped_by_attribute() -> None:
    refused = Account("u-1", False, {}, (Refusal("groups", "g", "no"), Refusal("title", "", "too long")))
    results = json.loads(frame(refused, "std:account:update"))["data"]["results"]
    assert [(each["attribute"], each["messages"][0]["message"]) for each in results] == [
        ("groups", "g: no"),
        ("title", "too long"),
    ]
