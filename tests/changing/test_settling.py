"""A change has settled when it shows; what never shows has failed."""

from __future__ import annotations

from collections.abc import Iterator

from connector.changing.settling import PAUSES, settle
from connector.model import Account, Outcome, Result, Step, Verb

JOIN = Outcome(Step(Verb.JOIN, "groups", "g1"), Result.DONE)
LEAVE = Outcome(Step(Verb.LEAVE, "groups", "g2"), Result.ALREADY)


class Sleeping:
    """A clock that only counts."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def now(self) -> float:
        return 0.0

    monotonic = now


def account(*groups: str, **scalars: str) -> Account:
    return Account("u1", False, {"groups": groups, **scalars})


def readings(*accounts: Account) -> Iterator[Account]:
    yield from accounts
    while True:
        yield accounts[-1]


def test_it_reads_until_everything_shows() -> None:
    clock = Sleeping()
    found = readings(account("g2"), account("g1", "g2"), account("g1"))
    settled, outcomes = settle(lambda: next(found), None, [JOIN, LEAVE], clock)
    assert settled == account("g1")
    assert [each.result for each in outcomes] == [Result.DONE, Result.ALREADY]
    assert clock.slept == list(PAUSES[:2])


def test_what_never_shows_has_failed_and_says_so() -> None:
    clock = Sleeping()
    found = readings(account("g2"))
    _, outcomes = settle(lambda: next(found), None, [JOIN, LEAVE], clock)
    assert [(each.result, each.retryable) for each in outcomes] == [(Result.FAILED, True), (Result.FAILED, True)]
    assert all(each.acknowledged for each in outcomes), "AWS said that it was done"
    assert "does not show" in outcomes[0].reason
    assert clock.slept == list(PAUSES)


def test_a_failed_step_is_not_waited_for() -> None:
    clock = Sleeping()
    failed = Outcome(Step(Verb.ASSIGN, "permissionSetAssignments", "p"), Result.FAILED, "AWS said no")
    _, outcomes = settle(lambda: account("g1"), None, [JOIN, failed], clock)
    assert outcomes == [JOIN, failed]
    assert clock.slept == []


def test_an_attribute_has_settled_when_its_old_value_is_gone_even_if_normalised() -> None:
    step = Outcome(Step(Verb.SET_ATTRIBUTES, "email", attributes={"email": "A@x", "title": None}), Result.DONE)
    before = account(email="b@x", title="T")
    clock = Sleeping()
    found = readings(account(email="b@x", title="T"), account(email="a@x"))
    _, outcomes = settle(lambda: next(found), before, [step], clock)
    assert outcomes == [step]
    assert clock.slept == [PAUSES[0]]
