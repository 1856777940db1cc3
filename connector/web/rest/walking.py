"""One page of a walk: where it goes on, and the cursor and the address of the page after it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from connector.commands.desk import Desk
from connector.model import Page, Place
from connector.reading.lists import Lists
from connector.web.rest.face import asked_source, face
from connector.wire import rest_bodies
from connector.wire.cursors import seal, unseal

KEY: Final = "key of cursors"
"""Note in the store: hexadecimal, made once, so that every process and every start understands the cursors of all."""


class Walk:
    """A page of the list `listed` (its path below the source), as a query asks for it. Made in the request's thread."""

    def __init__(self, listed: str, asked: Mapping[str, Any]) -> None:
        self.limit: int = asked["limit"]
        self.lists: Lists = face().lists
        self._listed = listed
        self._asked = asked
        self._source = asked_source().name
        self._address = f"{face().address()}/v1/sources/{self._source}/{listed}"

    def place(self, desk: Desk) -> Place | None:
        """Where the cursor points; None for the first page."""
        cursor = self._asked["cursor"]
        return None if cursor is None else unseal(self._key(desk), self._source, self._listed, cursor)

    def shown(self, desk: Desk, page: Page) -> dict[str, Any]:
        """The page's body."""
        cursor = None if page.next is None else seal(self._key(desk), self._source, self._listed, page.next)
        query = urlencode({"limit": self.limit, "cursor": cursor})
        return rest_bodies.page(page, None if cursor is None else f"{self._address}?{query}", cursor)

    def _key(self, desk: Desk) -> bytes:
        records = desk.records
        # Looked for first: only the very first page of a source has to write.
        known = records.note(self._source, KEY) or records.keep_note(self._source, KEY, secrets.token_hex(32))
        return bytes.fromhex(known)
