"""What `rename`, `resume` and `undo` share: show, ask, change the names, say how it ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import typer

from migrate.cli.sources import Place, in_words
from migrate.client.offline import Folder, OfflineProject
from migrate.client.paths import ProjectPath
from migrate.client.runs import ProjectKey
from migrate.client.source import Source
from migrate.console import Output, OutputError
from migrate.errors import InputError, ReadOnly
from migrate.mapping.rows import number_of_runs
from migrate.rename.execute import Result, run
from migrate.rename.journal import Journal
from migrate.rename.plan import Direction, PlannedRename
from migrate.report.outcomes import outcome_lines, stop_words, summary_words
from migrate.report.terminal import print_renames

Projects = Mapping[ProjectKey, Source]
_MOST_PROJECTS = 3

PAST: Mapping[Direction, str] = {"rename": "renamed", "undo": "put back"}
COMMAND: Mapping[Direction, str] = {"rename": "resume", "undo": "undo"}
"""What goes on with a journal."""

_CHANGED: frozenset[str] = frozenset({"drifted", "gone"})
"""What only a new plan can do something about."""

_WHEN: Sequence[tuple[frozenset[str], str]] = (
    (frozenset({"refused", "read-only"}), " with a key that may rename these runs"),
    (frozenset({"running", "held"}), " once these runs have ended"),
    (frozenset({"refused", "read-only", "running", "held"}), " later"),
)
"""When the same command again does the rest, where all that was left has one of these codes."""


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
        output.tell(f"Nothing was {PAST[direction]}: stdout was closed before the plan was shown.")
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
        The exit code where the answer is no: 0, as nothing failed, and 130 for Ctrl-C. None
        where it is yes.

    Raises:
        ReadOnly: One of the projects takes no renames.
        InputError: There is no terminal to ask on.
    """
    concerned = list(dict.fromkeys(rename.where for rename in plan))
    refuse_read_only(projects[where] for where in concerned)
    if yes:
        return None
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise InputError(
            "Cannot ask without a terminal; nothing was touched. "
            "Check the plan, then run again with --yes."
        )
    runs = number_of_runs(len({rename.key for rename in plan}))
    words = "Rename" if direction == "rename" else "Put back the names of"
    code = 0
    try:
        question = f"{words} {runs} of {_listed(concerned)} {in_words(place)}?"
        if typer.confirm(question, err=True):
            return None
    except typer.Abort as abort:
        code = 130 if isinstance(abort.__context__, KeyboardInterrupt) else 0
        output.tell("")
    output.tell(f"Nothing was {PAST[direction]}.")
    return code


def _listed(keys: Sequence[ProjectKey]) -> str:
    projects = [str(key) for key in keys]
    if len(projects) > _MOST_PROJECTS:
        return f"{projects[0]} and {len(projects) - 1} other projects"
    return " and ".join([", ".join(projects[:-1]), projects[-1]] if projects[1:] else projects)


def carry_out(task: Task, output: Output) -> int:
    """Change the names, and report what the server shows at the end; gives the exit code."""
    journal = task.journal
    try:
        with journal:
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
        _say_next(task, {"not-reached"}, output)
        sys.stderr.flush()
        os._exit(130)
    if result.stopped is not None and result.stopped.code == "interrupted":
        return 130
    return 1 if result.failed else 0


def _say_outcome(task: Task, result: Result, output: Output) -> None:
    """Report what the server, or a folder, shows at the end, and what comes next."""
    failed = [
        (key.run_id, outcome.code, outcome.text)
        for key, outcome in result.failed.items()
        if outcome.code != "not-reached"
    ]
    for line in outcome_lines(failed):
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
            verb=PAST[task.direction],
            source="the logs" if offline else "the server",
        )
    )
    codes: set[str] = {outcome.code for outcome in result.failed.values()}
    stopped = result.stopped
    if stopped is not None and stopped.code != "interrupted":
        output.tell(f"Stopped: {stop_words(stopped.code, stopped.text, stopped.count)}")
        if stopped.code == "altered":  # the server would alter the others, too
            codes = {"altered"} | codes & _CHANGED
    _say_next(task, codes, output)


def _say_next(task: Task, codes: set[str], output: Output) -> None:
    """Name the commands that come next.

    Args:
        task: What was done.
        codes: The outcomes of the runs that do not bear the name they were to get.
        output: Where to.
    """
    arguments = [str(task.journal.path), *task.session]
    renaming = task.direction == "rename"
    if renaming and codes & _CHANGED:
        output.next_step("To see what became of these runs", "report", *task.look_again)
    if again := codes - {"altered", *_CHANGED}:
        when = next((when for those, when in _WHEN if again <= those), "")
        if renaming:
            output.next_step(f"To finish the rename{when}", "resume", *arguments)
        else:
            output.next_step(f"To put back the others{when}", "undo", *arguments)
    if renaming:
        output.next_step(f"To take it {'' if codes else 'all '}back", "undo", *arguments)
    elif not codes:
        output.next_step("To rename these runs again", "resume", *arguments)
