"""How many renames a document holds: by the time that one took, and by what was refused. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

FIRST = 10
"""Renames in the first document: nothing is known yet of the time, or whether the key may write."""

MOST = 100
"""Renames in a document at the most."""

TARGET_SECONDS = 3.0
"""What a document is to take. The server works its renames off one after another, and an attempt
that takes 30 s would be sent again; the project's live training shares the same quota."""

MOST_CALM = 10
"""After so many documents, a size that was not answered is tried again."""

REMEMBERED = 7
"""Of about so many refused runs the distances are averaged."""


@dataclass(slots=True)
class Pace:
    """The size of the next document.

    Attributes:
        in_time: How many renames it can hold to take TARGET_SECONDS, and to be answered at all.
        failed: A document of so many was not answered; None once one of that size is.
        taken: How many the last document held that was answered; 0 after one that was not.
        calm: How many documents were answered since one was not.
        most: The server refused documents that held more than this.
        fastest: What a request takes at least, in seconds: the way there and back.
        apart: How many runs there are in the plan from one refused run to the next, on (geometric)
            average. Of documents that hold two thirds as many, about half are refused.
        accepted: How many runs were renamed since the last refused one.
        refused: The places in the plan of the refused runs.
    """

    in_time: int = FIRST
    failed: int | None = None
    taken: int = 0
    calm: int = 0
    most: int = MOST
    fastest: float = 60.0
    apart: float = 2 * MOST
    accepted: int = 0
    refused: list[int] = field(default_factory=list)

    @property
    def size(self) -> int:
        """How many renames the next document may hold."""
        return max(1, int(min(self.in_time, self.most, max(self.apart / 1.5, self.accepted))))

    def were_accepted(self, renames: int) -> None:
        """Learn that so many runs were renamed."""
        self.accepted += renames

    def was_refused(self, place: int) -> None:
        """Learn that the run at this place of the plan was refused."""
        if self.refused:  # the first one alone has no distance
            apart = min(abs(place - other) for other in self.refused)
            weight = 1 / min(len(self.refused), REMEMBERED)
            self.apart = self.apart ** (1 - weight) * apart**weight
        self.refused.append(place)
        self.accepted = 0

    def request_took(self, seconds: float) -> None:
        """Learn from any request."""
        self.fastest = min(self.fastest, seconds)

    def document_took(self, renames: int, seconds: float) -> None:
        """Learn from a document that was answered."""
        self.request_took(seconds)
        each = (seconds - self.fastest) / renames
        fitting = int(TARGET_SECONDS / each) if each > TARGET_SECONDS / MOST else MOST
        self.calm += 1
        if self.failed is not None and renames >= self.failed:
            self.failed = None
        if self.failed is not None:
            # Half way to what failed, and that itself only after a while: it may fail again.
            again = self.calm > MOST_CALM
            next_size = self.failed if again else (renames + self.failed) // 2
            fitting = min(fitting, max(self.in_time, next_size))
        self.in_time = fitting
        self.taken = renames

    def too_slow(self, renames: int) -> None:
        """A document ran out of time."""
        self._not_answered(renames, renames // 2)

    def in_vain(self, renames: int) -> None:
        """A document failed again and again: it may be too large for a server that does not say so.

        A tenth is sent, lest a server that is away is asked for all the sizes in between.
        """
        self._not_answered(renames, renames // 10)

    def _not_answered(self, renames: int, smaller: int) -> None:
        self.failed = min(renames, self.failed or renames)
        self.calm = 0
        if renames <= self.in_time:  # larger ones were under way when the size was reduced
            self.in_time = max(1, smaller, self.taken if self.taken < renames else 0)
            self.taken = 0

    def too_large(self, renames: int) -> None:
        """A document was refused for its size. Of a single rename that says nothing of others."""
        self.most = max(1, min(self.most, renames // 2)) if renames > 1 else MOST
