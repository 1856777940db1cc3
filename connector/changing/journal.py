"""What a running change writes down before and after each step, and what a resumed one may still do.

A change that is finished after an interruption is run again from what is there now. Taking away is always finished;
giving only where nothing says that it was given before, or is no longer wanted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Final

from connector.changing.planning import Unsettled
from connector.errors import ConnectorError
from connector.lag import OUTWEIGHS, RECENT
from connector.model import Operation, Outcome, Recorded, Result, Step, Verb
from connector.ports import Clock, Operations, Submitted

POLL: Final = 0.1
"""Seconds between looks at another operation that has to end first."""
TOO_OLD: Final = 15 * 60.0
"""Seconds after which an interrupted change gives nothing any more: who asked has asked again, or elsewhere."""


@dataclass
class Journal:
    """The steps of one operation."""

    operations: Operations
    operation: Operation
    clock: Clock
    resumed: bool = False
    """Run again after an interruption, or because the same was asked again."""
    repeated: bool = False
    """The same was asked, and answered, before."""
    overtaken: bool = False
    """A create that found its user when later changes of that user were begun: they could not know that they follow."""
    _known: dict[tuple[Verb, str, str], Recorded] = field(default_factory=dict, repr=False)
    _begun: set[tuple[Verb, str, str]] = field(default_factory=set, repr=False)
    """Steps that an earlier run began, and of which nobody saw the end."""
    _before: set[tuple[Verb, str, str]] = field(default_factory=set, repr=False)
    """All steps of an earlier run."""

    def __post_init__(self) -> None:
        for each in self.operation.steps:
            self._known[_name(each.step)] = each
            self._before.add(_name(each.step))
            if not each.certain:
                self._begun.add(_name(each.step))

    def unknown(self, step: Step) -> bool:
        """Whether an earlier run began the step, and nobody knows what came of it."""
        known = self._known.get(_name(step))
        return known is not None and known.result is None

    def submitted(self, step: Step) -> Submitted:
        """Keeps that the step is begun, and that nothing came of it when AWS refused it.

        What is unknown of an earlier run stays so: a later answer is about the later call.
        """
        unknown = self.unknown(step)

        def keep(refusal: ConnectorError | None) -> None:
            if not unknown:
                result = None if refusal is None else Result.FAILED
                self._known[_name(step)] = Recorded(step, result, str(refusal or ""))
                self._keep()

        return keep

    def account(self, user_id: str, outcome: Outcome) -> None:
        """The user a create has made, or found: whatever was accepted on that user before comes first."""
        self._known[_name(outcome.step)] = Recorded(outcome.step, outcome.result)
        self.operation = self.operations.record(self.operation, self._all(), user_id)
        self.overtaken = outcome.result is Result.ALREADY and self.operations.later_on(self.operation)
        self.await_turn()

    def await_turn(self) -> None:
        """Return when everything that was accepted before on the same subject has ended."""
        while not self.operations.turn_come(self.operation):
            self.clock.sleep(POLL)

    def continue_from(self, earlier: Operation) -> None:
        """The same wish was carried out before: what it gave is not given again."""
        self.resumed = self.repeated = True
        for each in earlier.steps:
            self._known.setdefault(_name(each.step), replace(each, earlier=True))

    def about_to(self, steps: Sequence[Step]) -> None:
        """Intent: all that is to be done now, kept before any of it is.

        What an interrupted run had begun and this one has no reason to do is there already.
        """
        for name, known in self._known.items():
            if known.result is None:
                self._known[name] = replace(known, result=Result.ALREADY)
        for each in steps:
            self._known[_name(each)] = Recorded(each, None)
        if self._known:
            self._keep()

    def open(self) -> list[Step]:
        """What was begun and is not known to be done."""
        return [each.step for each in self._known.values() if each.result in (None, Result.FAILED)]

    def acted(self) -> bool:
        """Whether AWS may be other than before by what was begun in this run."""
        if self.repeated:
            return False
        return any(each.result in (None, Result.DONE) or each.acknowledged for each in self._known.values())

    def came_of(self, outcomes: Sequence[Outcome]) -> None:
        """What became of steps. One that fails now may still be done by an earlier run's call."""
        for each in outcomes:
            self._known[_name(each.step)] = self._recorded(each)
        self._keep()

    def recent(self) -> Unsettled:
        """What was given to the account, taken from it and set in the last minutes, by this change and those before it.

        What may have been done counts as done, unless something later is certain: to give or to take once more is safe.
        """
        given: dict[str, set[str]] = defaultdict(set)
        taken: dict[str, set[str]] = defaultdict(set)
        attributes: dict[str, str | None] = {}
        for operation in self.operations.recent(self.operation.account, RECENT):
            for each in operation.steps:
                step = each.step
                if each.may_be_done:
                    attributes |= step.attributes
                if step.verb.gives is None or not each.may_be_done:
                    continue
                now, before = (given, taken) if step.verb.gives else (taken, given)
                now[step.attribute].add(step.value)
                if each.certain:
                    before[step.attribute].discard(step.value)
        return Unsettled(given, taken, attributes)

    def given_lately(self, attribute: str) -> Set[str]:
        """Ids that AWS acknowledged to have given the account a moment ago.

        But for those that an earlier run of this change was to take: it may have done so.
        """
        given: set[str] = set()
        for operation in self.operations.recent(self.operation.account, OUTWEIGHS):
            for each in operation.steps:
                if each.step.attribute == attribute and each.certain and each.may_be_done:
                    (given.add if each.step.verb.gives else given.discard)(each.step.value)
        return given - {value for verb, _, value in self._before if verb.gives is False}

    def sorted_out(self, steps: Sequence[Step]) -> tuple[list[Step], list[Outcome]]:
        """Which of the steps may be done, and what is to be said of the others. Some of them need nothing said."""
        if not (self.resumed or self.overtaken):
            return list(steps), []
        done, refused = [], []
        for step in steps:
            known = self._known.get(_name(step))
            if step.verb.gives is False:
                done.append(step)
            elif known is not None and known.result in (Result.DONE, Result.ALREADY):
                continue  # given once; if it is gone, somebody took it since
            elif reason := self.why_not():
                outcome = Outcome(step, Result.FAILED, reason, unknown=_name(step) in self._begun)
                self._known[_name(step)] = self._recorded(outcome)  # or it were there already, having been begun
                refused.append(outcome)
            else:
                done.append(step)
        return done, refused

    def why_not(self) -> str:
        """Why a change that was resumed or overtaken may give nothing more; empty when it may."""
        if self.overtaken:
            return "another change of the account was asked since; ask again if it is still wanted"
        if not self.resumed:
            return ""
        if self.clock.now() - self.operation.accepted_at > TOO_OLD:
            return (
                f"the change was interrupted for more than {TOO_OLD / 60:.0f} minutes; ask again if it is still wanted"
            )
        if self.operations.later_on(self.operation):
            return "the change was interrupted, and the account was changed since; ask again if it is still wanted"
        return ""

    def _recorded(self, outcome: Outcome) -> Recorded:
        unknown = outcome.unknown or (outcome.result is Result.FAILED and _name(outcome.step) in self._begun)
        return Recorded(outcome.step, outcome.result, outcome.reason, outcome.acknowledged, unknown)

    def _all(self) -> tuple[Recorded, ...]:
        return tuple(self._known.values())

    def _keep(self) -> None:
        self.operation = self.operations.record(self.operation, self._all())


def _name(step: Step) -> tuple[Verb, str, str]:
    return step.verb, step.attribute, step.value
