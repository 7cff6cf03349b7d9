"""A folder of offline runs: the transaction logs in it, and the projects that they name.

`WANDB_MODE=offline` leaves `wandb/offline-run-TIME-ID/run-ID.wandb`, for `wandb sync` to send
later. A resumed run has several of them, which W&B sends in the order of their start, so that the
name in the last one is the run's in the end (wandb-core's core/internal/runsync). They are renamed
together, the last one last; a run of which one log cannot be used is left alone.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from migrate.client.log_records import LogContents
from migrate.client.paths import ProjectPath
from migrate.client.retry import Note, no_note
from migrate.client.rewrite import Stamp, is_open_for_writing, rewrite, stamp_of
from migrate.client.runs import (
    BEING_WRITTEN,
    HELD,
    SYNCED,
    ProjectKey,
    Run,
    RunKey,
    RunState,
)
from migrate.client.source import Page, Rename
from migrate.console import Bar
from migrate.errors import Complaint, InputError, LogError, Refused, TruncatedLog
from naming import CONFIG_KEYS

DEFAULT_ENTITY = "(default)"
"""Stands for the entity of a log that names none: `wandb sync` then takes the default one. W&B has
no entity of this name."""

DEFAULT_PROJECT = "uncategorized"
"""Where W&B puts a run whose log names no project."""

WRITING_SECONDS = 60.0
"""A log that was changed so short a time ago is being written: wandb writes every 15 s."""

_RUN_FOLDER = re.compile(r"(?:offline-)?run-\d{8}_\d{6}-(.+)")
"""What wandb calls a run's folder: by its start and its id."""

_NEVER = datetime.max.replace(tzinfo=UTC)


class Unreadable(NamedTuple):
    """A log or a folder that is left alone, and why, in words."""

    path: Path
    why: str


@dataclass(frozen=True, slots=True)
class _Log:
    """A transaction log as it was when it was read; `error`: why that ended too soon."""

    path: Path
    stamp: Stamp | None
    contents: LogContents
    error: LogError | None

    @property
    def key(self) -> RunKey:
        entity, project = self.contents.entity, self.contents.project
        return RunKey(entity or DEFAULT_ENTITY, project or DEFAULT_PROJECT, self.run_id)

    @property
    def run_id(self) -> str:
        """As it stands in the log; where that cannot be read, as its file is called."""
        return self.contents.run_id or self.path.stem.removeprefix("run-")

    @property
    def order(self) -> tuple[datetime, Path]:
        """Its place among the logs of a run: as W&B sends them."""
        return self.contents.started_at or _NEVER, self.path

    def is_being_written(self) -> bool:
        """Whether a process writes it, as far as can be told."""
        try:
            with self.path.open("rb") as file:
                age = time.time() - os.fstat(file.fileno()).st_mtime
                return abs(age) < WRITING_SECONDS or is_open_for_writing(file)
        except OSError:  # it is gone, or may not be read any more
            return False

    def is_synced(self) -> bool:
        """Whether its run is on the server: sent by `wandb sync`, or online while it ran.

        The folder of an online run is called run-TIME-ID, and `wandb sync` passes it over.
        """
        synced = self.path.with_name(f"{self.path.name}.synced")
        return self.path.parent.name.startswith("run-") or synced.exists()


@dataclass(frozen=True, slots=True)
class _OfflineRun:
    """A run's logs, in the order in which W&B sends them."""

    key: RunKey
    logs: list[_Log]

    @property
    def name(self) -> str:
        return next((log.contents.name for log in reversed(self.logs) if log.contents.name), "")

    @property
    def earlier_names(self) -> frozenset[str]:
        return frozenset(name for log in self.logs for name in log.contents.names) - {self.name}

    def state(self) -> str:
        if any(log.error or log.is_being_written() for log in self.logs):
            return BEING_WRITTEN
        if any(log.is_synced() for log in self.logs):
            return SYNCED
        return "finished" if self.logs[-1].contents.ended else "crashed"

    def is_read_only(self) -> bool:
        return not all(os.access(log.path.parent, os.W_OK) for log in self.logs)

    def listed(self) -> Run:
        return Run(
            key=self.key,
            name=self.name,
            state=self.state(),
            created_at=self.logs[0].contents.started_at,
            read_only=self.is_read_only(),
            config={
                name: value for log in self.logs for name, value in log.contents.config.items()
            },
        )

    def state_now(self) -> RunState:
        return RunState(
            run_id=self.key.run_id,
            storage_id=self.key.run_id,
            name=self.name,
            state=self.state(),
            read_only=self.is_read_only(),
            earlier_names=self.earlier_names,
        )

    def rename(self, old_name: str, new_name: str) -> None:
        """Put a name in place of another, in every Run record that has it.

        Raises:
            LogError: Nothing was done.
            OSError: A file cannot be written.
        """
        if (state := self.state()) in HELD:
            raise LogError(f"its log is {state}")
        having = [(log.path, log.stamp) for log in self.logs if old_name in log.contents.names]
        if not having:
            raise LogError("its logs have another name")
        rewrite(having, old_name, new_name)


class Folder:
    """A folder with transaction logs anywhere below it.

    Attributes:
        path: The folder, as it was typed.
        taken: Names that no run in it may get, besides those in its logs.
        unreadable: What was left alone when it was last read.
    """

    def __init__(self, path: Path, keys: Sequence[str] = CONFIG_KEYS) -> None:
        self.path = path
        self._keys = frozenset(keys)
        self.taken: frozenset[str] = frozenset()
        self.unreadable: list[Unreadable] = []
        self._logs: dict[Path, _Log] = {}
        self._runs: dict[RunKey, _OfflineRun] = {}
        self._lock = threading.Lock()

    @property
    def base_url(self) -> str:
        """Its address, without `..`: what is before that may be gone when it is read again."""
        path = self.path.absolute()
        return (path.resolve() if ".." in path.parts else path).as_uri()

    app_url = base_url  # its runs have no pages

    def projects(self) -> list[OfflineProject]:
        """The projects in it, as it was last read."""
        return [OfflineProject(self, key) for key in sorted({key.where for key in self._runs})]

    def project(self, path: ProjectPath) -> OfflineProject:
        """A project, whether it is in the folder or not."""
        return OfflineProject(self, ProjectKey(path.entity or DEFAULT_ENTITY, path.project))

    def runs(self, project: ProjectKey) -> dict[str, _OfflineRun]:
        """The runs of a project by their ids, as the folder was last read."""
        return {key.run_id: run for key, run in self._runs.items() if key.where == project}

    def names_taken(self, project: ProjectKey) -> frozenset[str]:
        """Names that no run of a project may get, besides those that its runs bear now.

        Those in logs that are left alone, and the earlier ones of its runs: an undo takes each
        Run record with the new name for one that was renamed.
        """
        logs = [log for log in self._logs.values() if log.key not in self._runs]
        unused = {name for log in logs for name in log.contents.names}
        earlier = (run.earlier_names for run in self.runs(project).values())
        return self.taken.union(unused, *earlier)

    def read(self, bar: Bar | None = None) -> None:
        """Read its logs; those that were read before, only where they were changed since."""
        with self._lock:
            unreadable: list[Unreadable] = []
            paths = _find(self.path, unreadable)
            logs: dict[Path, _Log] = {}
            for number, path in enumerate(paths, 1):
                logs[path] = self._read(path)
                if bar is not None:
                    bar.advance(number, len(paths))
            self._logs = logs
            self._runs = _runs_of(logs.values(), unreadable)
            self.unreadable = unreadable

    def _read(self, path: Path) -> _Log:
        known = self._logs.get(path)
        contents, stamp, error = LogContents(self._keys), None, None
        try:
            if path.is_fifo():  # opening it would wait for somebody who writes
                raise LogError("a pipe")
            with path.open("rb") as file:
                stamp = stamp_of(os.fstat(file.fileno()))
                if known is not None and known.stamp == stamp:
                    return known
                contents.read(file)
        except LogError as failed:
            error = failed
        except OSError as failed:
            error = LogError(failed.strerror or str(failed))
        return _Log(path, stamp, contents, error)


def _find(folder: Path, unreadable: list[Unreadable]) -> list[Path]:
    """The logs below a folder, each where it really is; of a link that leads nowhere, the link."""

    def note(error: OSError) -> None:
        entry = Unreadable(Path(error.filename), error.strerror or str(error))
        if entry not in unreadable:  # a link may lead to it, too
            unreadable.append(entry)

    found = set()
    for path in _files(folder, note):
        if path.name.endswith(".wandb"):
            found.add(path.resolve() if os.path.exists(path) else path)  # noqa: PTH110
        elif _RUN_FOLDER.fullmatch(path.name):
            try:
                path.stat()
            except OSError as error:  # a link to a folder that is gone, or may not be seen
                note(error)
    return sorted(found)


def _files(folder: Path, note: Callable[[OSError], None]) -> Iterator[Path]:
    """What is below a folder and is not a folder; those that cannot be read are noted.

    Links to folders are followed, as `wandb sync` does: runs may have been moved to another disk,
    and `wandb/latest-run` is a link to one of its neighbours. Each real folder is read once, by
    its real name; those above this one are not read at all.
    """
    top = folder.resolve()
    seen = {str(path) for path in top.parents}
    to_walk = [str(top)]
    while to_walk:
        for parent, folders, names in os.walk(to_walk.pop(), onerror=note):
            if parent in seen:
                folders.clear()
                continue
            seen.add(parent)
            links = (path for name in folders if (path := Path(parent, name)).is_symlink())
            to_walk += [str(path.resolve()) for path in links]
            yield from (Path(parent, name) for name in names)


def _ids_by_folder(name: str) -> set[str]:
    """The ids that a run may have by its folder's name; empty where that is not a run's folder.

    wandb appends a number where there is a folder of this name already.
    """
    match = _RUN_FOLDER.fullmatch(name)
    return {match[1], re.sub(r"-\d+$", "", match[1])} if match else set()


def _runs_of(logs: Iterable[_Log], unreadable: list[Unreadable]) -> dict[RunKey, _OfflineRun]:
    """Put logs together to runs; of a run that has one which cannot be used, none is.

    In `unreadable` are the folders that cannot be read; the logs that cannot be used are added.
    """
    runs: dict[RunKey, _OfflineRun] = {}
    broken = {run_id: path for path, _ in unreadable for run_id in _ids_by_folder(path.name)}
    for log in sorted(logs, key=lambda log: log.order):
        if log.error and not (isinstance(log.error, TruncatedLog) and log.is_being_written()):
            unreadable.append(Unreadable(log.path, str(log.error)))
            broken[log.run_id] = log.path
        elif not log.contents.run_id:
            unreadable.append(Unreadable(log.path, "no run in it"))
        else:
            runs.setdefault(log.key, _OfflineRun(log.key, [])).logs.append(log)
    for key in [key for key in runs if key.run_id in broken]:
        why = f"of the same run as {broken[key.run_id]}"
        unreadable += [Unreadable(log.path, why) for log in runs.pop(key).logs]
    return runs


@dataclass(slots=True)
class OfflineProject:
    """The runs of one project in a folder: a `Source`."""

    folder: Folder
    key: ProjectKey
    hurry: threading.Event = field(default_factory=threading.Event, init=False)
    read_only: bool = field(default=False, init=False)

    @property
    def taken(self) -> frozenset[str]:
        """Names that no run may get, besides those that its runs bear now."""
        return self.folder.names_taken(self.key)

    def pages(self, _note: Note = no_note) -> Iterator[Page]:
        """Its runs, as the folder was last read."""
        runs = [run.listed() for run in self.folder.runs(self.key).values()]
        yield Page(tuple(runs), len(runs))

    def matching(self, _filters: Mapping[str, object], _bar: Bar) -> set[str]:
        """Raises InputError: such filters are W&B's to evaluate."""
        raise InputError(
            "--filters are evaluated by W&B, so they cannot choose offline runs. "
            "Choose them by their old names, with --match."
        )

    def states(self, run_ids: Sequence[str], note: Note = no_note) -> dict[str, RunState]:
        """What these runs are now, read from their files; one that is gone is absent."""
        note("working on the logs")  # nobody waits for a server
        self.folder.read()
        runs = self.folder.runs(self.key)
        return {run_id: runs[run_id].state_now() for run_id in run_ids if run_id in runs}

    def rename(self, renames: Sequence[Rename]) -> dict[str, str]:
        """Write new names into the logs, as they were last read.

        Raises:
            Refused: `complaints` say for which of `renames`; the others were done.
        """
        runs, done, complaints = self.folder.runs(self.key), {}, []
        for number, rename in enumerate(renames):
            try:
                if (run := runs.get(rename.storage_id)) is None:
                    raise LogError("its logs are gone")
                run.rename(rename.old_name, rename.name)
                done[rename.storage_id] = rename.name
            except LogError as error:
                complaints.append(Complaint(str(error), number))
            except OSError as error:
                complaints.append(Complaint(f"its log cannot be written: {error.strerror}", number))
        if complaints:
            raise Refused(complaints[0].message, tuple(complaints))
        return done
