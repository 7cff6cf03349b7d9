"""What can go wrong, on purpose: faults that the sandbox puts into given requests."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["429", "500", "503", "502", "400", "403", "413", "drop", "drop-after", "hang"]
Operation = Literal["any", "query", "mutation", "viewer"]
_SPEC = re.compile(
    r"(429|50[023]|40[03]|413|drop-after|drop|hang)(?:@(query|mutation|any))?(?:x(\d+))?"
)


@dataclass
class Fault:
    """A fault for some of the requests.

    Attributes:
        kind: An HTTP status, or `drop` (the connection, before anything is done), `drop-after`
            (after it was done, before the answer) or `hang` (no answer, ever).
        on: The requests that it may hit. Signing in is `viewer`.
        skip: That many of them pass first.
        times: That many of them are hit.
        seconds: All of them are hit until so long after the first hit, whatever `times` says.
    """

    kind: Kind
    on: Operation = "any"
    skip: int = 0
    times: int = 1
    seconds: float | None = None
    until: float | None = None

    def hits(self, operation: str) -> bool:
        """Whether this request is hit; counts it."""
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


@dataclass
class Faults:
    """Everything that is wrong with this server.

    Attributes:
        pending: The faults for single requests; the first that hits counts.
        max_mutations: A document with more mutations is refused (400, too complex).
        max_bytes: A larger request is refused (413).
        denied: Run id to the words with which its mutation is refused.
        old: An older server that does not know `config(keys:)`.
        read_only_key: The key may look and not change anything.
        before: Called with each request's operation before it is executed.
    """

    pending: list[Fault] = field(default_factory=list)
    max_mutations: int | None = None
    max_bytes: int | None = None
    denied: dict[str, str] = field(default_factory=dict)
    old: bool = False
    read_only_key: bool = False
    before: Callable[[str], None] | None = None

    def add(self, kind: Kind, **how: object) -> None:
        """Add a fault for single requests."""
        self.pending.append(Fault(kind, **how))  # type: ignore[arg-type]

    def hit(self, operation: str) -> str | None:
        """The kind of fault for this request, None for none."""
        return next((fault.kind for fault in self.pending if fault.hits(operation)), None)


def parse_fail(spec: str) -> Fault:
    """A fault from its short form, `429`, `drop@mutation` or `500@queryx3`.

    Raises:
        ValueError: It is none, in words for the user.
    """
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise ValueError(
            f"--fail {spec!r}: write KIND[@query|@mutation][xTIMES] with KIND one of 429, 500, "
            "502, 503, 400, 403, 413, drop, drop-after, hang; for example 429@mutationx3"
        )
    kind, operation, times = match.groups()
    return Fault(kind, on=operation or "any", times=int(times or 1))  # type: ignore[arg-type]
