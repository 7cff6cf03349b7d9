"""Renaming: a plan into new names on the server, or back. The server's word is what counts.

Names are read ahead while documents are under way. A document holds what was read a moment ago
and is as planned; it is journaled, then sent, and its answer is believed. Without a usable answer
the runs are read again. Workers send one request and return what it gave; the loop in `Renaming`
alone knows what is done, what is next, and how large the next document may be.

Refusals. The real server refuses with an HTTP status, and then does not say for which rename of
the document; what became of the others differs by server. So the runs are read again, and what is
still to be done is sent again by halves, until single runs are refused in the server's words.
Before that costs much, the loop finds out whether anything may be written at all: while nothing
but refusals have come, single runs from all over the plan are tried.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, field, replace

from migrate.client.retry import RATE_LIMIT_NOTE, RateWait
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
from migrate.rename.plan import DONE, Direction, Outcome, PlannedRename, classify
from migrate.rename.steps import Answer, Part, Reading, Stop, read_states, send_document

IN_FLIGHT = 4
"""Documents under way at once, at the most. wandb-core keeps at most 10 requests in flight."""

FRESH_SECONDS = 5.0
"""A name that was read longer ago is read again before its run is renamed."""

MOST_REFUSALS = 40
"""After so many refused documents in a row, the work stops: this key may not write here."""

DOUBTFUL_REFUSALS = 20
"""After so many, runs from all over the plan are tried, though something was written before."""

ATTEMPTS = 3
"""So often a document is sent that gets no usable answer."""

WAIT_SECONDS = (2.0, 5.0)
"""Before the second attempt, and before the third: a server that is away for 10 s is survived."""

SILENCE_SECONDS = 120.0
"""Without any success for so long, the work stops."""

MOST_SILENT = 2
"""After so many documents in a row whose attempts were all in vain, the work stops."""
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
        last_error: The last error, in words.
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
    last_error: str = ""
    # What is next, what is under way, and how it goes.
    _unread: deque[PlannedRename] = field(init=False)
    _ready: deque[PlannedRename] = field(default_factory=deque)
    _parts: deque[Part] = field(default_factory=deque)
    _probes: deque[Part] = field(default_factory=deque)
    _known: dict[RunKey, tuple[RunState, float]] = field(default_factory=dict)
    _sending: dict[Future[Answer], Part] = field(default_factory=dict)
    _reading: dict[Future[Answer], Reading] = field(default_factory=dict)
    _pace: Pace = field(default_factory=Pace)
    _refusals: int = 0
    _silent: int = 0
    _silent_since: float | None = None
    _rate: RateWait = field(default_factory=RateWait)
    _paused_until: float = 0.0
    _note: str = ""
    _pool: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._unread = deque(self.todo)

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
                under_way = [*self._sending, *self._reading]
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
            self._give_up_parts()

    # What is next.

    def _begin(self) -> bool:
        """Send what may be sent now, and read ahead; False where the work is over."""
        now = time.monotonic()
        while self._ready and self._is_stale(self._ready[0], now):
            self._unread.appendleft(self._ready.popleft())
        while self.stopped is None and now >= self._paused_until and self._has_room():
            part = self._next(now)
            if part is None:
                break
            if self._is_stale(part.renames[0], now):
                self._read(Reading(part))
            else:
                self._send(part)
        if self.stopped is None:
            self._read_ahead()
        if self._sending or self._reading:
            return True
        return self.stopped is None and any((self._unread, self._ready, self._parts, self._probes))

    def _is_stale(self, rename: PlannedRename, now: float) -> bool:
        """Whether a name was read too long ago; those of a document were read together."""
        return now - self._known[rename.key][1] > FRESH_SECONDS

    @property
    def _is_doubtful(self) -> bool:
        """Whether it is a question if this key may write anything."""
        return self._refusals >= (DOUBTFUL_REFUSALS if self.written else 1)

    @property
    def _is_in_question(self) -> bool:
        """Whether a document failed, is not settled, and nothing succeeded since."""
        settling = any(reading.failed for reading in self._reading.values()) or self._parts
        return bool(settling) and (self._silent_since is not None or self._refusals > 0)

    def _has_room(self) -> bool:
        """Whether another document may be under way.

        One alone, and a small one, until it is known that this key may write; and never more than
        there may be refusals.
        """
        room = IN_FLIGHT
        if not self.written:
            room = min(IN_FLIGHT, MOST_REFUSALS - self._refusals) if self._is_doubtful else 1
        return len(self._sending) < room

    def _next(self, now: float) -> Part | None:
        """The document to send next; None while there is none, or the first is not read yet."""
        if any(reading.part.renames[0] is self.todo[0] for reading in self._reading.values()):
            return None
        if self._probes:
            return self._probes.popleft()
        probing = any(reading.part.probe for reading in self._reading.values())
        if self._is_doubtful and (self._ready or self._unread or probing):
            return None
        for part in self._parts:
            if part.not_before <= now:
                self._parts.remove(part)
                return part
        if not self._ready or self._is_in_question:
            return None
        size = self._pace.size if self.written else min(FIRST, self._pace.size)
        return Part([self._ready.popleft() for _ in range(min(size, len(self._ready)))])

    def _read_ahead(self) -> None:
        """Read the names of the documents after those that are under way."""
        if any(reading.failed is None for reading in self._reading.values()):
            return
        if self._is_doubtful:
            if not self._probes and (self._ready or self._unread):
                self._read_probes()
            return
        if not self._known:  # the first document does not wait for the names of the second
            self._read_next(FIRST)
        most = self._pace.read_ahead
        if len(self._ready) <= most // 2:
            self._read_next(most - len(self._ready))

    def _read_next(self, count: int) -> None:
        """Read the next so many names of the plan."""
        if names := [self._unread.popleft() for _ in range(min(count, len(self._unread)))]:
            self._read(Reading(Part(names)))

    def _read_probes(self) -> None:
        """Read the names of some runs from all over the plan, each to be sent alone.

        Where the first runs of a plan are somebody else's, only the others tell whether this key
        may write; and alone, since a document may be undone for a single one of them.
        """
        rest = [*self._ready, *self._unread]
        chosen = rest[:: -(-len(rest) // (MOST_REFUSALS - 1))]
        others = set(rest) - set(chosen)
        self._ready = deque(rename for rename in self._ready if rename in others)
        self._unread = deque(rename for rename in self._unread if rename in others)
        self._read(Reading(Part(chosen, probe=True)))

    # Workers: one request each.

    def _read(self, reading: Reading) -> None:
        run_ids = [rename.key.run_id for rename in reading.part.renames]
        future = self._pool.submit(read_states, self.project, run_ids, self.bar.note)
        self._reading[future] = reading

    def _send(self, part: Part) -> None:
        self.journal.intend(self.direction, part.renames)
        renames = [Rename(self._storage_id(r), r.new_name, r.old_name) for r in part.renames]
        self._sending[self._pool.submit(send_document, self.project, renames)] = part

    def _storage_id(self, rename: PlannedRename) -> str:
        return self._known[rename.key][0].storage_id

    def _take(self, future: Future[Answer]) -> None:
        """Take in what a worker returns."""
        try:
            answer = future.result()
        except Exception as error:  # noqa: BLE001 - a fault of ours; all is read back at the end
            self.stop(Stop("fault", f"{type(error).__name__}: {scrub(error)}"))
            self._sending.pop(future, None)
            self._reading.pop(future, None)
            return
        if answer.error is not None:
            self.last_error = str(answer.error)
        if isinstance(answer.error, ServiceStopped | NoProject):
            gone = isinstance(answer.error, NoProject)
            self.stop(Stop("gone" if gone else "service", self.last_error))
        if future in self._reading:
            self._take_states(self._reading.pop(future), answer)
        else:
            self._take_names(self._sending.pop(future), answer)

    # After a document.

    def _take_names(self, part: Part, answer: Answer) -> None:
        error = answer.error
        if error is None:
            self._take_answer(part, answer)
        elif isinstance(error, RateLimited):
            self._parts.appendleft(part)
            self._pause(error)
        elif isinstance(error, TooLarge) and len(part.renames) > 1:
            self._pace.too_large(len(part.renames))
            self._parts.extendleft(reversed(part.halves()))
        elif isinstance(error, TooLarge):
            self._refusals += 1
            self._conclude({part.renames[0]: Outcome("refused", str(error))})
        else:
            if isinstance(error, Refused):
                self._refusals += 1
            else:
                self._silent_since = self._silent_since or answer.begun
            if isinstance(error, Unanswered) and error.slow:
                self._pace.too_slow(len(part.renames))
            self._read(Reading(part, error))

    def _take_answer(self, part: Part, answer: Answer) -> None:
        """The answer to our own mutation says what became of our name, whatever it is."""
        found: dict[PlannedRename, Outcome] = {}
        for rename in part.renames:
            name = answer.names.get(self._storage_id(rename), "")
            if name == rename.new_name:
                found[rename] = DONE
            elif name not in ("", rename.old_name):
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
            self.last_error = "The server's answer does not carry the new name."
            self._silent_since = self._silent_since or answer.begun
            self._read(Reading(replace(part, renames=unsure), Unanswered(self.last_error)))

    # After a reading.

    def _take_states(self, reading: Reading, answer: Answer) -> None:
        part = reading.part
        if answer.error is not None:
            self.cannot_read = True
            self.stop(Stop("unread", str(answer.error)))
            if reading.failed is not None:
                part = replace(part, attempts=part.attempts + 1)
            if part.was_sent:
                self._parts.append(part)
            return
        self._pace.reading_took(len(part.renames), answer.seconds)
        for run_id, state in answer.states.items():
            self._known[RunKey(*self.project.key, run_id)] = state, answer.begun
        was_sent = part.was_sent or reading.failed is not None
        rest = self._sort(part.renames, answer.states, was_sent=was_sent)
        if reading.failed is not None:
            self._settle(part, rest, reading.failed)
        elif part.probe:
            self._probes.extend(Part([rename], probe=True) for rename in rest)
        elif rest and was_sent:
            self._parts.appendleft(replace(part, renames=rest))
        elif part.renames[0] is self.todo[0]:  # read beside the next ones, and maybe after them
            self._ready.extendleft(reversed(rest))
        else:
            self._ready.extend(rest)

    def _sort(
        self,
        renames: Sequence[PlannedRename],
        states: Mapping[str, RunState],
        *,
        was_sent: bool,
    ) -> list[PlannedRename]:
        """Conclude what is done or left alone; gives what is still to be done."""
        include_running = self.include_running or was_sent
        outcomes: dict[PlannedRename, Outcome] = {}
        for rename in renames:
            state = states.get(rename.key.run_id)
            outcome = classify(rename, state, include_running=include_running)
            if outcome is not None:
                outcomes[rename] = outcome
        self._conclude(outcomes)
        done = [rename.key for rename, outcome in outcomes.items() if outcome == DONE]
        if was_sent and done:
            self._succeeded(done)
        return [rename for rename in renames if rename not in outcomes]

    def _settle(self, part: Part, rest: list[PlannedRename], error: ServerError) -> None:
        """After a document that failed: `rest` of it is still to be done."""
        if isinstance(error, Refused):
            self._settle_refused(part, rest, error)
        elif rest and part.attempts + 1 < ATTEMPTS:
            again = time.monotonic() + WAIT_SECONDS[part.attempts]
            later = Part(rest, part.refusal, part.attempts + 1, again)
            is_slow = isinstance(error, Unanswered) and error.slow and len(rest) > 1
            self._parts.extend(later.halves() if is_slow else [later])
        elif rest:
            self._silent += 1
            self._conclude(dict.fromkeys(rest, Outcome("unanswered", str(error))))

    def _settle_refused(self, part: Part, rest: list[PlannedRename], error: Refused) -> None:
        """Those that the server names are refused; the others are sent again, by halves.

        As a whole, where the document has become smaller: what was wrong with it may be gone.
        """
        words = error.complaints[0].message
        blamed = {
            part.renames[complaint.index]: Outcome("refused", complaint.message)
            for complaint in error.complaints
            if complaint.index is not None and complaint.index < len(part.renames)
        }
        if len(part.renames) == 1:
            blamed = {part.renames[0]: Outcome("refused", words)}
        self._conclude({rename: blamed[rename] for rename in rest if rename in blamed})
        others = Part([rename for rename in rest if rename not in blamed], words)
        if len(others.renames) == len(part.renames):
            self._parts.extendleft(reversed(others.halves()))
        elif others.renames:
            self._parts.appendleft(others)

    # The books.

    def _conclude(self, outcomes: Mapping[PlannedRename, Outcome]) -> None:
        if outcomes:
            found = {rename.key: outcome for rename, outcome in outcomes.items()}
            self.outcomes |= found
            self.journal.conclude(self.direction, found)
            self.bar.advance(len(self.outcomes), len(self.todo))

    def _succeeded(self, keys: Iterable[RunKey]) -> None:
        self.written.update(keys)
        self._refusals = self._silent = 0
        self._silent_since = None
        self._rate = RateWait()
        # There is no doubt any more: what was to be tried alone goes with the others.
        self._ready.extendleft(rename for probe in self._probes for rename in probe.renames)
        self._probes.clear()

    def _pause(self, error: RateLimited) -> None:
        seconds = self._rate.seconds()
        if seconds is None:
            self.stop(Stop("silent", str(error)))
        else:
            self._paused_until = time.monotonic() + seconds

    def _watch(self) -> None:
        """Stop where nothing is gained by going on, and say what is waited for."""
        now = time.monotonic()
        silent = now - self._silent_since if self._silent_since is not None else 0.0
        rest = bool(self._ready or self._unread or self._probes)
        if self._silent >= MOST_SILENT or silent > SILENCE_SECONDS:
            self.stop(Stop("silent", self.last_error))
        elif self._refusals >= MOST_REFUSALS and (rest or not self.written):
            self.stop(Stop("refused", self.last_error, self._refusals))
        note = ""
        if now < self._paused_until:
            note = f"{RATE_LIMIT_NOTE}, {self._paused_until - now:.0f} s"
        elif silent >= 1:
            note = f"no answer for {silent:.0f} s"
        if note != self._note and self.stopped is None:  # a reading may have a note of its own
            self._note = note
            self.bar.note(note)

    def _give_up_parts(self) -> None:
        """What was sent and not settled when the work stopped: refused, or not answered."""
        for part in self._parts:
            outcome = Outcome("refused", part.refusal)
            if part.attempts:
                outcome = Outcome("unanswered", self.last_error)
            if part.was_sent:
                self._conclude(dict.fromkeys(part.renames, outcome))
