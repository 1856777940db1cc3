"""`make chaos`: a run, its numbers and what is wrong. `ARGS="--seconds 600 --seed 7"` for a longer or another one."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Plan, run

LEAST = {"calls": 1000, "changes": 300, "faults": 50, "kills": 5}
"""What a run of a minute has to come to, or it proves too little."""


def main() -> int:
    """Exit status 1 for violations, or for a run of a minute or more that came to too little."""
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=None, help="the same seed makes the same choices; timing differs")
    parser.add_argument("--kills", type=int, default=None, help="one every ten seconds unless said otherwise")
    parser.add_argument("--directory", type=Path, default=None, help="where to leave store and log; must be empty")
    given = parser.parse_args()
    seed = secrets.randbelow(100_000) if given.seed is None else given.seed
    kills = max(1, round(given.seconds / 10) - 1) if given.kills is None else given.kills
    plan = Plan(given.seconds, seed, kills)
    if given.directory is not None:
        outcome = run(plan, given.directory)
    else:
        with tempfile.TemporaryDirectory(prefix="chaos-") as directory:
            outcome = run(plan, Path(directory))
    for each in outcome.violations:
        print(each)  # noqa: T201
    for name, count in sorted((outcome.faults + outcome.answers).items()):
        print(f"{count:6} {name}")  # noqa: T201
    print(outcome.summary)  # noqa: T201
    came_to = {"calls": outcome.calls, "changes": outcome.changes, "kills": outcome.kills}
    came_to["faults"] = sum(outcome.faults.values())
    too_little = [name for name, least in LEAST.items() if plan.seconds >= 60 and came_to[name] < least]
    if too_little:
        print(f"too few {', '.join(too_little)}: {came_to}, wanted {LEAST}")  # noqa: T201
    return 1 if outcome.violations or too_little else 0


if __name__ == "__main__":
    sys.exit(main())
