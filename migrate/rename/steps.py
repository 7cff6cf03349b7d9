"""What the loop of `batches.py` and its workers hand to each other, and what the workers do."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Literal, TypeVar

from migrate.errors import ServerError
from migrate.rename.plan import PlannedRename

Found = TypeVar("Found")
StopCode = Literal[
    "interrupted", "refused", "silent", "altered", "unread", "gone", "journal", "service", "fault"
]


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the work was broken off, as a value.

    Attributes:
        code: `interrupted` by Ctrl-C; each of `count` documents in a row was `refused`; the server
            is `silent`; all names of the first document came back `altered`; names are `unread`;
            the project is `gone`; the `journal` cannot be written; wandb's `service` has ended;
            a `fault` of ours.
        text: The error, in words.
        count: How many documents were tried.
    """

    code: StopCode
    text: str = ""
    count: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing can be done in any other project, either."""
        return self.code in ("interrupted", "silent", "journal", "service", "fault")


@dataclass(frozen=True, slots=True)
class Part:
    """Renames that go into one document.

    Attributes:
        renames: The renames.
        then: The other half of a document that was refused as a whole. Where this half is taken,
            a refused run is among them.
        passed_over: Whether the server did others of their document: that this one is refused says
            nothing of how large documents should be.
        attempts: How often they were sent without a usable answer.
        not_before: When they may be sent again, by the monotonic clock.
        probe: Whether each is to be sent alone, to find out whether anything may be written.
    """

    renames: Sequence[PlannedRename]
    then: Sequence[PlannedRename] = ()
    passed_over: bool = False
    attempts: int = 0
    not_before: float = 0.0
    probe: bool = False

    def halves(self) -> tuple[Part, Part]:
        """Its two halves, each to be sent."""
        half = -(-len(self.renames) // 2)
        first, second = self.renames[:half], self.renames[half:]
        return replace(self, renames=first), replace(self, renames=second)


def narrowed(renames: Sequence[PlannedRename]) -> Part:
    """What to send of renames among which there is a refused one: half of them, or the one."""
    half = -(-len(renames) // 2)
    return Part(renames[:half], then=renames[half:])


@dataclass(frozen=True, slots=True)
class Answer(Generic[Found]):
    """What a request gave, or its error: all that a worker returns.

    Attributes:
        found: Of a document: storage id to the name that the answer carries. Of a reading: run id
            to what the run is now.
        error: Why nothing was found.
        seconds: How long it took.
        begun: When it was sent, by the monotonic clock.
    """

    found: Mapping[str, Found]
    error: ServerError | None
    begun: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Reading:
    """Names that are being read.

    Attributes:
        part: Whose names.
        failed: Why their document has no usable answer; None before it is sent.
        ahead: Whether they are read for documents that are not made up yet.
    """

    part: Part
    failed: ServerError | None = None
    ahead: bool = False


def ask(request: Callable[[], Mapping[str, Found]]) -> Answer[Found]:
    """What a worker does: send one request."""
    begun = time.monotonic()
    found: Mapping[str, Found] = {}
    error = None
    try:
        found = request()
    except ServerError as failed:
        error = failed
    return Answer(found, error, begun, time.monotonic() - begun)
