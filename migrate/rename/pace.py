"""How many renames a document holds: by the time that one took, and by what was refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FIRST = 10
"""Renames in the first document: nothing is known yet of the time, or whether the key may write."""

MOST = 100
"""Renames in a document at the most."""

TARGET_SECONDS = 3.0
"""What a document is to take. The server works its renames off one after another, and an attempt
that takes 30 s would be sent again; the project's live training shares the same quota."""

READ_SECONDS = 2.0
"""What a reading ahead is to take: names that were read too long ago are read again."""


@dataclass(slots=True)
class Pace:
    """The size of the next document.

    Attributes:
        size: How many renames it may hold.
        most: The server refused documents that held more than this.
        fastest: What a request takes at least, in seconds: the way there and back.
        read_ahead: How many names to read at once ahead of their documents: as many as the
            documents under way hold, and no more than can be read in READ_SECONDS.
    """

    size: int = FIRST
    most: int = MOST
    fastest: float = 60.0
    read_ahead: int = 4 * MOST

    def request_took(self, seconds: float) -> None:
        """Learn from any request."""
        self.fastest = min(self.fastest, seconds)

    def reading_took(self, names: int, seconds: float) -> None:
        """Learn from a reading that was answered."""
        self.request_took(seconds)
        each = (seconds - self.fastest) / names
        fitting = READ_SECONDS / each if each > READ_SECONDS / (4 * MOST) else 4 * MOST
        self.read_ahead = max(FIRST, int(fitting))

    def document_took(self, renames: int, seconds: float) -> None:
        """Learn from a document that was answered."""
        self.request_took(seconds)
        each = (seconds - self.fastest) / renames
        fitting = TARGET_SECONDS / each if each > TARGET_SECONDS / MOST else MOST
        self.size = max(1, min(self.most, int(fitting)))

    def too_slow(self, renames: int) -> None:
        """A document ran out of time: send less, until one is answered."""
        self.size = max(1, min(self.size, renames // 2))

    def too_large(self, renames: int) -> None:
        """A document was refused for its size."""
        self.most = max(1, min(self.most, renames // 2))
        self.size = min(self.size, self.most)
