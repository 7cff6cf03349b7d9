"""What `rename`, `resume` and `undo` share: show, ask, change the names, say how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

import typer

from migrate.cli.sources import Place, in_words
from migrate.client.offline import Folder, OfflineProject
from migrate.client.paths import ProjectPath
from migrate.client.runs import ProjectKey
from migrate.client.source import Source
from migrate.console import Output, OutputError
from migrate.errors import InputError
from migrate.mapping.rows import number_of_runs
from migrate.rename.execute import Result, run
from migrate.rename.journal import Journal
from migrate.rename.plan import Direction, PlannedRename
from migrate.report.outcomes import outcome_lines, stop_words, summary_words
from migrate.report.terminal import print_renames

Projects = Mapping[ProjectKey, Source]
_MOST_PROJECTS = 3

_CHANGED: frozenset[str] = frozenset({"drifted", "gone"})
"""What only a new plan can do something about."""

_WHEN: Sequence[tuple[frozenset[str], str]] = (
    (frozenset({"refused", "read-only"}), " with a key that may rename these runs"),
    (frozenset({"running", "held"}), " once these runs have ended"),
    (frozenset({"refused", "read-only", "running", "held"}), " later"),
)
"""When the same command again does the rest, where all that was left has one of these codes."""

_AGAIN: frozenset[str] = frozenset({"unanswered", "not-verified", "not-reached", "reverted"}).union(
    *(codes for codes, _ in _WHEN)
)


@dataclass(frozen=True, slots=True)
class Task:
    """One journal's renames that are to be done now.

    Attributes:
        journal: The journal.
        plan: The renames; of an undo those that take others back.
        projects: The projects that they are in.
        direction: Whether this is a rename or an undo.
        include_running: Whether runs whose processes are alive may be renamed.
        look_again: The arguments with which `report` shows these projects.
        session: The arguments with which `undo` and `resume` find the server again.
    """

    journal: Journal
    plan: Sequence[PlannedRename]
    projects: Projects
    direction: Direction
    include_running: bool
    look_again: Sequence[str]
    session: Sequence[str] = ()


def projects_of(place: Place, plan: Sequence[PlannedRename]) -> Projects:
    """A plan's projects."""
    return {
        where: place.project(ProjectPath(*where))
        for where in dict.fromkeys(rename.where for rename in plan)
    }


def paths_of(place: Place, projects: Iterable[object]) -> list[str]:
    """The PATHs to name projects with; a folder's are all in the folder."""
    return [str(place.path)] if isinstance(place, Folder) else [str(key) for key in projects]


@contextmanager
def shown_whole(output: Output, direction: Direction) -> Iterator[None]:
    """Print a plan; where it cannot be printed to its end, say that nothing was done.

    Raises:
        OutputError: Stdout takes no more. Nobody has seen what would be done.
    """
    try:
        yield
        sys.stdout.flush()
    except OutputError:
        output.tell(f"{_nothing(direction)}: stdout was closed before the plan was shown.")
        raise


def print_plan(output: Output, plan: Iterable[PlannedRename]) -> None:
    """Print renames of which nothing but the names is known."""
    print_renames(output.out, [(r.key, r.old_name, r.new_name, r.settled) for r in plan])


def refuse_read_only(projects: Iterable[Source], output: Output) -> bool:
    """Say so where one of the projects takes no renames: before the first write."""
    read_only = [str(project.key) for project in projects if project.read_only]
    if read_only:
        output.tell(f"error: {', '.join(read_only)}: read-only for this key. Nothing was written.")
    return bool(read_only)


def declined(
    output: Output, plan: Sequence[PlannedRename], place: Place, direction: Direction, *, yes: bool
) -> int | None:
    """Ask, unless the answer was given on the command line.

    Returns:
        The exit code where the answer is no: 0, as nothing failed, and 130 for Ctrl-C. None
        where it is yes.

    Raises:
        InputError: There is no terminal to ask on.
    """
    if yes:
        return None
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise InputError(
            "Cannot ask without a terminal; nothing was touched. "
            "Check the plan, then run again with --yes."
        )
    runs = number_of_runs(len({rename.key for rename in plan}))
    words = "Rename" if direction == "rename" else "Put back the names of"
    of = _listed([str(where) for where in dict.fromkeys(rename.where for rename in plan)])
    code = 0
    try:
        if typer.confirm(f"{words} {runs} of {of} {in_words(place)}?", err=True):
            return None
    except typer.Abort as abort:
        code = 130 if isinstance(abort.__context__, KeyboardInterrupt) else 0
        output.tell("")
    output.tell(f"{_nothing(direction)}.")
    return code


def _nothing(direction: Direction) -> str:
    return "Nothing was renamed" if direction == "rename" else "Nothing was put back"


def _listed(projects: Sequence[str]) -> str:
    if len(projects) > _MOST_PROJECTS:
        return f"{projects[0]} and {len(projects) - 1} other projects"
    return " and ".join([", ".join(projects[:-1]), projects[-1]] if projects[1:] else projects)


def carry_out(task: Task, output: Output) -> int:
    """Change the names, and report what the server shows at the end; gives the exit code."""
    journal = task.journal
    try:
        with closing(journal):
            journal.begin(task.direction)
            result = run(
                task.plan,
                task.projects,
                journal,
                task.direction,
                include_running=task.include_running,
                progress=output.progress,
                say=output.tell,
            )
        _say_outcome(task, result, output)
    except KeyboardInterrupt:  # a second one, or the work was over: at once
        journal.close()
        output.tell("Interrupted; requests in flight may still take effect.")
        _say_resume(task, "", output)
        sys.stderr.flush()
        os._exit(130)
    if result.stopped is not None and result.stopped.code == "interrupted":
        return 130
    return 1 if result.failed else 0


def _say_outcome(task: Task, result: Result, output: Output) -> None:
    """Report what the server, or a folder, shows at the end, and what comes next."""
    said = [
        (key.run_id, outcome.code, outcome.text)
        for key, outcome in result.failed.items()
        if outcome.code != "not-reached"
    ]
    for line in outcome_lines(said):
        output.tell(line)
    if unreached := result.having("not-reached"):
        output.tell(f"{number_of_runs(len(unreached))} not reached")
    offline = all(isinstance(project, OfflineProject) for project in task.projects.values())
    output.tell(
        summary_words(
            runs=len(task.plan),
            done=len(result.done),
            had=len(result.done - result.written),
            unread=len(result.having("not-verified")),
            verb="renamed" if task.direction == "rename" else "put back",
            source="the logs" if offline else "the server",
        )
    )
    stopped = result.stopped
    if stopped is not None and stopped.code != "interrupted":
        output.tell(f"Stopped: {stop_words(stopped.code, stopped.text, stopped.count)}")
    _say_next(task, result, output)


def _say_next(task: Task, result: Result, output: Output) -> None:
    codes = {outcome.code for outcome in result.failed.values()}
    if codes & _CHANGED and task.direction == "rename":
        output.next_step("To see what became of these runs", "report", *task.look_again)
    if not result.failed:
        _say_undo(task, "all ", output)
    elif result.stopped is not None and result.stopped.code == "altered":
        _say_undo(task, "", output)  # the server would alter the others, too
    elif rest := codes & _AGAIN:
        _say_resume(task, next((when for those, when in _WHEN if rest <= those), ""), output)
    else:
        _say_undo(task, "", output)


def _say_resume(task: Task, when: str, output: Output) -> None:
    arguments = [str(task.journal.path), *task.session]
    if task.direction == "undo":
        output.next_step(f"To put back the others{when}", "undo", *arguments)
    else:
        output.next_step(f"To finish the rename{when}", "resume", *arguments)
        _say_undo(task, "", output)


def _say_undo(task: Task, how_much: str, output: Output) -> None:
    arguments = [str(task.journal.path), *task.session]
    if task.direction == "rename":
        output.next_step(f"To take it {how_much}back", "undo", *arguments)
    elif how_much:
        output.next_step("To rename these runs again", "resume", *arguments)
