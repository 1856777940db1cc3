"""What lists have to show by what we did ourselves."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from connector.model import Fact, Operation, OperationState, Recorded, Result, Step, User, Verb
from connector.reading import claims, facts

KINDS = (facts.USER, facts.MEMBERSHIP)
GIVE, TAKE = Step(Verb.JOIN, "groups", "g1"), Step(Verb.LEAVE, "groups", "g1")
MADE = Recorded(Step(Verb.CREATE, "userName", "rosa"), Result.DONE)
GIVEN, TAKEN = Recorded(GIVE, Result.DONE), Recorded(TAKE, Result.DONE)
REFUSED = Recorded(TAKE, Result.FAILED, "AWS refused it")
UNSHOWN = Recorded(TAKE, Result.FAILED, "it does not show", acknowledged=True)
UNSEEN = Recorded(TAKE, Result.FAILED, "nobody saw how it ended", unknown=True)
UNDER_WAY = Recorded(TAKE, None)
GROUP = (facts.MEMBERSHIP, "g1/u1")


def operation(
    *steps: Recorded,
    command: str = "update",
    account: str = "u1",
    state: OperationState = "succeeded",
    ended_at: float | None = 1.0,
) -> Operation:
    command = f"std:account:{command}"
    return Operation("o", "aws", command, account, "", "", "", "", {}, state, steps, {}, 0.0, ended_at, 1)


def told(*operations: Operation, kinds: Sequence[str] = KINDS) -> dict[tuple[str, str], tuple[bool, bool]]:
    """Whether each has to be there, and whether that is certain."""
    return {name: (each.there, each.certain) for name, each in claims.of(operations, kinds).items()}


@pytest.mark.parametrize(
    ("then", "last"),
    [
        (TAKEN, (False, True)),
        (REFUSED, (True, True)),
        (UNSHOWN, (False, True)),
        (UNSEEN, (False, False)),
    ],
)
def test_the_last_word_counts_and_what_was_refused_is_none(then: Recorded, last: tuple[bool, bool]) -> None:
    assert told(operation(GIVEN), operation(then)) == {GROUP: last}
    assert told(operation(then), operation(GIVEN)) == {GROUP: (True, True)}


def test_what_is_cleared_takes_along_what_describes_it() -> None:
    def put(**wanted: str | None) -> Operation:
        return operation(Recorded(Step(Verb.SET_ATTRIBUTES, "", attributes=wanted), Result.DONE))

    typed, cleared = put(emailType="home", title="Mate"), put(email=None)
    assert [name for _, name in told(typed)] == ["u1/emailType", "u1/title"]
    assert [name for _, name in told(typed, cleared)] == ["u1/title", "u1/email"]
    assert [name for _, name in told(cleared, typed)] == ["u1/email", "u1/emailType", "u1/title"]


def test_what_goes_on_says_nothing_before_it_ends() -> None:
    under_way = operation(UNDER_WAY, state="accepted", ended_at=None)
    assert told(operation(GIVEN), under_way) == {}
    assert told(operation(GIVEN), operation(UNDER_WAY)) == {GROUP: (False, False)}


def test_what_was_not_read_is_not_missed() -> None:
    assert told(operation(GIVEN), kinds=(facts.USER,)) == {}


def test_who_was_deleted_has_nothing_left() -> None:
    """Whoever else there is keeps what he has; who was kept is not gone."""
    before = [operation(MADE, GIVEN), operation(GIVEN, account="u2")]
    user, other = (facts.USER, "u1"), (facts.MEMBERSHIP, "g1/u2")
    assert told(*before) == {user: (True, True), GROUP: (True, True), other: (True, True)}
    after = {other: (True, True), user: (False, True), GROUP: (False, True)}
    assert told(*before, operation(TAKEN, command="delete")) == after, "what was taken is gone all the same"
    assert told(*before, operation(UNSEEN, command="delete")) == {other: (True, True), user: (False, True)}
    kept = operation(REFUSED, command="delete", state="partly")
    assert told(*before, kept) == told(*before)


def test_each_attribute_counts_as_it_was_set_last() -> None:
    """However AWS spells it. One that goes on says nothing."""

    def sets(result: Result | None, **values: str | None) -> Recorded:
        return Recorded(Step(Verb.SET_ATTRIBUTES, "", attributes=values), result)

    first = operation(sets(Result.DONE, title="Mate", nickName="Jo"))
    second = operation(sets(Result.DONE, title=None))
    known = claims.of([first, second], KINDS)
    assert {each.fact.body["name"]: each.fact.held for each in known.values()} == {"title": "", "nickName": "Jo"}

    def user(**values: str) -> dict[tuple[str, str], Fact]:
        return {(facts.USER, "u1"): facts.of_user(User("u1", values))}

    assert all(claims.met(each, user(nickName="JO ")) for each in known.values())
    assert not all(claims.met(each, user(nickName="Jo", title="Mate")) for each in known.values())
    assert not all(claims.met(each, user()) for each in known.values())
    assert all(claims.met(each, {}) for each in known.values()), "who is missing is another claim's affair"
    under_way = operation(sets(None, title="Captain"), state="accepted", ended_at=None)
    assert [each.fact.body["name"] for each in claims.of([first, under_way], KINDS).values()] == ["nickName"]


def test_a_create_of_which_nobody_knows_whom_it_made() -> None:
    lost = Recorded(MADE.step, None)
    assert claims.unnamed([operation(lost, account="", state="failed")])
    assert not claims.unnamed([operation(lost, account="", state="accepted", ended_at=None)])
    assert not claims.unnamed([operation(MADE)])
    assert not claims.unnamed([operation(Recorded(MADE.step, Result.FAILED, "refused"), account="", state="failed")])
