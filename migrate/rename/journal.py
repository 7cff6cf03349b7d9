"""The journal of a rename: what was planned, what was about to be sent, what became of it.

A file of JSON lines that only grows, readable by its owner alone. The whole plan is on disk
before anything is written to the server, and each batch's intent before the batch is sent; so
whoever is killed leaves behind what `resume` and `undo` need. There is no key in it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Any, cast, get_args

from migrate.client.rewrite import sync_folder
from migrate.client.runs import RunKey
from migrate.errors import InputError, JournalError, MigrateError, scrub
from migrate.rename.plan import Direction, Outcome, OutcomeCode, PlannedRename

FORMAT = "rsst-migrate journal"
VERSION = 2
"""Of the records. Version 1, still read, had outcomes as sentences and without a direction."""

# Windows would write a line's end as two characters.
_APPEND = os.O_APPEND | getattr(os, "O_BINARY", 0)
_DIRECTIONS = get_args(Direction)
_CODES = get_args(OutcomeCode)
_ALTERED_V1 = "altered: the server made it "

# What each record must have besides its name, and may have.
_FIELDS: Mapping[str, Mapping[str, type]] = {
    "header": {
        "format": str,
        "version": int,
        "server": str,
        "projects": list,
        "time": str,
        "include_running": bool,
    },
    "plan": {"entity": str, "project": str, "run_id": str, "old_name": str, "new_name": str},
    "planned": {"runs": int},
    "begin": {"direction": str},
    "intent": {"direction": str, "runs": list},
    "outcome": {"runs": list},
}
_MAY_HAVE: Mapping[str, type] = {"made_with": dict, "settled": str, "direction": str}
_DAMAGE = (ValueError, KeyError, TypeError, RecursionError)


@dataclass(frozen=True, slots=True)
class Header:
    """What a journal is about.

    Attributes:
        server: Its address, or that of a folder of offline runs (`file:`).
        projects: As entity/project.
        made_with: The options and rules that the plan was made with, or the file that it is from;
            empty in journals of earlier versions.
    """

    server: str
    projects: list[str]
    time: str
    include_running: bool
    made_with: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        server: str,
        plan: Sequence[PlannedRename],
        *,
        include_running: bool = False,
        made_with: Mapping[str, object] | None = None,
    ) -> Header:
        """The header of a plan's journal, now; a password in the address stays out of it."""
        projects = list(dict.fromkeys(str(rename.where) for rename in plan))
        if not server.startswith("file:"):  # which may be long, and has no secrets
            server = scrub(server)
        return cls(server, projects, now(), include_running, made_with or {})


@dataclass(slots=True)
class JournalState:
    """What a journal holds.

    Attributes:
        plan: The whole plan; empty where the journal ends before it was complete.
        sent: The runs whose names undo is to take back: the new name was about to be sent, and
            neither was refused nor is known to be taken back. Where the server altered the old
            name when it was put back, that is the end of it: it would do so again.
        altered: What the server made of our names, where it was something else.
        renamed: The runs that bore their new name when they were last heard of.
        open: The runs of which the rename has said nothing yet.
        last: What was done last: `rename` or `undo`.
        size: How many bytes of the file are whole records.
    """

    header: Header
    plan: list[PlannedRename] = field(default_factory=list)
    complete: bool = False
    sent: set[RunKey] = field(default_factory=set)
    altered: dict[RunKey, str] = field(default_factory=dict)
    renamed: set[RunKey] = field(default_factory=set)
    open: set[RunKey] = field(default_factory=set)
    last: Direction = "rename"
    size: int = 0

    def concerned(self, direction: Direction) -> list[PlannedRename]:
        """What `resume` (direction rename) or `undo` is to do, with the names that are ours."""
        if direction == "rename":
            return self.plan
        return [
            replace(rename, new_name=self.altered.get(rename.key, rename.new_name)).back()
            for rename in self.plan
            if rename.key in self.sent
        ]

    def conclude(self, key: RunKey, outcome: Outcome, direction: Direction) -> None:
        """Take in what became of a run."""
        self.open.discard(key)
        if outcome.code == "refused" and direction == "rename":
            self.sent.discard(key)
        if outcome.code not in ("done", "altered"):
            return
        if outcome.code == "altered":
            self.altered[key] = outcome.text
        else:
            self.altered.pop(key, None)
        if direction == "rename":
            self.renamed.add(key)
        else:
            self.renamed.discard(key)
            self.sent.discard(key)
            self.open.add(key)


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
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _APPEND, 0o600)
        except FileExistsError:
            raise InputError(
                f"{path} exists, and journals are never overwritten. Choose another with "
                f"--journal, or continue it: `rsst-migrate resume {quote(str(path))}`."
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
            about = {key: value for key, value in asdict(header).items() if value != {}}
            last = {"record": "planned", "runs": len(plan)}
            journal._append([{**first, **about}, *map(_plan_record, plan), last])
            sync_folder(path.parent)
        except MigrateError as error:
            journal.close()
            with contextlib.suppress(OSError):
                path.unlink()
            raise InputError(f"{error} Nothing was renamed.") from None
        return journal

    @classmethod
    def reopen(cls, path: Path) -> tuple[Journal, JournalState]:
        """Open a journal to go on with it; a half-written last line is cut off.

        Raises:
            InputError: It is not a journal, damaged, of a later version, or in use.
        """
        try:
            handle = os.open(path, os.O_RDWR | _APPEND)
        except OSError as error:
            raise InputError(f"Cannot open the journal {path}: {error.strerror}.") from None
        try:
            _lock(handle, path)
            state = read(path)
            os.ftruncate(handle, state.size)
        except OSError as error:
            os.close(handle)
            raise InputError(f"Cannot write to the journal {path}: {error.strerror}.") from None
        except BaseException:
            os.close(handle)
            raise
        return cls(path, handle), state

    def begin(self, direction: Direction) -> None:
        """Say that a command begins its work."""
        self._append([{"record": "begin", "direction": direction, "time": now()}])

    def intend(self, direction: Direction, batch: Iterable[PlannedRename]) -> None:
        """Say which runs' names are about to be sent. On disk when this returns."""
        runs = [list(rename.key) for rename in batch]
        self._append([{"record": "intent", "direction": direction, "runs": runs}])

    def conclude(self, direction: Direction, outcomes: Mapping[RunKey, Outcome]) -> None:
        """Say what became of runs."""
        runs = [[*key, outcome.code, outcome.text] for key, outcome in outcomes.items()]
        self._append([{"record": "outcome", "direction": direction, "runs": runs}])

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


def read(path: Path) -> JournalState:
    """Read a journal. What a crash leaves, a truncated last line, is passed over.

    Raises:
        InputError: It cannot be read, is not a journal, damaged, or of a later version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read the journal {path}: {error.strerror}.") from None
    whole, _, rest = data.rpartition(b"\n")
    lines = whole.split(b"\n")
    state = _header(path, lines[0])
    state.size = len(data) - len(rest)
    for number, line in enumerate(lines[1:], 2):
        try:
            _take(state, _checked(json.loads(line)))
        except _DAMAGE:
            raise InputError(
                f"The journal {path} is damaged in line {number}; nothing was touched. "
                "Put back an undamaged copy of it."
            ) from None
    return state


def _checked(record: Any) -> Any:
    """A record whose fields are of their types; raises one of _DAMAGE for another."""
    may_have = {name: kind for name, kind in _MAY_HAVE.items() if name in record}
    for name, kind in {**_FIELDS[record["record"]], **may_have}.items():
        if type(record[name]) is not kind:
            raise ValueError(name)
    if record.get("direction", "rename") not in _DIRECTIONS:
        raise ValueError("direction")
    return record


def _header(path: Path, line: bytes) -> JournalState:
    try:
        first = json.loads(line)
        version = first["version"]
        if first["record"] != "header" or first["format"] != FORMAT or type(version) is not int:
            raise ValueError
        if version > VERSION:  # the rest of its header may be another, too
            raise InputError(
                f"The journal {path} is of version {version}, and this rsst-migrate knows "
                f"{VERSION}. Use the version that wrote it, or a later one."
            )
        _texts(_checked(first)["projects"])
        known = (field.name for field in fields(Header))
        about = {name: first[name] for name in known if name in first}
        return JournalState(Header(**about))
    except _DAMAGE:
        words = f"{path} is not a journal of rsst-migrate, or damaged in line 1."
        raise InputError(words) from None


def _take(state: JournalState, record: Any) -> None:
    """Take in a record; raises one of _DAMAGE where it does not fit there."""
    kind = record["record"]
    if (kind in ("plan", "planned")) == state.complete:
        raise ValueError
    if kind == "plan":
        key = RunKey(record["entity"], record["project"], record["run_id"])
        names = record["old_name"], record["new_name"]
        state.plan.append(PlannedRename(key, *names, record.get("settled", "")))
    elif kind == "planned":
        if record["runs"] != len(state.plan):
            raise ValueError
        state.complete = True
        state.open = {rename.key for rename in state.plan}
    elif kind == "begin":
        state.last = record["direction"]
    elif kind == "intent":
        keys = {RunKey(*_texts(run)) for run in record["runs"]}
        if record["direction"] == "rename":
            state.sent |= keys
    elif kind == "outcome":
        # Records of version 1 have no direction; a journal that goes on may hold both.
        outcome_of = _outcome if "direction" in record else _outcome_v1
        for run in record["runs"]:
            entity, project, run_id, *outcome = _texts(run)
            key = RunKey(entity, project, run_id)
            state.conclude(key, outcome_of(*outcome), record.get("direction", state.last))
    else:
        raise ValueError


def _texts(values: list[Any]) -> list[str]:
    if not all(isinstance(value, str) for value in values):
        raise ValueError
    return values


def _outcome(code: str, text: str) -> Outcome:
    if code not in _CODES:
        raise ValueError
    return Outcome(cast("OutcomeCode", code), text)


def _outcome_v1(sentence: str) -> Outcome:
    """What a sentence of version 1 says, as far as it matters: `done`, `refused: WORDS`, …."""
    if sentence.startswith(_ALTERED_V1):
        return Outcome("altered", sentence.removeprefix(_ALTERED_V1))
    code, _, words = sentence.partition(": ")
    return _outcome(code, words) if code in _CODES else Outcome("unanswered", sentence)


def now() -> str:
    """The time, ISO 8601 in UTC: to the millisecond, as a script may rename twice in a second."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plan_record(rename: PlannedRename) -> dict[str, str]:
    names = {"old_name": rename.old_name, "new_name": rename.new_name}
    settled = {"settled": rename.settled} if rename.settled else {}
    return {"record": "plan", **rename.key._asdict(), **names, **settled}


def _lock(handle: int, path: Path) -> None:
    """Keep a second rsst-migrate off this journal; the lock goes with the process."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # A byte that no journal reaches: a locked one cannot be written.
            os.lseek(handle, 2**31 - 2, os.SEEK_SET)
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise InputError(f"Another rsst-migrate is working with the journal {path}.") from None
    except OSError:  # a file system without locks, as on some clusters
        return
