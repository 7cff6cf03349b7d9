"""`rename`, `resume` and `undo`: show, ask, do, and report what the server shows afterwards."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import typer

from migrate.cli.look import mapped_projects
from migrate.cli.request import Request
from migrate.cli.sources import Place, in_words, open_address, open_sources, tell_unreadable
from migrate.client.offline import Folder, OfflineProject
from migrate.client.paths import ProjectPath, same_server
from migrate.client.runs import ProjectKey, RunKey, RunState
from migrate.client.source import Source
from migrate.console import MANNER, Output
from migrate.errors import InputError, NoProject, scrub
from migrate.mapping.projects import list_runs
from migrate.mapping.rows import number_of_runs
from migrate.rename.check import Problem, check
from migrate.rename.execute import Result, run
from migrate.rename.journal import Header, Journal
from migrate.rename.plan import Direction, PlannedRename, is_done, planned
from migrate.rename.plan_file import list_problems, read_plan
from migrate.report.outcomes import outcome_words, stop_words
from migrate.report.terminal import print_renames, print_report
from migrate.report.words import settled_text
from migrate.text import visible

Projects = Mapping[ProjectKey, Source]
_MOST_FAILED = 50
# How long undo waits for names that its journal says were changed, and that are shown unchanged.
_LAG_SECONDS = (3.0, 3.0)


@dataclass(frozen=True, slots=True)
class RenameOptions:
    """The options of `rename` that are not about the mapping."""

    limit: int | None = None
    journal: Path | None = None
    yes: bool = False
    dry_run: bool = False
    include_running: bool = False


def rename(
    paths: Sequence[str], plan_file: Path | None, request: Request, options: RenameOptions
) -> int:
    """Show the plan, ask, rename, and read every name back; gives the exit code."""
    output = Output()
    if plan_file is not None:
        return _rename_saved(paths, plan_file, request, options, output)
    place, mapped = mapped_projects(paths, request, output)
    rows = [row for project in mapped for row in project.chosen]
    renames = planned(rows, settled_text)
    plan = renames[: options.limit]
    kept = {rename.key for rename in plan}
    print_report(output.out, [row for row in rows if row.new_name is None or row.key in kept])
    if len(plan) < len(renames):
        output.say(f"--limit: the first {len(plan)} of {len(renames)} renames.")
    projects = {project.project.key: project.project for project in mapped}
    held = {row.key.where for row in rows if "read-only" in row.codes}
    if not options.dry_run and _refuse_read_only([projects[where] for where in held], output):
        return 1
    made_with = mapped[0].made_with.as_data() if mapped else {}
    return _rename(place, projects, plan, output, options, made_with)


def _rename_saved(
    paths: Sequence[str],
    plan_file: Path,
    request: Request,
    options: RenameOptions,
    output: Output,
) -> int:
    """Rename what a plan file says, after checking it against the server."""
    if unused := request.about_the_plan():
        raise InputError(
            f"--plan takes exactly its file's rows: {', '.join(unused)} cannot change them. "
            "Use such options with `report` when saving the plan."
        )
    plan = read_plan(plan_file)
    found = open_sources(
        paths,
        request.base_url,
        request.against,
        output.progress,
        may_prompt=not MANNER.quiet,
    )
    place, allowed = found.place, {project.key for project in found.projects}
    foreign = [rename.where for rename in plan if allowed and rename.where not in allowed]
    if foreign:
        raise InputError(
            f"The plan is about {foreign[0]}, not {', '.join(map(str, sorted(allowed)))}. "
            "Nothing was touched."
        )
    plan = plan[: options.limit]
    projects = _projects(place, plan)
    runs = [run for project in projects.values() for run in list_runs(project, output.progress)]
    taken = {(key, name) for key, project in projects.items() for name in project.taken}
    problems = check(plan, runs, include_running=options.include_running, taken=taken)
    if problems:
        where = "folder" if isinstance(place, Folder) else "server"
        raise InputError(
            list_problems(f"The plan does not fit the {where}", [*map(_problem_words, problems)])
        )
    tell_unreadable(place, output)
    _print_plan(output, plan)
    return _rename(place, projects, plan, output, options, {"plan": str(plan_file)})


def _problem_words(problem: Problem) -> str:
    run_id = visible(problem.rename.key.run_id)
    if problem.bearer is None:
        return f"{run_id}: no such run in {problem.rename.where}"
    new_name = visible(problem.rename.new_name)
    if problem.taken:
        return f"{run_id}: {new_name} is taken"
    return f"{run_id}: run {visible(problem.bearer.run_id)} already has the name {new_name}"


def _print_plan(output: Output, plan: Iterable[PlannedRename]) -> None:
    print_renames(output.out, [(r.key, r.old_name, r.new_name, r.settled) for r in plan])


def _projects(place: Place, plan: Sequence[PlannedRename]) -> Projects:
    """A plan's projects."""
    return {
        where: place.project(ProjectPath(*where))
        for where in dict.fromkeys(rename.where for rename in plan)
    }


def _rename(
    place: Place,
    projects: Projects,
    plan: Sequence[PlannedRename],
    output: Output,
    options: RenameOptions,
    made_with: Mapping[str, object],
) -> int:
    """Ask, journal the plan, rename, and report what the server shows; gives the exit code."""
    if not plan:
        output.say("Nothing to rename.")
        return 0
    if supplied := sum(bool(rename.settled) for rename in plan):
        renames = number_of_runs(len(plan))
        output.tell(f"With values that rules or options supplied: {supplied} of {renames}.")
    if options.dry_run:
        output.say(f"Dry run: {number_of_runs(len(plan))} would be renamed. Nothing was written.")
        return 0
    concerned = {rename.where for rename in plan}
    if _refuse_read_only([projects[where] for where in concerned], output):
        return 1
    if not _agreed(output, f"Rename {number_of_runs(len(plan))} {in_words(place)}?", options.yes):
        return 0
    path = options.journal or _default_journal(plan)
    header = Header.of(
        place.base_url, plan, include_running=options.include_running, made_with=made_with
    )
    with Journal.create(path, header, plan) as journal:
        output.say(f"Journal: {path}")
        return _carry_out(journal, plan, projects, "rename", options.include_running, output)


def _refuse_read_only(projects: Iterable[Source], output: Output) -> bool:
    """Say so where one of the projects takes no renames: before the first write."""
    read_only = [str(project.key) for project in projects if project.read_only]
    if read_only:
        output.tell(f"error: {', '.join(read_only)}: read-only for this key. Nothing was written.")
    return bool(read_only)


def go_on(
    path: Path, direction: Direction, base_url: str | None, *, yes: bool, dry_run: bool
) -> int:
    """`resume` (direction rename) and `undo`; gives the exit code."""
    output = Output()
    # Before a server is contacted: a damaged journal is an error, and nobody else may use it.
    journal, state = Journal.reopen(path)
    with journal:
        if not state.complete:
            output.say("The journal has no complete plan, so nothing was renamed.")
            if direction == "rename":
                output.say("Run `rsst-migrate rename` again.")
            return 0
        place = open_address(state.header.server, base_url, output.progress)
        tell_unreadable(place, output)
        here = scrub(place.base_url)
        if not isinstance(place, Folder) and not same_server(state.header.server, here):
            raise InputError(
                f"The journal is about {state.header.server}, and this session is with "
                f"{here}. Set --base-url or WANDB_BASE_URL to the journal's."
            )
        if direction == "rename" and state.last == "undo":
            output.say("This rename was being undone; resuming renames these runs again.")
        plan = state.concerned(direction)
        projects = _projects(place, plan)
        expected = state.renamed if direction == "undo" else set()
        rest = _still_to_do(plan, projects, expected, output)
        if not rest:
            undoing = direction == "undo"
            why = "there are no names to put back" if undoing else "all runs are renamed already"
            output.say(f"Nothing to do: {why}.")
            return 0
        _print_plan(output, rest)
        if dry_run:
            would = "put back" if direction == "undo" else "renamed"
            output.say(
                f"Dry run: {len(rest)} of {number_of_runs(len(plan))} would be {would}. "
                "Nothing was written."
            )
            return 0
        words = "Put back the names of" if direction == "undo" else "Rename"
        question = f"{words} {number_of_runs(len(rest))} {in_words(place)}?"
        if _refuse_read_only(projects.values(), output):
            return 1
        if not _agreed(output, question, yes):
            return 0
        running = state.header.include_running
        return _carry_out(journal, rest, projects, direction, running, output)


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
        with output.progress(f"Reading {where}") as bar:
            try:
                states = project.states([rename.key.run_id for rename in here], bar.note)
                for seconds in _LAG_SECONDS:
                    lagging = _done_already(here, states, expected)
                    if not lagging:
                        break
                    bar.note(f"{len(lagging)} runs show their old names already, reading again")
                    time.sleep(seconds)
                    states |= project.states(lagging, bar.note)
            except NoProject as error:  # gone, or hidden: the other projects are not
                missing.append(error)
                rest += here
                continue
        rest += [rename for rename in here if _is_to_do(rename, states)]
        if shown := _done_already(here, states, expected):
            words, them = "were renamed by this journal but have their old names", "them"
            if len(shown) == 1:
                words, them = "was renamed by this journal but has its old name", "it"
            output.tell(
                f"{number_of_runs(len(shown))} {words} now; "
                f"somebody may have put {them} back: {_few(shown)}"
            )
    if missing and len(missing) == len(projects):
        raise missing[0]
    return rest


def _done_already(
    renames: Sequence[PlannedRename], states: Mapping[str, RunState], expected: set[RunKey]
) -> list[str]:
    """The ids of the runs that were expected to be still to do, and are not."""
    return [
        rename.key.run_id
        for rename in renames
        if rename.key in expected and not _is_to_do(rename, states)
    ]


def _is_to_do(rename: PlannedRename, states: Mapping[str, RunState]) -> bool:
    state = states.get(rename.key.run_id)
    return state is None or not is_done(rename, state)


def _few(run_ids: Sequence[str]) -> str:
    """The first few of some run ids."""
    more = [f"and {len(run_ids) - 10} more"] if len(run_ids) > 10 else []
    return visible(", ".join([*run_ids[:10], *more]))


def _carry_out(
    journal: Journal,
    plan: Sequence[PlannedRename],
    projects: Projects,
    direction: Direction,
    include_running: bool,
    output: Output,
) -> int:
    """Change the names, and report what the server shows at the end; gives the exit code."""
    try:
        with closing(journal):
            journal.begin(direction)
            result = run(
                plan,
                projects,
                journal,
                direction,
                include_running=include_running,
                progress=output.progress,
                say=output.tell,
            )
        offline = all(isinstance(project, OfflineProject) for project in projects.values())
        source = "the logs" if offline else "the server"
        _say_outcome(output, result, plan, direction, journal.path, source)
    except KeyboardInterrupt:  # a second one, or the work was over: at once
        journal.close()
        next_step = _how_to_go_on(journal.path, direction)
        output.tell(f"Interrupted; requests in flight may still take effect. {next_step}")
        sys.stderr.flush()
        os._exit(130)
    if result.stopped is not None and result.stopped.code == "interrupted":
        return 130
    return 1 if result.failed else 0


def _say_outcome(
    output: Output,
    result: Result,
    plan: Sequence[PlannedRename],
    direction: Direction,
    path: Path,
    source: str,
) -> None:
    """Report what the server, or a folder, shows at the end, and how to go on."""
    failed = [
        (key, outcome) for key, outcome in result.failed.items() if outcome.code != "not-reached"
    ]
    for key, outcome in failed[:_MOST_FAILED]:
        output.tell(f"{key.run_id}: {outcome_words(outcome.code, outcome.text)}")
    if len(failed) > _MOST_FAILED:
        output.tell(f"… and {len(failed) - _MOST_FAILED} more")
    if unreached := result.having("not-reached"):
        output.tell(f"{number_of_runs(len(unreached))} not reached")
    done = "renamed" if direction == "rename" else "put back"
    had = len(result.done - result.written)
    line = f"{len(result.done)} of {number_of_runs(len(plan))} {done}, read back from {source}"
    line += f" ({had} had the name already)" if had else ""
    if unread := result.having("not-verified"):
        sent = len(unread & result.written)
        line += f"; {len(unread)} could not be read back, {sent} of them confirmed when sent"
    output.tell(f"{line}. Journal: {path}" if not result.failed else f"{line}.")
    stopped = result.stopped
    if stopped is not None and stopped.code != "interrupted":
        output.tell(f"Stopped: {stop_words(stopped.code, stopped.text, stopped.count)}")
    if stopped is not None and stopped.code == "altered" and direction == "rename":
        output.tell(f"To take it back: rsst-migrate undo {quote(str(path))}")
    elif result.failed:
        output.tell(_how_to_go_on(path, direction))
    elif direction == "rename":
        output.say(f"To take it all back: rsst-migrate undo {quote(str(path))}")


def _how_to_go_on(path: Path, direction: Direction) -> str:
    journal = quote(str(path))
    if direction == "undo":
        return f"To go on: rsst-migrate undo {journal}"
    return f"To go on: rsst-migrate resume {journal}. To take it back: rsst-migrate undo {journal}"


def _agreed(output: Output, question: str, yes: bool) -> bool:
    """Ask, unless the answer was given on the command line."""
    if yes:
        return True
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise InputError(
            "Cannot ask without a terminal; nothing was touched. "
            "Check the plan, then run again with --yes."
        )
    if not typer.confirm(question, err=True):
        output.say("Nothing was written.")
        return False
    return True


def _default_journal(plan: Sequence[PlannedRename]) -> Path:
    """A name for the journal, in this folder."""
    first = "-".join(plan[0].where)
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in first)
    return Path(f"rename-{safe}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.journal.jsonl")
