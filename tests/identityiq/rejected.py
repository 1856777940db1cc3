"""What the simulator says when IdentityIQ would fail, or would do silently something other than the author meant."""

from __future__ import annotations


class Rejected(Exception):
    """The application is one that IdentityIQ cannot use as written."""


class ConnectorException(Exception):
    """A request failed, in the words of IdentityIQ's log."""

    def __init__(self, text: str, *, status: int | None = None, listed: bool = False) -> None:
        super().__init__(text)
        self.status = status
        self.listed = listed
        """Whether `possibleHttpErrors` names it: such errors are not retried."""
