"""What lists show of a change whose process was killed, before anybody has finished it; and how one takes it up."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from connector.app import Core
from connector.aws.directory import Directory
from connector.commands import COMMANDS, carrying
from connector.commands.present import Present
from connector.model import Account, Lane, ListAccounts, OneAccount, Operation, Source
from connector.sandbox.server import Sandbox
from connector.settings import Settings
from tests.named import Named

SOURCE = Source("default")
STRIP = replace(SOURCE, disable_by="strip")
HELD = "groups", "permissionSetAssignments"


@dataclass
class Killed(Named):
    """A store and an AWS, and processes that come and go."""

    sandbox: Sandbox
    store_url: str
    cores: list[Core] = field(default_factory=list)

    def born(self, *sources: Source) -> Core:
        """A process as it is before it has served anything."""
        known = {each.name: each for each in sources or (SOURCE,)}
        settings = Settings(sources=known, store_url=self.store_url, aws_tps=500, identitystore_tps=500)
        self.cores.append(Core(settings))
        return self.cores[-1]

    def listed(self, core: Core) -> dict[str, tuple[str, ...]]:
        """The groups of every account, by userName, as a list shows them."""
        events = COMMANDS["std:account:list"].run(core.desk(SOURCE, threading.Event()), ListAccounts())
        return {
            str(each.attributes["userName"]): each.attributes["groups"] for each in events if isinstance(each, Account)
        }  # type: ignore[misc]

    def begun(self, core: Core, account: str, lease: float, source: str = "default") -> Operation:
        """A change that was accepted by a process which is gone; taken up, it finds nothing to do."""
        return core.store.operations.accept(
            source,
            "std:account:update",
            account or "userName rosa",
            account,
            "",
            "c",
            "",
            {"id": account, "changes": []},
            "gone",
            lease,
        )[0]

    def recovers(self, core: Core) -> Operation:
        """Take up what was begun; how it ended."""
        core.recover()
        while core.store.operations.listed(None, True, 1):
            time.sleep(0.01)
        return core.store.operations.listed(None, False, 1)[0]


@pytest.fixture
def killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Killed]:
    with Sandbox() as sandbox:
        for name, value in sandbox.environment().items():
            monkeypatch.setenv(name, value)
        made = Killed(sandbox, f"sqlite:///{tmp_path / 'store.db'}")
        yield made
        for core in made.cores:
            core.directories.close()
            core.store.close()


def test_a_process_that_begins_shows_what_its_predecessor_had_done_and_not_told(killed: Killed) -> None:
    """Of a user that was changed, and of one that was made; the others' lists go on from then on."""
    first = killed.born()
    group, tim = killed.group("aws_data_read"), killed.user("tim")
    assert group not in killed.listed(first)["tim"]
    killed.begun(first, tim, 30)
    directory = first.desk(SOURCE, threading.Event()).directory(Lane.CHANGE)
    directory.join(group, tim)
    assert group not in killed.listed(first)["tim"]

    second = killed.born()
    second.look_back()

    assert group in killed.listed(second)["tim"]
    assert group in killed.listed(first)["tim"]


def test_a_user_that_was_made_and_not_told_is_in_the_next_list(killed: Killed) -> None:
    first = killed.born()
    killed.listed(first)
    killed.begun(first, "", 30)
    names = {"userName": "rosa", "displayName": "Rosa Diaz", "givenName": "Rosa", "familyName": "Diaz"}
    first.desk(SOURCE, threading.Event()).directory(Lane.CHANGE).create_user(names, lambda refusal: None)
    assert "rosa" not in killed.listed(first)

    second = killed.born()
    second.look_back()

    assert "rosa" in killed.listed(second)


@pytest.mark.parametrize("seen", [False, True])
def test_who_takes_up_an_abandoned_operation_doubts_unless_it_did_when_it_began(killed: Killed, seen: bool) -> None:
    core = killed.born()
    killed.listed(core)
    operation = killed.begun(core, killed.user("tim"), 0)
    if seen:
        core.look_back()
        killed.listed(core)

    ended = killed.recovers(core)

    newest = core.records.latest("default")
    assert newest is not None
    assert newest.doubted is not seen
    assert (ended.id, ended.state) == (operation.id, "succeeded")


def test_an_abandoned_operation_that_cannot_be_finished_is_doubted_once_more(killed: Killed) -> None:
    """What it had begun came after the list that was read when this process began, and it reads nothing back."""
    core = killed.born()
    group, tim = killed.group("aws_data_read"), killed.user("tim")
    killed.begun(core, tim, 0)
    core.look_back()
    assert group not in killed.listed(core)["tim"]
    core.desk(SOURCE, threading.Event()).directory(Lane.CHANGE).join(group, tim)
    killed.sandbox.control("faults", {"operation": "DescribeUser", "fault": "denied", "times": 1})

    ended = killed.recovers(core)

    assert ended.state == "failed"
    assert group in killed.listed(core)["tim"]


def test_who_does_not_know_the_source_leaves_its_operation_to_others_for_a_while(
    killed: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Replicas get a new source one after the other: a revoke through it is not lost to one that has it not yet."""
    monkeypatch.setattr("connector.app.LEASE", 0.5)
    old, new = killed.born(), killed.born(SOURCE, replace(SOURCE, name="added"))
    killed.begun(old, killed.user("tim"), 0, source="added")
    old.recover()
    assert [each.ended_at for each in old.store.operations.listed(None, True, 9)] == [None]
    time.sleep(0.6)

    assert killed.recovers(new).state == "succeeded"


def test_an_abandoned_operation_of_a_source_that_is_gone_is_doubted_everywhere(
    killed: Killed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have served the same instance: the source may have been renamed."""
    monkeypatch.setattr("connector.app.KNOWN_ELSEWHERE", 0.0)
    core = killed.born()
    group, tim = killed.group("aws_data_read"), killed.user("tim")
    assert group not in killed.listed(core)["tim"]
    killed.begun(core, tim, 0, source="renamed")
    core.look_back()
    assert group not in killed.listed(core)["tim"]
    core.desk(SOURCE, threading.Event()).directory(Lane.CHANGE).join(group, tim)

    ended = killed.recovers(core)

    assert ended.state == "failed"
    assert group in killed.listed(core)["tim"]


def test_nothing_is_doubted_where_nothing_was_interrupted(killed: Killed) -> None:
    first = killed.born()
    killed.listed(first)
    ended = killed.begun(first, killed.user("tim"), 30)
    first.store.operations.end(ended, "succeeded", {})
    before = first.records.latest("default")

    killed.born().look_back()

    assert first.records.latest("default") == before


@pytest.mark.parametrize("how", ["disable", "enable"])
@pytest.mark.parametrize("by", ["strip", "scim"])
def test_who_asks_again_after_a_kill_finds_in_lists_what_was_done_before_it(
    killed: Killed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, how: str, by: str
) -> None:
    """Another process takes the change over, and has nothing left to do; the one that did it told no list."""
    source = _scim(killed, tmp_path) if by == "scim" else STRIP
    dying, living = killed.born(source), killed.born(source)
    tim = OneAccount(killed.user("tim"))
    if how == "enable":
        _ask(living, "disable", tim)
    before = _ask(living, "list", ListAccounts())[tim.id]
    with monkeypatch.context() as patch:
        patch.setattr(Present, "publish", _dies)
        with pytest.raises(SystemExit):
            _ask(dying, how, tim)
    _abandoned(killed)

    answered = _ask(living, how, tim)[tim.id]

    assert answered.disabled is (how == "disable") is not before.disabled
    assert _ask(living, "list", ListAccounts())[tim.id] == answered


def test_what_was_to_be_given_back_when_it_was_killed_is_given_back(
    killed: Killed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """By a source that stripped before it had SCIM: that the user is enabled already says nothing of what it held."""
    stripping, source = killed.born(STRIP), _scim(killed, tmp_path)
    barbara = OneAccount(killed.user("barbara"))
    before = _ask(stripping, "read", barbara)[barbara.id].attributes
    _ask(stripping, "disable", barbara)
    dying, living = killed.born(source), killed.born(source)
    with monkeypatch.context() as patch:
        patch.setattr(carrying, "perform", _dies)
        with pytest.raises(SystemExit):
            _ask(dying, "enable", barbara)
    _abandoned(killed)

    after = _ask(living, "enable", barbara)[barbara.id].attributes

    assert all(before[each] for each in HELD)
    assert [after[each] for each in HELD] == [before[each] for each in HELD]


@pytest.mark.parametrize("known", [True, False], ids=["it had been enabled", "nobody knows, and it is long ago"])
def test_who_was_disabled_since_an_enable_was_killed_stays_disabled(
    killed: Killed, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, known: bool
) -> None:
    source = _scim(killed, tmp_path)
    dying, living = killed.born(source), killed.born(source)
    tim = OneAccount(killed.user("tim"))
    _ask(living, "disable", tim)
    with monkeypatch.context() as patch:
        patch.setattr(*(Present, "publish") if known else (Directory, "set_enabled"), _dies)
        with pytest.raises(SystemExit):
            _ask(dying, "enable", tim)
    _abandoned(killed)
    living.desk(source, threading.Event()).directory(Lane.CHANGE).set_enabled(tim.id, False)
    if not known:
        with sqlite3.connect(killed.store_url.removeprefix("sqlite:///")) as store:
            store.execute("UPDATE operation SET accepted_at = accepted_at - 901 WHERE ended_at IS NULL")

    ended = killed.recovers(living)

    assert ended.state == "failed"
    assert "was not enabled" in str(ended.answer)
    assert _ask(living, "read", tim)[tim.id].disabled
    assert not _ask(living, "enable", tim)[tim.id].disabled, "who asks again is heard"


def _ask(core: Core, command: str, asked: Any) -> dict[str, Account]:
    (source,) = core.settings.sources.values()
    events = COMMANDS[f"std:account:{command}"].run(core.desk(source, threading.Event()), asked)
    return {each.id: each for each in events if isinstance(each, Account)}


def _scim(killed: Killed, folder: Path) -> Source:
    token = folder / "token"
    token.write_text(killed.sandbox.scim_token)
    return replace(SOURCE, disable_by="scim", scim_endpoint=killed.sandbox.scim_url, scim_token_file=str(token))


def _abandoned(killed: Killed) -> None:
    with sqlite3.connect(killed.store_url.removeprefix("sqlite:///")) as store:
        store.execute("UPDATE operation SET lease_until = 0 WHERE ended_at IS NULL")


def _dies(*_: object) -> None:
    raise SystemExit
