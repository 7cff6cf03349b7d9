"""What is to change, and where a run stands on the way. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from migrate.journal import Direction, PlannedRename
from migrate.wire import RunState

Key = tuple[str, str, str]
"""What a run is known by: entity, project, run id."""


@dataclass(frozen=True, slots=True)
class Change:
    """One run's name, from what it must be to what it is to be."""

    entity: str
    project: str
    run_id: str
    before: str
    after: str

    @property
    def key(self) -> Key:
        """What the run is known by."""
        return (self.entity, self.project, self.run_id)


def changes(plan: Sequence[PlannedRename], direction: Direction) -> list[Change]:
    """The plan's changes in a direction."""
    if direction == "undo":
        return [
            Change(one.entity, one.project, one.run_id, one.new_name, one.old_name) for one in plan
        ]
    return [Change(one.entity, one.project, one.run_id, one.old_name, one.new_name) for one in plan]


def standing(change: Change, state: RunState | None, *, include_running: bool) -> str:
    """Where a run stands: `to do`, `done`, or why it is left alone."""
    if state is None:
        return "gone: there is no such run any more"
    if state.name == change.after:
        return "done"
    if state.name != change.before:
        return f"drifted: is now {state.name}"
    if not state.storage_id:
        return "refused: the server gives no id to rename it by"
    if state.read_only:
        return "read-only: this key may not rename it"
    if state.state == "running" and not include_running:
        return "running: its process may write its name back"
    return "to do"
