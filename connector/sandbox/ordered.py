"""A list that is paged by position, not by index: every member has a growing number.

Operations add and remove members; paging.py reads pages. Finding a page is a bisection, so no page ever costs a scan of
the list, and a member that is deleted between two pages never shifts the next one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Generic, Protocol, TypeVar


class Numbered(Protocol):
    """Anything with a number that grows with every new object."""

    @property
    def seq(self) -> int: ...


T = TypeVar("T", bound=Numbered)
Row = TypeVar("Row")


class Ordered(Generic[T]):
    """Members in the order of their numbers."""

    __slots__ = ("_keys", "_members")

    def __init__(self) -> None:
        self._keys: list[int] = []
        self._members: list[T] = []

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[T]:
        return iter(self._members)

    def add(self, member: T) -> None:
        """Add a member; almost always at the end."""
        if not self._keys or member.seq > self._keys[-1]:
            self._keys.append(member.seq)
            self._members.append(member)
            return
        at = bisect_left(self._keys, member.seq)
        self._keys.insert(at, member.seq)
        self._members.insert(at, member)

    def remove(self, member: T) -> None:
        """Remove a member; one that is not there is ignored."""
        at = bisect_left(self._keys, member.seq)
        if at < len(self._keys) and self._keys[at] == member.seq:
            del self._keys[at]
            del self._members[at]

    def after(self, seq: int, limit: int) -> list[T]:
        """At most `limit` members whose number is greater than `seq`."""
        start = bisect_right(self._keys, seq)
        return self._members[start : start + limit]


class Listed(Generic[Row]):
    """Something with a place in a list that is made for one call."""

    def __init__(self, seq: int, row: Row) -> None:
        self.seq = seq
        self.row = row


def listed(rows: Iterable[Row]) -> Ordered[Listed[Row]]:
    """The rows in their order, for a list that is paged but not kept."""
    members: Ordered[Listed[Row]] = Ordered()
    for number, row in enumerate(rows):
        members.add(Listed(number, row))
    return members
