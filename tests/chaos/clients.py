"""Clients of a run: each owns some accounts, reads and lists everything, and forgets nothing it was told.

What a client does next follows from its seed and from what it knows. An answer that did not come leaves it in doubt
about that account until a later change of it is answered: changes of an account are made in the order in which they
were accepted, so then all earlier ones are over.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.client import HTTPException
from typing import Any, Final

from tests.chaos.history import DISABLED, EXISTS, Said
from tests.chaos.recording import Recording, Sent, refused, said
from tests.running import Answer, Client, change, key

DOUBT: Final = 12.0
"""Seconds after which a lost answer is asked for again: about the lease and a restart."""
LIST: Final = 5.0
"""Seconds that anybody waits for a list."""
SHARED: Final = 0.1
"""The share of changes that go to accounts which others change as well."""
FEWEST: Final = 2
"""Accounts a client keeps."""
ACTIONS: Final = {
    "read": 75,
    "list": 6,
    "groups": 3,
    "grant": 20,
    "revoke": 16,
    "put": 6,
    "disable": 3,
    "enable": 4,
    "create": 6,
    "delete": 4,
}
"""What clients do, and how often."""


class Away(Exception):
    """Nobody listens: the call never reached the service."""


@dataclass
class Known:
    """What a client knows of an account."""

    name: str
    id: str
    held: set[str] | None
    """None: in doubt."""
    disabled: bool = False
    before: set[str] | None = None
    """What it held when it was disabled, where that is certain."""
    unanswered: tuple[str, Any, Mapping[str, bool | None]] | None = None
    """What was asked last and not answered."""
    until: float = 0.0
    """When it is asked again."""


@dataclass
class Worker:
    """One client."""

    client: Client
    recording: Recording
    groups: Sequence[str]
    pairs: Sequence[str]
    flaky: str
    """The AWS account that is suspended now and then: what lies there may be left behind."""
    mine: list[Known]
    shared: Sequence[Known]
    """Accounts that several clients change: nobody disables or deletes them."""
    luck: random.Random
    stop: threading.Event
    prefix: str
    made: int = field(default=0, init=False)

    def run(self) -> None:
        """Until told to stop."""
        while not self.stop.is_set():
            try:
                if not self._repeat():
                    (action,) = self.luck.choices(list(ACTIONS), list(ACTIONS.values()))
                    getattr(self, f"_{action}")()
            except Away:
                self.stop.wait(0.1)

    def _repeat(self) -> bool:
        """What was not answered is asked again after a while, as governance does."""
        for known in list(self.mine):
            if known.unanswered is not None and time.time() > known.until:
                self._change(known, *known.unanswered)
                return True
        return False

    # ---- reading

    def _read(self) -> None:
        known = self.luck.choice([*(each for each in self.mine if each.id), *self.shared])
        began = time.time()
        answer = self._ask("std:account:read", key(known.id))
        if answer is None:
            return
        if answer.complete:
            self.recording.read(known.name, self.recording.shown(answer.outputs[0]), began, time.time())
        elif answer.text.startswith("notFound"):
            self.recording.read(known.name, {EXISTS: False}, began, time.time())

    def _list(self) -> None:
        began = time.time()
        answer = self._ask("std:account:list")
        if answer is not None and answer.complete:
            self.recording.list(answer.outputs, began, time.time())

    def _groups(self) -> None:
        answer = self._ask("std:entitlement:list", {"type": "group"})
        if answer is not None and answer.complete:
            self.recording.groups({each["identity"] for each in answer.outputs})

    # ---- changing

    def _grant(self) -> None:
        known = self._one(shared=True)
        if known is not None:
            value = self.luck.choice(self.groups if self.luck.random() < 0.5 else self.pairs)
            self._update(known, [change("Add", _attribute(value), value)], {value: True})

    def _revoke(self) -> None:
        known = self._one(shared=True)
        if known is not None:
            value = self.luck.choice(sorted(known.held or ()) or [*self.groups, *self.pairs])
            self._update(known, [change("Remove", _attribute(value), value)], {value: False})

    def _put(self) -> None:
        known = self._one(shared=True)
        if known is not None:
            values = self.groups if self.luck.random() < 0.5 else self.pairs
            wanted = self.luck.sample(values, self.luck.randint(0, 2))
            changes = [change("Set", _attribute(values[0]), wanted), change("Set", "title", self.luck.choice("ABC"))]
            self._update(known, changes, {each: each in wanted for each in values})

    def _disable(self) -> None:
        known = self._one()
        if known is not None:
            before = known.held
            # What lies in an AWS account that is suspended right now AWS cannot take away: either may come of it.
            gone = {each: None if each.startswith(self.flaky) else False for each in (*self.groups, *self.pairs)}
            if self._change(known, "std:account:disable", key(known.id), {**gone, DISABLED: True}) == "yes":
                known.before = before

    def _enable(self) -> None:
        known = self._one(disabled=True)
        if known is not None:
            given: dict[str, bool | None] = dict.fromkeys((*self.groups, *self.pairs))
            for each in known.before or ():
                given[each] = None if each.startswith(self.flaky) else True
            self._change(known, "std:account:enable", key(known.id), {**given, DISABLED: False})

    def _create(self) -> None:
        self.made += 1
        known = Known(f"{self.prefix}-{self.made}", "", None)
        group, pair = self.luck.choice(self.groups), self.luck.choice(self.pairs)
        attributes = {"userName": known.name, "givenName": "Ada", "familyName": "New"}
        asked = {"attributes": {**attributes, "groups": group, "permissionSetAssignments": [pair]}}
        self.mine.append(known)
        if self._change(known, "std:account:create", asked, {EXISTS: True, group: True, pair: True}) == "no":
            self.mine.remove(known)

    def _delete(self) -> None:
        known = self._one()
        if known is not None and len(self.mine) > FEWEST:
            gone = dict.fromkeys((EXISTS, *self.groups, *self.pairs), False)
            self._change(known, "std:account:delete", key(known.id), gone)

    def _one(self, *, shared: bool = False, disabled: bool = False) -> Known | None:
        """An account of one's own that is not in doubt, or now and then one of those that are shared."""
        if shared and self.luck.random() < SHARED:
            return self.luck.choice(self.shared)
        fit = [each for each in self.mine if each.id and each.unanswered is None and each.disabled is disabled]
        return self.luck.choice(fit) if fit else None

    def _update(self, known: Known, changes: list[dict[str, Any]], values: Mapping[str, bool | None]) -> None:
        self._change(known, "std:account:update", key(known.id, changes=changes), values)

    def _change(self, known: Known, command: str, asked: Any, values: Mapping[str, bool | None]) -> Said:
        """Send a change, and learn from what is said."""
        began = time.time()
        answer = self._ask(command, asked)
        ended, told = time.time(), said(answer)
        relied_on = refused(answer, values) if answer is not None and told == "yes" else values
        self.recording.change(Sent(command, known.name, asked, relied_on, began, ended, told))
        if known in self.shared:
            return told
        if answer is None:
            known.held = known.before = None
            known.disabled = known.disabled or command == "std:account:disable"
            known.unanswered, known.until = (command, asked, values), time.time() + DOUBT
        else:
            known.unanswered = None
            self._learn(known, command, answer, began, ended)
        return told

    def _learn(self, known: Known, command: str, answer: Answer, began: float, ended: float) -> None:
        gone = command == "std:account:delete" and answer.complete
        if gone or answer.text.startswith("notFound"):
            self.mine.remove(known)
        elif not answer.complete:
            known.held = known.before = None
        elif answer.outputs[0]:  # `{}`: nothing had to change
            (account,) = answer.outputs
            values = self.recording.shown(account)
            self.recording.read(known.name, values, began, ended)
            known.id, known.disabled = account["identity"], account["disabled"]
            known.held = {*account["attributes"]["groups"], *account["attributes"]["permissionSetAssignments"]}

    def _ask(self, command: str, asked: Any = None) -> Answer | None:
        """The answer; None when it was lost. Raises `Away`."""
        answer = None
        # A census that was killed keeps its source for up to 30 s: nobody waits that long for a list here.
        client = replace(self.client, timeout=LIST) if command.endswith(":list") else self.client
        try:
            answer = client.post(command, asked)
        except ConnectionRefusedError:
            raise Away from None
        except (OSError, HTTPException):
            pass
        self.recording.count(command, said(answer))
        return answer


def _attribute(value: str) -> str:
    return "permissionSetAssignments" if ":" in value else "groups"
