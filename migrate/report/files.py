"""The formats of a saved report, and the saving."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from secrets import token_hex

from migrate.errors import InputError
from migrate.mapping.rows import Row
from migrate.report import html, markdown
from migrate.report.columns import write_csv, write_json
from migrate.report.frame import write_parquet
from migrate.report.origin import Origin

FORMATS: dict[str, Callable[[Sequence[Row], Origin], bytes]] = {
    "csv": lambda rows, _: write_csv(rows),
    "json": lambda rows, _: write_json(rows),
    "md": markdown.write,
    "html": html.write,
    "parquet": lambda rows, origin: write_parquet(rows, origin.made_with),
}
"""Format, and so suffix, to what writes it."""


def format_of(path: Path | None, name: str | None) -> str | None:
    """The format asked for: `--format`, else the suffix of `-o`; None for the terminal's own.

    Raises:
        InputError: It is not one of FORMATS.
    """
    asked = name or (path.suffix.removeprefix(".") if path else None)
    if asked is None or (path and not asked and is_stdout(path)):
        return None
    if asked.lower() not in FORMATS:
        wrong = f"{asked!r} is not a report format" if asked else f"{path} has no suffix"
        raise InputError(f"{wrong}. Use --format, or a suffix of -o, out of {', '.join(FORMATS)}.")
    return asked.lower()


def is_stdout(path: Path) -> bool:
    """Whether `-o` names stdout: as `-`, as `/dev/stdout`, or as what it has been led to."""
    if str(path) == "-":
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # there is no such file yet, or no stdout
        return False


def save(path: Path, data: bytes) -> None:
    """Write a regular file, whole or not at all; or into a pipe or device. Links stay links.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        target = Path(os.path.realpath(path))
        try:
            mode = path.stat().st_mode
        except FileNotFoundError:
            mode = None
        if mode is None or stat.S_ISREG(mode):
            _replace(target, data, mode)
        else:  # by the name as given: that of a pipe in /dev/fd leads to no file
            with path.open("wb") as stream:
                stream.write(data)
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error


def _replace(path: Path, data: bytes, mode: int | None) -> None:
    """Write beside the file, then put that in its place, with its mode."""
    beside = path.with_name(f".rsst-migrate.{token_hex(4)}")
    try:
        beside.touch(0o666 if mode is None else 0o600, exist_ok=False)
        beside.write_bytes(data)
        if mode is not None:
            beside.chmod(stat.S_IMODE(mode))
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
