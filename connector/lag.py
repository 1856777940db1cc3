"""For how long AWS's lists may say something else than AWS has acknowledged (aws-behaviour 30: no bound is documented).

Who plans a change, and who publishes a census, looks into our own operations of that time as well.
"""

from __future__ import annotations

from typing import Final

RECENT: Final = 15 * 60.0
"""Seconds after its end in which an operation is looked into: where lists contradict it, that costs a question more."""
OUTWEIGHS: Final = 60.0
"""Seconds after its end in which an operation also counts for more than what AWS answers to that question.

Lists were seen to lag for seconds, and what others change in this time stays hidden as long: so it is no longer than
most people wait before they look.
"""
