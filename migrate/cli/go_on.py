"""`resume` and `undo`: go on from journals, or list those that there are."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from rich.text import Text

from migrate.cli.carry_out import (
    COMMAND,
    PAST,
    Projects,
    Task,
    carry_out,
    declined,
    print_plan,
    projects_of,
    say_what_is_left,
    shown_whole,
    tell_outcomes,
)
from migrate.cli.sources import Place, open_address, paths_of, tell_unreadable
from migrate.client.offline import Folder
from migrate.client.paths import same_server
from migrate.client.runs import RunKey, RunState
from migrate.client.source import Source
from migrate.console import Output, command_line
from migrate.errors import INTERRUPTED, InputError, NoProject, scrub
from migrate.rename.journal import FORMAT, Journal, JournalState, read
from migrate.rename.plan import DONE, Direction, Outcome, PlannedRename, classify, is_done
from migrate.text import counted, few, visible

# How long undo waits for names that its journal says were changed, and that are shown unchanged.
LAG_SECONDS = (3.0, 3.0)

_FIRST_BYTES = 65_536
_MOST_IDS = 10
Opened = tuple[Journal, JournalState]


def go_on(
    paths: Sequence[Path], direction: Direction, base_url: str | None, *, yes: bool, dry_run: bool
) -> int:
    """`resume` (direction rename) and `undo`; gives the exit code.

    Several journals are undone from the newest; without one, those in this folder are listed.
    """
    output = Output()
    if not paths:
        return _list_journals(output, direction)
    with ExitStack() as stack:
        # Before a server is contacted: a damaged journal is an error, and nobody else may use it.
        opened = _open(paths, output, stack)
        if not opened:
            return 0
        place = _place_of(opened, base_url, output)
        session = [] if base_url is None else ["--base-url", base_url]
        todo: list[Task] = []
        for journal, state in opened:
            task = _task(journal, state, place, direction, session, todo, output)
            if task.plan or task.left_alone:
                todo.append(task)
        if not todo:
            undoing = direction == "undo"
            why = "there are no names to put back" if undoing else "all runs are renamed already"
            output.say(f"Nothing to do: {why}.")
            look = [*paths_of(place, opened[0][1].header.projects), *session]
            output.next_step("To see what there is, and what needs attention", "audit", *look)
            return 0
        plan = [rename for task in todo for rename in task.plan]
        with shown_whole(output, direction):
            for task in todo:
                _say_which(task, todo, output)
                if task.plan:
                    print_plan(output, task.plan)
                if dry_run or (plan and not yes):  # at the end, they are all named
                    tell_outcomes(task.left_alone, output)
        if dry_run:
            runs = counted(sum(len(state.concerned(direction)) for _, state in opened), "run")
            would = f"{len(plan)} of {runs} would be {PAST[direction]}"
            output.say(f"Dry run: {would}. Nothing was written.")
            if again := [str(task.journal.path) for task in todo if task.plan]:
                output.next_step("To do it", COMMAND[direction], *again, *session)
            else:
                say_what_is_left(todo[0], output)
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
    return sorted(opened, key=lambda pair: pair[1].header.time, reverse=True)


def _place_of(opened: Sequence[Opened], base_url: str | None, output: Output) -> Place:
    """Where the runs of all the journals are; InputError where one's are somewhere else."""
    place = open_address(opened[0][1].header.server, base_url, output.progress)
    tell_unreadable(place, output)
    here = scrub(place.base_url)
    folders = {here, opened[0][1].header.server}  # one folder has several addresses
    for journal, state in opened:
        written = state.header.server
        if not (written in folders if isinstance(place, Folder) else same_server(written, here)):
            raise InputError(
                f"The journal {journal.path} is about {written}, and this session is with {here}. "
                + ("Undo it alone." if len(opened) > 1 else "Set --base-url to the journal's.")
            )
    return place


def _task(
    journal: Journal,
    state: JournalState,
    place: Place,
    direction: Direction,
    session: Sequence[str],
    before: Sequence[Task],
    output: Output,
) -> Task:
    """What is to be done of a journal, by what the server shows now.

    What it shows of runs that the tasks `before` this one rename says nothing yet.
    """
    if direction == "rename" and state.last == "undo":
        output.say("This rename was being undone; resuming renames these runs again.")
    plan = state.concerned(direction)
    projects = projects_of(place, plan)
    expected = state.renamed if direction == "undo" else set()
    running = state.header.include_running or direction == "undo"
    pending = {rename.key for task in before for rename in task.plan}
    judged = [rename for rename in plan if rename.key not in pending]
    outcomes = _outcomes_now(judged, projects, expected, output, include_running=running)
    rest = [rename for rename in plan if rename.key not in outcomes]
    left_alone = {key: outcome for key, outcome in outcomes.items() if outcome != DONE}
    look = [*paths_of(place, projects), *session]
    was_sent = bool(state.sent)
    return Task(
        journal, rest, projects, direction, running, look, session, left_alone, was_sent=was_sent
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


def _outcomes_now(
    plan: Sequence[PlannedRename],
    projects: Projects,
    expected: set[RunKey],
    output: Output,
    *,
    include_running: bool,
) -> dict[RunKey, Outcome]:
    """What the server shows now of the renames that are done, or cannot be.

    Those of a project that takes no renames are left to the check before the first write.

    Args:
        plan: The renames of an undo, or of a resumed rename.
        projects: Their projects.
        expected: Runs that are to be put back, and bore their new name when they were last heard
            of. Where they show the old one already, the server's data may lag by some seconds.
        output: Shows progress.
        include_running: Whether runs whose processes are alive will be renamed.
    """
    outcomes: dict[RunKey, Outcome] = {}
    missing = []
    for where, project in projects.items():
        here = [rename for rename in plan if rename.where == where]
        try:
            states = _states(here, project, expected, output)
        except NoProject as error:  # gone, or hidden: the other projects are not
            missing.append(error)
            continue
        now: dict[RunKey, Outcome] = {}
        for rename in here:
            state = states.get(rename.key.run_id)
            outcome = classify(rename, state, include_running=include_running)
            if outcome is not None:
                now[rename.key] = outcome
        outcomes |= {key: outcome for key, outcome in now.items() if outcome.code != "read-only"}
        if back := [key.run_id for key in now if key in expected and now[key] == DONE]:
            were, have, them = "were", "have their old names", "them"
            if len(back) == 1:
                were, have, them = "was", "has its old name", "it"
            output.tell(
                f"{counted(len(back), 'run')} {were} renamed by this journal but {have} now; "
                f"somebody may have put {them} back: {visible(few(back, _MOST_IDS))}"
            )
    if missing and len(missing) == len(projects):
        raise missing[0]
    return outcomes


def _states(
    renames: Sequence[PlannedRename], project: Source, expected: set[RunKey], output: Output
) -> dict[str, RunState]:
    """What the runs are now; those that are expected not to bear their names yet, for sure."""
    states: dict[str, RunState] = {}
    asked = [rename.key.run_id for rename in renames]
    with output.progress(f"Reading {project.key}") as bar:
        for seconds in (0.0, *LAG_SECONDS):
            if seconds:
                bar.note(f"{len(asked)} runs show their old names already, reading again")
                time.sleep(seconds)
            states |= project.states(asked, bar.note)
            asked = [
                rename.key.run_id
                for rename in renames
                if rename.key in expected
                and (state := states.get(rename.key.run_id))
                and is_done(rename, state)
            ]
            if not asked:
                break
    return states


def _list_journals(output: Output, direction: Direction) -> int:
    """Print the journals in this folder, the newest first, with the command for those it is for."""
    command = COMMAND[direction]
    found, damaged = _find_journals()
    for path, state in found:
        projects, time_ = ", ".join(state.header.projects), state.header.time
        words = [projects, time_, counted(len(state.plan), "run"), state_words(state)]
        lines = [str(path), "    " + "  ".join(words)]
        if _is_for(state, direction):
            lines.append(f"    {command_line(command, str(path))}")
        for line in lines:
            output.out.print(Text(visible(line)), soft_wrap=True)
    for error in damaged:
        output.tell(f"{error}")
    if not found and not damaged:
        output.say("There is no journal in this folder. Name one that is elsewhere.")
    elif not any(_is_for(state, direction) for _, state in found):
        output.say(f"There is nothing to {command} in this folder.")
    return 0


def _find_journals() -> tuple[list[tuple[Path, JournalState]], list[InputError]]:
    """The journals in this folder, the newest first; and what is wrong with others."""
    found, damaged = [], []
    for path in Path().glob("*.jsonl"):
        try:
            with path.open("rb") as file:
                # By our own ending it is a journal, whatever happened to its first line.
                ours = path.name.endswith(".journal.jsonl")
                if not ours and FORMAT.encode() not in file.readline(_FIRST_BYTES):
                    continue
        except OSError:
            continue
        try:
            found.append((path, read(path)))
        except InputError as error:
            damaged.append(error)
    return sorted(found, key=lambda pair: pair[1].header.time, reverse=True), damaged


def state_words(state: JournalState) -> str:
    """How far a rename, or its undo, has come."""
    plan, renamed = len(state.plan), len(state.renamed)
    if not state.complete:
        return "nothing was renamed"
    if state.last == "undo" and not state.sent & state.renamed:
        unsure = f", but for {len(state.sent)} of {plan} that may have been sent"
        return f"undone{unsure if state.sent else ''}"
    if state.last == "undo":
        return f"undo unfinished: {len(state.sent)} of {plan} to put back"
    if state.open:
        return f"rename unfinished: {renamed} of {plan} renamed"
    return f"{renamed} of {plan} renamed"


def _is_for(state: JournalState, direction: Direction) -> bool:
    """Whether `resume` (direction rename) or `undo` has something to do."""
    if direction == "undo":
        return bool(state.sent)
    return state.complete and len(state.renamed) < len(state.plan)
