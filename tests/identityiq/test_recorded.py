"""What went over the wire is what is kept in `recorded/`: a changed contract shows as a changed file."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.identityiq.recording import KEPT, told

WRITE = "run: python -m tests.identityiq.recording"
NAMES = sorted(path.stem for path in KEPT.glob("*.http"))


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    return told(tmp_path_factory.mktemp("recording"))


def test_every_part_of_the_story_is_kept(story: Mapping[str, str]) -> None:
    assert sorted(story) == NAMES, WRITE


@pytest.mark.parametrize("name", NAMES)
def test_the_exchange_is_the_kept_one(story: Mapping[str, str], name: str) -> None:
    """Method, path, headers, bodies, statuses."""
    assert story[name] == (KEPT / f"{name}.http").read_text(encoding="utf-8"), WRITE


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_kept(name: str) -> None:
    """Tokens stay out of fixtures, also those of tests."""
    text = (KEPT / f"{name}.http").read_text(encoding="utf-8")

    assert "Authorization" not in text
    assert "idc_" not in text
    assert "127.0.0.1" not in text
