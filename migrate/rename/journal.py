"""The journal of a rename: what was planned, what was about to be sent, what came of it.

A file of JSON lines that only grows, readable by its owner alone. The whole plan is on disk
before anything is written to the server, and each batch's intent before the batch is sent; so
whoever is killed leaves behind what `resume` and `undo` need. There is no key in it.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any, Literal

from migrate.errors import InputError, MigrateError, scrub
from migrate.rename.plan import Key, PlannedRename

FORMAT = "rsst-migrate journal"
VERSION = 1
Direction = Literal["rename", "undo"]
ALTERED = "altered: the server made it "
"""What the outcome begins with where the server cut a name short."""


class JournalError(MigrateError):
    """The journal cannot be written any more, so nothing more may be sent."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Header:
    """What a journal is about; `projects` as entity/project."""

    server: str
    projects: list[str]
    time: str
    include_running: bool

    @classmethod
    def of(
        cls, server: str, plan: Sequence[PlannedRename], *, include_running: bool = False
    ) -> Header:
        """The header of a plan's journal, now; a password in the address stays out of it."""
        projects = list(dict.fromkeys("/".join(one.where) for one in plan))
        return cls(scrub(server), projects, now(), include_running)


@dataclass(slots=True)
class Recorded:
    """What a journal holds.

    Attributes:
        plan: The whole plan; empty where the journal ends before it was complete.
        sent: Ids (entity, project, run) of the runs whose names may be this rename's: it was
            about to be sent, and neither was refused nor is known to be taken back.
        altered: The names that the server made of ours, where it cut them short.
        last: What was done last: `rename` or `undo`.
        size: How many bytes of the file are whole records.
    """

    header: Header
    plan: list[PlannedRename] = field(default_factory=list)
    complete: bool = False
    sent: set[Key] = field(default_factory=set)
    altered: dict[Key, str] = field(default_factory=dict)
    last: Direction = "rename"
    size: int = 0

    def concerned(self, direction: Direction) -> list[PlannedRename]:
        """What `resume` (direction rename) or `undo` is to do, with the names that are ours."""
        if direction == "rename":
            return self.plan
        return [
            replace(one, new_name=self.altered.get(one.key, one.new_name)).back()
            for one in self.plan
            if one.key in self.sent
        ]


class Journal:
    """A journal that is being written. Safe to use from one thread at a time."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self._handle = handle
        self._broken: str | None = None

    @classmethod
    def create(cls, path: Path, header: Header, plan: Sequence[PlannedRename]) -> Journal:
        """Begin a journal with the whole plan, and see it on disk.

        Raises:
            InputError: The file is there already, or cannot be written. Nothing was touched.
        """
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
            handle = os.open(path, flags, 0o600)
        except FileExistsError:
            raise InputError(
                f"{path} is there already, and a journal is never overwritten. Name another with "
                f"--journal, or `rsst-migrate resume {quote(str(path))}` if it is this rename's."
            ) from None
        except OSError as error:
            raise InputError(
                f"The journal {path} cannot be written ({error.strerror}), so nothing was "
                "renamed. Name another with --journal."
            ) from None
        journal = cls(path, handle)
        try:
            _lock(handle, path)
            first = {"record": "header", "format": FORMAT, "version": VERSION}
            lines: list[Mapping[str, object]] = [
                {**first, **_as_dict(header)},
                *({"record": "plan", **_as_dict(one)} for one in plan),
                {"record": "planned", "runs": len(plan)},
            ]
            journal._append(lines)
            _sync_folder(path.parent)
        except MigrateError as error:
            journal.close()
            with contextlib.suppress(OSError):
                os.unlink(path)
            raise InputError(f"{error} Nothing was renamed.") from None
        return journal

    @classmethod
    def reopen(cls, path: Path) -> tuple[Journal, Recorded]:
        """Open a journal to go on with it; a half-written last line is cut off.

        Raises:
            InputError: It is none, damaged, of a later version, or in use.
        """
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except OSError as error:
            raise InputError(f"Cannot open the journal {path}: {error.strerror}.") from None
        try:
            _lock(handle, path)
            recorded = read(path)
            os.ftruncate(handle, recorded.size)
        except OSError as error:
            os.close(handle)
            raise InputError(f"Cannot write to the journal {path}: {error.strerror}.") from None
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle), recorded

    def begin(self, direction: Direction) -> None:
        """Say that a command begins its work."""
        self._append([{"record": "begin", "direction": direction, "time": now()}])

    def intend(self, direction: Direction, batch: Iterable[PlannedRename]) -> None:
        """Say which runs' names are about to be sent. On disk when this returns."""
        runs = [list(one.key) for one in batch]
        self._append([{"record": "intent", "direction": direction, "runs": runs}])

    def conclude(self, outcomes: Mapping[Key, str]) -> None:
        """Say what came of runs."""
        runs = [[*key, outcome] for key, outcome in outcomes.items()]
        self._append([{"record": "outcome", "runs": runs}])

    def _append(self, records: Iterable[Mapping[str, object]]) -> None:
        if self._broken is not None:
            raise JournalError(self._broken)
        data = "".join(json.dumps(record) + "\n" for record in records).encode()
        try:
            while data:
                data = data[os.write(self._handle, data) :]
            os.fsync(self._handle)
        except OSError as error:
            self._broken = f"The journal {self.path} cannot be written: {error.strerror}."
            raise JournalError(self._broken) from None

    def close(self) -> None:
        """Close the file. What comes afterwards is refused, not written somewhere else."""
        self._broken = self._broken or f"The journal {self.path} is closed."
        handle, self._handle = self._handle, -1
        with contextlib.suppress(OSError):
            os.close(handle)

    def __enter__(self) -> Journal:
        """The journal itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()


def read(path: Path) -> Recorded:
    """Read a journal. What a crash leaves, a truncated last line, is passed over.

    Raises:
        InputError: It cannot be read, is none, damaged, or of a later version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the journal {path}: {error.strerror}.") from None
    whole, _, rest = data.rpartition(b"\n")
    lines = whole.split(b"\n")
    recorded = _header(path, lines[0])
    recorded.size = len(data) - len(rest)
    for number, line in enumerate(lines[1:], 2):
        try:
            _take(recorded, json.loads(line))
        except (ValueError, KeyError, TypeError, RecursionError):
            raise InputError(
                f"The journal {path} is damaged in line {number}; nothing was touched. "
                "Put back an undamaged copy of it."
            ) from None
    return recorded


def _header(path: Path, line: bytes) -> Recorded:
    try:
        first = json.loads(line)
        if first["record"] != "header" or first["format"] != FORMAT:
            raise ValueError
        version = first["version"]
        if type(version) is not int:
            raise ValueError
        if version > VERSION:
            raise InputError(
                f"The journal {path} is of version {version}, and this rsst-migrate knows "
                f"{VERSION}. Use the version that wrote it, or a later one."
            )
        projects, include_running = first["projects"], first["include_running"]
        if type(projects) is not list or type(include_running) is not bool:
            raise ValueError
        projects = [_text(one) for one in projects]
        header = Header(_text(first["server"]), projects, _text(first["time"]), include_running)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise InputError(f"{path} is not a journal of rsst-migrate.") from None
    return Recorded(header)


def _take(recorded: Recorded, record: Any) -> None:
    """Take in one record; raises ValueError, KeyError or TypeError where it is none."""
    kind = record["record"]
    if kind == "plan" and not recorded.complete:
        names = ("entity", "project", "run_id", "old_name", "new_name")
        recorded.plan.append(PlannedRename(*(_text(record[name]) for name in names)))
    elif kind == "planned" and not recorded.complete:
        if record["runs"] != len(recorded.plan):
            raise ValueError
        recorded.complete = True
    elif kind == "begin" and recorded.complete:
        if record["direction"] not in ("rename", "undo"):
            raise ValueError
        recorded.last = record["direction"]
    elif kind == "intent" and recorded.complete:
        if record["direction"] == "rename":
            for entity, project, run_id in record["runs"]:
                recorded.sent.add((_text(entity), _text(project), _text(run_id)))
    elif kind == "outcome" and recorded.complete:
        for entity, project, run_id, outcome in record["runs"]:
            key = (entity, project, run_id)
            never_was = recorded.last == "rename" and _text(outcome).startswith("refused:")
            is_undone = recorded.last == "undo" and outcome == "done"
            if never_was or is_undone:
                recorded.sent.discard(key)
            if recorded.last == "rename" and outcome.startswith(ALTERED):
                recorded.altered[key] = outcome.removeprefix(ALTERED)
            elif outcome == "done":
                recorded.altered.pop(key, None)
    else:
        raise ValueError


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _as_dict(value: Header | PlannedRename) -> dict[str, object]:
    return {name: getattr(value, name) for name in value.__slots__}


def _lock(handle: int, path: Path) -> None:
    """Keep a second rsst-migrate off this journal; the lock goes with the process."""
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise InputError(f"Another rsst-migrate is working with the journal {path}.") from None
    except OSError:  # a file system without locks, as on some clusters
        return


def _sync_folder(folder: Path) -> None:
    """See the new file's name on disk, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
