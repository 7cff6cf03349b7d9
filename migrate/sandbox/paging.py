"""The pages of a listing, with what makes W&B's incomplete: cursors that are offsets, and ties.

See domain.md, section 5, and wandb's issues 6614 and 7666.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from migrate.sandbox.store import StoredRun


class CursorError(ValueError):
    """A cursor that the server never gave out."""


def cursor(offset: int) -> str:
    """The cursor of the entry with this offset.

    >>> base64.b64decode(cursor(199))
    b'arrayconnection:199'
    """
    return base64.b64encode(f"arrayconnection:{offset}".encode()).decode()


def offset(text: str) -> int:
    """The offset that a cursor stands for; CursorError where it is not a cursor."""
    try:
        word, _, number = base64.b64decode(text, validate=True).decode().partition(":")
    except ValueError:
        word, number = "", ""
    if word != "arrayconnection" or not number.isdecimal():
        raise CursorError(f"invalid cursor {text!r}")
    return int(number)


def connection(
    nodes: Sequence[Any],
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> dict[str, Any]:
    """A page of nodes, by Relay's rules. Ours: without `first` and `last` it is all of them."""
    start = offset(after) + 1 if after else 0
    stop = min(offset(before), len(nodes)) if before else len(nodes)
    whole = stop
    if first is not None:
        stop = min(stop, start + max(0, first))
    if last is not None:
        start = max(start, stop - max(0, last))
    edges = [
        {"node": node, "cursor": cursor(number)}
        for number, node in enumerate(nodes[start:stop], start)
    ]
    return {
        "edges": edges,
        "totalCount": len(nodes),
        "pageInfo": {
            "endCursor": edges[-1]["cursor"] if edges else None,
            "hasNextPage": stop < whole,
        },
    }


class Order:
    """Sorts a project's runs; those that are equal are never in the same order twice in a row.

    A real server's order only may differ. Here it always does, and by the number of the request,
    so that a client which relies on it fails every time and in the same way.
    """

    def __init__(self) -> None:
        self.requests = 0
        self._last: dict[str, int] = {}

    def sort(
        self, runs: Sequence[StoredRun], key: Callable[[StoredRun], Any], *, descending: bool
    ) -> list[StoredRun]:
        """The runs in order."""
        self.requests += 1
        chance = random.Random(self.requests)
        found: list[StoredRun] = []
        for _, equal in groupby(sorted(runs, key=key, reverse=descending), key):
            tied = list(equal)
            if len(tied) > 1:
                ids = [run.name for run in tied]
                chance.shuffle(tied)
                if [run.name for run in tied] == sorted(ids, key=lambda i: self._last.get(i, 0)):
                    tied.append(tied.pop(0))
                self._last.update((run.name, place) for place, run in enumerate(tied))
            found += tied
        return found
