"""PostgreSQL for the shared bucket."""

from __future__ import annotations

from tests.databases import postgresql

__all__ = ["postgresql"]
