"""Asking again, or for less: what a failed read is given before it counts as failed.

wandb-core repeats each request once by itself (see `server.py`); this is what comes on top, where
we know what is waited for and can say so.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from math import inf
from typing import TypeVar

from migrate.errors import RateLimited, Refused, ServerError, ServiceStopped, TooLarge, Unanswered

Answer = TypeVar("Answer")
Note = Callable[[str], None]

TRIES = 3
WAIT_SECONDS = (2.0, 4.0)
"""Before the second try and before the third."""

RATE_WAIT_SECONDS = (2.0, 4.0, 8.0, 15.0, 30.0)
"""After the first 429, the second, …; the last is used again and again."""

RATE_LIMIT_SECONDS = 1800.0
"""A rate limit that lasts longer than this is a failure."""

RATE_LIMIT_NOTE = "waiting for W&B (rate limit)"

_LESS = re.compile(r"\bfirst\b|limit|exceed|too large|too many|complex", re.I)
"""How a server refuses to serve so many at once."""


def no_note(text: str) -> None:
    """Say nothing."""


@dataclass(slots=True)
class RateWait:
    """How long to wait for the rate limit: longer each time, from the start after a success."""

    count: int = 0
    since: float = field(default_factory=time.monotonic)

    def seconds(self) -> float | None:
        """How long to wait now; None where it has lasted too long."""
        if self.count == 0:
            self.since = time.monotonic()
        if time.monotonic() - self.since > RATE_LIMIT_SECONDS:
            return None
        self.count += 1
        return RATE_WAIT_SECONDS[min(self.count, len(RATE_WAIT_SECONDS)) - 1]


def read_patiently(
    ask: Callable[[], Answer],
    note: Note,
    hurry: threading.Event,
    *,
    slow_again: bool = True,
) -> Answer:
    """Read, and read again where that may help: two more tries, and as many as a rate limit takes.

    Args:
        ask: Sends the request.
        note: Called with what is being waited for.
        hurry: Where it is set, the first failure counts, and no wait goes on.
        slow_again: Whether a read that ran out of time is tried again as it is.
    """
    limit, tries = RateWait(), 0
    while True:
        try:
            return ask()
        except RateLimited:
            seconds, why = limit.seconds(), RATE_LIMIT_NOTE
            if seconds is None or hurry.is_set():
                raise
        except Unanswered as error:
            tries += 1
            final = isinstance(error, ServiceStopped) or (error.slow and not slow_again)
            if final or tries >= TRIES or hurry.is_set():
                raise
            seconds, why = WAIT_SECONDS[tries - 1], "the server failed, asking again"
        _wait(seconds, why, note, hurry)


def _wait(seconds: float, why: str, note: Note, hurry: threading.Event) -> None:
    """Wait and say so, once a second; not at all where somebody hurries."""
    end = time.monotonic() + seconds
    while (rest := end - time.monotonic()) > 0 and not hurry.is_set():
        note(f"{why}, {rest:.0f} s")
        hurry.wait(min(1.0, rest))
    note("")


@dataclass(slots=True)
class PageSize:
    """How many entries are asked for at once, and the sizes to try when the server cannot do it.

    `what` says in words what the entries are.
    """

    what: str
    sizes: Sequence[int]

    def read(
        self,
        ask: Callable[[int], Answer],
        note: Note,
        hurry: threading.Event,
        most: float = inf,
    ) -> Answer:
        """Read at most so many entries, patiently; fewer where these are too many for the server.

        The size that the server can serve is remembered.
        """
        while True:
            first = int(min(self.sizes[0], most))
            smaller = [size for size in self.sizes if size < first]
            try:
                return read_patiently(partial(ask, first), note, hurry, slow_again=not smaller)
            except ServerError as error:
                if isinstance(error, TooLarge) and not smaller and first > 1:
                    smaller = [first // 2]  # it is the list of ids that is too long
                if not smaller or not _asks_for_less(error):
                    raise
            self.sizes = smaller
            note(f"{first:,} {self.what} at once are too many for the server; trying {smaller[0]}")


def _asks_for_less(error: ServerError) -> bool:
    """Whether a page with fewer entries may succeed."""
    if isinstance(error, Refused):
        return _LESS.search(str(error)) is not None
    return isinstance(error, TooLarge | Unanswered) and not isinstance(error, ServiceStopped)
