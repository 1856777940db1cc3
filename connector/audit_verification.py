"""Checks an audit's text, line by line: what was changed, taken out, put in, or moved, and where.

Lines come from the store, or from a file that was exported or kept beside it; the verdict goes to whoever asked.
Nothing is read or written here, and nothing but the standard library is needed, so that an auditor can run it alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connector.audit_trail import GENESIS, Head, begins, parsed, sealed

NO_LINE: Final = "it is no line of an audit, or not written as the connector writes it"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a check. Where it failed: the first line, counted from 1, that is not what was written there."""

    ok: bool
    count: int
    """Entries that are as they were written."""
    line: int | None = None
    wrong: str = ""


def verify(
    lines: Iterable[str],
    key: bytes | None = None,
    head: Head | None = None,
    afterwards: Callable[[], Head] | None = None,
) -> Verdict:
    """Read all lines, or up to the first that is wrong; in memory is one at a time.

    They must end with a closing line, unless `head` says what they must reach: lines after that are fine then, and
    they may begin anywhere, as logs do that are rotated, and hold beginnings of lines, where a disk was full. What they
    go on to, the store must have `afterwards`: all but the last entry, which may have been announced and not kept.
    """
    check = _Check(key, head)
    number, rest = 0, iter(lines)
    try:
        for number, line in enumerate(rest, 1):
            check.line(number, line)
        check.end(number + 1)
        if afterwards is not None:
            check.store_has(number, afterwards())
    except _WrongError as error:
        place, why = error.line, error.why
        # The first line passed, wherever it begins; only the rest can tell whether something belongs before it.
        if any(check.is_earlier(line) for line in rest):
            place, why = 1, "what belongs before it comes later, or is missing"
        return Verdict(False, min(check.entries, place - 1), place, why)
    return Verdict(True, check.entries)


class _WrongError(Exception):
    def __init__(self, line: int, why: str) -> None:
        super().__init__(why)
        self.line = line
        self.why = why


@dataclass
class _Check:
    """What is remembered of the lines so far."""

    key: bytes | None
    head: Head | None
    entries: int = 0
    first: int = 0
    seq: int = 0
    base: str = GENESIS
    """What the newest entry is chained to."""
    hashes: list[str] = field(default_factory=lambda: [GENESIS])
    """Of the newest entry. Several when it was announced, could not be kept, and was made anew."""
    withdrawn: int | None = None
    """The first line whose entry was made anew."""
    closed: bool = False
    met: int | None = None
    """The line whose entry has the head's number."""
    reached: bool = False
    """The head itself was seen."""
    torn: int | None = None
    """Of the lines just before, the first of which only the beginning is there."""

    def line(self, number: int, text: str) -> None:
        found = parsed(text)
        if self.closed:
            raise _WrongError(number, "it comes after the closing line")
        if found is None and self.head is not None and begins(text):
            # The entry itself comes next, made anew, or the store has it; what follows is held to the chain.
            self.torn = self.torn or number
            return
        if found is None:
            raise _WrongError(self.torn or number, NO_LINE)
        torn, self.torn = self.torn, None
        try:
            self._take(number, found)
        except _WrongError as error:
            if torn is None:
                raise
            raise _WrongError(min(torn, error.line), NO_LINE if torn < error.line else error.why) from None

    def _take(self, number: int, found: Mapping[str, Any]) -> None:
        if not self._is_ours(found):
            changed = "it was changed, or another key was used"
            if self.entries and found.get("seq", 0) > self.seq + 1:
                # The store does not keep what an entry is chained to: after a gap the next one does not fit either.
                changed = f"entries {self.seq + 1} to {found['seq'] - 1} are missing before it, or {changed}"
            raise _WrongError(number, changed)
        if "closing" in found:
            self._close(number, found)
        else:
            self._entry(number, found)

    def end(self, number: int) -> None:
        """`number` is that of the line that would come next."""
        if self.closed:
            return
        if self.head is None:
            raise _WrongError(number, "the end is missing: there is no closing line")
        if not self.reached and (self.head.count or self.entries):
            if self.seq < self.head.count:
                raise _WrongError(
                    self.torn or number, f"the end is missing: the store goes on to entry {self.head.count}"
                )
            raise _WrongError(self.met or 1, f"the store has another entry {self.head.count}")

    def store_has(self, number: int, head: Head) -> None:
        """`number` is that of the last line. Each entry is chained to the one before as the store had it."""
        if self.entries and head.count < self.seq - 1:
            line = self.met + 1 if self.met is not None and self.head is not None and self.head == head else number
            raise _WrongError(line, f"the store has lost what comes after entry {head.count}")

    def is_earlier(self, text: str) -> bool:
        """Whether a true line says that there is something before the first."""
        found = parsed(text) if self.first > 1 else None
        if found is None or not self._is_ours(found):
            return False
        return bool(found["first" if "closing" in found else "seq"] < self.first)

    def _is_ours(self, found: Mapping[str, Any]) -> bool:
        body = {name: value for name, value in found.items() if name != "hash"}
        return bool(sealed(body, self.key)[1] == found["hash"])

    def _entry(self, number: int, found: Mapping[str, Any]) -> None:
        seq, previous = found["seq"], found["previous"]
        if not self.entries:
            self._begin(number, seq, previous)
        elif seq == self.seq + 1:
            self._chain(number, previous)
            self.base, self.hashes = previous, []
        elif seq == self.seq and previous == self.base and found["hash"] not in self.hashes:
            self.withdrawn = self.withdrawn or number - 1
        elif seq < self.first:
            raise _WrongError(1, f"entry {seq} belongs before it")
        elif seq <= self.seq:
            raise _WrongError(number, f"entry {seq} is out of place, or there again")
        else:
            raise _WrongError(number, f"entries {self.seq + 1} to {seq - 1} are missing before it")
        self.seq = seq
        self.hashes.append(found["hash"])
        self.entries += 1
        if self.head is not None and seq == self.head.count:
            self.met = number
            self.reached = self.reached or found["hash"] == self.head.hash

    def _begin(self, number: int, seq: int, previous: str) -> None:
        if seq < 1 or (seq == 1) != (previous == GENESIS):
            raise _WrongError(number, f"entry {seq} cannot begin an audit")
        self.first, self.base, self.hashes = seq, previous, []

    def _chain(self, number: int, previous: str) -> None:
        if previous == self.hashes[-1]:
            return
        if previous in self.hashes:
            # Whatever was put between it and what it is chained to.
            raise _WrongError(number - (len(self.hashes) - 1 - self.hashes.index(previous)), "it does not belong here")
        raise _WrongError(number, "it is not chained to the line before it")

    def _close(self, number: int, found: Mapping[str, Any]) -> None:
        if self.withdrawn is not None:
            raise _WrongError(self.withdrawn, "it does not belong here")
        last = self.seq if self.entries else found["first"] - 1
        if self.entries and found["first"] < self.first:
            raise _WrongError(1, f"entries {found['first']} to {self.first - 1} are missing before it")
        if self.entries and found["first"] > self.first:
            raise _WrongError(1, "it does not belong here")
        if found["count"] > last:
            raise _WrongError(number, f"entries {last + 1} to {found['count']} are missing before it")
        if found["count"] < last or (self.entries and found["head"] != self.hashes[-1]):
            raise _WrongError(number, "it closes something else")
        self.closed = True
