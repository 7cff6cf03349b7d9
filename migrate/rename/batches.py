"""Renaming: a plan into new names on the server, or back. The server's word is what counts.

Several batches are under way at once, each in a thread of its own. A batch reads its runs' names
first and leaves alone what is not as planned, journals what it is about to send, sends one
document, and believes what the answer carries; without a usable answer it reads again. At the
end one independent reading of all runs says what became of them.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from migrate.client.documents import Rename
from migrate.client.runs import RunState
from migrate.client.server import Project
from migrate.console import Bar, Progress, no_progress
from migrate.errors import (
    InputError,
    MigrateError,
    Refused,
    ServiceStopped,
    TooLarge,
    Unanswered,
    scrub,
)
from migrate.rename.journal import ALTERED, Direction, Journal
from migrate.rename.plan import Key, PlannedRename, standing

# wandb-core keeps at most 10 requests in flight.
IN_FLIGHT = 10
BATCH = 100
# Until a first name is written, documents go one by one and are small: where this key may not
# write, few are refused.
PROBE = 10
ATTEMPTS = 3
READ_AT_ONCE = 1000


@dataclass(slots=True)
class Result:
    """What became of a rename.

    Attributes:
        done: Runs that bear the name they were to get, read back at the end.
        written: Runs whose new name the server's answer carried now.
        failed: Key to the reason, for each of the others.
        unread: Those of them that could not be read at the end.
        unreached: Those of them whose turn never came.
        stopped: Why the work was broken off; None where it was not.
        interrupted: Whether Ctrl-C did it.
    """

    done: set[Key] = field(default_factory=set)
    written: set[Key] = field(default_factory=set)
    failed: dict[Key, str] = field(default_factory=dict)
    unread: set[Key] = field(default_factory=set)
    unreached: set[Key] = field(default_factory=set)
    stopped: str | None = None
    interrupted: bool = False
    is_over: bool = False
    """Whether nothing more can be done, in no project: interrupted, no journal, no server."""


def run(
    todo: Sequence[PlannedRename],
    projects: Mapping[tuple[str, str], Project],
    journal: Journal,
    direction: Direction,
    *,
    include_running: bool = False,
    progress: Progress = no_progress,
) -> Result:
    """Change the names, then read all of them again.

    Args:
        todo: What is to be done; of an undo the renames that take others back.
        projects: The projects that they are in, by (entity, name).
        journal: What it says is on disk before anything is sent.
        direction: Whether this is a rename or an undo, for the journal.
        include_running: Whether runs that are running may be renamed.
        progress: Opens a progress bar with a title.

    Returns:
        What the server says at the end.
    """
    result = Result()
    for where in dict.fromkeys(one.where for one in todo):
        here = [one for one in todo if one.where == where]
        work = _Work(here, projects[where], journal, direction, include_running)
        if not result.is_over:
            doing = "Renaming" if direction == "rename" else "Putting back"
            with progress(f"{doing} {'/'.join(where)}") as bar:
                work.work_off(bar)
        else:
            work.stopped = result.stopped
        with progress(f"Reading back {'/'.join(where)}") as bar:
            work.verify(result, bar)
    return result


class _Work:
    """One project's batches: those that are waiting, and what came of those that are through."""

    def __init__(
        self,
        todo: Sequence[PlannedRename],
        project: Project,
        journal: Journal,
        direction: Direction,
        include_running: bool,
    ) -> None:
        self.todo = todo
        self.project = project
        self.journal = journal
        self.direction: Direction = direction
        # An undo takes back what is ours, whatever the run does meanwhile.
        self.include_running = include_running or direction == "undo"
        self.lock = threading.Lock()
        self.size = BATCH
        self.waiting = _even_batches(todo)
        self.attempts: dict[Key, int] = {}
        self.outcomes: dict[Key, str] = {}
        self.written: set[Key] = set()
        self.refused = 0
        self.has_probed = False
        self.stopped: str | None = None
        self.interrupted = False
        self.is_over = False

    # The pool.

    def work_off(self, bar: Bar) -> None:
        """Work off the batches. Ctrl-C lets those in flight finish; a second one does not."""
        pool = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="rename")
        running: set[Future[None]] = set()
        try:
            while True:
                try:
                    self._fill(pool, running, IN_FLIGHT if self.written else 1)
                    if not running:
                        break
                    finished, _ = wait(running, return_when=FIRST_COMPLETED)
                    running -= finished
                    for future in finished:
                        future.result()
                    bar.advance(len(self.outcomes), len(self.todo))
                except KeyboardInterrupt:
                    if self.interrupted:
                        raise
                    self.interrupted = self.is_over = True
                    self.stop("interrupted")
        except Exception:  # a fault of ours: what is in flight still needs the journal
            self.stop("a fault of rsst-migrate")
            wait(running)
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _fill(self, pool: ThreadPoolExecutor, running: set[Future[None]], most: int) -> None:
        with self.lock:
            if self.stopped is not None:
                self.waiting.clear()
            while self.waiting and len(running) < most:
                batch = self.waiting.popleft()
                if len(batch) > self.size:
                    self.waiting.appendleft(batch[self.size :])
                    batch = batch[: self.size]
                running.add(pool.submit(self._guarded, batch))

    def stop(self, why: str) -> None:
        """Let no further batch begin."""
        self.stopped = self.stopped or why

    def _guarded(self, batch: list[PlannedRename]) -> None:
        try:
            self._batch(batch)
        except InputError as error:  # the project is gone: the others may be there
            self.stop(str(error))
        except MigrateError as error:  # the journal, or a server that does not answer any more
            self.is_over = True
            self.stop(str(error))
        except Exception as error:
            self.is_over = True
            self.stop(f"a fault of rsst-migrate: {type(error).__name__}: {scrub(error)}")

    # One batch.

    def _batch(self, batch: list[PlannedRename]) -> None:
        states = self._states(batch)
        ready = self._sort(batch, states)
        if not ready or self.stopped is not None:
            return
        with self.lock:
            if not self.written and len(ready) > PROBE:
                self.waiting.appendleft(ready[PROBE:])
                ready = ready[:PROBE]
            self.journal.intend(self.direction, ready)
        renames = [Rename(states[one.run_id].storage_id, one.new_name) for one in ready]
        try:
            answered = self.project.rename(renames)
        except TooLarge as error:
            self._halve(ready, error)
        except Refused as error:
            self._after_refusal(ready, error)
        except ServiceStopped:
            raise
        except Unanswered as error:
            self._after_silence(ready, error)
        else:
            found: dict[PlannedRename, str] = {}
            for one, rename in zip(ready, renames, strict=True):
                name = answered.get(rename.storage_id, one.old_name)
                if name == one.new_name:
                    found[one] = "done"
                # Cut short, it is still ours. Any other name may be somebody's.
                elif name and name != one.old_name and one.new_name.startswith(name):
                    found[one] = f"{ALTERED}{name}"
            self._conclude(found, sent=True)
            unsure = [one for one in ready if one not in found]
            if unsure:
                words = "the server's answer does not carry the new name"
                self._read_again(unsure, words, retry=False)

    def _states(self, batch: Sequence[PlannedRename]) -> dict[str, RunState]:
        return self.project.states([one.run_id for one in batch])

    def _sort(
        self,
        some: Sequence[PlannedRename],
        states: Mapping[str, RunState],
        *,
        sent: bool = False,
    ) -> list[PlannedRename]:
        """Conclude what needs nothing or is left alone; what remains is to be sent (again)."""
        may_run = sent or self.include_running
        found = {
            one: standing(one, states.get(one.run_id), include_running=may_run) for one in some
        }
        self._conclude(
            {one: outcome for one, outcome in found.items() if outcome != "to do"}, sent=sent
        )
        return [one for one in some if found[one] == "to do"]

    def _halve(self, ready: list[PlannedRename], error: TooLarge | Refused) -> None:
        """Send less at once from now on; a single run that is too large is refused."""
        if len(ready) == 1:
            self._conclude({ready[0]: f"refused: {error}"})
            self._look_elsewhere(error, 1)
            return
        half = -(-len(ready) // 2)
        with self.lock:
            self.size = max(1, min(self.size, half))
            self.waiting.extendleft([ready[half:], ready[:half]])

    def _after_refusal(self, ready: list[PlannedRename], error: Refused) -> None:
        """Some were refused, in the server's words; what of the others, only reading tells."""
        blamed = {
            ready[one.index]: one
            for one in error.complaints
            if one.index is not None and one.index < len(ready)
        }
        if not blamed and len(ready) == 1:
            blamed = {ready[0]: error.complaints[0]}
        states = self._states(ready)
        refused: dict[PlannedRename, str] = {}
        for one, complaint in blamed.items():
            outcome = standing(one, states.get(one.run_id), include_running=True)
            refused[one] = f"refused: {complaint.message}" if outcome == "to do" else outcome
        self._conclude(refused)
        left = self._sort([one for one in ready if one not in blamed], states, sent=True)
        if left and not blamed:  # nobody is named: look for them by halves
            if all(complaint.permission for complaint in error.complaints):
                self.stop(str(error))
            self._halve(left, error)
        elif left:  # some servers do nothing of a document that has an error
            with self.lock:
                self.waiting.appendleft(left)
        self._look_elsewhere(
            error, sum(outcome.startswith("refused") for outcome in refused.values())
        )

    def _look_elsewhere(self, error: TooLarge | Refused, refused: int) -> None:
        """Nothing but refusals so far: try runs from all over the plan, once, before giving up."""
        with self.lock:
            self.refused += refused
            rest = [one for batch in self.waiting for one in batch]
            if self.written or self.refused < PROBE:
                return
            if rest and not self.has_probed:
                self.has_probed = True
                some = rest[:: -(-len(rest) // PROBE)]
                others = set(rest) - set(some)
                self.waiting = _even_batches([one for one in rest if one in others])
                self.waiting.appendleft(some)
            elif rest and self.refused >= 2 * PROBE:
                self.stop(
                    f"{error}. It was refused for all of the {self.refused} runs that were "
                    "tried, from the whole of the plan."
                )

    def _after_silence(self, ready: list[PlannedRename], error: Unanswered) -> None:
        if error.slow and len(ready) > 1:
            with self.lock:
                self.size = max(1, min(self.size, len(ready) // 2))
        self._read_again(ready, str(error), retry=True)

    def _read_again(self, unsure: list[PlannedRename], words: str, *, retry: bool) -> None:
        """Without a usable answer: what is done is done, the rest may be sent once more."""
        left = self._sort(unsure, self._states(unsure), sent=True)
        if left and retry:
            self._again(left, words)
        else:
            self._conclude(dict.fromkeys(left, f"unanswered: {words}"))

    def _again(self, left: list[PlannedRename], words: str) -> None:
        """Queue once more, up to ATTEMPTS: writing a name twice does no harm."""
        with self.lock:
            for one in left:
                self.attempts[one.key] = self.attempts.get(one.key, 1) + 1
            tired = [one for one in left if self.attempts[one.key] > ATTEMPTS]
            more = [one for one in left if self.attempts[one.key] <= ATTEMPTS]
            if more:
                self.waiting.appendleft(more)
        self._conclude(dict.fromkeys(tired, f"unanswered: {words}"))

    def _conclude(self, found: Mapping[PlannedRename, str], *, sent: bool = False) -> None:
        if not found:
            return
        with self.lock:
            for one, outcome in found.items():
                self.outcomes[one.key] = outcome
                if sent and outcome == "done":
                    self.written.add(one.key)
            self.journal.conclude({one.key: outcome for one, outcome in found.items()})

    # The end.

    def verify(self, result: Result, bar: Bar) -> None:
        """Read all the runs again, independently of what is believed; sums up in `result`."""
        result.written |= self.written
        result.stopped = result.stopped or self.stopped
        result.interrupted |= self.interrupted
        result.is_over |= self.is_over
        for start in range(0, len(self.todo), READ_AT_ONCE):
            bar.advance(start, len(self.todo))
            some = self.todo[start : start + READ_AT_ONCE]
            try:
                states = self._states(some)
            except MigrateError as error:  # nor would the rest be answered
                for one in self.todo[start:]:
                    before = self.outcomes.get(one.key, "done")
                    result.unread.add(one.key)
                    result.failed[one.key] = (
                        f"not verified: {error}" if before == "done" else before
                    )
                result.stopped = result.stopped or str(error)
                result.is_over |= not isinstance(error, InputError)
                return
            for one in some:
                self._judge(one, states.get(one.run_id), result)

    def _judge(self, one: PlannedRename, state: RunState | None, result: Result) -> None:
        now = standing(one, state, include_running=True)
        before = self.outcomes.get(one.key)
        if now == "done":
            result.done.add(one.key)
        elif before == "done":
            # It had the name, and has it no more: somebody was here in between.
            result.failed[one.key] = now if now != "to do" else "drifted: has its old name again"
        else:
            result.failed[one.key] = before or f"not reached: {self.stopped}"
            if before is None:
                result.unreached.add(one.key)


def _even_batches(todo: Sequence[PlannedRename]) -> deque[list[PlannedRename]]:
    """As few batches as there must be, of one size."""
    count = max(1, -(-len(todo) // BATCH))
    size = max(1, -(-len(todo) // count))
    return deque(list(todo[start : start + size]) for start in range(0, len(todo), size))
