"""SIGKILL at every step of create, update, delete, disable and enable, with grants in flight: within a minute of the
restart AWS is as planned, or the operation's record says what remains. No duplicate, no orphan, no lost revoke.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.operations.rounds import ROUNDS, Point, Round

SEEDS = [pytest.param(0, id="0"), *(pytest.param(each, id=str(each), marks=pytest.mark.slow) for each in range(1, 10))]
POINTS = [each for points in ROUNDS.values() for each in points]
Rounds = dict[str, Round]
pytestmark = pytest.mark.timeout(300)  # the first test waits for all rounds


@pytest.fixture(scope="module", params=SEEDS)
def rounds(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rounds:
    """Every round of a seed, played side by side: they mostly wait for leases."""
    seed = int(os.environ.get("KILLS_SEED", request.param))
    played = {kind: Round(kind, seed, tmp_path_factory.mktemp(kind)) for kind in ROUNDS}
    with ThreadPoolExecutor(len(played)) as pool:
        for each in [pool.submit(each.play) for each in played.values()]:
            each.result()
    return played


@pytest.mark.parametrize("point", POINTS, ids=lambda point: point.name)
def test_killed_there(rounds: Rounds, point: Point) -> None:
    played = rounds[point.command]
    case = played.cases[point]
    user = case.user or played.after["users"].get(case.name, "")
    mine = [each for each in played.ended if (user and each.account == user) or case.name in str(each.asked)]
    change = mine[-1]
    told = [(each.command, each.state, each.steps, each.answer) for each in mine]
    held = played.after["held"].get(user)
    assert change.state != "accepted"
    if change.state == "succeeded":
        assert (held or None) == (case.wanted or None), told
        assert (user in played.after["users"].values()) is (case.wanted is not None), told
    else:
        remains = str(change.answer) + str(change.steps)
        missing = (held or set()) ^ (case.wanted or set())
        assert [each for each in missing if each not in remains] == [], told
    if point.command in ("delete", "disable") or point.operation == "turn":
        assert change.state == "succeeded", f"taking away is always finished: {told}"


def test_nothing_else_is_touched(rounds: Rounds) -> None:
    for played in rounds.values():
        assert played.orphans == set()
        mine = {each.user for each in played.cases.values()}
        names = {each.name for each in played.cases.values()}
        assert set(played.after["users"]) <= names
        assert set(played.after["held"]) <= mine | set(played.after["users"].values())


def test_a_create_that_is_asked_again_answers_its_user(rounds: Rounds) -> None:
    """Its answer was lost: nothing is made twice, nothing given again."""
    played = rounds["create"]
    assert played.again == played.after["users"]
    assert played.after_again == played.after
