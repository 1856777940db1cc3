"""PostgreSQL for the tests of several replicas."""

from __future__ import annotations

from tests.databases import postgresql

__all__ = ["postgresql"]
