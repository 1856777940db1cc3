"""`since` of a list: the snapshot a caller has seen, or when it looked last, in the forms that IdentityIQ has for that.

`$application.lastAggregationDate_account$` is written `yyyy-MM-dd'T'kk:mm:ss'Z'` (aws-behaviour 40): `kk` counts
hours from 1 to 24, so that half past midnight reads 24:30, and `'Z'` is a letter, not a time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from connector.errors import FixRequest
from connector.model import Since

_SNAPSHOT: Final = re.compile(r"[0-9]{1,9}-[0-9a-f]{8}|[0-9]{1,9}", re.ASCII)
"""A bare number names no snapshot any more than a wrong id does: it is unknown."""
_SECONDS: Final = 11
_MILLISECONDS: Final = 14
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_MIDNIGHT: Final = re.compile(r"^([0-9]{4}-[0-9]{2}-[0-9]{2}[T ])24:", re.ASCII)


def parse_since(text: str | None) -> Since | None:
    """None when it is missing or empty: before its first aggregation IdentityIQ has no date to put there."""
    given = (text or "").strip()
    if not given:
        return None
    if _SNAPSHOT.fullmatch(given):
        return Since(snapshot=given)
    if _DIGITS.fullmatch(given):
        return _number(given)
    try:
        moment = datetime.fromisoformat(_MIDNIGHT.sub(r"\g<1>00:", given))
        return Since(moment=(moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        raise FixRequest(
            "since is the id of a snapshot, milliseconds since 1970, or a date and time such as 2027-06-30T23:59:59Z."
        ) from None


def _number(digits: str) -> Since:
    if len(digits) <= _SECONDS:
        return Since(moment=float(digits))
    if len(digits) <= _MILLISECONDS:
        return Since(moment=int(digits) / 1000)
    raise FixRequest("since has too many digits for a snapshot or a time.")
