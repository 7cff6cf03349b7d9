"""What a source says of runs: as they were listed, and as they are right now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class ProjectKey(NamedTuple):
    """What a project is known by."""

    entity: str
    project: str

    def __str__(self) -> str:
        """`entity/project`."""
        return "/".join(self)


class RunKey(NamedTuple):
    """What a run is known by; `run_id` is the id in the run's URL (GraphQL `name`)."""

    entity: str
    project: str
    run_id: str

    @property
    def where(self) -> ProjectKey:
        """The run's project."""
        return ProjectKey(self.entity, self.project)


@dataclass(frozen=True, slots=True)
class Run:
    """What a listing says of a run.

    Attributes:
        name: The run name (GraphQL `displayName`), the one thing that this tool changes.
        state: W&B's word: `running`, `finished`, `crashed`, ...
        created_at: Aware, in UTC; None where the server's value is not a time.
        read_only: True where this key may look and not rename.
        config: The config values that we use, unwrapped (`{"rate": 0.15}`); None where
            the server's config is not a JSON object.
    """

    key: RunKey
    name: str
    state: str
    created_at: datetime | None
    read_only: bool
    config: Mapping[str, object] | None


@dataclass(frozen=True, slots=True)
class RunState:
    """What a run is right now.

    Attributes:
        storage_id: What a rename takes.
        state: W&B's word, or one of HELD.
        earlier_names: Of an offline run: what else its logs call it, in other Run records.
    """

    run_id: str
    storage_id: str
    name: str
    state: str
    read_only: bool
    earlier_names: frozenset[str] = frozenset()


ALIVE = frozenset({"running", "pending", "preempting", "preempted"})
"""The states of runs whose process is alive or will start again, and then sends its own name."""

BEING_WRITTEN = "being-written"
SYNCED = "synced"
HELD = frozenset({BEING_WRITTEN, SYNCED})
"""The states of offline runs that are left alone, whatever was asked for: a process writes the log,
or `wandb sync` has sent it and the run is on the server."""
