"""The quota that everything calling AWS for one Identity Center instance shares (`ports.Pace`).

pyrate-limiter lives here and nowhere else. No call is made here and no fault is judged: callers take a token before
each attempt and say when AWS throttled them.
"""

from connector.pace.lanes import Pace
from connector.pace.sharing import shared_pool

__all__ = ["Pace", "shared_pool"]
