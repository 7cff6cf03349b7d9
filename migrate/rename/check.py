"""A saved plan held against the projects as they are now. Pure."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from migrate.client.runs import ProjectKey, Run, RunKey, RunState
from migrate.rename.plan import Outcome, PlannedRename, classify


class Problem(NamedTuple):
    """Why a planned rename does not fit.

    Attributes:
        code: `absent`: there is no such run. `borne`: another run, `bearer`, has its new name and
            keeps it. `taken`: no run has its new name, and yet it may not be given.
        bearer: That run's id.
    """

    rename: PlannedRename
    code: Literal["absent", "borne", "taken"]
    bearer: str = ""


def find_left_alone(
    plan: Sequence[PlannedRename], states: Mapping[RunKey, RunState], *, include_running: bool
) -> dict[RunKey, Outcome]:
    """Which of the planned runs will not be renamed, as they are now; see `classify`."""
    outcomes = {}
    for rename in plan:
        outcome = classify(rename, states.get(rename.key), include_running=include_running)
        if outcome is not None:
            outcomes[rename.key] = outcome
    return outcomes


def listed_state(run: Run) -> RunState:
    """A listed run as it is now; without its storage id, which only a rename at once needs."""
    return RunState(run.key.run_id, "not listed", run.name, run.state, run.read_only)


def check(
    plan: Sequence[PlannedRename],
    runs: Iterable[Run],
    left_alone: Mapping[RunKey, Outcome],
    *,
    taken: Container[tuple[ProjectKey, str]] = (),
) -> list[Problem]:
    """What does not fit of a plan: runs that are not there, and new names that are taken.

    Args:
        plan: The plan.
        runs: Every run of its projects.
        left_alone: The planned runs that go on bearing their names.
        taken: Names that no run of a project may get, besides those that its runs bear.
    """
    moving = {rename.key for rename in plan} - left_alone.keys()
    bearers = {(run.key.where, run.name): run.key for run in runs if run.key not in moving}
    problems = []
    for rename in plan:
        bearer = bearers.get((rename.where, rename.new_name), rename.key)
        if left_alone.get(rename.key) == Outcome("gone"):
            problems.append(Problem(rename, "absent"))
        elif bearer != rename.key:
            problems.append(Problem(rename, "borne", bearer.run_id))
        elif (rename.where, rename.new_name) in taken:
            problems.append(Problem(rename, "taken"))
    return problems
