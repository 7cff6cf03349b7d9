"""`resume` and `undo`: go on from journals, or list those that there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from migrate.cli.carry_out import (
    COMMAND,
    PAST,
    Projects,
    Task,
    carry_out,
    declined,
    paths_of,
    print_plan,
    projects_of,
    shown_whole,
)
from migrate.cli.journals import list_journals
from migrate.cli.sources import Place, open_address, tell_unreadable
from migrate.client.offline import Folder
from migrate.client.paths import same_server
from migrate.client.runs import RunKey, RunState
from migrate.client.source import Source
from migrate.console import Output
from migrate.errors import InputError, NoProject, scrub
from migrate.mapping.rows import number_of_runs
from migrate.rename.journal import Journal, JournalState
from migrate.rename.plan import Direction, PlannedRename, is_done
from migrate.report.outcomes import few

# How long undo waits for names that its journal says were changed, and that are shown unchanged.
LAG_SECONDS = (3.0, 3.0)

INTERRUPTED = 130
Opened = tuple[Journal, JournalState]


def go_on(
    paths: Sequence[Path], direction: Direction, base_url: str | None, *, yes: bool, dry_run: bool
) -> int:
    """`resume` (direction rename) and `undo`; gives the exit code.

    Args:
        paths: The journals. Several are undone, the newest first; none: list those in this folder.
        direction: Which of the two commands it is.
        base_url: The server, in place of wandb's own setting.
        yes: Do not ask.
        dry_run: Stop after the plan.

    Raises:
        InputError: A journal cannot be used; nothing was touched.
        ServerError: The projects cannot be read.
    """
    output = Output()
    if not paths:
        return list_journals(output, direction)
    with ExitStack() as stack:
        # Before a server is contacted: a damaged journal is an error, and nobody else may use it.
        opened = _open(paths, output, stack)
        if not opened:
            return 0
        place = open_address(opened[0][1].header.server, base_url, output.progress)
        tell_unreadable(place, output)
        for journal, state in opened:
            _check_place(journal.path, state, place, several=len(opened) > 1)
        session = [] if base_url is None else ["--base-url", base_url]
        tasks = [_task(*both, place, direction, session, output) for both in opened]
        todo = [task for task in tasks if task.plan]
        if not todo:
            undoing = direction == "undo"
            why = "there are no names to put back" if undoing else "all runs are renamed already"
            output.say(f"Nothing to do: {why}.")
            look = [*paths_of(place, opened[0][1].header.projects), *session]
            output.next_step("To see what there is, and what needs attention", "audit", *look)
            return 0
        with shown_whole(output, direction):
            for task in todo:
                _say_which(task, todo, output)
                print_plan(output, task.plan)
        plan = [rename for task in todo for rename in task.plan]
        if dry_run:
            runs = number_of_runs(sum(len(state.concerned(direction)) for _, state in opened))
            would = f"{len(plan)} of {runs} would be {PAST[direction]}"
            output.say(f"Dry run: {would}. Nothing was written.")
            again = [str(task.journal.path) for task in todo]
            output.next_step("To do it", COMMAND[direction], *again, *session)
            return 0
        projects = {key: project for task in todo for key, project in task.projects.items()}
        code = declined(output, plan, projects, place, direction, yes=yes)
        return _carry_out_all(todo, output) if code is None else code


def _open(paths: Sequence[Path], output: Output, stack: ExitStack) -> list[Opened]:
    """Open the journals that have a plan, the newest first."""
    opened = []
    for path in {path.resolve(): path for path in paths}.values():
        journal, state = Journal.reopen(path)
        stack.enter_context(journal)
        if state.complete:
            opened.append((journal, state))
            continue
        output.say(f"{path}: the journal has no complete plan, so nothing was renamed.")
        if not state.header.server.startswith("file:"):
            output.next_step("To rename", "rename", *state.header.projects)
    return sorted(opened, key=lambda both: both[1].header.time, reverse=True)


def _check_place(path: Path, state: JournalState, place: Place, *, several: bool) -> None:
    """Raise InputError where a journal is about runs that are somewhere else."""
    written, here = state.header.server, scrub(place.base_url)
    if isinstance(place, Folder):
        fits = written == here or not several  # one folder has several addresses
    else:
        fits = same_server(written, here)
    if not fits:
        which = f"The journal {path}" if several else "The journal"
        raise InputError(
            f"{which} is about {written}, and this session is with {here}. "
            + ("Undo it alone, or set" if several else "Set")
            + " --base-url or WANDB_BASE_URL to the journal's."
        )


def _task(
    journal: Journal,
    state: JournalState,
    place: Place,
    direction: Direction,
    session: Sequence[str],
    output: Output,
) -> Task:
    """What is to be done of a journal, by what the server shows now."""
    if direction == "rename" and state.last == "undo":
        output.say("This rename was being undone; resuming renames these runs again.")
    plan = state.concerned(direction)
    projects = projects_of(place, plan)
    expected = state.renamed if direction == "undo" else set()
    return Task(
        journal=journal,
        plan=_still_to_do(plan, projects, expected, output),
        projects=projects,
        direction=direction,
        include_running=state.header.include_running,
        look_again=[*paths_of(place, projects), *session],
        session=session,
    )


def _say_which(task: Task, todo: Sequence[Task], output: Output) -> None:
    """Name a journal, where there are several."""
    if len(todo) > 1:
        output.say(f"{task.journal.path}:")


def _carry_out_all(todo: Sequence[Task], output: Output) -> int:
    """Work off the journals, until one is interrupted; gives the exit code."""
    code = 0
    for number, task in enumerate(todo, 1):
        _say_which(task, todo, output)
        code = max(code, carry_out(task, output))
        if code == INTERRUPTED and todo[number:]:
            paths = [str(later.journal.path) for later in todo[number:]]
            output.next_step("To put back what is in the other journals", "undo", *paths)
            break
    return code


def _still_to_do(
    plan: Sequence[PlannedRename],
    projects: Projects,
    expected: set[RunKey],
    output: Output,
) -> list[PlannedRename]:
    """Those of the plan whose names are not yet what they are to be, asked of the server.

    Args:
        plan: The renames of an undo, or of a resumed rename.
        projects: Their projects.
        expected: Runs that are to be put back, and bore their new name when they were last heard
            of. Where they show the old one already, the server's data may lag by some seconds.
        output: Shows progress.
    """
    rest, missing = [], []
    for where, project in projects.items():
        here = [rename for rename in plan if rename.where == where]
        try:
            done = _done_already(here, project, expected, output)
        except NoProject as error:  # gone, or hidden: the other projects are not
            missing.append(error)
            done = []
        rest += [rename for rename in here if rename.key not in done]
        if shown := [key.run_id for key in done if key in expected]:
            words, them = "were renamed by this journal but have their old names", "them"
            if len(shown) == 1:
                words, them = "was renamed by this journal but has its old name", "it"
            output.tell(
                f"{number_of_runs(len(shown))} {words} now; "
                f"somebody may have put {them} back: {few(shown)}"
            )
    if missing and len(missing) == len(projects):
        raise missing[0]
    return rest


def _done_already(
    renames: Sequence[PlannedRename], project: Source, expected: set[RunKey], output: Output
) -> list[RunKey]:
    """The runs that bear the names they are to get, in order; those expected not to, for sure."""
    states: dict[str, RunState] = {}
    done: list[RunKey] = []
    asked = [rename.key.run_id for rename in renames]
    with output.progress(f"Reading {project.key}") as bar:
        for seconds in (0.0, *LAG_SECONDS):
            if seconds:
                bar.note(f"{len(asked)} runs show their old names already, reading again")
                time.sleep(seconds)
            states |= project.states(asked, bar.note)
            done = [
                rename.key
                for rename in renames
                if (state := states.get(rename.key.run_id)) and is_done(rename, state)
            ]
            asked = [key.run_id for key in done if key in expected]
            if not asked:
                break
    return done
