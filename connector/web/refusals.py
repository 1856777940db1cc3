"""What the framework refuses before a view is asked, in our words: what is wrong, and what to send instead."""

from __future__ import annotations

from werkzeug.exceptions import HTTPException, MethodNotAllowed


def sentence_of(error: HTTPException) -> str:
    """A sentence for the caller; the framework's own where it says as much."""
    if isinstance(error, MethodNotAllowed):
        # HEAD goes wherever GET goes, and nobody who reads this wants it.
        methods = sorted(set(error.valid_methods or ()) - {"HEAD", "OPTIONS"})
        return f"This method is not allowed here: use {' or '.join(methods)}."
    return error.description or error.name
