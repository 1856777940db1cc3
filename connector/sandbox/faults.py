"""Faults on demand: which call goes wrong, and how.

Rules come from the command line and the control endpoint; dispatch.py asks them about every call and connection.py
carries out those that happen on the socket. Kinds:

denied, throttled, error500 — AWS answers with its error and does nothing
reset (or before)           — the connection is reset, AWS did nothing
after                       — AWS acted, then the connection is reset: the answer is lost
half                        — AWS acted; the answer breaks off in the middle of its announced length
loop, empty, short          — the page repeats its NextToken, is empty with a NextToken, holds few members
slow                        — the answer comes `seconds` later
"""

import threading
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = (
    "denied",
    "throttled",
    "error500",
    "reset",
    "before",
    "after",
    "half",
    "loop",
    "empty",
    "short",
    "slow",
)


@dataclass
class FaultRule:
    """`fault` for calls of `operation` ("*": any): after so many clean ones, so many times (None: for ever)."""

    operation: str
    fault: str
    after: int = 0
    times: int | None = None
    user_agent: str | None = None
    seconds: float = 1.0
    cut_at: int | None = None  # half: so many bytes of the body arrive
    seen: int = 0
    hits: int = 0

    def strikes(self, operation: str, user_agent: str) -> bool:
        """Count a call and say whether it goes wrong."""
        if self.operation not in ("*", operation) or (self.user_agent and self.user_agent not in user_agent):
            return False
        self.seen += 1
        if self.seen <= self.after or (self.times is not None and self.hits >= self.times):
            return False
        self.hits += 1
        return True


class Faults:
    """The rules in force."""

    def __init__(self) -> None:
        self._rules: list[FaultRule] = []
        self._lock = threading.Lock()

    def add(self, described: dict[str, Any]) -> FaultRule:
        """Add a rule; raise ValueError where the description is wrong."""
        known = {row.name for row in fields(FaultRule)} - {"seen", "hits"}
        if not {"operation", "fault"} <= set(described) <= known:
            raise ValueError(f"a fault rule has operation and fault, and may have {', '.join(sorted(known))}")
        if described["fault"] not in KINDS:
            raise ValueError(f"a fault is one of {', '.join(KINDS)}, not {described['fault']!r}")
        rule = FaultRule(**described)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """Drop all rules."""
        with self._lock:
            self._rules.clear()

    def striking(self, operation: str, user_agent: str) -> dict[str, FaultRule]:
        """The faults of one call, by kind."""
        if not self._rules:
            return {}
        with self._lock:
            return {rule.fault: rule for rule in self._rules if rule.strikes(operation, user_agent)}

    def as_list(self) -> list[dict[str, Any]]:
        """The rules with how often they were seen and hit."""
        return [asdict(rule) for rule in self._rules]
