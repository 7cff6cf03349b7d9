"""The sandbox's data: projects and their runs, as plain values that tests can compare."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

# The files that come by a run's file stream.
HISTORY, EVENTS = "wandb-history.jsonl", "wandb-events.jsonl"
SUMMARY, OUTPUT = "wandb-summary.json", "output.log"

_HISTOGRAM = {"_type": "histogram", "bins": [i / 64 for i in range(65)], "values": [7] * 64}
_LAYERS = {f"gradients/blocks.{layer}.attn.qkv.weight": _HISTOGRAM for layer in range(48)}
_HEAVY_SUMMARY = json.dumps({"test/accuracy": 0.71, "epoch": 79, **_LAYERS})
"""What `wandb.watch(log="all")` leaves behind: a gradient histogram for every layer."""


def storage_id(entity: str, project: str, run_id: str) -> str:
    """The id of a run that mutations take."""
    return base64.b64encode(f"Run:v1:{run_id}:{project}:{entity}".encode()).decode()


@dataclass
class StoredRun:
    """One run as the server keeps it. Texts that are JSON on the wire are JSON texts here."""

    name: str
    displayName: str | None  # noqa: N815 - the names of the fields are the schema's
    config: str = "{}"
    state: str = "finished"
    createdAt: str = "2026-01-08T14:30:00"  # noqa: N815
    heartbeatAt: str = "2026-01-08T16:30:00"  # noqa: N815
    readOnly: bool = False  # noqa: N815
    summaryMetrics: str = _HEAVY_SUMMARY  # noqa: N815
    systemMetrics: str = '{"system.gpu.0.temp": 61}'  # noqa: N815
    tags: list[str] = field(default_factory=list)
    group: str | None = None
    jobType: str | None = None  # noqa: N815
    commit: str | None = "5d41402abc4b2a76b9719d911017c592"[:12]
    description: str | None = None
    notes: str | None = None
    sweepName: str | None = None  # noqa: N815
    historyLineCount: int = 80  # noqa: N815
    historyKeys: str | None = None  # noqa: N815
    projectId: str = "1"  # noqa: N815
    entity: str = ""
    project: str = ""
    lines: dict[str, dict[int, str]] = field(default_factory=dict)
    """What came by the file stream: file to line number to line."""

    @cached_property
    def id(self) -> str:
        """The storage id that mutations take."""
        return storage_id(self.entity, self.project, self.name)

    @property
    def history(self) -> list[dict[str, Any]]:
        """What the run logged, step by step."""
        return [json.loads(line) for line in self.file(HISTORY)]

    def file(self, name: str) -> list[str]:
        """The lines of a file of the file stream, in order."""
        return [line for _, line in sorted(self.lines.get(name, {}).items())]

    # What the client asks that resumes a run.

    stopped = False

    @property
    def logLineCount(self) -> int:  # noqa: N802 - the schema's
        """How many lines it printed."""
        return len(self.lines.get(OUTPUT, ()))

    @property
    def eventsLineCount(self) -> int:  # noqa: N802 - the schema's
        """How many lines of system metrics it sent."""
        return len(self.lines.get(EVENTS, ()))

    @property
    def historyTail(self) -> str:  # noqa: N802 - the schema's
        """The last line of the history, in a JSON array."""
        return json.dumps(self.file(HISTORY)[-1:])

    @property
    def eventsTail(self) -> str:  # noqa: N802 - the schema's
        """The last line of the system metrics, in a JSON array."""
        return json.dumps(self.file(EVENTS)[-1:])

    @property
    def wandbConfig(self) -> str:  # noqa: N802 - the schema's
        """The client's own part of the config; a run that has begun has `t` there."""
        try:
            return json.dumps(json.loads(self.config)["_wandb"]["value"])
        except (ValueError, TypeError, KeyError):
            return "{}"


@dataclass
class StoredView:
    """A saved view of a project, or (type `trigger`) an automation.

    Attributes:
        type: W&B's word: `project-view`, `runs` or `runs/draft`; ours for automations: `trigger`.
        spec: JSON; of an automation the filter of its event.
        hidden: The key may not see it. Whether W&B counts such views is not known: here it does.
        of_entity: Of an automation: it is about all projects of the entity.
    """

    id: str
    name: str
    displayName: str  # noqa: N815 - the schema's name
    type: str
    spec: str
    hidden: bool = False
    of_entity: bool = False


@dataclass
class StoredProject:
    """One project and its runs by run id."""

    entity: str
    name: str
    runs: dict[str, StoredRun] = field(default_factory=dict)
    views: list[StoredView] = field(default_factory=list)
    read_only: bool = False
    visible: bool = True


@dataclass
class Store:
    """Everything that the sandbox serves."""

    projects: dict[tuple[str, str], StoredProject] = field(default_factory=dict)
    by_id: dict[str, StoredRun] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    """The storage ids of runs that were there once."""

    def project(self, entity: str, name: str) -> StoredProject:
        """The project of this name, made where it is not there yet."""
        key = (entity, name)
        return self.projects.setdefault(key, StoredProject(entity, name))

    def knows(self, run: StoredRun) -> bool:
        """Whether the run is there, or was."""
        return run.id in self.by_id or run.id in self.deleted

    def add(self, entity: str, project: str, run: StoredRun) -> StoredRun:
        """Put a run into a project."""
        run.entity, run.project = entity, project
        self.project(entity, project).runs[run.name] = run
        self.by_id[run.id] = run
        self.deleted.discard(run.id)
        return run

    def remove(self, run: StoredRun) -> None:
        """Delete a run."""
        del self.project(run.entity, run.project).runs[run.name]
        del self.by_id[run.id]
        self.deleted.add(run.id)

    def state(self) -> dict[tuple[str, str, str], dict[str, object]]:
        """Every field of every run, to be compared as a whole."""
        names = [part.name for part in fields(StoredRun)]
        return {
            (run.entity, run.project, run.name): {name: getattr(run, name) for name in names}
            for project in self.projects.values()
            for run in project.runs.values()
        }

    def names(self, entity: str, project: str) -> dict[str, str | None]:
        """Run id to display name."""
        runs = self.project(entity, project).runs
        return {run_id: run.displayName for run_id, run in runs.items()}
