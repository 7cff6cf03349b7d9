"""Writing a transaction log with another name: beside the old one, checked, then in its place.

A log is the only copy of its run. So a file is never changed: a new one is written beside it and
seen on disk, then read back, and taken in place of the old one only when putting the name back
gives the old file, byte for byte.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import BinaryIO

from migrate.client.log_records import renamed_records
from migrate.client.transaction_log import framed
from migrate.errors import LogError

_SUFFIX = ".rsst-migrate"

Stamp = tuple[int, ...]
"""What tells whether a file is still the one that was read."""


def stamp_of(status: os.stat_result) -> Stamp:
    """The stamp of a file with this status."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def is_open_for_writing(file: BinaryIO) -> bool:
    """Whether a process on this machine has the file open for writing, where Linux can tell.

    A lease for reading is granted only where nobody has (fcntl(2)); it is given back at once.
    """
    try:
        import fcntl
        import signal

        # Whoever opens the file meanwhile makes the system signal us: with one that does nothing.
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except (ImportError, AttributeError, OSError):  # not Linux, or not our file
        return False
    return False


def rewrite(logs: list[tuple[Path, Stamp | None]], old_name: str, new_name: str) -> None:
    """Give a run another name in its logs: in all of them, or in none unless killed meanwhile.

    Args:
        logs: The logs, each as it was read; the last one is the last to be taken in place.
        old_name: The name that Run records are to have now; those with another one stay.
        new_name: The name that they get.

    Raises:
        LogError: A log is damaged, was changed since it was read, is being written, or belongs to
            somebody to whom a new one cannot be given.
        OSError: A file cannot be written.
    """
    with ExitStack() as new_files:
        written = [new_files.enter_context(_written(path, old_name, new_name)) for path, _ in logs]
        for path, stamp in logs:
            _check_unchanged(path, stamp)
        for beside, (path, _) in zip(written, logs, strict=True):
            os.replace(beside, path)  # noqa: PTH105
            sync_folder(path.parent)


@contextmanager
def _written(path: Path, old_name: str, new_name: str) -> Iterator[Path]:
    """A new log beside the old one, checked; removed at the end unless it is in its place."""
    for unfinished in path.parent.glob(f"{escape(path.name)}.*{_SUFFIX}"):  # by one that was killed
        unfinished.unlink(missing_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.", suffix=_SUFFIX)
    beside = Path(name)
    try:
        with os.fdopen(handle, "w+b") as new, path.open("rb") as old:
            _copy(old, new, old_name, new_name)
            os.fsync(new.fileno())
            _check(old, new, old_name, new_name)
        _keep_status(path, beside)
        yield beside
    finally:
        beside.unlink(missing_ok=True)


def _copy(old: BinaryIO, new: BinaryIO, old_name: str, new_name: str) -> None:
    new.writelines(framed(renamed_records(old, old_name, new_name)))
    new.flush()


def _check(old: BinaryIO, new: BinaryIO, old_name: str, new_name: str) -> None:
    """Read the new log back: with the old name put back, it is to be the old one."""
    old.seek(0)
    new.seek(0)
    parts = framed(renamed_records(new, new_name, old_name))
    if any(old.read(len(part)) != part for part in parts) or old.read(1):
        raise LogError("its log could not be put back as it is; it was left alone")


def _check_unchanged(path: Path, stamp: Stamp | None) -> None:
    with path.open("rb") as file:
        if stamp_of(os.fstat(file.fileno())) != stamp:
            raise LogError("its log was changed since it was read")
        if is_open_for_writing(file):
            raise LogError("its log is being written")


def _keep_status(path: Path, beside: Path) -> None:
    """Give the new file the old one's times, mode, owner and group.

    Raises LogError where it cannot have its owner or group: they may be who reads it.
    """
    old = path.stat()
    with suppress(OSError, AttributeError):  # not allowed, or not needed; Windows
        os.chown(beside, old.st_uid, old.st_gid)
    new = beside.stat()
    if (new.st_uid, new.st_gid) != (old.st_uid, old.st_gid):
        raise LogError("its log would get another owner or group; it was left alone")
    shutil.copystat(path, beside)


def sync_folder(folder: Path) -> None:
    """See a new file's name on disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
