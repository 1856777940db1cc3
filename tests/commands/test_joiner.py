"""Creates that were interrupted, on an emulated AWS and a real store: whose the user is that is there now."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connector.app import Core
from connector.commands import CHANGES, COMMANDS
from connector.commands.asked import content, to_json
from connector.commands.desk import Desk
from connector.commands.durable import carry, resume
from connector.errors import ConnectorError
from connector.model import (
    Account,
    Change,
    ChangeAccount,
    Lane,
    ListAccounts,
    NewAccount,
    Op,
    Operation,
    Recorded,
    Result,
    Source,
    Step,
    Verb,
)
from connector.sandbox.server import Sandbox
from connector.settings import Settings

CREATE = "std:account:create"
NEW = {"userName": "rosa", "displayName": "Rosa Diaz", "givenName": "Rosa", "familyName": "Diaz"}
MADE = Step(Verb.CREATE, "userName", "rosa")
SENT = Recorded(MADE, None)
REFUSED = Recorded(MADE, Result.FAILED, "AWS could not")


@dataclass
class Place:
    """A source, with a store and an AWS of its own."""

    sandbox: Sandbox
    desk: Desk

    def accepted(self, lease: float) -> Operation:
        """A create that nobody has run yet."""
        asked = NewAccount({**NEW, "groups": self.sandbox.organisation.store.groups_by_name["aws_data_read"].id})
        digest, said = content(CREATE, asked), to_json(asked)
        operations = self.desk.operations
        return operations.accept("default", CREATE, "userName rosa", "", "", digest, "", said, "one", lease)[0]

    def interrupted(self, *steps: Recorded) -> Operation:
        """A create whose owner is gone, with what it had written down; taken up now, and how that ended."""
        operations = self.desk.operations
        begun = self.accepted(0)
        operations.record(begun, steps)
        taken = operations.take_abandoned("me", 30)
        assert taken is not None
        resume(self.desk, taken, CHANGES[CREATE])
        ended = operations.operation(begun.id)
        assert ended is not None
        return ended

    def made(self, **other: str) -> str:
        """The UserId of a user that is there before the create is taken up."""
        return self.desk.directory(Lane.CHANGE).create_user({**NEW, **other}, lambda refusal: None)

    def listed(self) -> set[str]:
        """User names in a list of all accounts."""
        events = COMMANDS["std:account:list"].run(self.desk, ListAccounts())
        return {str(each.attributes["userName"]) for each in events if isinstance(each, Account)}

    def groups(self, user_id: str) -> int:
        """In how many the user is."""
        return len(list(self.desk.directory(Lane.LIVE).memberships(user_id)))


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Place]:
    """Of a source with the options that a test names."""
    with Sandbox() as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        source = Source("default", read_deadline=1.0, **getattr(request, "param", {}))
        core = Core(Settings(sources={"default": source}, store_url=f"sqlite:///{tmp_path / 'store.db'}", aws_tps=500))
        yield Place(sandbox, core.desk(source, threading.Event()))
        core.directories.close()
        core.store.close()


@pytest.mark.parametrize("steps", [(), (REFUSED,)], ids=["nothing was sent", "AWS answered an error"])
def test_a_user_that_somebody_else_made_meanwhile_is_not_taken_over(place: Place, steps: tuple[Recorded, ...]) -> None:
    """He has every attribute, and is as new as ours would be: he is given nothing, and the create is a conflict."""
    theirs = place.made()

    ended = place.interrupted(*steps)

    assert (ended.state, ended.account) == ("failed", "")
    assert ended.answer["error"] == "AlreadyExists"
    assert theirs in ended.answer["sentence"]
    assert place.groups(theirs) == 0
    assert [(each.step, each.result) for each in ended.steps] == [(MADE, Result.FAILED)]


def test_a_user_that_the_interrupted_create_may_have_made_is_its_own(place: Place) -> None:
    """Sent, and no answer came: alike and new, he is ours. What AWS answers now does not change that."""
    ours = place.made()

    ended = place.interrupted(SENT)

    assert (ended.state, ended.account) == ("succeeded", ours)
    assert place.groups(ours) == 1
    assert (MADE, Result.DONE) in [(each.step, each.result) for each in ended.steps]


def test_a_user_that_is_not_alike_is_not_the_interrupted_creates(place: Place) -> None:
    place.made(displayName="R. Diaz")

    assert place.interrupted(SENT).answer.get("error") == "AlreadyExists"


@pytest.mark.parametrize("steps", [(), (REFUSED,), (SENT,)], ids=["nothing", "refused", "sent"])
def test_where_nobody_is_there_the_user_is_made(place: Place, steps: tuple[Recorded, ...]) -> None:
    ended = place.interrupted(*steps)

    assert ended.state == "succeeded"
    assert place.groups(ended.account) == 1


@pytest.mark.parametrize("place", [{"on_existing": "adopt"}], indirect=True)
@pytest.mark.parametrize("changed", [False, True])
def test_a_user_that_is_adopted_is_given_nothing_where_a_later_change_of_him_was_asked(
    place: Place, changed: bool
) -> None:
    """That change waited for nobody, as the create did not know its account yet, and may have taken it away."""
    theirs = place.made()
    create = place.accepted(30)
    if changed:
        place.desk.operations.accept(
            "default", "std:account:disable", theirs, theirs, "", "c", "", {"id": theirs}, "other", 30
        )

    ended = carry(place.desk, create, CHANGES[CREATE])

    assert (ended.state, ended.account) == ("partly" if changed else "succeeded", theirs)
    assert place.groups(theirs) == (0 if changed else 1)
    assert ("asked since" in str(ended.answer)) is changed


# ---- what lists are told ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "faults",
    [
        [{"operation": "DescribeUser", "fault": "denied", "times": 1}],
        [{"operation": "CreateUser", "fault": "after"}, {"operation": "GetUserId", "fault": "error500"}],
    ],
    ids=["he cannot be read", "AWS does not say whether it made him"],
)
def test_a_user_that_was_made_by_a_create_that_failed_is_in_the_next_list(
    place: Place, faults: list[dict[str, object]]
) -> None:
    assert "rosa" not in place.listed()
    for fault in faults:
        place.sandbox.control("faults", fault)

    with pytest.raises(ConnectorError):
        next(COMMANDS[CREATE].run(place.desk, NewAccount(NEW)))
    place.sandbox.control("faults", {"clear": True})

    assert "rosa" in place.sandbox.organisation.store.users_by_name
    assert "rosa" in place.listed()


def test_a_create_that_is_a_conflict_costs_no_census(place: Place) -> None:
    place.made(displayName="Another Rosa")
    place.listed()
    before = place.desk.freshness.fresh()

    with pytest.raises(ConnectorError):
        next(COMMANDS[CREATE].run(place.desk, NewAccount(NEW)))

    assert before is not None
    assert place.desk.freshness.fresh() == before


def test_an_update_that_is_a_conflict_costs_no_census(place: Place) -> None:
    rosa = place.made()
    place.listed()
    before = place.desk.freshness.fresh()

    asked = ChangeAccount(rosa, (Change(Op.SET, "userName", ("tim",)),))
    with pytest.raises(ConnectorError):
        next(COMMANDS["std:account:update"].run(place.desk, asked))

    assert before is not None
    assert place.desk.freshness.fresh() == before
