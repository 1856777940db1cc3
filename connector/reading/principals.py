"""Whether a principal is still there. One that was deleted while it was read holds nothing: proved by Describe."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from connector.errors import AccountNotFound, NotFoundInAws
from connector.model import Principal
from connector.ports import Directory

Row = TypeVar("Row")


def exists(directory: Directory, principal: Principal) -> bool:
    """What DescribeUser or DescribeGroup says."""
    if principal.type == "GROUP":
        return directory.group(principal.id) is not None
    try:
        directory.user(principal.id)
    except AccountNotFound:
        return False
    return True


def rows_of(directory: Directory, principal: Principal, ask: Callable[[], Iterable[Row]]) -> list[Row]:
    """All rows `ask` gives about the principal; none when it turns out that the principal was deleted meanwhile."""
    try:
        return list(ask())
    except NotFoundInAws:
        if exists(directory, principal):
            raise
        return []
