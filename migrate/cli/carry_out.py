"""What `rename`, `resume` and `undo` share: show, ask, change the names, say how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import typer

from migrate.cli.sources import Place, in_words
from migrate.client.offline import DEFAULT_ENTITY, OfflineProject
from migrate.client.paths import ProjectPath
from migrate.client.runs import BEING_WRITTEN, SYNCED, ProjectKey, RunKey
from migrate.client.source import Source
from migrate.console import ClosedPipe, Output, OutputError
from migrate.errors import INTERRUPTED, InputError, ReadOnly
from migrate.rename.execute import Result, run
from migrate.rename.journal import Journal
from migrate.rename.plan import Direction, Outcome, PlannedRename
from migrate.report.outcomes import outcome_lines, stop_words, summary_words
from migrate.report.terminal import print_renames
from migrate.text import counted

Projects = Mapping[ProjectKey, Source]

PAST: Mapping[Direction, str] = {"rename": "renamed", "undo": "put back"}
COMMAND: Mapping[Direction, str] = {"rename": "resume", "undo": "undo"}
"""The command that goes on with a journal."""

_CHANGED = {"drifted", "gone"}
"""Outcomes that only a new plan can do something about."""

_WHEN = (
    ({"refused", "read-only"}, " with a key that may rename these runs"),
    ({"running", BEING_WRITTEN}, " once these runs have ended"),
    ({"refused", "read-only", "running", BEING_WRITTEN}, " later"),
)
"""When the same command again does the rest, where each of the rest has one of these outcomes: on a
server. In a folder no key decides."""


@dataclass(frozen=True, slots=True)
class Task:
    """One journal's renames that are to be done now.

    Attributes:
        plan: The renames; of an undo those that take others back.
        look_again: The arguments with which `report` shows these projects.
        session: The arguments with which `undo` and `resume` find the server again.
        left_alone: What is known already of the journal's other renames that are not done.
        was_sent: Whether names were sent before, so that there may be some to put back.
    """

    journal: Journal
    plan: Sequence[PlannedRename]
    projects: Projects
    direction: Direction
    include_running: bool
    look_again: Sequence[str]
    session: Sequence[str]
    left_alone: Mapping[RunKey, Outcome] = field(default_factory=dict)
    was_sent: bool = False


def projects_of(place: Place, plan: Sequence[PlannedRename]) -> Projects:
    """A plan's projects."""
    return {
        where: place.project(ProjectPath(*where))
        for where in dict.fromkeys(rename.where for rename in plan)
    }


@contextmanager
def shown_whole(output: Output, direction: Direction) -> Iterator[None]:
    """Print a plan; where it cannot be printed to its end, say that nothing was done."""
    try:
        yield
        sys.stdout.flush()
    except OutputError as error:
        closed = isinstance(error, ClosedPipe)
        why = "stdout was closed before the plan was shown" if closed else "nobody saw the plan"
        output.tell(f"Nothing was {PAST[direction]}: {why}.")
        raise


def print_plan(output: Output, plan: Iterable[PlannedRename]) -> None:
    """Print renames of which nothing but the names is known."""
    print_renames(output.out, [(r.key, r.old_name, r.new_name, r.settled) for r in plan])


def refuse_read_only(projects: Iterable[Source]) -> None:
    """Raise ReadOnly where one of the projects takes no renames: before the first write."""
    read_only = [str(project.key) for project in projects if project.read_only]
    if read_only:
        raise ReadOnly(f"{', '.join(read_only)}: read-only for this key. Nothing was written.")


def declined(
    output: Output,
    plan: Sequence[PlannedRename],
    projects: Projects,
    place: Place,
    direction: Direction,
    *,
    yes: bool,
) -> int | None:
    """Ask, unless the answer was given on the command line.

    Returns:
        The exit code where the answer is no: 0, as nothing failed, or 130 for Ctrl-C; else None.

    Raises:
        ReadOnly: One of the projects takes no renames.
        InputError: There is no terminal to ask on.
    """
    concerned = list(dict.fromkeys(rename.where for rename in plan))
    refuse_read_only(projects[where] for where in concerned)
    if yes or not plan:
        return None
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise InputError(
            "Cannot ask without a terminal; nothing was touched. "
            "Check the plan, then run again with --yes."
        )
    runs = counted(len({rename.key for rename in plan}), "run")
    words = "Rename" if direction == "rename" else "Put back the names of"
    code = 0
    try:
        of = ", ".join(map(str, concerned))
        if _agrees(f"{words} {runs} of {of} {in_words(place)}?", output):
            return None
    except typer.Abort as abort:
        code = INTERRUPTED if isinstance(abort.__context__, KeyboardInterrupt) else 0
        output.tell("")
    output.tell(f"Nothing was {PAST[direction]}.")
    return code


def _agrees(question: str, output: Output) -> bool:
    """Ask until the answer is yes or no, which is what Enter alone means."""
    while True:
        typed: str = typer.prompt(f"{question} [y/N]", default="", show_default=False, err=True)
        answer = typed.strip().lower()
        if answer in ("y", "yes"):
            return True
        if answer in ("", "n", "no"):
            return False
        output.tell("Answer y or n.")


def carry_out(task: Task, output: Output) -> int:
    """Change the names, and report what the server shows at the end; gives the exit code."""
    journal = task.journal
    try:
        with journal:
            journal.begin(task.direction)
            if task.left_alone:
                journal.conclude(task.direction, task.left_alone)
            result = run(
                task.plan,
                task.projects,
                journal,
                task.direction,
                include_running=task.include_running,
                progress=output.progress,
                say=output.tell,
            )
        result.outcomes |= task.left_alone
        _say_outcome(task, result, output)
    except KeyboardInterrupt:  # a second one, or the work was over: at once
        journal.close()
        output.tell("Interrupted; requests in flight may still take effect.")
        _say_next(task, {"not-reached": set()}, output, may_undo=True)
        sys.stderr.flush()
        os._exit(INTERRUPTED)
    if result.stopped is not None and result.stopped.code == "interrupted":
        return INTERRUPTED
    return 1 if result.failed else 0


def _say_outcome(task: Task, result: Result, output: Output) -> None:
    """Report what the server, or a folder, shows at the end, and what comes next."""
    tell_outcomes(result.failed, output)
    if unreached := result.having("not-reached"):
        output.tell(f"{counted(len(unreached), 'run')} not reached")
    output.tell(
        summary_words(
            runs=len(task.plan) + len(task.left_alone),
            done=len(result.done),
            had=len(result.done - result.written),
            unread=len(result.having("not-verified")),
            verb=PAST[task.direction],
            source="the logs" if _is_offline(task) else "the server",
        )
    )
    codes = _codes(result.failed)
    stopped = result.stopped
    if stopped is not None and stopped.code != "interrupted":
        output.tell(f"Stopped: {stop_words(stopped.code, stopped.text, stopped.count)}")
        if stopped.code == "altered":  # the server would alter the others, too
            codes = {code: codes[code] for code in _CHANGED & codes.keys()} | {"altered": set()}
    # Where it was broken off, a name may be there of which the books say nothing.
    unsure = stopped is not None and bool(result.done)
    may_undo = task.was_sent or unsure or bool(result.written or result.having("unanswered"))
    _say_next(task, codes, output, may_undo=may_undo)


def tell_outcomes(outcomes: Mapping[RunKey, Outcome], output: Output) -> None:
    """Say what became of runs that were reached."""
    found = [(key.run_id, outcome.code, outcome.text) for key, outcome in outcomes.items()]
    for line in outcome_lines(each for each in found if each[1] != "not-reached"):
        output.tell(line)


def _codes(outcomes: Mapping[RunKey, Outcome]) -> dict[str, set[ProjectKey]]:
    """What became of runs, as far as it decides what comes next, with the projects concerned.

    Of a held run its state decides.
    """
    codes: dict[str, set[ProjectKey]] = {}
    for key, outcome in outcomes.items():
        code = outcome.text if outcome.code == "held" else outcome.code
        codes.setdefault(code, set()).add(key.where)
    return codes


def say_what_is_left(task: Task, output: Output) -> None:
    """Name the commands that can do something about the runs that are left alone."""
    _say_next(task, _codes(task.left_alone), output, may_undo=task.was_sent)


def _say_next(
    task: Task, codes: Mapping[str, set[ProjectKey]], output: Output, *, may_undo: bool
) -> None:
    """Name the commands that come next, by the outcomes of the runs that were not done."""
    arguments = [str(task.journal.path), *task.session]
    renaming = task.direction == "rename"
    if codes.keys() & _CHANGED:
        output.next_step("To see what became of these runs", "report", *task.look_again)
    if renaming and SYNCED in codes:
        paths = sorted(str(key).removeprefix(f"{DEFAULT_ENTITY}/") for key in codes[SYNCED])
        output.next_step("To rename these runs on W&B, where they are now", "report", *paths)
    if again := codes.keys() - {"altered", SYNCED, *_CHANGED}:
        when = next((when for those, when in _WHEN if again <= those), "")
        if _is_offline(task) and "refused" in again:
            when = ""
        purpose = f"To finish the rename{when}" if renaming else f"To put back the others{when}"
        if again == {"not-verified"}:
            purpose = "To read these names again"
        output.next_step(purpose, COMMAND[task.direction], *arguments)
    if renaming and may_undo:
        output.next_step(f"To take it {'' if codes else 'all '}back", "undo", *arguments)
    if not renaming and not codes:
        output.next_step("To rename these runs again", "resume", *arguments)


def _is_offline(task: Task) -> bool:
    return all(isinstance(project, OfflineProject) for project in task.projects.values())
