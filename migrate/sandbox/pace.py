"""How long the sandbox takes, and how much of it a project may use.

Two kinds of time: a request's way there and back (`request_ms`), which costs the server nothing,
and query time, which W&B counts: it is added up in `Counts.query_seconds`, ends at the time limit,
and is what a quota is about.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field


@dataclass
class Pace:
    """How long things take. Everything may be changed while the sandbox serves.

    Attributes:
        request_ms: Each request, on its way; no query time.
        run_ms: Each run of a page.
        upsert_ms: Each `upsertBucket`; those of one document run one after another.
        count_ms: Each `runCount`: on large projects W&B takes seconds for it.
        limit_s: The query time after which a request is answered with 500, `context deadline
            exceeded`. What its mutations had done by then is done.
        quota: The seconds of query time that a project may use in a second; then 429.
        window_s: The seconds after which a used quota is there again. Ours: W&B does not say.
        retry_after: Whether a 429 has `Retry-After`, too; W&B documents the RateLimit headers only.
    """

    request_ms: float = 0
    run_ms: float = 0
    upsert_ms: float = 0
    count_ms: float = 0
    limit_s: float | None = None
    quota: float | None = None
    window_s: float = 10
    retry_after: bool = False


@dataclass
class Counts:
    """What the server was asked for, GraphQL only."""

    requests: dict[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    query_seconds: float = 0
    """The query time of all requests, as the pace has it."""

    @property
    def total(self) -> int:
        """All requests."""
        return sum(self.requests.values())


@dataclass
class Window:
    """A project's use of its quota. What one request uses above it counts for the next windows.

    >>> window = Window()
    >>> window.charge(24.5)
    >>> window.remaining(2, 10), 0 < window.reset(2, 10) <= 10
    (-4.5, True)
    """

    start: float = field(default_factory=time.monotonic)
    used: float = 0

    def charge(self, seconds: float) -> None:
        """Use so much query time."""
        self.used += seconds

    def remaining(self, quota: float, window_s: float) -> float:
        """The query time that remains now; 0 or less: none."""
        passed = math.floor((time.monotonic() - self.start) / window_s)
        self.start += passed * window_s
        self.used = max(0.0, self.used - passed * quota * window_s)
        return quota * window_s - self.used

    def reset(self, quota: float, window_s: float) -> float:
        """The seconds until the window ends, or until there is quota again."""
        over = max(0.0, -self.remaining(quota, window_s))
        windows = 1 + math.floor(over / (quota * window_s))
        return self.start + windows * window_s - time.monotonic()


def rate_limit_headers(remaining: float, whole: float, reset_s: float) -> dict[str, str]:
    """The headers that W&B documents: limit and rest scaled to 100, and seconds until the reset.

    Source: docs.wandb.ai, `models/track/limits`, and wandb-core's `ratelimitheaders.go`.

    >>> rate_limit_headers(5, 20, 7.2)
    {'RateLimit-Limit': '100', 'RateLimit-Remaining': '25', 'RateLimit-Reset': '8'}
    """
    return {
        "RateLimit-Limit": "100",
        "RateLimit-Remaining": str(max(0, math.floor(100 * remaining / whole))),
        "RateLimit-Reset": str(math.ceil(reset_s)),
    }
