"""A process that accepts operations and dies with them. Run by `test_operation_races` with a store's URL.

It says the id of each once its steps are recorded, then waits to be killed.
"""

from __future__ import annotations

import sys
import time

from connector.model import Recorded, Result, Step, Verb
from connector.store import open_store

STEPS = (
    Recorded(Step(Verb.SET_ATTRIBUTES, "", attributes={"title": "Dr", "nickName": None}), Result.DONE),
    Recorded(Step(Verb.ASSIGN, "permissionSetAssignments", "123456789012:ps-0123456789abcdef"), None),
    Recorded(Step(Verb.JOIN, "groups", "g1"), Result.FAILED, "no\0thing"),
)

if __name__ == "__main__":
    store = open_store(sys.argv[1])
    for number in range(12):
        operation, _ = store.operations.accept(
            "aws", "std:account:update", f"u{number}", f"u{number}", "isc", f"c{number}", "", {}, "doomed", 30
        )
        store.operations.record(operation, STEPS)
        print(operation.id, flush=True)  # noqa: T201
    time.sleep(60)
