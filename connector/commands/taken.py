"""Unique values that somebody has already: AWS says that one is taken, not which and not by whom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from connector.errors import AlreadyExists, AwsConflict
from connector.ports import Directory

UNIQUE: Final = ("userName", "email")
"""Attributes whose value one user of an identity store can have."""
REASON: Final = "UNIQUENESS_CONSTRAINT_VIOLATION"
"""AWS's reason when a unique value is taken."""


def holder(directory: Directory, wanted: Mapping[str, str | None], me: str = "") -> tuple[str, str] | None:
    """Which of the wanted values another user than `me` has, and his UserId; None when nobody has one any more."""
    for attribute in UNIQUE:
        value = wanted.get(attribute)
        found = directory.user_id_of(attribute, value) if value else None
        if found is not None and found != me:
            return attribute, found
    return None


def exists(attribute: str, value: str | None, user_id: str, conflict: AwsConflict, advice: str = "") -> AlreadyExists:
    """The error that says so."""
    return AlreadyExists(
        f"a user with {attribute} {value} exists already: {user_id}{advice}",
        existing=user_id,
        request_id=conflict.request_id,
    )
