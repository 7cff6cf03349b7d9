"""A plan from its first name to the last verification, a project at a time."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from types import FrameType

from migrate.client.runs import ProjectKey, RunKey
from migrate.client.source import Source
from migrate.console import Progress, no_progress
from migrate.rename.batches import Renaming
from migrate.rename.journal import Journal
from migrate.rename.patience import Stop, graver
from migrate.rename.plan import Direction, Outcome, OutcomeCode, PlannedRename
from migrate.rename.verify import unverified, verify


@dataclass(slots=True)
class Result:
    """What became of a plan.

    Attributes:
        outcomes: What became of each run, as it was read back at the end.
        written: The runs whose name was changed now, as an answer or a reading said.
        stopped: Why the work was broken off; None where it was not.
    """

    outcomes: dict[RunKey, Outcome] = field(default_factory=dict)
    written: set[RunKey] = field(default_factory=set)
    stopped: Stop | None = None

    def having(self, *codes: OutcomeCode) -> set[RunKey]:
        """The runs with one of these outcomes."""
        return {key for key, outcome in self.outcomes.items() if outcome.code in codes}

    @property
    def done(self) -> set[RunKey]:
        """The runs that bear the name they were to get."""
        return self.having("done")

    @property
    def failed(self) -> dict[RunKey, Outcome]:
        """All the others."""
        return {key: outcome for key, outcome in self.outcomes.items() if outcome.code != "done"}


def run(
    todo: Sequence[PlannedRename],
    projects: Mapping[ProjectKey, Source],
    journal: Journal,
    direction: Direction,
    *,
    include_running: bool = False,
    progress: Progress = no_progress,
    say: Callable[[str], None] = lambda _text: None,
) -> Result:
    """Change the names, then read all of them again.

    Args:
        todo: What is to be done; of an undo the renames that take others back.
        projects: The projects that they are in.
        journal: What it says is on disk before anything is sent.
        direction: Whether this is a rename or an undo.
        include_running: Whether runs whose processes are alive may be renamed. An undo takes back
            what is ours, whatever the run does meanwhile.
        progress: Opens a progress bar with a title.
        say: Tells the user that Ctrl-C was understood.

    Raises:
        KeyboardInterrupt: The second Ctrl-C.
    """
    result = Result()
    doing = "Renaming" if direction == "rename" else "Putting back"
    for where in dict.fromkeys(rename.where for rename in todo):
        here = [rename for rename in todo if rename.where == where]
        if result.stopped is not None and result.stopped.is_over:
            result.outcomes |= {rename.key: Outcome("not-reached") for rename in here}
            continue
        project = projects[where]
        project.hurry.clear()
        with progress(f"{doing} {where}") as bar:
            running = include_running or direction == "undo"
            work = Renaming(here, project, journal, direction, running, bar)
            with _finishing_on_ctrl_c(partial(_interrupt, work, say)):
                work.work_off()
                bar.note("reading the names back")
                if work.unread:
                    result.outcomes |= unverified(here, work.outcomes, work.unread)
                else:
                    result.outcomes |= verify(here, work.outcomes, project, bar)
        result.written |= work.written
        result.stopped = graver(result.stopped, work.stopped)
    return result


def _interrupt(work: Renaming, say: Callable[[str], None]) -> None:
    work.stop(Stop("interrupted"))
    say("Finishing what is in flight; Ctrl-C again stops immediately.")


@contextmanager
def _finishing_on_ctrl_c(finish: Callable[[], None]) -> Iterator[None]:
    """Call `finish` at the first Ctrl-C, instead of an exception in the middle of the books."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are the main thread's
        return

    before = signal.getsignal(signal.SIGINT)

    def first(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        finish()

    if before is not signal.SIG_IGN:  # as for `nohup`, and what a script starts with `&`
        signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
