"""A store on each kind of database, and few words to fill it with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from connector.store import Store, open_store
from tests.databases import postgresql, store_url

__all__ = ["postgresql", "store_url"]


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    """An empty store."""
    opened = open_store(store_url)
    yield opened
    opened.close()
