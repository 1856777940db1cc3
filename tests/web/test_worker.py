"""What our worker does beside gunicorn's."""

from __future__ import annotations

import gc

import pytest
from gunicorn.workers.gthread import ThreadWorker  # type: ignore[import-untyped]

from connector.web.worker import Worker


def test_the_collector_does_not_look_through_what_was_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[object] = []
    monkeypatch.setattr(ThreadWorker, "load_wsgi", lambda _: loaded.append({}))
    before, thresholds = gc.get_freeze_count(), gc.get_threshold()
    try:
        Worker.load_wsgi(object.__new__(Worker))
        assert loaded
        assert not any(each is loaded for each in gc.get_objects())
        assert gc.get_freeze_count() > before
        assert gc.get_threshold()[0] > thresholds[0]
    finally:
        gc.unfreeze()
        gc.set_threshold(*thresholds)
