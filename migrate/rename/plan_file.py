"""A saved report, hand-edited or not, read back as a plan. Pure but for reading the file.

Everything that is wrong with it is listed at once. What only the server can tell (a run that is
not there, a name that another run bears) is the rename's to check.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from migrate.client.runs import ProjectKey, RunKey
from migrate.errors import InputError, scrub
from migrate.mapping.rows import STATUSES
from migrate.rename.plan import PlannedRename
from migrate.text import first_lines, from_csv_cell, visible, with_blanks_visible
from naming import MAX_LENGTH

_NEEDED = ("entity", "project", "run_id", "status", "old_name", "new_name")
_READ = (*_NEEDED, "settled")
_MOST_LISTED = 20
_CELL_LIMIT = 1_000_000


def read_plan(path: Path) -> list[PlannedRename]:
    """The rows with status `rename` of a CSV or JSON report.

    Raises:
        InputError: Listing all that is wrong with the file.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"Cannot read the plan {path}: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"The plan {path} is not UTF-8 (byte {error.start}). Save it as CSV UTF-8."
        ) from None
    problems: list[str] = []
    is_json = text.lstrip()[:1] in ("[", "{")
    rows = _json_rows(path, text) if is_json else _csv_rows(path, text, problems)
    plan = list(_renames(rows, problems))
    problems += _clashes(plan)
    if problems:
        raise InputError(list_problems(f"The plan {path} cannot be used", problems))
    return [rename for _, rename in plan]


def list_problems(title: str, problems: Sequence[str]) -> str:
    """All the problems, a line each; of very many the first, and how many more."""
    shown = first_lines(problems, _MOST_LISTED)
    return "\n  ".join([f"{title}, nothing was touched:", *shown])


def check_new_name(name: str) -> str | None:
    """What is wrong with a name that is to be written; None for nothing."""
    if not name.strip():
        return "new_name is empty"
    if len(name) > MAX_LENGTH:
        return f"new_name has {len(name)} characters, and W&B keeps {MAX_LENGTH}"
    shown = with_blanks_visible(name)
    if shown != name:
        return f"new_name has characters that cannot be seen: {shown}"
    if name != name.strip():
        return f"new_name begins or ends with a space: {name!r}"
    return None


def _csv_rows(path: Path, text: str, problems: list[str]) -> list[tuple[str, Mapping[str, str]]]:
    csv.field_size_limit(_CELL_LIMIT)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        columns = next(reader, [])
        twice = [name for name in _NEEDED if columns.count(name) > 1]
        if twice:
            raise InputError(
                f"The plan {path} has two columns {', '.join(twice)}; nothing was touched."
            )
        missing = [name for name in _NEEDED if name not in columns]
        if missing:
            raise InputError(
                f"The plan {path} has no column {', '.join(missing)}; nothing was touched. "
                "Save one with `rsst-migrate report PATH -o plan.csv`."
            )
        rows: list[tuple[str, Mapping[str, str]]] = []
        for line in reader:
            where = f"line {reader.line_num}"
            # A comma typed into a name: what follows it must not be lost silently.
            if any(line[len(columns) :]):
                problems.append(f"{where}: more cells than columns; quote a cell with a comma")
            if any(line):  # not a spreadsheet's empty line
                cells = dict(zip(columns, line, strict=False))
                rows.append((where, {name: from_csv_cell(cells.get(name, "")) for name in _READ}))
        return rows
    except csv.Error as error:
        raise InputError(f"The plan {path} is not CSV: line {reader.line_num}: {error}.") from None


def _json_rows(path: Path, text: str) -> list[tuple[str, Mapping[str, Any]]]:
    try:
        rows = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The plan {path} is not JSON: {scrub(error)}.") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"The plan {path} is not an array of objects, as `report` writes it.")
    missing = [name for name in _NEEDED if any(name not in row for row in rows)]
    if missing:
        raise InputError(
            f"The plan {path} has rows without {', '.join(missing)}; nothing was touched."
        )
    return [(f"row {number}", row) for number, row in enumerate(rows, 1)]


def _renames(
    rows: Sequence[tuple[str, Mapping[str, Any]]], problems: list[str]
) -> Iterator[tuple[str, PlannedRename]]:
    for where, row in rows:
        status = row["status"]
        if status not in STATUSES:
            problems.append(f"{where}: unknown status {status!r}"[:200])
        if status != "rename":
            continue
        values = [row[name] for name in ("entity", "project", "run_id", "old_name", "new_name")]
        if not all(isinstance(value, str) for value in values):
            problems.append(f"{where}: entity, project, run_id and both names must be strings")
            continue
        settled = row.get("settled")
        settled = settled if isinstance(settled, str) else ""
        rename = PlannedRename(RunKey(*values[:3]), values[3], values[4], settled)
        empty = [name for name, value in rename.key._asdict().items() if not value]
        if empty:
            problems.append(f"{where}: {', '.join(empty)} is empty")
        if not rename.old_name:
            problems.append(f"{where}: old_name is empty, so undo could not restore it")
        wrong = check_new_name(rename.new_name)
        if wrong:
            problems.append(f"{where}: {wrong}")
        elif rename.new_name == rename.old_name:
            problems.append(f"{where}: new_name is the old name")
        yield where, rename


def _clashes(plan: Sequence[tuple[str, PlannedRename]]) -> Iterator[str]:
    runs: dict[RunKey, str] = {}
    names: dict[tuple[ProjectKey, str], str] = {}
    for where, rename in plan:
        name = rename.where, rename.new_name
        if rename.key in runs:
            run_id = visible(rename.key.run_id)
            yield f"{where}: run {run_id} is already in {runs[rename.key]}"
        elif name in names and check_new_name(rename.new_name) is None:
            yield f"{where}: {visible(rename.new_name)} is already the new name in {names[name]}"
        runs.setdefault(rename.key, where)
        names.setdefault(name, where)
