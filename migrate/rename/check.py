"""A saved plan held against the projects as they are now. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from migrate.client.runs import ALIVE, HELD, ProjectKey, Run, RunKey
from migrate.rename.plan import PlannedRename


class Problem(NamedTuple):
    """Why a planned rename does not fit.

    Attributes:
        bearer: The run that bears its new name, and will keep it; None where there is no such run
            as the one that is to be renamed.
        taken: Whether it may not have its new name though no run bears it.
    """

    rename: PlannedRename
    bearer: RunKey | None
    taken: bool = False


def check(
    plan: Sequence[PlannedRename],
    runs: Iterable[Run],
    *,
    include_running: bool,
    taken: Container[tuple[ProjectKey, str]] = (),
) -> list[Problem]:
    """What does not fit of a plan: runs that are not there, and new names that are taken.

    Args:
        plan: The plan.
        runs: Every run of its projects.
        include_running: Whether runs whose processes are alive will be renamed.
        taken: Names that no run of a project may get, besides those that its runs bear.
    """
    listed = {run.key: run for run in runs}
    moving = {
        rename.key
        for rename in plan
        if rename.key in listed and _will_move(rename, listed[rename.key], include_running)
    }
    bearers = {
        (run.key.where, run.name): run.key for run in listed.values() if run.key not in moving
    }
    problems = []
    for rename in plan:
        bearer = bearers.get((rename.where, rename.new_name), rename.key)
        if rename.key not in listed:
            problems.append(Problem(rename, None))
        elif bearer != rename.key:
            problems.append(Problem(rename, bearer))
        elif (rename.where, rename.new_name) in taken:
            problems.append(Problem(rename, bearer, taken=True))
    return problems


def _will_move(rename: PlannedRename, run: Run, include_running: bool) -> bool:
    """Whether a planned run gives up its name; one that will be left alone goes on bearing it."""
    may = not run.read_only and run.state not in HELD
    may = may and (include_running or run.state not in ALIVE)
    return may and run.name == rename.old_name
