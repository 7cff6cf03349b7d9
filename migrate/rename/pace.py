"""How many renames a document holds: by the time that one took, and by what was refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

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
        in_time: How many renames it can hold to take TARGET_SECONDS.
        most: The server refused documents that held more than this.
        fastest: What a request takes at least, in seconds: the way there and back.
        apart: How many runs there are from one refused run to the next: the geometric mean, in
            which each weighs half as much as the one after it. A document of that many is about as
            likely to be refused as taken; where refusals come thick, half of it is sent.
        refused: Whether a run was refused: the first one alone has no distance.
        accepted: How many runs were renamed since the last refused one.
        read_ahead: How many names to read at once ahead of their documents: as many as the
            documents under way hold, and no more than can be read in READ_SECONDS.
    """

    in_time: int = FIRST
    most: int = MOST
    fastest: float = 60.0
    apart: float = 2 * MOST
    refused: bool = False
    accepted: int = 0
    read_ahead: int = 4 * MOST

    @property
    def size(self) -> int:
        """How many renames the next document may hold."""
        return max(1, int(min(self.in_time, self.most, max(self.apart / 2, self.accepted))))

    def were_accepted(self, renames: int) -> None:
        """Learn that so many runs were renamed."""
        self.accepted += renames

    def were_refused(self, renames: int) -> None:
        """Learn that a document of so many was refused, and with it all that it held."""
        apart = self.accepted + renames
        if self.refused and renames > 1:  # there is a refused run among them
            self.apart = min(self.apart, apart)
        elif self.refused:
            self.apart = sqrt(self.apart * apart)
        if renames == 1:
            self.refused = True
            self.accepted = 0

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
        self.in_time = int(fitting)

    def too_slow(self, renames: int) -> None:
        """A document ran out of time: send less, until one is answered."""
        self.in_time = max(1, min(self.in_time, renames // 2))

    def too_large(self, renames: int) -> None:
        """A document was refused for its size."""
        self.most = max(1, min(self.most, renames // 2))
