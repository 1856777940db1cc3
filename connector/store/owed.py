"""Doubts that the database could not be told when they arose: remembered by this process until it can be.

A disk that is full, or a database that is away, when a change has just been made must not leave a snapshot that lacks
the change and is taken for whole. Which sources may show the subject is not known here, so all hear of it.
"""

from __future__ import annotations

import threading
from collections import defaultdict

from connector.errors import ConnectorError
from connector.store.marks import Marks
from connector.store.publications import Publications


class Owed:
    """Thread-safe, one process. Others hear of it when the change is taken up again."""

    def __init__(self, marks: Marks, publications: Publications) -> None:
        self._marks = marks
        self._publications = publications
        self._subjects: list[str] = []
        self._told: defaultdict[str, int] = defaultdict(int)
        """How many of them each source has heard of."""
        self._turn = threading.Lock()

    def add(self, subject: str) -> None:
        """Of a user; empty where nobody knows which."""
        with self._turn:
            self._subjects.append(subject)

    def tell(self, source: str) -> bool:
        """Whether the source has heard of all, some of them perhaps now."""
        with self._turn:
            count = len(self._subjects)
            new = sorted(set(self._subjects[self._told[source] :]))
        if not new:
            return True
        try:
            for subject in new:
                # First: a census under way reads the subject again, or is doubted where nobody knows it, whether it
                # ends before or after the doubt.
                self._marks.make(source, subject, ())
            self._publications.doubt(source)
        except ConnectorError:
            return False
        with self._turn:
            self._told[source] = max(count, self._told[source])
        return True
