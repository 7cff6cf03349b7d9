"""The formats of a saved report, and the saving."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from migrate.errors import InputError
from migrate.mapping.rows import Row
from migrate.report import csv, html, json, markdown
from migrate.report.html import Source

__all__ = ["FORMATS", "Source", "format_of", "save"]


def _parquet(rows: Sequence[Row], _: Source) -> bytes:
    from migrate.report import frame  # pandas is slow to import

    return frame.write_parquet(rows)


FORMATS: dict[str, Callable[[Sequence[Row], Source], bytes]] = {
    "csv": lambda rows, _: csv.write(rows),
    "json": lambda rows, _: json.write(rows),
    "md": lambda rows, source: markdown.write(rows, source.projects),
    "html": html.write,
    "parquet": _parquet,
}
"""Format, and so suffix, to what writes it."""


def format_of(path: Path | None, name: str | None) -> str | None:
    """The format asked for: `--format`, else the suffix of `-o`; None where neither is given.

    Raises:
        InputError: It is not one of FORMATS.
    """
    asked = name or (path.suffix.removeprefix(".") if path else None)
    if asked is None:
        return None
    if asked.lower() not in FORMATS:
        raise InputError(
            f"{asked!r} is not a report format. Use --format, or a suffix of -o, "
            f"out of {', '.join(FORMATS)}."
        )
    return asked.lower()


def save(path: Path, data: bytes) -> None:
    """Write a file whole or not at all.

    Raises:
        InputError: The file cannot be written.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        beside = Path(name)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
            umask = os.umask(0)
            os.umask(umask)
            beside.chmod(path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~umask)
            beside.replace(path)
        except BaseException:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise
    except OSError as error:
        raise InputError(f"Cannot write {path}: {error.strerror or error}.") from error
