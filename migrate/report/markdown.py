"""Rows as a Markdown table, for a pull request or a W&B report; a long one is collapsed."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.mapping.rows import Row, count_by_status, number_of_runs
from migrate.report.words import reason_text
from migrate.text import markdown

LONG = 30
_COLUMNS = ("run_id", "status", "old_name", "new_name", "reason")


def write(rows: Sequence[Row], projects_read: Sequence[tuple[str, str]] = ()) -> bytes:
    """The rows as Markdown; of some of the projects that were read there may be no row."""
    projects = sorted({*map("/".join, projects_read), *map(_project, rows)})
    told = markdown(", ".join(projects)) or "no project"
    lines = [f"**{told}**: {number_of_runs(len(rows))} ({count_by_status(rows) or 'none'})", ""]
    several = len(projects) > 1
    columns = [*(["project"] if several else []), *_COLUMNS]
    table = [_line(columns), f"|{' --- |' * len(columns)}"]
    for row in rows:
        reason = reason_text(row.reasons)
        cells = [row.key.run_id, row.status, row.old_name, row.new_name or "", reason]
        table.append(
            _line([markdown(cell) for cell in [*([_project(row)] if several else []), *cells]])
        )
    if len(rows) > LONG:
        summary = f"<summary>All {len(rows)} runs</summary>"
        table = ["<details>", summary, "", *table, "", "</details>"]
    return ("\n".join([*lines, *table]) + "\n").encode("utf-8", "backslashreplace")


def _project(row: Row) -> str:
    return str(row.key.where)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
