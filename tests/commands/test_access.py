"""Access that our own readings do not show is neither lost nor taken for given: what counts is what AWS holds.

The real commands on the emulated AWS over HTTP and a real store, in this process, on a clock that runs fast, so that
what AWS does slowly is waited for quickly.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

from connector.app import Core
from connector.aws.directory import Directory
from connector.commands import CHANGES, COMMANDS
from connector.commands.asked import content, to_json
from connector.commands.durable import resume
from connector.errors import AccountNotFound, Conflicts, ConnectorError, DisableNotConfigured, RetryLater
from connector.lease import LEASE
from connector.model import (
    Account,
    Assignment,
    Change,
    ChangeAccount,
    Done,
    Event,
    ListAccounts,
    NoInput,
    OneAccount,
    Op,
    Recorded,
    Result,
    Source,
    Step,
    Ticket,
    Verb,
)
from connector.reading import facts
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, ENG, small
from connector.settings import Settings
from connector.store.faults import FULL
from tests.clocks import FastClock
from tests.named import Named

PAIRS = "permissionSetAssignments"
APPLICATIONS = "applicationAssignments"
WORK = 600.0
"""Seconds AWS takes for a change of somebody else, unless it is told to end it."""


class World(Named):
    """The small organisation, and the connector on it."""

    def __init__(self, sandbox: Sandbox, folder: Path, sources: tuple[Source, ...]) -> None:
        self.sandbox = sandbox
        self.core = Core(
            Settings(
                sources={each.name: each for each in sources},
                store_url=f"sqlite:///{folder / 'store.db'}",
                aws_tps=1000,
                identitystore_tps=1000,
                organizations_tps=1000,
            ),
            FastClock(),
        )

    def does(self, command: str, asked: Any, source: str = "default") -> Event:
        """The last event of a command."""
        desk = self.core.desk(self.core.settings.sources[source], threading.Event())
        return list(COMMANDS[f"std:account:{command}"].run(desk, asked))[-1]

    def accounts(self, source: str = "default") -> dict[str, Account]:
        """A list of all accounts."""
        desk = self.core.desk(self.core.settings.sources[source], threading.Event())
        events = COMMANDS["std:account:list"].run(desk, ListAccounts())
        return {each.id: each for each in events if isinstance(each, Account)}

    def listed(self, user: str, source: str = "default") -> tuple[str, ...]:
        """Ids of the pairs a list of all accounts shows for the user."""
        return tuple(self.accounts(source)[user].attributes[PAIRS])

    def update(self, op: Op, user: str, *pairs: str, source: str = "default") -> Event:
        """Add, set or remove pairs."""
        return self.does("update", ChangeAccount(user, (Change(op, PAIRS, pairs),)), source)

    def takes_all(self, how: str, user: str) -> None:
        """Everything the user holds is taken: by "set", "delete" or "disable"."""
        if how == "set":
            self.update(Op.SET, user)
        elif how == "delete":
            self.does("delete", OneAccount(user))
        else:
            self.does("disable", OneAccount(user), "strip")

    def applications(self, user: str) -> tuple[str, ...]:
        """Ids of the applications AWS shows for the user."""
        account = self.does("read", OneAccount(user), "applications")
        assert isinstance(account, Account)
        return tuple(account.attributes[APPLICATIONS])

    @contextmanager
    def aws_works_on(self, operation: str, user: str, permission_set: str, account: str) -> Iterator[str]:
        """A change of an assignment as any tool asks for it, which AWS ends once somebody looks; the pair's id."""
        self.options(assignment_seconds=WORK)
        getattr(boto3.client("sso-admin"), f"{operation.lower()}_account_assignment")(
            InstanceArn=self.sandbox.organisation.instance.arn,
            PermissionSetArn=self.sandbox.organisation.instance.permission_sets_by_name[permission_set].arn,
            TargetId=account,
            TargetType="AWS_ACCOUNT",
            PrincipalType="USER",
            PrincipalId=user,
        )
        self.options(assignment_seconds=0.05)
        look = {"Create": "ListAccountAssignmentCreationStatus", "Delete": "ListAccountAssignmentDeletionStatus"}
        self.sandbox.control("forget")
        done = threading.Event()

        def end() -> None:
            while look[operation] not in self.sandbox.control("state")["calls"] and not done.wait(0.02):
                pass
            self.sandbox.control("advance", {"seconds": WORK})

        ending = threading.Thread(target=end)
        ending.start()
        try:
            yield self.pair(permission_set, account)
        finally:
            done.set()
            ending.join()

    def grants(self, user: str, permission_set: str, account: str) -> str:
        """Behind the API's back and at once; the pair's id."""
        what = {"permission_set": permission_set, "account_id": account, "principal_id": user}
        self.mutate("add_assignment", principal_type="USER", **what)
        return self.pair(permission_set, account)

    def options(self, **options: Any) -> None:
        """Of the sandbox."""
        self.sandbox.control("options", options)

    def mutate(self, action: str, **what: Any) -> None:
        """Behind the API's back."""
        self.sandbox.control("mutate", {"action": action, **what})

    def held(self, user: str) -> set[str]:
        """Ids of the pairs AWS holds for the user, when nothing is in flight any more and nothing lags."""
        self.sandbox.control("advance", {"seconds": 600})
        self.sandbox.control("organisation")
        found = self.sandbox.organisation.instance.assignments
        return {f"{account}:{arn.rsplit('/', 1)[-1]}" for arn, account, who in found if who == ("USER", user)}

    def everything(self, user: str) -> set[str]:
        """Ids of the pairs, groups and applications AWS holds for the user."""
        state = self.sandbox.control("organisation")["instances"][0]
        groups = {row["group_id"] for row in state["memberships"] if row["user_id"] == user}
        return self.held(user) | groups | set(self.applications(user))

    def denies(self, operation: str, **more: Any) -> None:
        """AWS does, as often as `times` says."""
        self.sandbox.control("faults", {"operation": operation, "fault": "denied", **more})

    def exists(self, user: str) -> bool:
        """Whether the identity store has the user."""
        return user in self.sandbox.organisation.store.users_by_id


SOURCES = (
    Source("default", region="eu-west-1"),
    Source("strip", region="eu-west-1", disable_by="strip"),
    Source("beside", region="eu-west-1", disable_by="strip"),
    Source("hasty", region="eu-west-1", read_deadline=2.0),
    Source("applications", region="eu-west-1", entitlement_types=("group", "applicationAssignment")),
    Source("delegated", region="eu-west-1", role_arn=f"arn:aws:iam::{ENG}:role/IdentityCenterConnector"),
)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with Sandbox(small(), Options(assignment_seconds=0.05)) as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        yield World(sandbox, tmp_path, SOURCES)


def _account(event: Event) -> Account:
    assert isinstance(event, Account)
    return event


# ---- what AWS was never made to take ----------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "fault"), [("delete", "denied"), ("delete", "throttled"), ("disable", "denied")])
def test_a_refused_removal_keeps_the_user_also_where_the_aws_account_is_suspended(
    world: World, how: str, fault: str
) -> None:
    """Only a removal that AWS took up and ended as FAILED is left by AWS; one that it refused can be sent again."""
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    world.mutate("set_account_state", account_id=ENG, state="SUSPENDED")
    world.sandbox.control("faults", {"operation": "DeleteAccountAssignment", "fault": fault})
    source = {"delete": "default", "disable": "strip"}[how]
    refused = _account(world.does(how, OneAccount(user), source))
    assert [each.value for each in refused.refusals] == [pair]
    assert pair in refused.undone
    assert "reactivate it" not in refused.undone, "that would not help"
    assert world.exists(user)
    assert world.held(user) == {pair}

    world.sandbox.control("faults", {"clear": True})
    world.does(how, OneAccount(user), source)
    assert world.exists(user) is (how == "disable")


# ---- what is on its way -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("lag", [0.0, 30.0])
@pytest.mark.parametrize("op", [Op.ADD, Op.SET])
def test_what_aws_is_still_taking_is_not_there_already(world: World, op: Op, lag: float) -> None:
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    world.options(lag_seconds=lag)
    with world.aws_works_on("Delete", user, "Read", ENG):
        assert world.update(op, user, pair) != Done()
    assert world.held(user) == {pair}


def test_what_aws_is_still_taking_is_given_back_by_enabling(world: World) -> None:
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    world.does("disable", OneAccount(user), "strip")
    world.grants(user, "Read", ENG)
    with world.aws_works_on("Delete", user, "Read", ENG):
        world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == {pair}


def test_what_is_there_and_stays_is_there_already_for_two_calls_more(world: World) -> None:
    """Once for what AWS is taking, once more for what there is after that; deletions of others are not waited for."""
    user, other = world.user("edgar"), world.user("alan")
    pair = world.grants(user, "Read", ENG)
    world.grants(other, "Read", ENG)
    with world.aws_works_on("Delete", other, "Read", ENG):
        world.sandbox.control("forget")
        assert world.update(Op.ADD, user, pair) == Done()
        calls = world.sandbox.control("state")["calls"]
    assert calls["ListAccountAssignmentDeletionStatus"] == 1
    assert calls["ListAccountAssignmentsForPrincipal"] == 2
    assert "CreateAccountAssignment" not in calls


@pytest.mark.parametrize("how", ["set", "delete", "disable"])
def test_what_somebody_else_is_giving_is_taken_though_no_list_shows_it_yet(world: World, how: str) -> None:
    user = world.user("edgar")
    with world.aws_works_on("Create", user, "Read", ENG):
        world.options(lag_seconds=30.0)  # in no list for a while when it is made
        world.takes_all(how, user)
    assert world.held(user) == set()


def test_what_somebody_else_was_giving_when_we_disabled_is_given_back(world: World) -> None:
    user = world.user("edgar")
    with world.aws_works_on("Create", user, "Read", ENG) as pair:
        world.options(lag_seconds=30.0)
        world.takes_all("disable", user)
    assert world.held(user) == set()
    world.options(lag_seconds=0.0)
    world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == {pair}


@pytest.mark.parametrize("source", ["default", "strip"])
def test_what_another_source_is_giving_is_taken_by_its_name(world: World, source: str) -> None:
    user = world.user("edgar")
    with world.aws_works_on("Create", user, "Read", ENG) as pair:
        world.update(Op.REMOVE, user, pair, source=source)
    assert world.held(user) == set()


# ---- what comes while we wait for our turn -------------------------------------------------------------------------


@contextmanager
def _when_it_removes(world: World, happens: Callable[[], object]) -> Iterator[None]:
    """It happens after the account was read, between AWS's answer to the first removal and what we do then."""
    withdrawn = Directory.submit_unassign
    first = iter([True])

    def told(directory: Directory, assignment: Assignment) -> Ticket:
        ticket = withdrawn(directory, assignment)
        if next(first, False):
            happens()
        return ticket

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Directory, "submit_unassign", told)
        yield


def test_a_removal_of_what_was_not_there_takes_what_came_meanwhile(world: World) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    with _when_it_removes(world, lambda: world.grants(user, "Read", ENG)):
        account = _account(world.update(Op.REMOVE, user, pair))
    assert account.refusals == ()
    assert world.held(user) == set()


def test_a_removal_of_what_was_not_there_publishes_what_came_meanwhile(world: World) -> None:
    user, pair, other = world.user("edgar"), world.pair("Read", ENG), world.pair("Security", ENG)
    world.listed(user)
    with _when_it_removes(world, lambda: world.grants(user, "Security", ENG)):
        assert world.update(Op.REMOVE, user, pair) == Done()
    assert world.listed(user) == (other,)


# ---- what another source does -----------------------------------------------------------------------------------


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_an_interrupted_grant_does_not_come_back_after_a_removal_through_another_source(
    world: World, pool: ThreadPoolExecutor
) -> None:
    """The removal waits for it, and it sees that it is no longer wanted."""
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    asked = ChangeAccount(user, (Change(Op.ADD, PAIRS, (pair,)),))
    operations, command = world.core.store.operations, "std:account:update"
    interrupted, _ = operations.accept(
        "default", command, user, user, "", content(command, asked), "", to_json(asked), "gone", 0.0
    )
    removing = pool.submit(lambda: world.update(Op.REMOVE, user, pair, source="strip"))
    while len(operations.listed(None, True, 9)) < 2:
        time.sleep(0.01)
    world.core.recover()
    assert removing.result() == Done()
    ended = operations.operation(interrupted.id)
    assert ended is not None
    assert "the account was changed since" in str(ended.answer)
    assert world.held(user) == set()


def test_a_grant_through_another_source_does_not_outlive_a_deleted_user(world: World, pool: ThreadPoolExecutor) -> None:
    """It is asked for after the delete has looked what there is, and before the user is gone."""
    user, pair = world.user("edgar"), world.pair("Read", DATA)
    world.grants(user, "Read", ENG)
    world.options(assignment_seconds=0.5)
    deleting = pool.submit(lambda: world.does("delete", OneAccount(user)))
    while "DeleteAccountAssignment" not in world.sandbox.control("state")["calls"]:
        time.sleep(0.01)
    world.options(assignment_seconds=0.05)
    with pytest.raises(AccountNotFound):
        world.update(Op.ADD, user, pair, source="strip")
    assert deleting.result() == Done()
    assert not world.exists(user)
    assert world.held(user) == set()


# ---- what lags behind -------------------------------------------------------------------------------------------


def _lagging(world: World, op: Op, user: str, pair: str, source: str = "default") -> None:
    """A change that AWS makes, and that no list shows."""
    world.options(lag_seconds=60.0)
    account = world.update(op, user, pair, source=source)
    assert isinstance(account, Account)
    assert [each.value for each in account.refusals] == [pair], "AWS shows it already"


@pytest.mark.parametrize("given_by", ["default", "strip"])
@pytest.mark.parametrize("how", ["set", "delete", "disable"])
def test_what_we_have_just_given_is_taken_though_no_list_shows_it(world: World, how: str, given_by: str) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    _lagging(world, Op.ADD, user, pair, given_by)

    world.takes_all(how, user)  # as long as a list shows it, although AWS has taken it, that is not the end of it
    assert world.held(user) == set()
    world.takes_all(how, user)
    assert world.exists(user) is (how != "delete")
    assert world.held(user) == set()


def test_what_we_had_just_given_is_given_back_by_enabling(world: World) -> None:
    """It was in no list when the user was disabled."""
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    _lagging(world, Op.ADD, user, pair, "strip")
    world.does("disable", OneAccount(user), "strip")
    world.sandbox.control("advance", {"seconds": 600})
    world.options(lag_seconds=0.0)
    world.does("disable", OneAccount(user), "strip")
    world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == {pair}


def test_what_disabling_has_just_taken_is_given_back_though_lists_still_show_it(world: World) -> None:
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    world.options(lag_seconds=60.0)
    assert _account(world.does("disable", OneAccount(user), "strip")).undone, "it still shows"
    world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == {pair}


def test_what_we_gave_a_user_that_others_delete_is_taken_though_no_list_shows_it(world: World) -> None:
    world.options(orphan_delete="succeeded")
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    _lagging(world, Op.ADD, user, pair)
    world.mutate("delete_user", user=user)
    assert world.does("delete", OneAccount(user)) == Done()
    assert world.held(user) == set()


def test_what_we_have_just_taken_is_not_there_already_though_lists_show_it(world: World) -> None:
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    _lagging(world, Op.REMOVE, user, pair)
    world.update(Op.ADD, user, pair)
    assert world.held(user) == {pair}


def test_what_was_refused_is_not_taken_for_given(world: World) -> None:
    """What AWS never took up needs not be taken: its removal would be refused, too, and keep the user."""
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.options(deny=["CreateAccountAssignment", "DeleteAccountAssignment"])
    world.update(Op.ADD, user, pair)
    assert world.does("delete", OneAccount(user)) == Done()


# ---- what nobody saw the end of ---------------------------------------------------------------------------------


def _unseen(world: World, op: Op, user: str, pair: str, how: str) -> None:
    """A change that AWS makes, but of which we only know that we asked for it, if even that was answered."""
    word = {Op.ADD: "Create", Op.REMOVE: "Delete"}[op]
    if how == "its end is not shown":
        world.denies(f"DescribeAccountAssignment{word[:-1]}ionStatus", times=1)
    else:
        world.sandbox.control("faults", {"operation": f"{word}AccountAssignment", "fault": "after"})
    account = _account(world.update(op, user, pair, source="hasty"))
    assert [each.value for each in account.refusals] == [pair]
    world.sandbox.control("faults", {"clear": True})


UNSEEN = ["its end is not shown", "it is not answered"]


@pytest.mark.parametrize("unseen", UNSEEN)
@pytest.mark.parametrize("how", ["set", "delete", "disable"])
def test_what_we_may_have_given_is_taken_though_no_list_shows_it(world: World, how: str, unseen: str) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.options(lag_seconds=30.0)
    _unseen(world, Op.ADD, user, pair, unseen)
    world.sandbox.control("advance", {"seconds": 1.0})  # AWS ends it
    world.takes_all(how, user)
    assert world.held(user) == set()


@pytest.mark.parametrize("unseen", UNSEEN)
@pytest.mark.parametrize("op", [Op.ADD, Op.REMOVE])
def test_a_change_whose_end_nobody_saw_is_no_news_for_lists(world: World, op: Op, unseen: str) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    if op is Op.REMOVE:
        world.grants(user, "Read", ENG)
    world.listed(user)
    world.options(assignment_seconds=60.0)
    _unseen(world, op, user, pair, unseen)
    assert world.held(user) == ({pair} if op is Op.ADD else set())
    assert (pair in world.listed(user)) is (op is Op.ADD)


def test_what_aws_refused_leaves_lists_as_they_are(world: World) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.listed(user)
    world.options(deny=["CreateAccountAssignment"])
    world.update(Op.ADD, user, pair)
    world.sandbox.control("forget")
    assert world.listed(user) == ()
    assert world.sandbox.control("state")["calls"] == {}


def test_what_an_interrupted_grant_began_and_may_not_finish_may_still_come(world: World) -> None:
    """Others changed the user since, so it is not given again; AWS ends what it was asked before."""
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.listed(user)
    desk = world.core.desk(world.core.settings.sources["default"], threading.Event())
    asked, command = ChangeAccount(user, (Change(Op.ADD, PAIRS, (pair,)),)), "std:account:update"
    interrupted, _ = desk.operations.accept(
        "default", command, user, user, "", content(command, asked), "", to_json(asked), "killed", 0.0
    )
    desk.operations.record(interrupted, [Recorded(Step(Verb.ASSIGN, PAIRS, pair), None)])
    desk.operations.accept("default", command, user, user, "", "later", "", {}, "other", LEASE)
    taken = desk.operations.take_abandoned("ours", LEASE)
    assert taken is not None
    resume(desk, taken, CHANGES[command])
    ended = desk.operations.operation(taken.id)
    assert ended is not None
    assert [(each.result, each.unknown) for each in ended.steps] == [(Result.FAILED, True)]
    world.grants(user, "Read", ENG)
    assert world.listed(user) == (pair,)


# ---- what costs nothing -----------------------------------------------------------------------------------------


def test_what_was_given_and_taken_since_costs_nothing_more(world: World) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.update(Op.ADD, user, pair)
    world.update(Op.REMOVE, user, pair)
    world.sandbox.control("forget")
    assert world.update(Op.SET, user) == Done()
    assert "DeleteAccountAssignment" not in world.sandbox.control("state")["calls"]


@pytest.mark.parametrize("op", [Op.ADD, Op.REMOVE])
def test_a_reading_that_lacks_our_change_is_no_news_for_lists(world: World, op: Op) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    if op is Op.REMOVE:
        world.grants(user, "Read", ENG)
    world.listed(user)
    _lagging(world, op, user, pair)
    world.sandbox.control("advance", {"seconds": 600})
    assert (pair in world.listed(user)) is (op is Op.ADD)


# ---- what is revoked while a user is stripped -------------------------------------------------------------------


@pytest.mark.parametrize("through", ["strip", "default"])
@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("op", [Op.REMOVE, Op.SET])
def test_what_is_revoked_from_a_stripped_user_does_not_come_back(
    world: World, op: Op, complete: bool, through: str
) -> None:
    user = world.user("edgar")
    kept, gone = world.grants(user, "Write", ENG), world.grants(user, "Read", ENG)
    if complete:
        world.does("disable", OneAccount(user), "strip")
    else:
        # Journalled, and then nothing could be taken: the user is not disabled, but enabling gives back all the same.
        world.core.store.stripped.strip("strip", user, {PAIRS: [kept, gone]})
    world.update(op, user, *([gone] if op is Op.REMOVE else []), source=through)
    assert world.held(user) == (set() if complete or op is Op.SET else {kept})
    world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == ({kept} if op is Op.REMOVE else set())


def test_a_revoke_that_aws_refuses_is_not_given_back_either(world: World) -> None:
    """It leaves the journal before anything is taken, so that an interruption in between cannot bring it back."""
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    world.does("disable", OneAccount(user), "strip")
    world.sandbox.control("faults", {"operation": "DeleteAccountAssignment", "fault": "denied"})
    refused = world.update(Op.REMOVE, user, pair, source="strip")
    assert isinstance(refused, Account)
    assert [each.value for each in refused.refusals] == [pair]
    world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == set()


def test_a_refused_grant_to_a_stripped_user_leaves_what_is_to_be_given_back(world: World) -> None:
    user = world.user("edgar")
    kept, other = world.grants(user, "Read", ENG), world.pair("Write", ENG)
    world.does("disable", OneAccount(user), "strip")
    for op in (Op.ADD, Op.SET):
        with pytest.raises(Conflicts, match="is disabled; enable it"):
            world.update(op, user, other, source="strip")
    world.does("enable", OneAccount(user), "strip")
    assert world.held(user) == {kept}


# ---- what cannot be given back, or not yet ----------------------------------------------------------------------


@pytest.mark.parametrize("why", ["one denied", "all denied", "throttled", "suspended"])
def test_what_could_not_be_given_back_is_given_by_the_next_enable(world: World, why: str) -> None:
    user = world.user("edgar")
    world.grants(user, "Read", ENG)
    before = world.everything(user)
    assert len(before) == 4
    world.does("disable", OneAccount(user), "strip")
    if why == "one denied":
        world.denies("CreateGroupMembership", times=1)
    elif why == "all denied":
        world.options(deny=["CreateGroupMembership", "CreateAccountAssignment"])
    elif why == "throttled":
        sources = world.core.settings.sources
        sources["strip"] = replace(sources["strip"], read_deadline=2.0)
        world.sandbox.control("faults", {"operation": "CreateGroupMembership", "fault": "throttled"})
    else:
        world.mutate("set_account_state", account_id=ENG, state="SUSPENDED")

    half = _account(world.does("enable", OneAccount(user), "strip"))
    missing = before - world.everything(user)
    assert missing
    assert {each.value for each in half.refusals} == missing
    assert half.disabled, "else nobody would ask again"
    assert all(each in half.undone for each in missing)
    assert _account(world.does("read", OneAccount(user), "strip")).disabled

    world.sandbox.control("faults", {"clear": True})
    world.options(deny=[])
    world.mutate("set_account_state", account_id=ENG, state="ACTIVE")
    whole = _account(world.does("enable", OneAccount(user), "strip"))
    assert (whole.disabled, whole.refusals, whole.undone) == (False, (), "")
    assert world.everything(user) == before


@pytest.mark.parametrize("op", [Op.REMOVE, Op.SET])
def test_what_is_still_to_be_given_back_can_be_revoked(world: World, op: Op) -> None:
    """Also what was given back already: a later enable does not bring it again."""
    user = world.user("edgar")
    kept, gone = world.grants(user, "Write", ENG), world.grants(user, "Read", ENG)
    world.does("disable", OneAccount(user), "strip")
    world.denies("CreateAccountAssignment", times=1)
    world.does("enable", OneAccount(user), "strip")
    assert len(world.held(user)) == 1
    world.update(op, user, *([gone, kept] if op is Op.REMOVE else []), source="strip")
    enabled = _account(world.does("enable", OneAccount(user), "strip"))
    assert (enabled.disabled, enabled.refusals) == (False, ())
    assert world.held(user) == set()


@pytest.mark.parametrize("what", ["group", "permission set", "AWS account", "application"])
def test_what_no_longer_exists_is_named_and_not_waited_for(world: World, what: str) -> None:
    user = world.user("grace")
    pair = world.grants(user, "Read", ENG)
    (application,) = world.applications(user)
    before = world.everything(user)
    world.does("disable", OneAccount(user), "strip")
    if what == "group":
        gone = world.group("aws_core_security")
        world.mutate("delete_group", group=gone)
    elif what == "permission set":
        gone = pair
        world.mutate("delete_permission_set", permission_set="Read")
    elif what == "AWS account":
        gone = pair
        organisation = world.sandbox.organisation
        organisation.accounts.remove(organisation.accounts_by_id.pop(ENG))
    else:
        gone = application
        instance = world.sandbox.organisation.instance
        (found,) = (each for each in instance.applications if each.arn.endswith(gone))
        instance.applications.remove(instance.applications_by_arn.pop(found.arn))
    enabled = _account(world.does("enable", OneAccount(user), "strip"))
    assert [(each.value, "no longer" in each.reason) for each in enabled.refusals] == [(gone, True)]
    assert (enabled.disabled, enabled.undone) == (False, "")
    assert world.everything(user) == before - {gone}
    assert _account(world.does("enable", OneAccount(user), "strip")).refusals == ()


def test_what_may_not_be_looked_for_still_exists(world: World) -> None:
    user, group = world.user("linus"), world.group("aws_eng_read")
    world.does("disable", OneAccount(user), "strip")
    world.options(deny=["CreateGroupMembership", "DescribeGroup"])
    assert _account(world.does("enable", OneAccount(user), "strip")).disabled
    world.options(deny=[])
    assert not _account(world.does("enable", OneAccount(user), "strip")).disabled
    assert world.everything(user) == {group}


@pytest.mark.parametrize("stripped", [True, False])
def test_who_is_disabled_in_aws_itself_is_not_enabled_by_giving_back(world: World, stripped: bool) -> None:
    user = world.user("edgar")
    before = world.everything(user)
    if stripped:
        world.does("disable", OneAccount(user), "strip")
    world.mutate("set_user_status", user=user, status="DISABLED")
    left = world.everything(user)
    with pytest.raises(Conflicts, match=f"user {user} is disabled in Identity Center itself.*console"):
        world.does("enable", OneAccount(user), "strip")
    assert world.everything(user) == left
    world.mutate("set_user_status", user=user, status="ENABLED")
    assert not _account(world.does("enable", OneAccount(user), "strip")).disabled
    assert world.everything(user) == before


# ---- what AWS does not let us take ------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["disable", "delete"])
def test_a_refused_removal_is_named_beside_what_was_taken(world: World, how: str) -> None:
    user, group = world.user("barbara"), world.group("aws_eng_write")
    before = world.everything(user)
    world.denies("DeleteGroupMembership", times=1)
    account = _account(world.does(how, OneAccount(user), "strip"))
    assert [(each.value, each.kind, each.action) for each in account.refusals] == [
        (group, "aws-permission-missing", "identitystore:DeleteGroupMembership")
    ]
    assert not account.disabled
    assert group in account.undone
    assert (account.attributes["groups"], account.attributes[PAIRS]) == ((group,), ())
    assert world.everything(user) == {group}
    assert world.exists(user)
    if how == "disable":
        assert _account(world.does("enable", OneAccount(user), "strip")).refusals == ()
        assert world.everything(user) == before
    else:
        assert world.does(how, OneAccount(user), "strip") == Done()
        assert not world.exists(user)


# ---- what other sources of the instance list --------------------------------------------------------------------


def test_lists_of_every_source_of_the_instance_show_a_change_at_once(world: World) -> None:
    """Without a census, and each with what is its own; the first source has never been listed."""
    user, gone, pair = world.user("edgar"), world.user("alan"), world.pair("Security", ENG)
    world.accounts("strip")
    before = world.core.records.latest("strip")
    world.update(Op.ADD, user, pair)
    world.does("delete", OneAccount(gone))
    world.sandbox.control("forget")

    assert world.listed(user, "strip") == (pair,)
    assert gone not in world.accounts("strip")
    assert world.sandbox.control("state")["calls"] == {}
    after = world.core.records.latest("strip")
    assert before is not None
    assert after is not None
    assert after.census == before.census
    assert world.core.records.one(after, facts.PAIR, pair) is not None, "it can be reviewed"


def test_a_source_that_strips_is_not_told_by_others_that_its_user_is_enabled(world: World) -> None:
    user = world.user("edgar")
    world.accounts("strip")
    world.does("disable", OneAccount(user), "strip")
    world.does("update", ChangeAccount(user, (Change(Op.SET, "title", ("Dr",)),)))
    account = world.accounts("strip")[user]
    assert (account.disabled, account.attributes["title"]) == (True, "Dr")


def test_lists_of_every_source_of_the_instance_are_doubted_about_what_no_reading_shows(world: World) -> None:
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    world.accounts("strip")
    _lagging(world, Op.ADD, user, pair)
    world.sandbox.control("advance", {"seconds": 600})
    assert world.listed(user, "strip") == (pair,)


def test_a_delegated_administrator_takes_nothing_it_is_not_shown_out_of_the_owners_lists(world: World) -> None:
    world.options(hide_management_account=True)
    user = world.user("edgar")
    hidden, given = world.grants(user, "Admin", CORE), world.pair("Write", ENG)
    assert world.listed(user) == (hidden,)
    assert world.listed(user, "delegated") == ()
    world.update(Op.ADD, user, given, source="delegated")
    assert world.listed(user, "delegated") == (given,)
    assert set(world.listed(user)) == {hidden, given}


# ---- what AWS did without our learning of it --------------------------------------------------------------------


def test_a_user_whose_deletion_went_unanswered_is_in_no_list_that_begins_after_it(world: World) -> None:
    user = world.user("edgar")
    assert user in world.accounts("default")
    for rule in ({"fault": "after", "times": 1}, {"fault": "error500", "after": 1}):
        world.sandbox.control("faults", {"operation": "DeleteUser", **rule})
    with pytest.raises(ConnectorError):
        world.does("delete", OneAccount(user))
    world.held(user)
    assert not world.exists(user)
    assert user not in world.accounts("default")


# ---- applications, where the source does without them -----------------------------------------------------------


def test_a_stripped_user_loses_and_gets_back_applications_that_the_source_does_not_show(world: World) -> None:
    user = world.user("grace")
    before = world.applications(user)
    assert before
    world.does("disable", OneAccount(user), "strip")
    assert world.applications(user) == ()
    enabled = world.does("enable", OneAccount(user), "strip")
    assert isinstance(enabled, Account)
    assert not enabled.refusals
    assert APPLICATIONS not in enabled.attributes
    assert world.applications(user) == before


def test_a_deleted_user_leaves_no_application_assignment(world: World) -> None:
    user = world.user("grace")
    assert world.does("delete", OneAccount(user)) == Done()
    found = world.sandbox.control("state")["calls"]
    assert found["DeleteApplicationAssignment"] == 1


def test_applications_that_may_not_be_read_keep_nobody_and_are_named(world: World) -> None:
    user = world.user("grace")
    world.options(deny=["ListApplicationAssignmentsForPrincipal"])
    disabled = world.does("disable", OneAccount(user), "strip")
    assert isinstance(disabled, Account)
    assert disabled.disabled
    (named,) = disabled.refusals
    assert (named.attribute, named.action) == (APPLICATIONS, "sso:ListApplicationAssignmentsForPrincipal")
    done = world.does("delete", OneAccount(user), "strip")
    assert isinstance(done, Done)
    assert APPLICATIONS in str(done.details)
    assert not world.exists(user)


# ---- disabled through two sources of one instance ---------------------------------------------------------------


@pytest.mark.parametrize("first", ["strip", "beside"])
def test_who_is_disabled_through_two_sources_is_given_nothing_before_both_have_enabled_it(
    world: World, first: str
) -> None:
    user = world.user("edgar")
    world.grants(user, "Read", ENG)
    before = world.everything(user)
    last = "beside" if first == "strip" else "strip"
    world.does("disable", OneAccount(user), "strip")
    added = world.grants(user, "Write", ENG)
    world.does("disable", OneAccount(user), "beside")

    enabled = _account(world.does("enable", OneAccount(user), first))
    assert world.everything(user) == set()
    assert (enabled.disabled, enabled.undone) == (False, "")
    assert {each.value for each in enabled.refusals} == (before if first == "strip" else {added})
    assert all("another source" in each.reason for each in enabled.refusals)
    assert not _account(world.does("enable", OneAccount(user), first)).refusals
    assert world.everything(user) == set()
    assert _account(world.does("read", OneAccount(user), last)).disabled

    assert not _account(world.does("enable", OneAccount(user), last)).disabled
    assert world.everything(user) == before | {added}


def test_a_source_that_is_gone_keeps_nobody_from_being_enabled(world: World) -> None:
    user = world.user("edgar")
    before = world.everything(user)
    world.does("disable", OneAccount(user), "strip")
    world.does("disable", OneAccount(user), "beside")
    del world.core.settings.sources["beside"]
    assert not _account(world.does("enable", OneAccount(user), "strip")).refusals
    assert world.everything(user) == before


# ---- a store that cannot be written -----------------------------------------------------------------------------


def test_no_list_lacks_what_was_given_when_the_store_could_not_be_told(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk is full from the moment on at which AWS has given it. There is no list then, and a right one after."""
    user, pair = world.user("edgar"), world.pair("Read", ENG)
    assert pair not in world.listed(user)
    database = world.core.store._database
    writing = database.writing

    @contextmanager
    def full() -> Iterator[Any]:
        if pair in world.held(user):
            raise RetryLater(FULL)
        with writing() as connection:
            yield connection

    monkeypatch.setattr(database, "writing", full)
    with pytest.raises(RetryLater, match="full"):
        world.update(Op.ADD, user, pair)
    assert pair in world.held(user)
    for source in ("default", "beside"):
        with pytest.raises(RetryLater, match="full"):
            world.listed(user, source)

    monkeypatch.setattr(database, "writing", writing)
    for source in ("default", "beside"):
        assert pair in world.listed(user, source)
    number = world.core.records.latest("default")
    world.listed(user)
    assert world.core.records.latest("default") == number, "said once"


# ---- a source that no longer strips -----------------------------------------------------------------------------


def test_what_was_stripped_is_given_back_when_the_source_no_longer_strips(world: World) -> None:
    user = world.user("edgar")
    pair = world.grants(user, "Read", ENG)
    world.does("disable", OneAccount(user), "strip")
    sources = world.core.settings.sources
    sources["strip"] = replace(sources["strip"], disable_by="refuse")
    assert isinstance(account := world.does("read", OneAccount(user), "strip"), Account)
    assert account.disabled
    desk = world.core.desk(sources["strip"], threading.Event())
    (tested,) = COMMANDS["std:test-connection"].run(desk, NoInput())
    assert "1 users are still disabled by stripping" in str(tested)
    assert isinstance(account := world.does("enable", OneAccount(user), "strip"), Account)
    assert not account.disabled
    assert world.held(user) == {pair}
    with pytest.raises(DisableNotConfigured):
        world.does("enable", OneAccount(user), "strip")
