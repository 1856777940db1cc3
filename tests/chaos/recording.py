"""What happened while a run went on, and how that becomes a history when it is over.

Calls are recorded as they were sent and answered. Only at the end is it known when an unanswered call could still have
changed something: until its operation ended.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.model import Operation, Result, Verb
from connector.sandbox.server import Sandbox
from tests.acceptance.oracle import pair_id
from tests.chaos.history import DISABLED, EXISTS, History, Ran, Said, Saw, World, Wrote
from tests.running import Answer

GIVING: Final = (Verb.JOIN, Verb.ASSIGN)
TAKING: Final = (Verb.LEAVE, Verb.UNASSIGN)
_PAIR: Final = re.compile(r"\d{12}:ps-[0-9a-f]+")


@dataclass(frozen=True)
class Sent:
    """A change that was sent: what was asked, and what it would make of the account."""

    command: str
    account: str
    asked: Any
    values: Mapping[str, bool | None]
    began: float
    ended: float
    said: Said


@dataclass
class Recording:
    """Everything that was sent and answered. Thread-safe where it is written."""

    universe: Collection[str]
    """Every group and pair there is."""
    before: World
    names: dict[str, str]
    """userName by UserId, of everybody whose id was ever seen."""
    sent: list[Sent] = field(default_factory=list)
    saw: list[Saw] = field(default_factory=list)
    listed: list[tuple[float, float, dict[str, dict[str, bool]]]] = field(default_factory=list)
    """Complete lists: what each showed of whom."""
    short: list[str] = field(default_factory=list)
    """Lists of groups that were short."""
    answers: Counter[str] = field(default_factory=Counter)
    """How many commands of each type had which kind of answer: `std:account:list yes`."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def count(self, command: str, said: Said) -> None:
        """One more answer."""
        with self._lock:
            self.answers[f"{command} {said}"] += 1

    def change(self, sent: Sent) -> None:
        """A change, once its answer is there or is known not to come."""
        with self._lock:
            self.sent.append(sent)

    def shown(self, account: dict[str, Any]) -> dict[str, bool]:
        """What a frame shows of every register of its account."""
        attributes = account["attributes"]
        held = {*attributes["groups"], *attributes["permissionSetAssignments"]}
        with self._lock:
            self.names[account["identity"]] = attributes["userName"]
        return {
            EXISTS: True,
            DISABLED: account["disabled"],
            **{each: each in held for each in {*self.universe, *held}},
        }

    def read(self, name: str, values: dict[str, bool], began: float, ended: float) -> None:
        """What a read showed."""
        with self._lock:
            self.saw.append(Saw(name, values, began, ended, "a read"))

    def list(self, frames: list[dict[str, Any]], began: float, ended: float) -> None:
        """What a complete list showed."""
        found = {each["attributes"]["userName"]: self.shown(each) for each in frames}
        with self._lock:
            self.listed.append((began, ended, found))

    def groups(self, found: set[str]) -> None:
        """What a complete list of groups showed: nobody makes or deletes groups, so all of them."""
        if missing := {each for each in self.universe if ":" not in each} - found:
            with self._lock:
                self.short.append(f"a list of groups lacked {sorted(missing)}")

    @property
    def calls(self) -> int:
        """Commands that reached the service."""
        return sum(self.answers.values())

    @property
    def changes(self) -> int:
        """Those that were to change something."""
        return len(self.sent)

    # ---- when it is over

    def history(self, after: World, operations: list[Operation], last: list[dict[str, Any]] | None = None) -> History:
        """The history; `last` is a list that was made when all was over."""
        for each in operations:
            if each.command == "std:account:create" and each.account:
                self.names.setdefault(each.account, _user_name(each))
        shown = {each["attributes"]["userName"]: each for each in last or ()}
        return History(
            before=self.before,
            after=after,
            wrote=tuple(self._wrote(each, operations) for each in self.sent),
            saw=(*self.saw, *self._lists()),
            ran=tuple(self._ran(each) for each in operations),
            listed=None if last is None else {name: _held(each) for name, each in shown.items()},
            disabled=frozenset(name for name, each in shown.items() if each["disabled"]),
        )

    def _wrote(self, sent: Sent, operations: list[Operation]) -> Wrote:
        """A change, which can have effects until the last operation that it may have become has ended."""
        ended = sent.ended
        if sent.said != "yes":
            mine = [each for each in operations if _same(sent, each)]
            ended = max(
                [ended, *(_end(each) for each in mine if each.accepted_at <= ended and _end(each) >= sent.began)]
            )
        what = sent.command.removeprefix("std:account:")
        return Wrote(sent.account, sent.values, sent.began, ended, sent.said, what)

    def _lists(self) -> Iterator[Saw]:
        everybody = {*self.before.accounts, *(each.account for each in self.sent)}
        for began, ended, found in self.listed:
            for name in everybody | found.keys():
                yield Saw(name, found.get(name, {EXISTS: False}), began, ended, "a list")

    def _ran(self, operation: Operation) -> Ran:
        outcomes: dict[str, bool | None] = {}
        for each in operation.steps:
            if each.step.verb in (*GIVING, *TAKING):
                known = each.result in (Result.DONE, Result.ALREADY)
                outcomes[each.step.value] = each.step.verb in GIVING if known else None
        done = operation.state in ("succeeded", "partly") and not operation.answer.get("undone")
        if operation.command == "std:account:create":
            outcomes[EXISTS] = True if done else None
        if operation.command == "std:account:delete":
            outcomes[EXISTS] = False if done else None
        if operation.command in ("std:account:disable", "std:account:enable"):
            outcomes[DISABLED] = operation.command.endswith("disable") if done else None
        name = self.names.get(operation.account) or _user_name(operation) or operation.account
        details = operation.answer.get("details")
        left = _PAIR.findall(str(details.get("leftovers", ""))) if isinstance(details, Mapping) else []
        return Ran(operation.id, name, operation.state, outcomes, operation.ended_at, frozenset(left))


def said(answer: Answer | None) -> Said:
    """What an answer says of its command."""
    if answer is None:
        return "nothing"
    return "yes" if answer.complete else "no"


def refused(answer: Answer, values: Mapping[str, bool | None]) -> dict[str, bool | None]:
    """What an acknowledged change may be relied on for: not for what its `results` name."""
    results = answer.outputs[0].get("results", []) if answer.outputs else []
    told = " ".join(each["message"] for result in results for each in result["messages"])
    return {name: None if name in told else value for name, value in values.items()}


def world(sandbox: Sandbox) -> World:
    """What is true in AWS now."""
    instance = sandbox.control("organisation")["instances"][0]
    names = {each["id"]: each["user_name"] for each in instance["users"]}
    held: dict[str, set[str]] = {each: set() for each in names.values()}
    for each in instance["memberships"]:
        held[names[each["user_id"]]].add(each["group_id"])
    orphans = set()
    groups = {each["id"] for each in instance["groups"]}
    for each in instance["assignments"]:
        who = each["principal_id"]
        if who in names:
            held[names[who]].add(pair_id(each))
        elif who not in groups:
            orphans.add((pair_id(each), who))
    return World(held, orphans)


def _held(account: dict[str, Any]) -> set[str]:
    return {*account["attributes"]["groups"], *account["attributes"]["permissionSetAssignments"]}


def _user_name(operation: Operation) -> str:
    attributes = operation.asked.get("attributes")
    return str(attributes["userName"]) if isinstance(attributes, Mapping) else ""


def _end(operation: Operation) -> float:
    return float("inf") if operation.ended_at is None else operation.ended_at


def _same(sent: Sent, operation: Operation) -> bool:
    """Whether a call may have become, or joined, an operation."""
    if sent.command != operation.command:
        return False
    if sent.command == "std:account:create":
        return _user_name(operation) == sent.account
    if sent.asked["identity"] != operation.asked.get("id"):
        return False
    asked = [{"op": each["op"], "attribute": each["attribute"]} for each in sent.asked.get("changes", ())]
    kept = operation.asked.get("changes", ())
    assert isinstance(kept, list | tuple)
    return asked == [{"op": each["op"], "attribute": each["attribute"]} for each in kept]
