"""Failed attempts to authenticate, counted by address and by the name that was claimed.

In memory, of this process only, and bounded: who comes from many addresses pushes out the oldest. Nobody is ever
locked out: a valid token passes whatever was counted, since others may share its address or claim its name.
"""

from __future__ import annotations

import ipaddress
import math
import threading
from collections import OrderedDict, deque
from collections.abc import Iterable
from typing import Final

WINDOW: Final = 60.0
"""Seconds in which attempts are counted together."""
BY_ADDRESS: Final = 30
"""Failed attempts of an address in the window before it is told to wait; a gateway may speak for many."""
BY_NAME: Final = 10
"""The same of a name."""
KNOWN: Final = 4096
"""Addresses and names remembered."""


class Attempts:
    """Thread-safe."""

    def __init__(self, by_address: int = BY_ADDRESS, by_name: int = BY_NAME, known: int = KNOWN) -> None:
        self._limits = {"address": by_address, "name": by_name}
        self._known = known
        self._failed: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()
        self._turn = threading.Lock()

    def failed(self, address: str, names: Iterable[str], now: float) -> float:
        """Count one; seconds to wait before the next, 0 while there were few."""
        keys = [("address", network_of(address)), *(("name", name[:64]) for name in sorted(set(names)))]
        with self._turn:
            return max(self._count(key, now) for key in keys)

    def _count(self, key: tuple[str, str], now: float) -> float:
        limit = self._limits[key[0]]
        times = self._failed.pop(key, None) or deque(maxlen=limit)
        self._failed[key] = times
        if len(self._failed) > self._known:
            self._failed.popitem(last=False)
        while times and not 0 <= now - times[0] < WINDOW:
            times.popleft()
        if len(times) < limit:
            times.append(now)
            return 0.0
        # Those refused for being too many are not counted: whoever goes on waits no longer than the window.
        return max(1.0, math.ceil(times[0] + WINDOW - now))


def network_of(address: str) -> str:
    """What one customer of a network has: an IPv4 address, or the 64 bits in front of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    if parsed.version == 6:
        mapped = parsed.ipv4_mapped
        return str(mapped or ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
