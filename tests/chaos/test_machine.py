"""Any order of create, grant, revoke, set, disable, enable, delete, list, deaths in the middle, restarts and retries:
AWS is what a small model of Identity Center says.

The model knows accounts by userName: what each holds, whether it is disabled and what it held before. A change that
died is between its before and its after, until somebody finishes it.
"""

from __future__ import annotations

import tempfile
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from connector.changing.journal import TOO_OLD
from connector.commands.asked import Input
from connector.lease import LEASE
from connector.model import Account, Change, ChangeAccount, Event, NewAccount, OneAccount, Op, Source
from connector.sandbox.options import Options
from connector.sandbox.server import Sandbox
from connector.sandbox.small import CORE, DATA, ENG
from tests.chaos.mortal import Incarnation, Killed, Moving
from tests.chaos.recording import world

NEW = ("new.one", "new.two", "new.three")
NAMES = ("ada", "barbara", *NEW)
"""Two that are there, one with a pair of its own, and three to be made."""
GROUPS = ("aws_data_read", "aws_eng_read", "aws_eng_security")
PAIRS = (("Read", DATA), ("Write", ENG), ("Security", CORE))
ONE_IN = 4
"""A change in so many dies in its middle."""


@dataclass
class Model:
    """An account as it is to be."""

    id: str
    held: set[str] = field(default_factory=set)
    before: set[str] | None = None
    """What it held when it was disabled; None while it is not."""


@dataclass
class Interrupted:
    """A change that died, and what it is between."""

    name: str
    command: str
    asked: Input
    before: Model | None
    after: Model | None


deaths = st.one_of(*[st.none()] * (ONE_IN - 1), st.tuples(st.integers(1, 14), st.booleans()))
values = st.one_of(st.sampled_from(GROUPS), st.sampled_from(PAIRS))


class IdentityCenter(RuleBasedStateMachine):
    """One source, one core at a time, and what AWS is to be."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="machine-")
        self.sandbox = Sandbox(options=Options(assignment_seconds=1.0)).start()
        self.environment = pytest.MonkeyPatch()
        for name, value in self.sandbox.environment().items():
            self.environment.setenv(name, value)
        self.clock = Moving(self.sandbox)
        store = self.sandbox.organisation.store
        sets = self.sandbox.organisation.instance.permission_sets_by_name
        self.ids = {each: store.groups_by_name[each].id for each in GROUPS}
        self.pairs = {(name, place): f"{place}:{sets[name].arn.rpartition('/')[2]}" for name, place in PAIRS}
        first = world(self.sandbox)
        self.orphans = first.orphans
        self.model = {name: Model(store.users_by_name[name].id, set(held)) for name, held in first.accounts.items()}
        self.interrupted: Interrupted | None = None
        self.core = self._born()

    def _born(self) -> Incarnation:
        return Incarnation(self.clock, Path(self.directory.name) / "store.db", Source("default", disable_by="strip"))

    def teardown(self) -> None:
        self.core.bury()
        self.environment.undo()
        self.sandbox.stop()
        self.directory.cleanup()

    def _value(self, named: Any) -> tuple[str, str]:
        """Attribute and id of what a rule names."""
        return ("groups", self.ids[named]) if named in self.ids else ("permissionSetAssignments", self.pairs[named])

    # ---- changes

    def _some(self, data: st.DataObject) -> tuple[str, Model]:
        """An account that is there."""
        name = data.draw(st.sampled_from([each for each in NAMES if each in self.model]))
        return name, self.model[name]

    @precondition(lambda self: self.interrupted is None and not set(NEW) <= self.model.keys())
    @rule(data=st.data(), group=st.sampled_from(GROUPS), pair=st.sampled_from(PAIRS), dies=deaths)
    def create(self, data: st.DataObject, group: str, pair: Any, dies: Any) -> None:
        name = data.draw(st.sampled_from([each for each in NEW if each not in self.model]))
        held = {self.ids[group], self.pairs[pair]}
        given = {"groups": (self.ids[group],), "permissionSetAssignments": (self.pairs[pair],)}
        asked = NewAccount({"userName": name, "givenName": "Ada", "familyName": "New", **given})
        answer = self._ask(name, "std:account:create", asked, Model("", held), dies)
        if answer is not None:
            assert isinstance(answer, Account), answer
            self.model[name].id = answer.id

    @precondition(lambda self: self.interrupted is None and self.model.keys() & set(NAMES))
    @rule(data=st.data(), op=st.sampled_from((Op.ADD, Op.REMOVE, Op.SET)), value=values, dies=deaths)
    def update(self, data: st.DataObject, op: Op, value: Any, dies: Any) -> None:
        name, there = self._some(data)
        attribute, id_ = self._value(value)
        mine = {each for each in there.held if (":" in each) is (":" in id_)}
        held = {Op.ADD: there.held | {id_}, Op.REMOVE: there.held - {id_}, Op.SET: there.held - mine | {id_}}[op]
        if there.before is not None and held - there.held:
            held = there.held  # nothing is given to who is disabled, and then nothing is taken either
        asked = ChangeAccount(there.id, (Change(op, attribute, (id_,)),))
        self._ask(name, "std:account:update", asked, Model(there.id, held, there.before), dies)

    @precondition(lambda self: self.interrupted is None and self.model.keys() & set(NAMES))
    @rule(data=st.data(), dies=deaths)
    def disable(self, data: st.DataObject, dies: Any) -> None:
        name, there = self._some(data)
        before = there.held if there.before is None else there.before | there.held
        self._ask(name, "std:account:disable", OneAccount(there.id), Model(there.id, set(), before), dies)

    @precondition(lambda self: self.interrupted is None and self.model.keys() & set(NAMES))
    @rule(data=st.data(), dies=deaths)
    def enable(self, data: st.DataObject, dies: Any) -> None:
        name, there = self._some(data)
        held = there.held | (there.before or set())
        self._ask(name, "std:account:enable", OneAccount(there.id), Model(there.id, held), dies)

    @precondition(lambda self: self.interrupted is None and self.model.keys() & set(NAMES))
    @rule(data=st.data(), dies=deaths)
    def delete(self, data: st.DataObject, dies: Any) -> None:
        name, there = self._some(data)
        self._ask(name, "std:account:delete", OneAccount(there.id), None, dies)

    def _ask(self, name: str, command: str, asked: Input, after: Model | None, dies: Any) -> Event | None:
        """Send a change; None when the core died of it. Refusals are checked by what AWS is afterwards."""
        before = self.model.get(name)
        try:
            answer = self.core.ask(command, asked, dies)
        except Killed:
            self.core.bury()
            self.core = self._born()
            self.interrupted = Interrupted(name, command, asked, deepcopy(before), deepcopy(after))
            return None
        self._set(name, after)
        return cast(Event, answer)

    def _set(self, name: str, model: Model | None) -> None:
        if model is None:
            self.model.pop(name, None)
        else:
            self.model[name] = model

    # ---- after a death

    @precondition(lambda self: self.interrupted is not None)
    @rule()
    def recover(self) -> None:
        """The restarted core takes up what its predecessor left."""
        self.clock.sleep(LEASE + 1)
        self.core.recover()
        self._finished(late=False)

    @precondition(lambda self: self.interrupted is not None)
    @rule()
    def retry(self) -> None:
        """Whoever had no answer asks again before anybody took it up."""
        assert self.interrupted is not None
        self.clock.sleep(LEASE + 1)
        self.core.ask(self.interrupted.command, self.interrupted.asked)
        self._finished(late=False)

    @precondition(lambda self: self.interrupted is not None)
    @rule()
    def recover_late(self) -> None:
        """So late that nothing is given any more, and everything still taken."""
        self.clock.sleep(TOO_OLD + 1)
        self.core.recover()
        self._finished(late=True)

    def _finished(self, *, late: bool) -> None:
        interrupted, self.interrupted = self.interrupted, None
        assert interrupted is not None
        before, after = interrupted.before, interrupted.after
        there = world(self.sandbox).accounts.get(interrupted.name)
        if not late or after is None:
            self._set(interrupted.name, after)
        elif there is None:
            assert before is None, "a user is gone that was not to be deleted"
        else:
            had = before.held if before is not None else set()
            assert after.held & had <= there <= after.held, "late: what is to stay, and nothing that was to go"
            owed = after.held - there if interrupted.command == "std:account:enable" else set()
            # What was too late to be given back is still to be, and the user still disabled.
            self._set(interrupted.name, Model(after.id, set(there), owed or after.before))
        made = self.model.get(interrupted.name)
        if made is not None and not made.id:
            made.id = self.sandbox.organisation.store.users_by_name[interrupted.name].id

    # ---- what must hold

    @invariant()
    def a_list_shows_every_account_and_all_it_holds(self) -> None:
        shown = self.core.list()
        known = dict(self.model)
        if self.interrupted is not None:
            shown.pop(self.interrupted.name, None)
            known.pop(self.interrupted.name, None)
        assert {name: _held(each) for name, each in shown.items()} == {name: each.held for name, each in known.items()}
        disabled = {name for name, each in shown.items() if each.disabled} - {"hedy"}
        assert disabled == {name for name, each in known.items() if each.before is not None}

    @invariant()
    def aws_is_as_the_model(self) -> None:
        true = world(self.sandbox)
        accounts = {name: set(held) for name, held in true.accounts.items()}
        known = {name: each.held for name, each in self.model.items()}
        if self.interrupted is not None:
            accounts.pop(self.interrupted.name, None)
            known.pop(self.interrupted.name, None)
        else:
            assert true.orphans == self.orphans
            assert not self.core.core.store.operations.listed("default", True, 10)
        assert accounts == known


def _held(account: Account) -> set[str]:
    return {each for name in ("groups", "permissionSetAssignments") for each in account.attributes[name]}


SHORT = settings(
    max_examples=8,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_any_order_of_changes_deaths_and_retries() -> None:
    """The same examples each time."""
    run_state_machine_as_test(IdentityCenter, settings=SHORT)


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_any_order_at_length() -> None:
    """Other examples each time; a failure is made small and prints how to see it again."""
    long = settings(SHORT, max_examples=300, stateful_step_count=30, derandomize=False, phases=tuple(Phase))
    run_state_machine_as_test(IdentityCenter, settings=long)
