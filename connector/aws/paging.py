"""Lists of AWS, page by page, to their end or to an error: never a short list.

botocore's paginators are not used: they take an answer that breaks off for the last page. A page may be short or
empty and still have a successor; only the absence of NextToken ends a list (Identity Store and SSO Admin API
references, "NextToken").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from connector.aws.calls import Line
from connector.aws.sentences import ACTION_PREFIX, lasting

PAGE_SIZE: Final[Mapping[str, int]] = {"identitystore": 100, "sso-admin": 100, "organizations": 20}
"""Greatest MaxResults. botocore does not check it; AWS refuses more."""


def listed(line: Line, service: str, operation: str, member: str, /, **params: Any) -> Iterator[Any]:
    """Every element of `member` in all pages of a list operation."""
    seen: set[bytes] = set()
    paging: dict[str, str] = {}
    while True:
        answer = line.call(service, operation, member, **params, MaxResults=PAGE_SIZE[service], **paging)
        yield from answer[member]
        token = answer.get("NextToken")
        if not token:
            return
        # Tokens may be 64 KiB long: their digests are kept.
        mark = blake2b(token.encode(), digest_size=16).digest()
        if mark in seen:
            raise lasting(
                f"AWS repeated a page of {ACTION_PREFIX[service]}:{operation}: a list without end cannot be trusted."
            )
        seen.add(mark)
        paging = {"NextToken": token}
