"""`rename`, `resume` and `undo`: show, ask, do, and tell what the server says afterwards."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

import typer

from migrate.client.runs import Run, RunKey, RunState
from migrate.client.server import PAGE, Project, Server
from migrate.console import Output
from migrate.errors import InputError, scrub
from migrate.mapping.projects import Mapped, list_runs
from migrate.mapping.rows import Row, number_of_runs
from migrate.rename.batches import Result, run
from migrate.rename.journal import Direction, Header, Journal, read
from migrate.rename.plan import Key, PlannedRename, planned
from migrate.rename.plan_file import check_new_name, list_problems
from migrate.report.terminal import print_report
from migrate.text import visible

Projects = Mapping[tuple[str, str], Project]
_MOST_FAILED = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """How a rename was asked for: the options of `rename` that are not about the mapping."""

    limit: int | None = None
    journal: Path | None = None
    yes: bool = False
    dry_run: bool = False
    include_running: bool = False


def rename_mapped(server: Server, mapped: Sequence[Mapped], output: Output, asked: Asked) -> None:
    """Rename what the projects' rows say."""
    rows = [row for one in mapped for row in one.chosen]
    plan = planned(rows)[: asked.limit]
    kept = {one.key for one in plan}
    shown = [row for row in rows if row.new_name is None or row.key in kept]
    print_report(output.out, shown)
    if len(shown) < len(rows):
        output.say(
            f"--limit: the first {len(plan)} of {len(plan) + len(rows) - len(shown)} renames."
        )
    projects = {one.project.where: one.project for one in mapped}
    if not asked.dry_run:
        _refuse_read_only(
            [one.project for one in mapped if any("read-only" in row.codes for row in one.chosen)],
            output,
        )
    rename(server, projects, plan, output, asked)


def rename_planned(
    server: Server,
    plan: Sequence[PlannedRename],
    paths: Sequence[str],
    output: Output,
    asked: Asked,
) -> None:
    """Rename what a plan file says, after checking it against the server."""
    named = [server.project(path) for path in paths]
    allowed = {project.where for project in named}
    wanted = dict.fromkeys(one.where for one in plan)
    foreign = [where for where in wanted if allowed and where not in allowed]
    if foreign:
        raise InputError(
            f"The plan is about {'/'.join(foreign[0])}, not {', '.join(paths)}. "
            "Nothing was touched."
        )
    plan = list(plan)[: asked.limit]
    projects = _projects(server, plan)
    print_report(output.out, _check_against(projects, plan, output, asked.include_running))
    rename(server, projects, plan, output, asked)


def _projects(server: Server, plan: Sequence[PlannedRename]) -> Projects:
    """A plan's projects; InputError where one is written in another way than the server's."""
    projects = {}
    for where in dict.fromkeys(one.where for one in plan):
        projects[where] = server.project("/".join(where))
        if projects[where].where != where:
            raise InputError(f"The plan is about {'/'.join(where)!r}, which is no project's path.")
    return projects


def _check_against(
    projects: Projects, plan: Sequence[PlannedRename], output: Output, include_running: bool
) -> list[Row]:
    """The plan's rows as they stand on the server; InputError listing all that is wrong."""
    problems = []
    rows = {}
    for where, project in projects.items():
        runs = {one.key.run_id: one for one in list_runs(project, output.progress)}
        here = {one.run_id: one for one in plan if one.where == where}
        moving = {
            run_id
            for run_id, one in here.items()
            if run_id in runs and _will_move(one, runs[run_id], include_running)
        }
        bearers = {one.name: run_id for run_id, one in runs.items() if run_id not in moving}
        for one in here.values():
            run = runs.get(one.run_id)
            if run is None:
                problems.append(f"{visible(one.run_id)}: no such run in {'/'.join(where)}")
                continue
            if bearers.get(one.new_name, one.run_id) != one.run_id:
                problems.append(
                    f"{visible(one.run_id)}: {visible(one.new_name)} is the name of "
                    f"{visible(bearers[one.new_name])}"
                )
            rows[one] = replace(_as_row(one), state=run.state, created_at=run.created_at)
    if problems:
        raise InputError(list_problems("The plan does not fit the server", problems))
    return [rows[one] for one in plan]


def _will_move(one: PlannedRename, run: Run, include_running: bool) -> bool:
    """Whether a planned run gives up its name; one that will be left alone goes on bearing it."""
    may = not run.read_only and (include_running or run.state != "running")
    return may and run.name == one.old_name


def rename(
    server: Server,
    projects: Projects,
    plan: Sequence[PlannedRename],
    output: Output,
    asked: Asked,
) -> None:
    """Ask, journal the plan, rename, and tell what the server says."""
    if not plan:
        output.say("Nothing to rename.")
        return
    for one in plan:
        wrong = check_new_name(one.new_name)
        if wrong:
            raise InputError(f"{visible(one.run_id)}: {wrong}; nothing was touched.")
    if asked.dry_run:
        output.say(f"Dry run: {number_of_runs(len(plan))} would be renamed. Nothing was written.")
        return
    concerned = {one.where for one in plan}
    _refuse_read_only([one for where, one in projects.items() if where in concerned], output)
    _ask(output, f"Rename {number_of_runs(len(plan))} on {scrub(server.base_url)}?", asked.yes)
    path = asked.journal or _default_journal(plan)
    header = Header.of(server.base_url, plan, include_running=asked.include_running)
    with Journal.create(path, header, plan) as journal:
        output.say(f"Journal: {path}")
        _carry_out(journal, plan, projects, "rename", asked.include_running, output)


def _refuse_read_only(projects: Sequence[Project], output: Output) -> None:
    """End with exit code 1 where one of the projects takes no renames: before the first write."""
    read_only = ["/".join(one.where) for one in projects if one.read_only]
    if read_only:
        output.tell(f"error: {', '.join(read_only)}: read-only for this key. Nothing was written.")
        raise typer.Exit(1)


def go_on(
    server: Server,
    path: Path,
    direction: Direction,
    output: Output,
    *,
    yes: bool,
    dry_run: bool,
    show: bool = True,
) -> None:
    """`resume` (direction rename) and `undo`."""
    recorded = read(path)
    here = scrub(server.base_url)
    if recorded.header.server.rstrip("/") != here.rstrip("/"):
        raise InputError(
            f"The journal is about {recorded.header.server}, and this session is with "
            f"{here}. Set --base-url or WANDB_BASE_URL to the journal's."
        )
    if not recorded.complete:
        output.say("The journal ends before its plan was complete: nothing was renamed.")
        if direction == "rename":
            output.say("Run `rsst-migrate rename` again.")
        return
    if direction == "rename" and recorded.last == "undo":
        output.say("This rename was being taken back. To resume it is to rename again.")
    plan = recorded.concerned(direction)
    projects = _projects(server, plan)
    left = _left(plan, projects, output)
    if not left:
        done = "put back" if direction == "undo" else "renamed"
        output.say(f"Nothing to do: no name is left to be {done}.")
        return
    if show:
        print_report(output.out, [_as_row(one) for one in left])
    words = "Put back the names of" if direction == "undo" else "Rename"
    if dry_run:
        output.say(f"Dry run: {len(left)} of {number_of_runs(len(plan))}. Nothing was written.")
        return
    _ask(output, f"{words} {number_of_runs(len(left))} on {here}?", yes)
    journal, again = Journal.reopen(path)
    with journal:
        if replace(again, size=0) != replace(recorded, size=0):
            raise InputError(f"The journal {path} changed meanwhile. Try again.")
        _carry_out(journal, left, projects, direction, recorded.header.include_running, output)


def _left(plan: Sequence[PlannedRename], projects: Projects, output: Output) -> list[PlannedRename]:
    """Those of the plan whose names are not yet what they are to be, asked of the server."""
    states: dict[Key, RunState] = {}
    missing: list[InputError] = []
    for where, project in projects.items():
        ids = [one.run_id for one in plan if one.where == where]
        with output.progress(f"Reading {'/'.join(where)}") as advance:
            try:
                for start in range(0, len(ids), PAGE):
                    advance(start, len(ids))
                    found = project.states(ids[start : start + PAGE])
                    states.update({(*where, run_id): state for run_id, state in found.items()})
            except InputError as error:  # gone, or hidden: the other projects are not
                missing.append(error)
    if missing and len(missing) == len(projects):
        raise missing[0]
    return [
        one for one in plan if (state := states.get(one.key)) is None or state.name != one.new_name
    ]


def _as_row(one: PlannedRename) -> Row:
    return Row(RunKey(*one.key), "", None, "rename", (), one.old_name, one.new_name, {})


def _carry_out(
    journal: Journal,
    plan: Sequence[PlannedRename],
    projects: Projects,
    direction: Direction,
    include_running: bool,
    output: Output,
) -> None:
    """Change the names, and tell what the server says at the end."""
    try:
        journal.begin(direction)
        result = run(
            plan,
            projects,
            journal,
            direction,
            include_running=include_running,
            progress=output.progress,
        )
        _tell(output, result, plan, direction, journal.path)
    except KeyboardInterrupt:  # a second one, or the work was over: at once
        journal.close()
        output.tell(f"Interrupted at once. {_how_to_go_on(journal.path, direction)}")
        sys.stderr.flush()
        os._exit(130)


def _tell(
    output: Output,
    result: Result,
    plan: Sequence[PlannedRename],
    direction: Direction,
    path: Path,
) -> None:
    """Say what the server said at the end, and end with the exit code that fits."""
    failed = [(key[2], why) for key, why in result.failed.items() if key not in result.unreached]
    for run_id, reason in failed[:_MOST_FAILED]:
        output.tell(f"{run_id}: {reason}")
    if len(failed) > _MOST_FAILED:
        output.tell(f"… and {len(failed) - _MOST_FAILED} more")
    if result.unreached:
        output.tell(f"{number_of_runs(len(result.unreached))} not reached")
    done = "renamed" if direction == "rename" else "put back"
    had = len(result.done - result.written)
    line = f"{len(result.done)} of {number_of_runs(len(plan))} {done}, read back from the server"
    line += f" ({had} had the name already)" if had else ""
    if result.unread:
        sent = len(result.unread & result.written)
        line += f"; {len(result.unread)} could not be read back, {sent} of them confirmed when sent"
    output.tell(f"{line}. Journal: {path}" if not result.failed else f"{line}.")
    if result.stopped and not result.interrupted:
        output.tell(f"Stopped: {visible(result.stopped)}")
    if result.failed:
        output.tell(_how_to_go_on(path, direction))
    elif direction == "rename":
        output.say(f"To take it all back: rsst-migrate undo {quote(str(path))}")
    if result.interrupted:
        raise typer.Exit(130)
    if result.failed:
        raise typer.Exit(1)


def _how_to_go_on(path: Path, direction: Direction) -> str:
    journal = quote(str(path))
    if direction == "undo":
        return f"To go on: rsst-migrate undo {journal}"
    return f"To go on: rsst-migrate resume {journal}. To take it back: rsst-migrate undo {journal}"


def _ask(output: Output, question: str, yes: bool) -> None:
    if yes:
        return
    if not all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr)):
        raise InputError(
            "There is no terminal to ask at. Look at the plan, then give --yes; "
            "nothing was touched."
        )
    if not typer.confirm(question, err=True):
        output.say("Nothing was written.")
        raise typer.Exit(0)


def _default_journal(plan: Sequence[PlannedRename]) -> Path:
    """A name for the journal, in this folder."""
    first = f"{plan[0].entity}-{plan[0].project}"
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in first)
    return Path(f"rename-{safe}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.journal.jsonl")
