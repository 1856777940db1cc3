"""Pages of lists: sizes, positions, tokens bound to their request, and the pages that a careless client gets wrong.

Operations give the ordered members and how one is rendered; the answer is a Page. A token holds the position after the
last member and a check over the request, so that it is worthless with any other request. Short pages, empty pages and a
repeated token come from the options and the fault rules.
"""

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from connector.sandbox.call import Call, Page
from connector.sandbox.errors import AwsError, validation
from connector.sandbox.ordered import Numbered, Ordered

MAXIMUM = 100
ORGANIZATIONS_MAXIMUM = 20  # aws-behaviour 33
APPLICATIONS_MAXIMUM = 50  # aws-behaviour 32: never more, although MaxResults may say 100

T = TypeVar("T", bound=Numbered)
Sources = Sequence[tuple[int, Ordered[T]]]


def page(call: Call, member: str, members: Ordered[T], render: Callable[[T], Any], maximum: int = MAXIMUM) -> Page:
    """One page of a single list."""
    return chained_page(call, member, [(0, members)], render, maximum)


def chained_page(
    call: Call, member: str, sources: Sources[T], render: Callable[[T], Any], maximum: int = MAXIMUM
) -> Page:
    """One page of several lists, one after the other; each has a number that grows. `None` rendered is left out."""
    start = position(call)
    limit = _limit(call, maximum)
    if _wants_empty_page(call, start):
        # The same position, marked: the next request gets the members, never a second empty page.
        return Page(member, [], _token(call, (start[0], start[1], 1)))
    rows, last = _read(sources, start, limit + 1)
    more = len(rows) > limit
    items = [rendered for _, row in rows[:limit] if (rendered := render(row)) is not None]
    token = _token(call, (last[limit - 1][0], last[limit - 1][1], 0)) if more else None
    if call.page_fault == "loop":
        token = call.get("NextToken") or _token(call, (-1, -1, 0))
    return Page(member, items, token)


def _read(
    sources: Sources[T], start: tuple[int, int, int], wanted: int
) -> tuple[list[tuple[int, T]], list[tuple[int, int]]]:
    rows: list[tuple[int, T]] = []
    for number, members in sources:
        if number < start[0]:
            continue
        after = start[1] if number == start[0] else -1
        rows.extend((number, row) for row in members.after(after, wanted - len(rows)))
        if len(rows) >= wanted:
            break
    return rows, [(number, row.seq) for number, row in rows]


def _limit(call: Call, maximum: int) -> int:
    limit = min(call.get("MaxResults", maximum), maximum)
    if call.options.page_limit:
        limit = min(limit, call.options.page_limit)
    if call.page_fault == "short":
        limit = max(1, limit // 7)
    return int(limit)


def _wants_empty_page(call: Call, start: tuple[int, int, int]) -> bool:
    if start[2]:
        return False
    return call.page_fault == "empty" or call.organisation.luck.random() < call.options.empty_pages


def position(call: Call) -> tuple[int, int, int]:
    """Where the request's NextToken says to go on; raise AWS's error for a token of another request."""
    token = call.get("NextToken")
    if not token:
        return (-1, -1, 0)
    try:
        text = base64.urlsafe_b64decode(token.encode()).decode()
        source, seq, mark, check = text.split(".")
        place = (int(source), int(seq), int(mark))
    except ValueError:
        raise _bad_token(call) from None
    if check != _check(call, place):
        raise _bad_token(call)
    return place


def _token(call: Call, place: tuple[int, int, int]) -> str:
    text = f"{place[0]}.{place[1]}.{place[2]}.{_check(call, place)}"
    return base64.urlsafe_b64encode(text.encode()).decode()


def _check(call: Call, place: tuple[int, int, int]) -> str:
    # MaxResults may change between two pages; everything else belongs to the list that is being read.
    bound = {name: value for name, value in call.parameters.items() if name not in ("NextToken", "MaxResults")}
    text = f"{call.operation} {place} {json.dumps(bound, sort_keys=True)}"
    return f"{zlib.crc32(text.encode()):08x}"


def _bad_token(call: Call) -> AwsError:
    if call.service == "organizations":
        return AwsError("InvalidInputException", "You specified an invalid token.", Reason="INVALID_NEXT_TOKEN")
    return validation("Invalid NextToken")
