"""Renaming: a plan into new names on the server, or back. The server's word is what counts.

Names are read ahead while documents are under way. A document holds what was read a moment ago
and is as planned; it is journaled, then sent, and its answer is believed. Without a usable answer
the runs are read again. Workers send one request and return what it gave; the loop in `Renaming`
alone knows what is done and what has failed. What goes out next is the `Queue`'s, how much at once
the `Pace`'s, and how long a server that fails is borne with is `Patience`'s.

Refusals. The real server refuses with an HTTP status, and then does not say for which rename of
the document; what became of the others differs by server. So the runs are read again:

* Nothing was done: half of the document is sent. Where that is taken, a refused run is in the
  other half, which is halved in turn; where it is refused, nothing is known of the other half, and
  it goes back to the queue. Documents then hold no more than what the distance between refused
  runs makes worth while.
* Something was done: what the server passed over, or stopped at, is sent alone.

A run counts as refused when it was so alone, in the server's words. Before all that costs much,
the loop finds out whether anything may be written at all: while nothing but refusals have come,
single runs from all over the plan are tried.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from migrate.client.runs import RunKey, RunState
from migrate.client.source import Rename, Source
from migrate.console import Bar
from migrate.errors import (
    JournalError,
    NoProject,
    RateLimited,
    Refused,
    ServerError,
    ServiceStopped,
    TooLarge,
    Unanswered,
    scrub,
)
from migrate.rename.journal import Journal
from migrate.rename.pace import FIRST, Pace
from migrate.rename.patience import MOST_REFUSALS, Patience
from migrate.rename.plan import DONE, Direction, Outcome, PlannedRename, classify
from migrate.rename.queue import Queue
from migrate.rename.steps import (
    Answer,
    Part,
    Reading,
    Stop,
    ask,
    narrowed,
)

IN_FLIGHT = 4
"""Documents under way at once, at the most. wandb-core keeps at most 10 requests in flight."""

ATTEMPTS = 3
"""So often a document is sent that gets no usable answer."""

WAIT_SECONDS = (2.0, 5.0)
"""Before the second attempt, and before the third: a server that is away for 10 s is survived."""

TICK_SECONDS = 0.5


@dataclass(slots=True)
class Renaming:
    """The work on one project's renames, and its books. Used by one thread alone.

    Attributes:
        todo: What is to be done; of an undo the renames that take others back.
        include_running: Whether runs whose processes are alive may be renamed.
        outcomes: What became of runs so far.
        written: The runs whose new name an answer carried, or a reading after it was sent.
        stopped: Why no further document is begun; None while there is no reason.
        cannot_read: Whether a reading failed for good: reading all runs again would, too.
    """

    todo: Sequence[PlannedRename]
    project: Source
    journal: Journal
    direction: Direction
    include_running: bool
    bar: Bar
    outcomes: dict[RunKey, Outcome] = field(default_factory=dict)
    written: set[RunKey] = field(default_factory=set)
    stopped: Stop | None = None
    cannot_read: bool = False
    # What is next, what is under way, and how it goes.
    _queue: Queue = field(init=False)
    _sending: dict[Future[Answer[str]], Part] = field(default_factory=dict)
    _reading: dict[Future[Answer[RunState]], Reading] = field(default_factory=dict)
    # What becomes of runs that were sent in vain, unless something better is heard of them.
    _unsettled: dict[PlannedRename, Outcome] = field(default_factory=dict)
    _pace: Pace = field(default_factory=Pace)
    _patience: Patience = field(default_factory=Patience)
    _note: str = ""
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._queue = Queue(self.todo)

    @property
    def last_error(self) -> str:
        """The last error, in words."""
        return self._patience.error

    def stop(self, stop: Stop) -> None:
        """Let no further document begin. What is under way is finished."""
        self.stopped = self.stopped or stop
        if stop.code in ("interrupted", "silent", "unread", "service"):
            self.project.hurry.set()

    def work_off(self) -> None:
        """Send documents until nothing is left, or there is a reason to stop."""
        self._pool = ThreadPoolExecutor(2 * IN_FLIGHT, thread_name_prefix="rename")
        try:
            while self._begin():
                under_way: list[Future[Answer[Any]]] = [*self._sending, *self._reading]
                for future in wait(under_way, TICK_SECONDS, FIRST_COMPLETED).done:
                    self._take(future)
                self._watch()
                if not under_way:
                    time.sleep(TICK_SECONDS)
        except JournalError as error:
            self.stop(Stop("journal", str(error)))
            wait(self._sending)
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
        with suppress(JournalError):
            self._conclude(dict(self._unsettled))

    # What is next.

    def _begin(self) -> bool:
        """Send what may be sent now, and read ahead; False where the work is over."""
        now = time.monotonic()
        while self.stopped is None and now >= self._patience.paused_until and self._has_room():
            part = self._queue.next_part(
                now,
                self._pace.size if self.written else min(FIRST, self._pace.size),
                self._reading.values(),
                doubtful=self._is_doubtful,
                hold=self._is_in_question,
            )
            if part is None:
                break
            if self._queue.is_stale(part, now):
                self._read(Reading(part))
            else:
                self._send(part)
        if self.stopped is None:
            self._read_ahead()
        if self._sending or self._reading:
            return True
        return self.stopped is None and bool(self._queue)

    @property
    def _is_doubtful(self) -> bool:
        """Whether it is a question if this key may write anything."""
        return self._patience.doubts(wrote=bool(self.written))

    @property
    def _is_in_question(self) -> bool:
        """Whether a document failed, is not settled, and nothing succeeded since."""
        settling = any(reading.failed for reading in self._reading.values())
        return (settling or self._queue.is_settling) and self._patience.is_tried

    def _has_room(self) -> bool:
        """Whether another document may be under way.

        One alone, and a small one, until it is known that this key may write; and never more than
        there may be refusals.
        """
        room = IN_FLIGHT
        if not self.written:
            refusals = self._patience.refusals
            room = min(IN_FLIGHT, MOST_REFUSALS - refusals) if self._is_doubtful else 1
        return len(self._sending) < room

    def _read_ahead(self) -> None:
        """Read the names of the documents after those that are under way."""
        if any(reading.failed is None for reading in self._reading.values()):
            return
        if self._is_doubtful:
            parts = self._queue.probes_to_read(MOST_REFUSALS - 1)
        else:
            parts = self._queue.next_to_read(self._pace.read_ahead)
        for part in parts:
            self._read(Reading(part, ahead=True))

    # Workers: one request each.

    def _read(self, reading: Reading) -> None:
        run_ids = [rename.key.run_id for rename in reading.part.renames]
        request = partial(self.project.states, run_ids, self.bar.note)
        self._reading[self._pool.submit(ask, request)] = reading

    def _send(self, part: Part) -> None:
        self.journal.intend(self.direction, part.renames)
        renames = [
            Rename(self._queue.storage_id(it), it.new_name, it.old_name) for it in part.renames
        ]
        request = partial(self.project.rename, renames)
        self._sending[self._pool.submit(ask, request)] = part

    def _take(self, future: Future[Answer[Any]]) -> None:
        """Take in what a worker returns."""
        try:
            answer = future.result()
        except Exception as error:  # noqa: BLE001 - a fault of ours; all is read back at the end
            self.stop(Stop("fault", f"{type(error).__name__}: {scrub(error)}"))
            self._sending.pop(future, None)
            self._reading.pop(future, None)
            return
        if answer.error is not None:
            self._patience.error = str(answer.error)
        if isinstance(answer.error, ServiceStopped | NoProject):
            gone = isinstance(answer.error, NoProject)
            self.stop(Stop("gone" if gone else "service", self.last_error))
        if future in self._reading:
            self._take_states(self._reading.pop(future), answer)
        else:
            self._take_names(self._sending.pop(future), answer)

    # After a document.

    def _take_names(self, part: Part, answer: Answer[str]) -> None:
        error = answer.error
        if error is None:
            self._take_answer(part, answer)
        elif isinstance(error, RateLimited):
            self._queue.send_again(part)
            if stop := self._patience.wait_for_limit(error):
                self.stop(stop)
        elif isinstance(error, TooLarge) and len(part.renames) > 1:
            self._pace.too_large(len(part.renames))
            self._queue.put_back(part.then)
            self._queue.send_again(*replace(part, then=()).halves())
        elif isinstance(error, TooLarge):
            self._patience.refusals += 1
            self._queue.put_back(part.then)
            self._conclude({part.renames[0]: Outcome("refused", str(error))})
        elif isinstance(error, Refused):
            self._patience.refusals += 1
            self._failed(part, Outcome("refused", error.complaints[0].message), error)
        else:
            said = not isinstance(error, Unanswered) or error.answered
            self._patience.got_no_answer(answer.begun, said_something=said)
            if isinstance(error, Unanswered) and error.slow:
                self._pace.too_slow(len(part.renames))
            self._failed(part, Outcome("unanswered", str(error)), error)

    def _failed(self, part: Part, outcome: Outcome, error: ServerError) -> None:
        """Read what became of a document without a usable answer."""
        for rename in part.renames:
            before = self._unsettled.get(rename, outcome)
            if before.code == "refused" or outcome.code == "unanswered":
                self._unsettled[rename] = outcome
        self._read(Reading(part, error))

    def _take_answer(self, part: Part, answer: Answer[str]) -> None:
        """The answer to our own mutation says what became of our name, whatever it is."""
        found: dict[PlannedRename, Outcome] = {}
        for rename in part.renames:
            name = answer.found.get(self._queue.storage_id(rename), "")
            # An undo ends where the server makes of the old name the one that it is to take back.
            if name == rename.new_name:
                found[rename] = DONE
            elif name and (name != rename.old_name or self.direction == "undo"):
                found[rename] = Outcome("altered", name)
        is_first = not self.written
        self._conclude(found)
        if found:
            self._pace.document_took(len(part.renames), answer.seconds)
            self._succeeded(rename.key for rename in found)
        if is_first and found and DONE not in found.values():
            self.stop(Stop("altered", next(iter(found.values())).text))
        unsure = [rename for rename in part.renames if rename not in found]
        if unsure:
            self._patience.error = "The server's answer does not carry the new name."
            self._patience.got_no_answer(answer.begun, said_something=True)
            error = Unanswered(self.last_error)
            self._failed(replace(part, renames=unsure), Outcome("unanswered", str(error)), error)
        elif part.then:
            self._queue.send_again(narrowed(part.then))

    # After a reading.

    def _take_states(self, reading: Reading, answer: Answer[RunState]) -> None:
        part = reading.part
        if answer.error is not None:
            self.cannot_read = True
            self.stop(Stop("unread", str(answer.error)))
            return
        self._pace.reading_took(len(part.renames), answer.seconds)
        found = {RunKey(*self.project.key, run_id): it for run_id, it in answer.found.items()}
        self._queue.learn(found, answer.begun)
        was_sent = reading.failed is not None
        rest = self._sort(part.renames, found, was_sent=was_sent)
        if reading.failed is not None:
            self._settle(part, rest, reading.failed)
        elif reading.ahead:
            self._queue.were_read(replace(part, renames=rest))
        elif rest:
            self._queue.send_again(replace(part, renames=rest))
        else:
            self._queue.put_back(part.then)

    def _sort(
        self,
        renames: Sequence[PlannedRename],
        states: Mapping[RunKey, RunState],
        *,
        was_sent: bool,
    ) -> list[PlannedRename]:
        """Conclude what is done or left alone; gives what is still to be done."""
        outcomes: dict[PlannedRename, Outcome] = {}
        done = []
        for rename in renames:
            sent = was_sent or rename in self._unsettled
            running = self.include_running or sent
            outcome = classify(rename, states.get(rename.key), include_running=running)
            if outcome is not None:
                outcomes[rename] = outcome
            if outcome == DONE and sent:
                done.append(rename.key)
        self._conclude(outcomes)
        if done:
            self._succeeded(done)
        return [rename for rename in renames if rename not in outcomes]

    def _settle(self, part: Part, rest: list[PlannedRename], error: ServerError) -> None:
        """After a document that failed: `rest` of it is still to be done."""
        self._queue.put_back(part.then)
        if isinstance(error, Refused):
            self._settle_refused(part, rest, error)
        elif rest and part.attempts + 1 < ATTEMPTS:
            again = time.monotonic() + WAIT_SECONDS[part.attempts]
            later = Part(rest, attempts=part.attempts + 1, not_before=again)
            is_slow = isinstance(error, Unanswered) and error.slow and len(rest) > 1
            self._queue.send_later(*(later.halves() if is_slow else [later]))
        elif rest:
            self._patience.was_in_vain()
            self._conclude(dict.fromkeys(rest, Outcome("unanswered", str(error))))

    def _settle_refused(self, part: Part, rest: list[PlannedRename], error: Refused) -> None:
        """Those that the server names are refused; of the others, those that may be."""
        blamed = {
            part.renames[complaint.index]: Outcome("refused", complaint.message)
            for complaint in error.complaints
            if complaint.index is not None and complaint.index < len(part.renames)
        }
        if len(part.renames) == 1:
            blamed = {part.renames[0]: Outcome("refused", error.complaints[0].message)}
        self._conclude({rename: blamed[rename] for rename in rest if rename in blamed})
        others = [rename for rename in rest if rename not in blamed]
        done = [rename for rename in part.renames if self.outcomes.get(rename.key) == DONE]
        if not done and not part.passed_over:
            self._pace.were_refused(len(part.renames))
        if blamed:
            self._queue.put_back(others)
        elif done and others:
            # What comes before one that was done was passed over; the next one may have been what
            # the server stopped at.
            last = part.renames.index(done[-1])
            alone = [rename for rename in others if part.renames.index(rename) < last]
            alone = others[: len(alone) + 1]
            self._queue.put_back(others[len(alone) :])
            self._queue.send_again(*(Part([rename], passed_over=True) for rename in alone))
        elif others:
            self._queue.send_again(narrowed(others))

    # The books.

    def _conclude(self, outcomes: Mapping[PlannedRename, Outcome]) -> None:
        if outcomes:
            found = {rename.key: outcome for rename, outcome in outcomes.items()}
            self.outcomes |= found
            for rename in outcomes:
                self._unsettled.pop(rename, None)
            self.journal.conclude(self.direction, found)
            self.bar.advance(len(self.outcomes), len(self.todo))

    def _succeeded(self, keys: Iterable[RunKey]) -> None:
        before = len(self.written)
        self.written.update(keys)
        self._pace.were_accepted(len(self.written) - before)
        self._patience.succeeded()
        self._queue.stop_probing()

    def _watch(self) -> None:
        """Stop where nothing is gained by going on, and say what is waited for."""
        untried = len(self.outcomes) + len(self._unsettled) < len(self.todo)
        if stop := self._patience.reason_to_stop(wrote=bool(self.written), untried=untried):
            self.stop(stop)
        note = self._patience.note()
        if note != self._note and self.stopped is None:  # a reading may have a note of its own
            self._note = note
            self.bar.note(note)
