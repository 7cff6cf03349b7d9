"""`rename`: show the plan, ask, rename, and report what the server shows afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from migrate.cli.carry_out import (
    Projects,
    Task,
    carry_out,
    declined,
    print_plan,
    projects_of,
    refuse_read_only,
    shown_whole,
    tell_outcomes,
)
from migrate.cli.config_file import read_path
from migrate.cli.look import mapped_projects
from migrate.cli.request import Request
from migrate.cli.sources import Place, open_sources, paths_of, tell_unreadable
from migrate.client.offline import DEFAULT_ENTITY, Folder
from migrate.client.runs import RunKey, RunState
from migrate.console import Output, command_line
from migrate.errors import InputError
from migrate.mapping.projects import list_runs
from migrate.rename.check import Problem, check, find_left_alone, listed_state
from migrate.rename.journal import Header, Journal
from migrate.rename.plan import DONE, Outcome, PlannedRename, planned
from migrate.rename.plan_file import list_problems, read_plan
from migrate.report.terminal import print_report
from migrate.report.words import settled_text
from migrate.text import counted, visible


@dataclass(frozen=True, slots=True)
class Batch:
    """What one call renames.

    Attributes:
        made_with: What the plan was made with, for the journal.
        again: The arguments of `rename` that lead to the same plan.
        look: The arguments with which `report` and `audit` show its projects.
        others: How many renames --limit has left for another time.
        left_alone: Which runs of a saved plan will be left alone, as they are now.
    """

    plan: Sequence[PlannedRename]
    place: Place
    projects: Projects
    made_with: Mapping[str, object]
    again: Sequence[str]
    look: Sequence[str]
    others: int = 0
    left_alone: Mapping[RunKey, Outcome] = field(default_factory=dict)


def rename(
    plan_file: Path | None,
    request: Request,
    *,
    limit: int | None = None,
    journal: Path | None = None,
    yes: bool = False,
    dry_run: bool = False,
) -> int:
    """Show the plan, ask, rename, and read every name back; gives the exit code.

    Of a saved report, `plan_file`, exactly its renames. Without `journal`, the journal is a new
    file in this folder.
    """
    output = Output()
    if plan_file is None:
        batch = _mapped(request, limit, output, dry_run=dry_run)
    else:
        batch = _saved(plan_file, request, limit, output, dry_run=dry_run)
    plan, projects = batch.plan, batch.projects
    if batch.others:
        output.say(f"--limit: the first {len(plan)} of {len(plan) + batch.others} renames.")
    not_done = {key: outcome for key, outcome in batch.left_alone.items() if outcome != DONE}
    if dry_run or not yes or limit is not None:  # else they are all named at the end
        tell_outcomes(not_done, output)
    if not plan:
        output.say("Nothing to rename.")
        if plan_file is None or request.paths:
            output.next_step("To see what there is, and what needs attention", "audit", *batch.look)
        return 1 if not_done and not dry_run else 0
    runs = counted(len(plan), "run")
    if supplied := sum(bool(rename.settled) for rename in plan):
        output.tell(f"With values that rules or options supplied: {supplied} of {runs}.")
    if dry_run:
        count = sum(rename.key not in batch.left_alone for rename in plan)
        would = runs if count == len(plan) else f"{count} of {runs}"
        output.say(f"Dry run: {would} would be renamed. Nothing was written.")
        if count:
            limited = [] if limit is None else ["--limit", str(limit)]
            into = [] if journal is None else ["--journal", str(journal)]
            output.next_step("To rename", "rename", *batch.again, *limited, *into)
        return 0
    code = declined(output, plan, projects, batch.place, "rename", yes=yes)
    if code is not None:
        return code
    path, running = journal or _default_journal(plan), request.include_running
    header = Header.of(
        batch.place.base_url, plan, include_running=running, made_with=batch.made_with
    )
    session = [] if request.base_url is None else ["--base-url", request.base_url]
    with Journal.create(path, header, plan) as opened:
        output.say(f"Journal: {path}")
        task = Task(opened, plan, projects, "rename", running, batch.look, session)
        code = carry_out(task, output)
    if code == 0 and batch.others:
        others = counted(batch.others, "run")
        output.next_step(f"To rename the other {others}", "rename", *batch.again)
    elif code == 0 and not_done:  # what no step of --limit can rename
        code = 1
    return code


def _mapped(request: Request, limit: int | None, output: Output, *, dry_run: bool) -> Batch:
    """What the projects give now, shown as a report."""
    place, mapped = mapped_projects(request, output)
    rows = [row for project in mapped for row in project.chosen]
    renames = planned(rows, settled_text)
    plan = renames[:limit]
    kept = {rename.key for rename in plan}
    with shown_whole(output, "rename"):
        print_report(output.out, rows, shown=[row for row in rows if row.key in kept])
    projects = {project.project.key: project.project for project in mapped}
    if not dry_run:
        held = {row.key.where for row in rows if "read-only" in row.codes}
        refuse_read_only(projects[where] for where in held)
    arguments = request.words()
    others = len(renames) - len(plan)
    return Batch(plan, place, projects, mapped[0].made_with, arguments, arguments, others)


def _saved(
    plan_file: Path, request: Request, limit: int | None, output: Output, *, dry_run: bool
) -> Batch:
    """What a plan file says, checked against the server, and shown."""
    if unused := request.about_the_plan():
        raise InputError(
            f"--plan takes exactly its file's rows: {', '.join(unused)} cannot change them. "
            "Use such options with `report` when saving the plan."
        )
    plan = read_plan(plan_file)
    paths, given = request.paths or [], request.words(about_the_plan=False)
    if not paths and any(rename.where.entity == DEFAULT_ENTITY for rename in plan):
        words = command_line("rename", "./wandb", "--plan", str(plan_file), *given)
        raise InputError(f"These are offline runs. Give their folder, too:\n  {words}")
    place, given_projects = open_sources([*map(read_path, paths)], request, output.progress)
    allowed = {project.key for project in given_projects}
    foreign = [rename.where for rename in plan if allowed and rename.where not in allowed]
    if foreign:
        raise InputError(
            f"The plan is about {foreign[0]}, not {', '.join(map(str, sorted(allowed)))}. "
            "Nothing was touched."
        )
    projects = projects_of(place, plan)
    runs = [run for project in projects.values() for run in list_runs(project, output.progress)]
    taken = {(key, name) for key, project in projects.items() for name in project.taken}
    if not dry_run:
        refuse_read_only(projects.values())
    states = {run.key: listed_state(run) for run in runs}
    if isinstance(place, Folder):  # which knows of each log of a run
        states = _states(plan, projects)
    left_alone = find_left_alone(plan, states, include_running=request.include_running)
    renames = plan
    if limit is not None:
        # The same command again is to rename the next ones. One that is gone is a plan's error.
        renames = [
            rename
            for rename in plan
            if rename.key not in left_alone or left_alone[rename.key].code == "gone"
        ]
    plan = renames[:limit]
    problems = check(plan, runs, left_alone, taken=taken)
    if problems:
        where = "folder" if isinstance(place, Folder) else "server"
        raise InputError(
            list_problems(f"The plan does not fit the {where}", [*map(_problem_words, problems)])
        )
    tell_unreadable(place, output)
    if plan:
        with shown_whole(output, "rename"):
            print_plan(output, plan)
    again = [*paths, "--plan", str(plan_file), *given]
    look = [*(paths or paths_of(place, projects)), *given]
    made_with = {"plan": str(plan_file)}
    others = len(renames) - len(plan)
    return Batch(plan, place, projects, made_with, again, look, others, left_alone)


def _states(plan: Sequence[PlannedRename], projects: Projects) -> dict[RunKey, RunState]:
    """What the runs of a plan are now."""
    states: dict[RunKey, RunState] = {}
    for where, project in projects.items():
        here = {rename.key.run_id: rename.key for rename in plan if rename.where == where}
        states |= {here[run_id]: state for run_id, state in project.states([*here]).items()}
    return states


def _problem_words(problem: Problem) -> str:
    run_id, new_name = visible(problem.rename.key.run_id), visible(problem.rename.new_name)
    match problem.code:
        case "absent":
            return f"{run_id}: no such run in {problem.rename.where}"
        case "borne":
            return f"{run_id}: run {visible(problem.bearer)} already has the name {new_name}"
        case "taken":
            return f"{run_id}: {new_name} is taken"


def _default_journal(plan: Sequence[PlannedRename]) -> Path:
    """A name for the journal, in this folder."""
    first = "-".join(plan[0].where)
    safe = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in first)
    return Path(f"rename-{safe}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.journal.jsonl")
