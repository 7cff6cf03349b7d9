"""Every run of a project: complete, or an error.

What makes it hard (wandb issues 6614 and 7666; measured on servers that do the same):

* A cursor is an offset into a list that is made anew for each page. A run that is deleted
  meanwhile moves all later ones up by one, and the next page begins one run too late.
* The list is in order of `created_at`, and nothing else: runs of one second, as job arrays and
  sweeps make them, stand in another order on each page. An offset into them means nothing.

So pages are asked for by time instead: each begins with the second in which the last one ended,
and what came before is dropped. Only a second that holds more runs than a page needs cursors, and
there the runs are counted, and listed again until the count is reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from migrate.client.background import in_background
from migrate.client.documents import NodePage, created_at, run_id_of
from migrate.errors import Incomplete, Refused, ServerError, ServiceStopped

Filters = Mapping[str, object] | None
"""In W&B's filter language; None for every run."""

Ask = Callable[[Filters, str | None], NodePage]
"""Asks for the page with these filters that begins after this cursor; None for the first."""

Count = Callable[[Filters], int | None]
"""How many runs the server counts; None where it does not say."""

MOST_PASSES = 20
"""So often the runs of one second are listed: each pass finds at least a part of the others."""

UNCOUNTED_PASSES = 5
"""Where the server does not count the runs of a second, so many passes in a row without a new run
are the end. Each pass misses a run with a probability of about a third."""

MOST_BARREN = 5
"""After so many pages in a row that bring no other run, a listing counts as one without an end."""

SECOND = timedelta(seconds=1)
Nodes = list[dict[str, Any]]


def list_all(
    ask: Ask, count: Count, filters: Filters, which: str
) -> Iterator[tuple[Nodes, int | None]]:
    """All the runs that pass some filters, a page at a time, with the server's count of them.

    The count is asked for beside the first page, since it may take longer than the listing.
    `which` says in words, for the error, which runs these are.

    Raises:
        Incomplete: The server lists fewer runs than it counts.
        ServerError: A page failed. What came before it is not the whole.
    """
    listing = Listing(ask, count, filters)

    def is_short(total: int | None) -> bool:
        return total is not None and len(listing.seen) < total

    counting = in_background(lambda: count(filters))
    for nodes in listing.pages():
        yield nodes, counting.result() if counting.done() else None
    # Runs may have been deleted since they were counted: count again before listing again.
    if is_short(counting.result()) and is_short(total := count(filters)):
        for nodes in listing.pages():
            yield nodes, total
        if is_short(total := count(filters)):
            raise missing_runs(len(listing.seen), total, which)


class Listing:
    """The runs that pass some filters, a page at a time, each run once.

    Attributes:
        seen: The ids of the runs that were listed, with the second in which each was created.
    """

    def __init__(self, ask: Ask, count: Count, filters: Filters) -> None:
        self._ask, self._count, self._filters = ask, count, filters
        self.seen: dict[str, datetime | None] = {}
        self._begin_pass()

    def pages(self) -> Iterator[Nodes]:
        """The runs, oldest first, without those that were seen before."""
        number = 1
        try:
            for nodes in self._pages():
                number += 1
                yield nodes
        except ServerError as error:
            if number == 1 or isinstance(error, Incomplete | ServiceStopped):
                raise
            failed = ServerError(f"The listing failed at page {number} and is not used: {error}")
            failed.advice = error.advice
            raise failed from error

    def _pages(self) -> Iterator[Nodes]:
        self._begin_pass()
        page = self._ask(self._filters, None)
        yield self._new(page)
        since: datetime | None = None
        while page.more:
            second = _second_of(page.nodes[-1:])
            if second is None or (since is not None and not _honours(page, since)):
                # No time to go on by, or a server that does not filter by it.
                yield from self._by_cursor(self._within(since), page)
                return
            if since is not None and second <= since:  # the whole page lies in one second
                yield from self._one_second(since)
                second = since + SECOND
            try:
                following = self._ask(self._within(second), None)
            except Refused:  # a server that knows no such filter
                yield from self._by_cursor(self._within(since), page)
                return
            page, since = following, second
            yield self._new(page)

    def _begin_pass(self) -> None:
        self._passed: set[str] = set()
        self._barren = 0

    def _new(self, page: NodePage) -> Nodes:
        """The runs of a page that were not seen before; notices a pass without an end."""
        found = {run_id_of(node): node for node in page.nodes}
        self._barren = 0 if found.keys() - self._passed else self._barren + 1
        if page.more and self._barren > MOST_BARREN:
            raise _endless()
        self._passed |= found.keys()
        new = [node for run_id, node in found.items() if run_id not in self.seen]
        self.seen.update({run_id_of(node): _second_of([node]) for node in new})
        return new

    def _within(self, since: datetime | None, before: datetime | None = None) -> Filters:
        """Our filters and those for the time: from `since` on, and earlier than `before`."""
        if since is None:
            return self._filters
        # As W&B's filters take a time: ISO 8601 in UTC, without a zone.
        bounds = {"$gte": f"{since:%Y-%m-%dT%H:%M:%S}"}
        if before is not None:
            bounds["$lt"] = f"{before:%Y-%m-%dT%H:%M:%S}"
        by_time: dict[str, object] = {"created_at": bounds}
        return {"$and": [dict(self._filters), by_time]} if self._filters else by_time

    def _by_cursor(self, filters: Filters, page: NodePage) -> Iterator[Nodes]:
        """The pages that follow upon one, by the server's cursors."""
        passed: set[str] = set()
        while page.more:
            if page.cursor is None or page.cursor in passed:
                raise _endless()
            passed.add(page.cursor)
            page = self._ask(filters, page.cursor)
            yield self._new(page)

    def _one_second(self, second: datetime) -> Iterator[Nodes]:
        """All the runs of a second that holds more than a page.

        Each page shows them in another order, so that one pass by cursors misses some. It is
        repeated until as many were seen as the server counts.
        """
        filters = self._within(second, second + SECOND)
        total, here, unchanged = self._count(filters), 0, 0
        for _ in range(MOST_PASSES):
            self._begin_pass()
            page = self._ask(filters, None)
            yield self._new(page)
            yield from self._by_cursor(filters, page)
            before, here = here, sum(seen == second for seen in self.seen.values())
            unchanged = unchanged + 1 if here == before else 0
            if unchanged:  # some may have been deleted meanwhile
                total = self._count(filters)
            if (unchanged >= UNCOUNTED_PASSES) if total is None else (here >= total):
                return
        raise missing_runs(here, total, f"created at {second:%Y-%m-%d %H:%M:%S} UTC")


def missing_runs(listed: int, total: int | None, which: str) -> Incomplete:
    """The error for a listing that stays short of the server's count (None: not known)."""
    number = "" if total is None else f"{total - listed} of {total} "
    are = "is" if total == listed + 1 else "are"
    return Incomplete(
        f"The listing is incomplete: {number}runs {which} {are} missing. "
        "Nothing was written; try again later."
    )


def _endless() -> Incomplete:
    return Incomplete(
        "The listing is incomplete: the server reports more runs but does not say how to get "
        "them. Nothing was written; try again later."
    )


def _second_of(nodes: Sequence[dict[str, Any]]) -> datetime | None:
    """The second in which the first of the runs was created; None where a filter cannot say it."""
    moment = created_at(nodes[0]) if nodes else None
    if moment is None or not 1000 <= moment.year < 9999:
        return None
    return moment.replace(microsecond=0)


def _honours(page: NodePage, since: datetime) -> bool:
    """Whether a page begins where it was asked to, and not at the beginning of everything."""
    first = _second_of(page.nodes)
    return first is not None and first >= since
