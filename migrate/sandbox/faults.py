"""What can go wrong, on purpose: faults that the sandbox puts into given requests."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

Kind = Literal[
    "400", "401", "403", "404", "409", "413", "429", "500", "501", "502", "503", "504",
    "hang", "drop", "drop-after", "cut", "cut-after", "garbled", "garbled-after",
    "html", "html-after", "null", "null-after", "run-created", "run-deleted",
]  # fmt: skip
Operation = Literal["any", "query", "mutation", "viewer"]

# Of W&B's codes PERMISSION_ERROR is known (wandb issue 8609); the other words are ours.
Code = Literal["PERMISSION_ERROR", "NOT_FOUND", "INVALID_VALUE", "DELETED", "NOT_LOGGED_IN"]
STATUSES: dict[str, int] = {
    "PERMISSION_ERROR": 403,
    "NOT_FOUND": 404,
    "INVALID_VALUE": 400,
    "DELETED": 409,
    "NOT_LOGGED_IN": 401,
}

_SPEC = re.compile(
    rf"({'|'.join(sorted(get_args(Kind), key=len, reverse=True))})"
    r"(?:@(query|mutation|any))?(?:\+(\d{1,9}))?(?:x(\d{1,9}))?"
)


@dataclass
class Fault:
    """A fault for some of the requests.

    Attributes:
        kind: An HTTP status, which is answered instead of doing anything, or

            * `hang` (no answer, ever) or `drop` (the connection);
            * HTTP 200 with an unusable answer: `cut` (half a body, then the connection is
              dropped), `garbled` (half a JSON text), `html` (a page, as proxies send it), `null`
              (`{"data": null}`);
            * the same with `-after`: everything was done, and this is the answer;
            * `run-created`, `run-deleted`: not a fault of the request. After a page of a listing
              that goes on, a run older than the page comes into being, or the page's first run is
              deleted: every later offset moves by one.
        on: The requests that it may hit. Signing in is `viewer`.
        skip: That many of them (of `run-…`: of the pages) pass first.
        times: That many of them are hit.
        seconds: All of them are hit until so long after the first hit, whatever `times` says.
        wait_s: What a 429's `RateLimit-Reset` says.
    """

    kind: Kind
    on: Operation = "any"
    skip: int = 0
    times: int = 1
    seconds: float | None = None
    wait_s: float = 1
    until: float | None = None

    def hits(self, operation: str) -> bool:
        """Whether this request, or `page`, is hit; counts it."""
        if self.kind.startswith("run-") != (operation == "page"):
            return False
        if self.on == "any" and operation == "viewer":
            return False
        if self.on not in ("any", operation):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.seconds is not None:
            self.until = self.until or time.monotonic() + self.seconds
            return time.monotonic() < self.until
        self.times -= 1
        return self.times >= 0


@dataclass(frozen=True)
class Refusal:
    """The error with which one run's mutation is refused; its code decides the HTTP status."""

    words: str = "permission denied"
    code: Code = "PERMISSION_ERROR"


@dataclass
class Faults:
    """Everything that is wrong with this server.

    Attributes:
        pending: The faults for single requests; the first that hits counts.
        denied: Run id to what its mutation is refused with; a text is the words of a 403.
        read_only_key: The key may look and not change anything.
        answers: A document of which a field was refused is answered with the `status` of the
            first refusal, or with HTTP 200, where the `path` says which field it was.
        others: What becomes of the other mutations of such a document. They are all `undone`,
            all `done`, or the ones after the refused one are `skipped`. Nobody knows what W&B
            does; the default is what costs a client most.
        max_mutations: A document with more mutations is refused (400, too complex).
        max_bytes: A larger request is refused (413).
        max_page: A page of more runs is not served, whatever it asks of them, but answered with
            `max_page_answer`: 500 `context deadline exceeded`, 504, 413, never (`hang`), or, where
            `first` was more, 400 `first must not exceed …` (`first`).
        lacks: Fields that this server's schema has not got, as in `Project.runCount`.
        lag_seconds: Names are read from a replica that is so far behind.
        alters: What the server makes of a new name before it keeps it.
        before: Called with each request's operation before it is executed.
    """

    pending: list[Fault] = field(default_factory=list)
    denied: dict[str, str | Refusal] = field(default_factory=dict)
    read_only_key: bool = False
    answers: Literal["status", "path"] = "status"
    others: Literal["undone", "done", "skipped"] = "undone"
    max_mutations: int | None = None
    max_bytes: int | None = None
    max_page: int | None = None
    max_page_answer: Literal["500", "504", "413", "hang", "first"] = "500"
    lacks: frozenset[str] = frozenset()
    lag_seconds: float = 0
    alters: Callable[[str], str] | None = None
    before: Callable[[str], None] | None = None

    def add(self, kind: Kind, **how: object) -> None:
        """Add a fault for single requests."""
        self.pending.append(Fault(kind, **how))  # type: ignore[arg-type]

    def hit(self, operation: str) -> Fault | None:
        """The fault for this request, or for what follows this `page`."""
        return next((fault for fault in self.pending if fault.hits(operation)), None)

    def refusal(self, run_id: str) -> Refusal | None:
        """What a run's mutation is refused with."""
        given = self.denied.get(run_id)
        return Refusal(given) if isinstance(given, str) else given


def parse_fail(spec: str) -> Fault:
    """A fault from its short form, `KIND[@query|@mutation][+SKIP][xTIMES]`.

    >>> fault = parse_fail("500@query+2x3")
    >>> fault.kind, fault.on, fault.skip, fault.times
    ('500', 'query', 2, 3)

    Raises:
        ValueError: It is not valid, in words for the user.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(
            f"--fail {spec!r}: write KIND[@query|@mutation][+SKIP][xTIMES] with KIND one of "
            f"{', '.join(get_args(Kind))}; for example 429@mutationx3"
        )
    kind, operation, skip, times = match.groups()
    if kind.startswith("run-") and operation:
        raise ValueError(f"--fail {spec!r}: {kind} follows pages of listings; leave out @…")
    return Fault(kind, on=operation or "any", skip=int(skip or 0), times=int(times or 1))  # type: ignore[arg-type]
