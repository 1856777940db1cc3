"""A census whose lists contradict what AWS acknowledged to us before it began.

The real connector reads the emulated AWS in this process; what AWS's lists lack or still show is taken from, or put
into, what they answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector import app
from connector.aws import assignments
from connector.aws.directory import Directory
from connector.commands import trail
from connector.commands.desk import NOBODY
from connector.errors import AlreadyExists
from connector.model import (
    Assignment,
    Change,
    ChangeAccount,
    Done,
    Lane,
    NewAccount,
    OneAccount,
    Op,
    Pair,
    Principal,
    Recorded,
    Step,
    Verb,
)
from connector.reading import census, facts
from connector.sandbox.options import Options
from connector.sandbox.seed import Size, generated
from connector.sandbox.server import Sandbox
from connector.wire import rest_operations
from tests.aggregation.restarting import Configured, Restarting
from tests.clocks import FastClock

BY_PAIR = Size(users=14, groups=4, permission_sets=3, aws_accounts=3, applications=2, pairs=8)
BY_PRINCIPAL = Size(users=4, groups=3, permission_sets=4, aws_accounts=5, applications=2, pairs=18)
ALL = ("group", "permissionSetAssignment", "applicationAssignment")
PAIRS = "permissionSetAssignments"
STATUS = {"disable": "DISABLED", "enable": "ENABLED"}
ROSA = NewAccount({"userName": "rosa", "email": "rosa@example.com", "givenName": "Rosa", "familyName": "Diaz"})


class Ahead(FastClock):
    """A clock that can be put on."""

    by = 0.0

    def now(self) -> float:
        return super().now() + self.by


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Ahead]]:
    monkeypatch.setattr(app, "SystemClock", Ahead)
    yield Ahead
    Ahead.by = 0.0


@pytest.fixture(params=[BY_PAIR, BY_PRINCIPAL], ids=["by pair", "by principal"])
def world(request: pytest.FixtureRequest, connector: Restarting) -> Iterator[Configured]:
    """Every list reads anew."""
    with Sandbox(generated(request.param, 1), Options(assignment_seconds=0.0)) as sandbox:
        made = connector.on(sandbox, snapshot_max_age=0, entitlement_types=ALL)
        made.accounts()
        yield made


def listed(world: Configured, user: str, attribute: str = PAIRS) -> list[str]:
    found: list[str] = world.accounts()[user]["attributes"][attribute]
    return found


def doubted(world: Configured) -> bool:
    return world.newest().doubted


def calls(world: Configured) -> Counter[str]:
    """Of one list."""
    world.sandbox.control("forget")
    world.accounts()
    return Counter(world.sandbox.control("state")["calls"])


def ids(world: Configured, attribute: str) -> list[str]:
    """What can be held, by the attribute that holds it."""
    kind = {PAIRS: facts.PAIR, "groups": facts.GROUP, "applicationAssignments": facts.APPLICATION}[attribute]
    return [each.id for each in world.core.records.page(world.newest(), kind, "", 100)]


def lacking(world: Configured, attribute: str) -> tuple[str, str]:
    """A user, and the id of something that he does not hold."""
    for user, account in world.accounts().items():
        for id_ in ids(world, attribute):
            if id_ not in account["attributes"][attribute]:
                return user, id_
    raise AssertionError("everybody holds everything")


def outside(world: Configured, action: str, user: str, pair: str) -> None:
    """Behind our back, which looks as if AWS's lists went back behind our change."""
    aws_account, _, id_ = pair.partition(":")
    (arn,) = [each.arn for each in world.sandbox.organisation.instance.permission_sets if each.arn.endswith(id_)]
    what = {"permission_set": arn, "account_id": aws_account, "principal_type": "USER", "principal_id": user}
    world.sandbox.control("mutate", {"action": action, **what})


def exchanged(world: Configured) -> tuple[str, str, str]:
    """A user, the pair that we gave him and somebody else took, and the pair that he was given instead."""
    user, pair = lacking(world, PAIRS)
    world.change(user, Op.ADD, PAIRS, pair)
    other = next(each for each in ids(world, PAIRS) if each not in listed(world, user))
    outside(world, "remove_assignment", user, pair)
    outside(world, "add_assignment", user, other)
    return user, pair, other


def blind(monkeypatch: pytest.MonkeyPatch, question: str, hide: Callable[[Any], bool]) -> None:
    """AWS does not list what is hidden, when it is asked so."""
    ask = getattr(Directory, question)
    monkeypatch.setattr(Directory, question, lambda *asked: (each for each in ask(*asked) if not hide(each)))


# ---- what AWS still contradicts when it is asked live ------------------------------------------------------------


@pytest.mark.parametrize("op", [Op.ADD, Op.REMOVE])
def test_what_aws_acknowledged_is_not_undone_by_lists_that_lag(world: Configured, op: Op) -> None:
    """It was told as a failed part: no list showed it in time."""
    user, pair = lacking(world, PAIRS)
    if op is Op.REMOVE:
        world.change(user, Op.ADD, PAIRS, pair)
    world.sandbox.control("options", {"lag_seconds": 600.0})
    world.change(user, op, PAIRS, pair)
    for _ in range(2):
        assert (pair in listed(world, user)) is (op is Op.ADD)
        assert doubted(world)
    world.sandbox.control("advance", {"seconds": 600})
    assert (pair in listed(world, user)) is (op is Op.ADD)
    assert not doubted(world)


@pytest.mark.parametrize("op", [Op.ADD, Op.REMOVE])
def test_what_lists_have_shown_is_not_undone_either_but_for_long(world: Configured, op: Op, clock: type[Ahead]) -> None:
    """A change of somebody else's looks the same, and shows after a minute."""
    user, pair = lacking(world, PAIRS)
    world.change(user, Op.ADD, PAIRS, pair)
    if op is Op.REMOVE:
        world.change(user, Op.REMOVE, PAIRS, pair)
    assert not doubted(world)
    outside(world, "remove_assignment" if op is Op.ADD else "add_assignment", user, pair)
    assert (pair in listed(world, user)) is (op is Op.ADD)
    assert doubted(world), "the next list asks AWS anew"

    clock.by += 61
    assert (pair in listed(world, user)) is (op is Op.REMOVE)
    assert not doubted(world)


def test_only_the_change_itself_outweighs_aws(world: Configured) -> None:
    """What else is known of the account is as AWS has it now."""
    user, pair, other = exchanged(world)
    assert {pair, other} <= set(listed(world, user))


def test_a_later_change_of_the_account_does_not_undo_it_either(world: Configured) -> None:
    """What that change reads back lacks it: it is no news for lists."""
    user, pair = lacking(world, PAIRS)
    world.change(user, Op.ADD, PAIRS, pair)
    outside(world, "remove_assignment", user, pair)
    world.change(user, Op.SET, "title", "Captain")
    assert doubted(world)
    assert pair in listed(world, user)


def test_who_is_deleted_by_somebody_else_is_given_nothing_more(world: Configured) -> None:
    """But what AWS keeps for him is still listed where pairs are asked."""
    user, pair, other = exchanged(world)
    world.sandbox.control("mutate", {"action": "delete_user", "user": user})
    assert user not in world.accounts()
    assert not doubted(world)
    orphans = {each.held for each in world.core.records.about(world.newest(), facts.ASSIGNMENT, [user])}
    assert pair not in orphans
    assert (other in orphans) is bool(world.newest().summary["by_pair"])


def test_a_create_that_is_asked_again_says_nothing_of_what_its_first_run_gave(
    world: Configured, clock: type[Ahead]
) -> None:
    """We took it an hour ago: that somebody asks whether the user was made does not bring it back, into any list."""
    group = ids(world, "groups")[0]
    asked = NewAccount({**ROSA.attributes, "groups": (group,)})
    (made,) = world.run("std:account:create", asked)
    world.change(made.id, Op.REMOVE, "groups", group)
    clock.by += 3600
    with pytest.raises(AlreadyExists, match="changed since"):
        world.run("std:account:create", asked)
    assert listed(world, made.id, "groups") == []
    assert not doubted(world)
    again = world.core.store.operations.listed(None, False, 1)[0]
    assert group not in str(trail.outcome(again, NOBODY)["steps"]), "nor does the audit say that it was given now"
    assert group not in str(rest_operations.shown(again, None, None)["outcomes"]), "nor the operation"


@pytest.mark.parametrize("op", [Op.SET, Op.REMOVE])
def test_attributes_are_not_undone_by_lists_that_lag(
    world: Configured, monkeypatch: pytest.MonkeyPatch, op: Op
) -> None:
    """Nor by a live answer that lags."""
    user, _ = lacking(world, PAIRS)
    wanted = "Captain" if op is Op.SET else None
    world.change(user, Op.SET, "title", "Mate")
    directory = world.desk().directory(Lane.LIVE)
    old = {each.id: each for each in directory.users()}
    world.change(user, op, "title", *([wanted] if wanted else []))
    assert not doubted(world)

    monkeypatch.setattr(Directory, "users", lambda _: iter(old.values()))
    assert world.accounts()[user]["attributes"].get("title") == wanted
    assert not doubted(world), "it was asked for live"
    described = Directory.user
    monkeypatch.setattr(Directory, "user", lambda self, id_: old.get(id_) or described(self, id_))
    assert world.accounts()[user]["attributes"].get("title") == wanted
    assert doubted(world)


@pytest.mark.parametrize("lagging", [False, True], ids=["somebody else did it", "AWS lags"])
@pytest.mark.parametrize("op", [Op.SET, Op.REMOVE])
def test_attributes_that_are_changed_to_and_fro_are_as_was_asked_last(
    world: Configured, monkeypatch: pytest.MonkeyPatch, op: Op, lagging: bool
) -> None:
    """Where the account shows what is asked, though we have just set something else."""
    user, _ = lacking(world, PAIRS)
    wanted = "Mate" if op is Op.SET else None
    world.change(user, op, "title", *([wanted] if wanted else []))
    directory = world.desk().directory(Lane.CHANGE)
    old = directory.user(user)
    world.change(user, Op.SET, "title", "Captain")
    with monkeypatch.context() as patch:
        if lagging:
            patch.setattr(Directory, "user", lambda *_: replace(old, revision=None))
        else:
            directory.update_user(directory.user(user), {"title": wanted})
        world.change(user, op, "title", *([wanted] if wanted else []))
    assert world.account(user).get("title") == wanted
    assert world.accounts()[user]["attributes"].get("title") == wanted
    assert not doubted(world)


@pytest.mark.parametrize("how", ["disable", "enable"])
def test_who_was_disabled_is_not_listed_as_enabled(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str
) -> None:
    """Through SCIM. Nor the other way round."""
    with Sandbox(generated(BY_PAIR, 1), Options(assignment_seconds=0.0)) as sandbox:
        world = connector.on(sandbox, snapshot_max_age=0, **scim(sandbox, tmp_path))
        user, _ = world.outsider()
        if how == "enable":
            world.run("std:account:disable", OneAccount(user))
        world.accounts()
        old = list(world.desk().directory(Lane.LIVE).users())
        world.run(f"std:account:{how}", OneAccount(user))
        monkeypatch.setattr(Directory, "users", lambda _: iter(old))
        assert world.accounts()[user]["attributes"]["userStatus"] == STATUS[how]
        assert not doubted(world)


@pytest.mark.parametrize("how", ["disable", "enable"])
@pytest.mark.parametrize("lagging", [False, True], ids=["somebody else did it", "AWS lags"])
def test_who_is_switched_to_and_fro_is_as_was_asked_last(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str, lagging: bool
) -> None:
    """Where the account shows what is asked, though we have just said the opposite."""
    opposite = {"disable": "enable", "enable": "disable"}[how]
    with Sandbox(generated(BY_PAIR, 1), Options(assignment_seconds=0.0)) as sandbox:
        world = connector.on(sandbox, snapshot_max_age=0, **scim(sandbox, tmp_path))
        user, _ = world.outsider()
        world.run(f"std:account:{how}", OneAccount(user))
        directory = world.desk().directory(Lane.CHANGE)
        old = directory.user(user)
        world.run(f"std:account:{opposite}", OneAccount(user))
        with monkeypatch.context() as patch:
            if lagging:
                patch.setattr(Directory, "user", lambda *_: old)
            else:
                directory.set_enabled(user, how == "enable")
            world.run(f"std:account:{how}", OneAccount(user))
        assert world.account(user)["userStatus"] == STATUS[how]
        assert world.accounts()[user]["attributes"]["userStatus"] == STATUS[how]
        assert not doubted(world)


@contextmanager
def just_given(connector: Restarting) -> Iterator[tuple[Sandbox, Configured, str, str]]:
    """An organisation where a user was given a pair a moment ago."""
    with Sandbox(generated(BY_PAIR, 1), Options(assignment_seconds=0.0)) as sandbox:
        world = connector.on(sandbox, snapshot_max_age=0, entitlement_types=ALL)
        user, pair = lacking(world, PAIRS)
        world.change(user, Op.ADD, PAIRS, pair)
        yield sandbox, world, user, pair


def test_what_a_deleted_user_was_rid_of_is_no_orphan(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch, clock: type[Ahead]
) -> None:
    """Though AWS lists it still. What AWS could not take is one, though AWS lists the user still."""
    with just_given(connector) as (_, world, user, pair):
        directory = world.desk().directory(Lane.LIVE)
        rows, old, before = _rows(directory, pair), directory.user(user), world.newest().summary["orphans"]
        world.run("std:account:delete", OneAccount(user))
        ask, users = Directory.assignments_of_pair, Directory.users
        shown = [each for each in rows if each.principal.id == user]
        monkeypatch.setattr(
            Directory, "assignments_of_pair", lambda *asked: [*ask(*asked), *(shown if asked[1].id == pair else ())]
        )
        world.accounts()
        assert world.newest().summary["orphans"] == before
        assert not world.core.records.about(world.newest(), facts.ASSIGNMENT, [user])
        assert doubted(world)

        clock.by += 61
        monkeypatch.setattr(Directory, "users", lambda self: iter([*users(self), old]))
        assert user not in world.accounts()
        assert any(user in each for each in world.newest().summary["orphans"])  # type: ignore[attr-defined]
        assert not doubted(world)


def scim(sandbox: Sandbox, folder: Path) -> dict[str, str]:
    """Options of a source that disables through it."""
    token = folder / "token"
    token.write_text(sandbox.scim_token)
    return {"disable_by": "scim", "scim_endpoint": sandbox.scim_url, "scim_token_file": str(token)}


def _rows(directory: Any, pair: str) -> list[Any]:
    found = Pair.parse(pair)
    assert found is not None
    return list(directory.assignments_of_pair(found))


def test_a_revoke_that_fails_is_none_although_no_list_shows_what_was_given_a_moment_ago(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch, clock: type[Ahead]
) -> None:
    """AWS fails to take from a suspended AWS account; that lists lag is no proof that there was nothing to take."""
    with just_given(connector) as (sandbox, world, user, pair):
        suspended = {"action": "set_account_state", "account_id": pair.partition(":")[0], "state": "SUSPENDED"}
        sandbox.control("mutate", suspended)
        of_pair = assignments.of_pair

        def shown(rows: Iterable[Assignment]) -> Iterator[Assignment]:
            return (each for each in rows if each != Assignment(Pair(*pair.split(":")), Principal("USER", user)))

        monkeypatch.setattr(assignments, "of_pair", lambda *asked: shown(of_pair(*asked)))
        of = Directory.assignments_of
        monkeypatch.setattr(Directory, "assignments_of", lambda *asked: shown(of(*asked)))

        remove = ChangeAccount(user, (Change(Op.REMOVE, PAIRS, (pair,)),))
        (left,) = world.run("std:account:update", remove)
        assert [each.value for each in left.refusals] == [pair]
        clock.by += 61
        (done,) = world.run("std:account:update", remove)
        assert isinstance(done, Done), "after a minute lists are believed"


# ---- what AWS shows when it is asked live ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("attribute", "question", "hidden"),
    [
        (PAIRS, "assignments_of_pair", lambda each, user: each.principal == Principal("USER", user)),
        ("groups", "members", lambda each, user: each.user_id == user),
        ("applicationAssignments", "application_assignments", lambda each, user: each.principal.id == user),
    ],
)
def test_what_a_census_misses_is_found_live(
    connector: Restarting,
    monkeypatch: pytest.MonkeyPatch,
    attribute: str,
    question: str,
    hidden: Callable[[Any, str], bool],
) -> None:
    with Sandbox(generated(BY_PAIR, 1), Options(assignment_seconds=0.0)) as sandbox:
        world = connector.on(sandbox, snapshot_max_age=0, entitlement_types=ALL)
        user, id_ = lacking(world, attribute)
        world.change(user, Op.ADD, attribute, id_)
        blind(monkeypatch, question, lambda each: hidden(each, user))
        assert id_ in listed(world, user, attribute)
        assert not doubted(world)


def test_who_was_deleted_does_not_come_back(world: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    user, _ = lacking(world, PAIRS)
    old = world.desk().directory(Lane.LIVE).user(user)
    world.run("std:account:delete", OneAccount(user))
    users = Directory.users
    monkeypatch.setattr(Directory, "users", lambda self: iter([*users(self), old]))
    assert user not in world.accounts()
    assert not doubted(world)


@pytest.mark.parametrize("known", [True, False])
def test_who_was_made_is_not_missing(world: Configured, monkeypatch: pytest.MonkeyPatch, known: bool) -> None:
    """Also where AWS does not know it when asked by id."""
    (made,) = world.run("std:account:create", ROSA)
    blind(monkeypatch, "users", lambda each: each.id == made.id)
    if not known:
        world.sandbox.control("options", {"user_lag_seconds": 600.0})
    assert world.accounts()[made.id]["attributes"]["userName"] == "rosa"
    assert doubted(world) is not known


# ---- what nobody saw the end of ----------------------------------------------------------------------------------


def test_what_aws_may_do_yet_is_doubted_until_it_shows(world: Configured) -> None:
    user, pair = lacking(world, PAIRS)
    world.sandbox.control("options", {"assignment_seconds": 600.0})
    world.sandbox.control(
        "faults", {"operation": "DescribeAccountAssignmentCreationStatus", "fault": "denied", "times": 1}
    )
    world.change(user, Op.ADD, PAIRS, pair)
    assert pair not in listed(world, user)
    assert doubted(world)
    world.sandbox.control("advance", {"seconds": 600})
    assert pair in listed(world, user)
    assert not doubted(world)


def test_a_user_who_may_have_been_made_while_a_census_ran_is_asked_for_anew(
    world: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The census has read the users before; nobody knows whom to read again."""
    aws_accounts = Directory.aws_accounts

    def then_doubted(self: Directory) -> Any:
        list(self.users())
        world.desk().freshness.doubt("")
        return aws_accounts(self)

    monkeypatch.setattr(Directory, "aws_accounts", then_doubted)
    world.accounts()
    assert doubted(world)
    monkeypatch.undo()
    world.accounts()
    assert not doubted(world)


def test_a_user_who_may_have_been_made_before_is_asked_for_anew_for_a_minute(
    world: Configured, clock: type[Ahead]
) -> None:
    operations = world.core.store.operations
    begun, _ = operations.accept("default", "std:account:create", "userName rosa", "", "", "c", "", {}, "me", 30)
    operations.record(begun, [Recorded(Step(Verb.CREATE, "userName", "rosa"), None)])
    world.accounts()
    assert not doubted(world), "while it goes on, it tells lists itself"
    operations.end(begun, "failed", {})
    world.accounts()
    assert doubted(world)
    clock.by += 61
    world.accounts()
    assert not doubted(world)


# ---- what it costs -----------------------------------------------------------------------------------------------


def test_changes_that_lists_show_cost_nothing(world: Configured) -> None:
    before = calls(world)
    user, pair = lacking(world, PAIRS)
    world.change(user, Op.ADD, PAIRS, pair)
    world.change(user, Op.REMOVE, PAIRS, pair)
    world.change(user, Op.ADD, PAIRS, pair)
    assert calls(world) == before
    assert not doubted(world)


def test_a_change_that_lists_contradict_costs_a_live_read_of_its_account(world: Configured) -> None:
    before = calls(world)
    user, pair = lacking(world, PAIRS)
    world.change(user, Op.ADD, PAIRS, pair)
    outside(world, "remove_assignment", user, pair)
    assert sum((calls(world) - before).values()) <= 4


def test_changes_made_while_a_census_runs_cost_it_nothing(world: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lists lack them, and they are taken from where they were put when they were read back."""
    before = calls(world)
    user, group = lacking(world, "groups")
    read_services = census._read_services

    def then_changed(*what: Any) -> None:
        read_services(*what)
        world.change(user, Op.ADD, "groups", group)
        world.sandbox.control("forget")

    monkeypatch.setattr(census, "_read_services", then_changed)
    assert group in listed(world, user, "groups")
    after = Counter(world.sandbox.control("state")["calls"])
    assert not after - before, "but for orphans, it asks nothing"
    assert after["ListGroupMembershipsForMember"] == 0
    assert not doubted(world)


def test_what_is_given_while_a_census_runs_can_be_asked_for(world: Configured, monkeypatch: pytest.MonkeyPatch) -> None:
    """It had been provisioned before, and was not when the census asked for pairs."""
    user, pair = lacking(world, PAIRS)
    _without(monkeypatch, pair)
    read_services = census._read_services

    def then_given(*what: Any) -> None:
        read_services(*what)
        world.change(user, Op.ADD, PAIRS, pair)

    monkeypatch.setattr(census, "_read_services", then_given)
    assert pair in listed(world, user)
    assert pair in ids(world, PAIRS)
    assert not doubted(world)


def test_what_somebody_is_given_after_pairs_were_read_can_be_asked_for(
    connector: Restarting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody else, where assignments are read by principal."""
    with Sandbox(generated(BY_PRINCIPAL, 1), Options(assignment_seconds=0.0)) as sandbox:
        world = connector.on(sandbox, snapshot_max_age=0)
        user, pair = lacking(world, PAIRS)
        outside(world, "add_assignment", user, pair)
        _without(monkeypatch, pair)
        assert pair in listed(world, user)
        assert pair in ids(world, PAIRS)


def _without(patch: pytest.MonkeyPatch, pair: str) -> None:
    """It is not provisioned when it is asked for."""
    ask = Directory.aws_accounts_of
    aws_account, _, set_ = pair.partition(":")
    patch.setattr(
        Directory,
        "aws_accounts_of",
        lambda self, id_: (each for each in ask(self, id_) if (each, id_) != (aws_account, set_)),
    )
