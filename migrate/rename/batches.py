"""Renaming: a plan into new names on the server, or back. The server's word is what counts.

The requests of a project are sent by threads, and one thread keeps the books, in coroutines. One
of them, `_work_off`, starts a `_rename` for each document, up to IN_FLIGHT at once. It ends when
each run of the document is settled or in the queue again:

    names read a moment ago → journaled → sent → the answer is believed
                                               → without a usable one, names read again → …

How much goes out at once is `Pace`'s to say; how long a server that fails is borne with,
`Patience`'s.

Refusals. The real server refuses with an HTTP status, and then does not say for which rename of
the document; what became of the others differs by server. So the runs are read again:

* Nothing was done: half of the document is sent. Where that is taken, a refused run is in the
  other half, which is halved in turn; where it is refused, nothing is known of the other half, and
  it goes back to the queue. Documents then hold no more than what the distance between refused
  runs makes worth while.
* Something was done: what the server passed over, or stopped at, is sent alone.

A run counts as refused when it was so alone, in the server's words. Before all that costs much,
`_try_elsewhere` finds out whether anything may be written at all.
"""

from __future__ import annotations

import asyncio
import time
from bisect import insort
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, TypeVar

from migrate.client.runs import RunKey, RunState
from migrate.client.source import Rename, Source
from migrate.console import Bar
from migrate.errors import JournalError, RateLimited, Refused, ServerError, TooLarge, Unanswered
from migrate.rename.journal import Journal
from migrate.rename.pace import FIRST, MOST, Pace
from migrate.rename.patience import MOST_REFUSALS, MOST_SILENT, Patience, Stop, graver
from migrate.rename.plan import DONE, Direction, Outcome, PlannedRename, classify

IN_FLIGHT = 4
"""Documents under way at once, at the most. wandb-core keeps at most 10 requests in flight."""

WAIT_SECONDS = (2.0, 5.0)
"""Before a document that got no usable answer is sent again, and again: a server that is away for
10 s is survived."""

MOST_AS_ONE = 2
"""Attempts after which a document goes into smaller ones, whatever the server says is wrong."""

FRESH_SECONDS = 5.0
"""A name that was read longer ago is read again before its run is renamed."""

TICK_SECONDS = 0.5

Found = TypeVar("Found")
Batch = Sequence[PlannedRename]


class _Stopped(Exception):
    """Nothing more is to be sent."""


class _Reading(NamedTuple):
    """What runs were, by run id, at a time of the monotonic clock; None where it failed."""

    begun: float
    states: Mapping[str, RunState] | None


@dataclass(slots=True)
class Renaming:
    """The work on one project's renames, and its books.

    Attributes:
        todo: What is to be done; of an undo the renames that take others back.
        written: The runs whose new name an answer carried, or a reading after it was sent.
        stopped: Why no further document is begun; None while there is no reason.
        unread: Why a reading failed for good, as one of all runs would; empty where none did.
    """

    todo: Batch
    project: Source
    journal: Journal
    direction: Direction
    include_running: bool
    bar: Bar
    outcomes: dict[RunKey, Outcome] = field(default_factory=dict)
    written: set[RunKey] = field(default_factory=set)
    stopped: Stop | None = None
    unread: str = ""
    # What is neither under way nor settled, in the order of the plan: runs that are refused often
    # stand side by side in it.
    _queue: list[PlannedRename] = field(init=False)
    # What the server passed over in a document, or stopped at: it goes alone, and before the queue.
    _alone: list[PlannedRename] = field(default_factory=list)
    _place: dict[PlannedRename, int] = field(init=False)
    # The last reading of each run, perhaps still under way.
    _readings: dict[RunKey, asyncio.Task[_Reading]] = field(default_factory=dict)
    # What becomes of runs that were sent in vain, unless something better is heard of them.
    _unsettled: dict[RunKey, Outcome] = field(default_factory=dict)
    _trying: asyncio.Lock = field(default_factory=asyncio.Lock)
    # Set where more may be begun: after a success, and after a document.
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _pace: Pace = field(default_factory=Pace)
    _patience: Patience = field(default_factory=Patience)
    _note: str = ""
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._queue = list(self.todo)
        self._place = {rename: place for place, rename in enumerate(self.todo)}

    def stop(self, stop: Stop) -> None:
        """Let no further document begin. What is under way is finished."""
        self.stopped = graver(self.stopped, stop)
        if stop.code in ("interrupted", "silent", "unread", "service"):
            self.project.hurry.set()

    def work_off(self) -> None:
        """Send documents until nothing is left, or there is a reason to stop."""
        self._pool = ThreadPoolExecutor(2 * IN_FLIGHT, thread_name_prefix="rename")
        try:
            asyncio.run(self._work_off())
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
        with suppress(JournalError):
            self._conclude(dict(self._unsettled))

    # What is next.

    async def _work_off(self) -> None:
        # After a second Ctrl-C nobody asks what a task ended with, which asyncio would print.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        tasks: set[asyncio.Task[None]] = set()
        while True:
            if self.stopped is None:
                self._begin(tasks)
            if not tasks:
                return
            self._news.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), TICK_SECONDS)
            tasks = {task for task in tasks if not task.done()}
            self._watch()

    def _begin(self, tasks: set[asyncio.Task[None]]) -> None:
        """Begin what may be begun beside these.

        One document alone until it is known that this key may write, and a small one; and one
        alone after those that got no answer.
        """
        room = IN_FLIGHT if self.written and not self._patience.is_silent else 1
        if tasks and room == 1:
            return
        size, ahead = self._pace.size, IN_FLIGHT * self._pace.size
        if not self.written:
            size, ahead = min(FIRST, size), IN_FLIGHT * MOST
        while (self._alone or self._queue) and len(tasks) < room:
            passed_over, source = bool(self._alone), self._alone or self._queue
            # Runs that the server fails at may be neighbours: after one, from somewhere else.
            first = len(source) * self._patience.in_vain // MOST_SILENT
            batch = source[first : first + (1 if passed_over else size)]
            del source[first : first + len(batch)]
            self._read([rename for rename in batch if rename.key not in self._readings])
            work = partial(self._rename, batch, passed_over=passed_over)
            tasks.add(asyncio.create_task(self._guarded(work)))
        # The names of the documents after these, at least half of them at once.
        unread = [rename for rename in self._queue[:ahead] if rename.key not in self._readings]
        if 2 * len(unread) >= min(ahead, len(self._queue)):
            self._read(unread)

    async def _guarded(self, work: Callable[[], Coroutine[None, None, object]]) -> None:
        """Do a part of the work; where that cannot go on, all of it stops."""
        try:
            await work()
        except _Stopped:
            pass
        except Exception as error:  # noqa: BLE001 - a fault of ours; all is read back at the end
            self.stop(Stop.of(error))
        self._news.set()

    async def _try_elsewhere(self) -> None:
        """Send single runs from all over the plan, until one is taken, or too many are refused.

        Where the first runs of a plan are somebody else's, only the others tell whether this key
        may write; and alone, since a document may be undone for a single one of them.
        """
        step = -(-len(self._queue) // (MOST_REFUSALS - 1))
        chosen = self._queue[::step]
        del self._queue[::step]
        self._read(chosen)
        chosen = list(await self._still_to_do(chosen))
        while chosen and self._patience.doubts and self.stopped is None:
            # Those first that are far from what was refused last.
            count = max(1, min(IN_FLIGHT, MOST_REFUSALS - self._patience.refusals))
            alone, chosen = chosen[-count:], chosen[:-count]
            await asyncio.gather(*(self._guarded(partial(self._settle, [it])) for it in alone))
            self._watch()
        self._put_back(chosen)

    def _put_back(self, renames: Batch) -> None:
        for rename in renames:
            insort(self._queue, rename, key=self._place.__getitem__)

    def _watch(self) -> None:
        """Stop where nothing is gained by going on, and say what is waited for."""
        untried = len(self.outcomes) + len(self._unsettled) < len(self.todo)
        if stop := self._patience.reason_to_stop(untried=untried):
            self.stop(stop)
        note = self._patience.note()
        if note != self._note and self.stopped is None:  # a reading may have a note of its own
            self._note = note
            self.bar.note(note)

    async def _pause(self, until: float) -> None:
        """Wait until a time of the monotonic clock, or until all stops."""
        while self.stopped is None and (rest := until - time.monotonic()) > 0:
            await asyncio.sleep(min(TICK_SECONDS, rest))

    async def _ask(self, request: Callable[[], Found]) -> Found:
        """Let a thread send a request."""
        begun = time.monotonic()
        found = await asyncio.get_running_loop().run_in_executor(self._pool, request)
        self._pace.request_took(time.monotonic() - begun)
        return found

    # What the runs are.

    def _read(self, renames: Batch) -> None:
        """Begin to read names, in one request."""
        if renames:
            reading = asyncio.create_task(self._states([rename.key.run_id for rename in renames]))
            self._readings |= {rename.key: reading for rename in renames}

    async def _states(self, run_ids: Sequence[str]) -> _Reading:
        begun = time.monotonic()
        states = None
        try:
            states = await self._ask(partial(self.project.states, run_ids, self.bar.note))
        except Exception as error:  # noqa: BLE001 - perhaps nobody waits for this reading any more
            self.stop(Stop.of(error))
            self.unread = str(error) if isinstance(error, ServerError) else self.unread
        return _Reading(begun, states)

    async def _still_to_do(self, batch: Batch) -> dict[PlannedRename, str]:
        """Those that are as planned, by names read a moment ago, with what they are renamed by.

        What became of the others is concluded.
        """
        readings = [await self._readings[rename.key] for rename in batch]
        too_old = time.monotonic() - FRESH_SECONDS
        if any(reading.begun < too_old for reading in readings):
            self._read(batch)
            readings = [await self._readings[rename.key] for rename in batch]
        outcomes = {}
        rest = {}
        for rename, reading in zip(batch, readings, strict=True):
            if reading.states is None:
                # Of a document that was refused some may be done: only a reading would tell.
                for key in {rename.key for rename in batch} & self._unsettled.keys():
                    self._unsettled[key] = replace(self._unsettled[key], code="unanswered")
                raise _Stopped
            state = reading.states.get(rename.key.run_id)
            running = self.include_running or rename.key in self._unsettled
            outcome = classify(rename, state, include_running=running)
            if outcome is not None:
                outcomes[rename.key] = outcome
            elif state is not None:
                rest[rename] = state.storage_id
        self._succeeded({key for key in self._unsettled if outcomes.get(key) == DONE})
        self._conclude(outcomes)
        return rest

    # A document.

    async def _rename(self, batch: Batch, *, passed_over: bool = False) -> bool:
        """Rename runs in a document, once it is known that this key may; True where it was taken.

        Of a run that was passed over the server did others of its document: that it is refused
        says nothing of how large documents should be.
        """
        async with self._trying:  # whoever comes meanwhile waits for what it finds
            if self._patience.doubts and self._queue and self.stopped is None:
                await self._try_elsewhere()
        taken = await self._settle(batch)
        refused = self.outcomes.get(batch[0].key, DONE).code == "refused"
        if refused and not passed_over and len(batch) == 1:
            self._pace.was_refused(self._place[batch[0]])
        return taken

    async def _settle(self, batch: Batch) -> bool:
        """Send a document until its runs are settled or in the queue again; see `_rename`."""
        is_probe = self._patience.in_vain > 0  # is the server away, or did it fail at a run?
        for attempt, wait in enumerate((0,) if is_probe else (*WAIT_SECONDS, 0), 1):
            try:
                await self._send(batch)
                return True
            except TooLarge:
                return False
            except ServerError as error:
                failed = error
            # An answer may be about some of them.
            batch = [rename for rename in batch if rename.key not in self.outcomes]
            self._read(batch)
            rest = list(await self._still_to_do(batch))
            if isinstance(failed, Refused):
                await self._after_refusal(batch, rest, failed)
                return False
            if not rest:
                return False
            slow = isinstance(failed, Unanswered) and failed.slow
            if attempt == MOST_AS_ONE and not slow:
                self._pace.in_vain(len(batch))
            if len(rest) > 1 and (slow or attempt == MOST_AS_ONE):
                self._put_back(rest)  # to go into smaller ones
                return False
            await self._pause(time.monotonic() + wait)
            batch = rest
        self._patience.was_in_vain()
        if is_probe:
            self._put_back(batch)
        else:
            self._conclude({rename.key: Outcome("unanswered", str(failed)) for rename in batch})
        return False

    async def _send(self, batch: Batch) -> None:
        """Send a document as soon as it may be, and take in its answer.

        Raises:
            ServerError: It is not known what became of the runs that have no outcome.
        """
        while True:
            await self._pause(self._patience.paused_until)
            ids = await self._still_to_do(batch)
            self._watch()
            if self.stopped is not None:
                raise _Stopped
            if not ids:
                return
            self.journal.intend(self.direction, ids)
            renames = [Rename(ids[it], it.new_name, it.old_name) for it in ids]
            begun = time.monotonic()
            try:
                names = await self._ask(partial(self.project.rename, renames))
                answer = {it: names.get(storage_id, "") for it, storage_id in ids.items()}
                self._take(answer, time.monotonic() - begun)
                return
            except RateLimited as error:
                self._patience.wait_for_limit(error)
            except TooLarge as error:
                self._too_large(list(ids), error)
                raise
            except ServerError as error:
                self._failed(ids, error, begun)
                raise

    def _take(self, answer: Mapping[PlannedRename, str], seconds: float) -> None:
        """The answer to our own mutation says what became of our name, whatever it is."""
        found = {}
        for rename, name in answer.items():
            # An undo ends where the server makes of the old name the one that it is to take back.
            if name == rename.new_name:
                found[rename.key] = DONE
            elif name and (name != rename.old_name or self.direction == "undo"):
                found[rename.key] = Outcome("altered", name)
        if found:
            if not self.written and DONE not in found.values():
                self.stop(Stop("altered", next(iter(found.values())).text))
            self._pace.document_took(len(answer), seconds)
            self._succeeded(found.keys())
            self._conclude(found)
        if len(found) < len(answer):
            raise Unanswered("The server's answer does not carry the new name.", answered=True)

    # After a document that failed.

    def _failed(self, batch: Collection[PlannedRename], error: ServerError, begun: float) -> None:
        """Note that a document has no usable answer; what became of it is to be read."""
        if isinstance(error, Refused):
            self._patience.was_refused(error)
            outcome = Outcome("refused", error.complaints[0].message)
        else:
            self._patience.got_no_answer(error, begun)
            outcome = Outcome("unanswered", str(error))
            if isinstance(error, Unanswered) and error.slow:
                self._pace.too_slow(len(batch))
        for rename in batch:
            before = self._unsettled.get(rename.key, outcome)
            is_news = before.code == "refused" or outcome.code == "unanswered"
            if is_news and rename.key not in self.outcomes:
                self._unsettled[rename.key] = outcome

    def _too_large(self, batch: Batch, error: TooLarge) -> None:
        """Nothing was done: what was too large goes into smaller documents."""
        self._pace.too_large(len(batch))
        if len(batch) > 1:
            self._put_back(batch)
        else:
            self._patience.was_refused(error)
            self._conclude({batch[0].key: Outcome("refused", str(error))})

    async def _after_refusal(self, batch: Batch, rest: Batch, error: Refused) -> None:
        """Find the refused runs of a document; `rest` of it are as they were."""
        blamed = {batch[place]: words for place, words in error.blamed(len(batch)).items()}
        self._conclude({it.key: Outcome("refused", blamed[it]) for it in rest if it in blamed})
        others = [rename for rename in rest if rename not in blamed]
        done = [place for place, it in enumerate(batch) if self.outcomes.get(it.key) == DONE]
        if blamed:
            self._put_back(others)
        elif done:
            # What comes before one that was done was passed over; the next one may have been what
            # the server stopped at.
            passed_over = sum(rename in others for rename in batch[: done[-1]])
            self._alone += others[: passed_over + 1]
            self._put_back(others[passed_over + 1 :])
        elif others:
            await self._halve(others)

    async def _halve(self, renames: Batch) -> None:
        """Find a refused run, where it is known that there is one among these."""
        half = -(-len(renames) // 2)
        first, second = renames[:half], renames[half:]
        if not await self._rename(first):
            self._put_back(second)
        elif second:
            await self._halve(second)

    # The books.

    def _conclude(self, outcomes: Mapping[RunKey, Outcome]) -> None:
        if outcomes:
            self.outcomes |= outcomes
            for key in outcomes:
                self._unsettled.pop(key, None)
            self.journal.conclude(self.direction, outcomes)
            self.bar.advance(len(self.outcomes), len(self.todo))

    def _succeeded(self, keys: Set[RunKey]) -> None:
        if keys:
            self._pace.were_accepted(len(keys - self.written))
            self.written.update(keys)
            self._patience.succeeded()
            self._news.set()
