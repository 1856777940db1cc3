"""A short run of what `make chaos` runs for a minute: faults and kills, and nothing wrong afterwards."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.run import Plan, run


@pytest.mark.timeout(200)
def test_a_short_run_full_of_faults_and_a_kill_is_without_violations(tmp_path: Path) -> None:
    outcome = run(Plan(seconds=12, seed=1, kills=1), tmp_path)
    assert outcome.violations == [], outcome.summary + "\n" + "\n".join(map(str, outcome.violations))
    assert outcome.kills == 1
    # Few: how much happens in a few seconds depends on what else the machine does.
    assert outcome.changes >= 5, outcome.summary
    assert sum(outcome.faults.values()) >= 5, outcome.summary
