"""When to go on with a server that does not do its work, and when to stop."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Literal

from migrate.client.retry import RATE_LIMIT_NOTE, RateWait
from migrate.errors import (
    JournalError,
    NoProject,
    RateLimited,
    ServerError,
    ServiceStopped,
    Unanswered,
    scrub,
)

MOST_REFUSALS = 40
"""After so many refused documents in a row, the work stops: this key may not write here."""

DOUBTFUL_REFUSALS = 20
"""After so many, runs from all over the plan are tried, though something was written before."""

SILENCE_SECONDS = 120.0
"""Without any success for so long, the work stops."""

MOST_SILENT = 4
"""After so many documents in a row whose attempts were all in vain, the work stops."""

StopCode = Literal[
    "interrupted", "refused", "silent", "altered", "unread", "gone", "journal", "service", "fault"
]

_CODES: dict[type[Exception], StopCode] = {
    JournalError: "journal",
    NoProject: "gone",
    ServiceStopped: "service",
    ServerError: "unread",
}


@dataclass(frozen=True, slots=True)
class Stop:
    """Why the work was broken off, as a value.

    Attributes:
        code: `interrupted` by Ctrl-C; each of `count` documents in a row was `refused`; the server
            is `silent`; all names of the first document came back `altered`; names are `unread`;
            the project is `gone`; the `journal` cannot be written; wandb's `service` has ended;
            a `fault` of ours.
        text: The error, in words.
    """

    code: StopCode
    text: str = ""
    count: int = 0

    @classmethod
    def of(cls, error: Exception) -> Stop:
        """The stop for an error with which the work cannot go on."""
        for kind, code in _CODES.items():
            if isinstance(error, kind):
                return cls(code, str(error))
        return cls("fault", f"{type(error).__name__}: {scrub(error)}")

    @property
    def is_over(self) -> bool:
        """Whether nothing can be done in any other project, either."""
        return self.code in ("interrupted", "silent", "journal", "service", "fault")


def graver(before: Stop | None, stop: Stop | None) -> Stop | None:
    """The reason to name of two: the first, unless the second ends the work in all projects."""
    if before is None or (stop is not None and stop.is_over and not before.is_over):
        return stop
    return before


@dataclass(slots=True)
class Patience:
    """What has failed since the last success.

    Attributes:
        wrote: Whether there was any success.
        refusals: How many documents were refused.
        in_vain: How many documents had all their attempts.
        error: The last error of a document.
        paused_until: Nothing may be sent before this time of the monotonic clock.
    """

    wrote: bool = False
    refusals: int = 0
    error: ServerError | None = None
    paused_until: float = 0.0
    in_vain: int = 0
    _since: float | None = None
    _rate: RateWait = field(default_factory=RateWait)

    def succeeded(self) -> None:
        """Something was written."""
        self.wrote = True
        self.refusals = self.in_vain = 0
        self._since = None
        self._rate = RateWait()

    def was_refused(self, error: ServerError) -> None:
        """A document was refused."""
        self.error = error
        self.refusals += 1

    def got_no_answer(self, error: ServerError, begun: float) -> None:
        """A document that was sent then has no usable answer."""
        self.error = error
        self._since = begun if self._since is None else self._since

    def was_in_vain(self) -> None:
        """A document has had all its attempts."""
        self.in_vain += 1

    def wait_for_limit(self, error: RateLimited) -> None:
        """Pause; where the rate limit has lasted too long, that is as bad as silence."""
        self.error = error
        seconds = self._rate.seconds()
        if seconds is None:
            self.in_vain = MOST_SILENT
        else:
            self.paused_until = time.monotonic() + seconds

    @property
    def is_silent(self) -> bool:
        """Whether a document has got no usable answer since the last success."""
        return self._since is not None

    @property
    def doubts(self) -> bool:
        """Whether it is a question if this key may write anything."""
        return self.refusals >= (DOUBTFUL_REFUSALS if self.wrote else 1)

    def reason_to_stop(self, *, untried: bool) -> Stop | None:
        """Why nothing is gained by going on; `untried`: some runs were never sent."""
        silent = time.monotonic() - self._since if self._since is not None else 0.0
        if self.in_vain >= MOST_SILENT or silent > SILENCE_SECONDS:
            return Stop("silent", str(self.error))
        if self.refusals >= MOST_REFUSALS and (untried or not self.wrote):
            return Stop("refused", str(self.error), self.refusals)
        return None

    def note(self) -> str:
        """What the bar cannot know of a wait: why, and how long it will be; else empty."""
        now = time.monotonic()
        if now < self.paused_until:
            return f"{RATE_LIMIT_NOTE}, {self.paused_until - now:.0f} s"
        unanswered = isinstance(self.error, Unanswered) and not self.error.answered
        if self._since is None or unanswered:
            return ""
        return "the server answers with errors, trying again"
