"""What is to change, and where a run stands on the way. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from migrate.client.runs import RunState
from migrate.mapping.rows import Row

Key = tuple[str, str, str]
"""What a run is known by: entity, project, run id."""


@dataclass(frozen=True, slots=True)
class PlannedRename:
    """One run's rename: from the name that it must have to the one that it is to get."""

    entity: str
    project: str
    run_id: str
    old_name: str
    new_name: str

    @property
    def where(self) -> tuple[str, str]:
        """Its project: entity and name."""
        return (self.entity, self.project)

    @property
    def key(self) -> Key:
        """What the run is known by."""
        return (self.entity, self.project, self.run_id)

    def back(self) -> PlannedRename:
        """The rename that takes this one back."""
        return PlannedRename(*self.key, self.new_name, self.old_name)


def planned(rows: Iterable[Row]) -> list[PlannedRename]:
    """The renames among the rows."""
    return [
        PlannedRename(*row.key, row.old_name, row.new_name)
        for row in rows
        if row.new_name is not None
    ]


def standing(one: PlannedRename, state: RunState | None, *, include_running: bool) -> str:
    """Where a run stands: `to do`, `done`, or why it is left alone."""
    if state is None:
        return "gone: there is no such run any more"
    if state.name == one.new_name:
        return "done"
    if state.name != one.old_name:
        return f"drifted: is now {state.name}"
    if not state.storage_id:
        return "refused: the server gives no id to rename it by"
    if state.read_only:
        return "read-only: this key may not rename it"
    if state.state == "running" and not include_running:
        return "running: its process may write its name back"
    return "to do"
