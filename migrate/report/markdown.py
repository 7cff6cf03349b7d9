"""Rows as a Markdown table, for a pull request or a W&B report; a long one is collapsed."""

from __future__ import annotations

from collections.abc import Sequence

from migrate.mapping.rows import Row, count_by_status, number_of_runs
from migrate.report.words import reason_text, settled_text
from migrate.text import markdown

LONG = 30
_COLUMNS = ("project", "run_id", "status", "old_name", "new_name", "reason", "settled")


def write(rows: Sequence[Row], projects_read: Sequence[tuple[str, str]] = ()) -> bytes:
    """The rows as Markdown, under a heading with every project that was read, empty or not."""
    projects = sorted({*map("/".join, projects_read), *(str(row.key.where) for row in rows)})
    heading = markdown(", ".join(projects)) or "no project"
    lines = [f"**{heading}**: {number_of_runs(len(rows))} ({count_by_status(rows) or 'none'})", ""]
    several = len(projects) > 1
    shown = slice(0 if several else 1, None if any(row.settled for row in rows) else -1)
    columns = _COLUMNS[shown]
    table = [_line(columns), f"|{' --- |' * len(columns)}"]
    for row in rows:
        cells = [
            str(row.key.where),
            row.key.run_id,
            row.status,
            row.old_name,
            row.new_name or "",
            reason_text(row.reasons),
            settled_text(row.settled),
        ]
        table.append(_line([markdown(cell) for cell in cells[shown]]))
    if len(rows) > LONG:
        summary = f"<summary>All {len(rows)} runs</summary>"
        table = ["<details>", summary, "", *table, "", "</details>"]
    return ("\n".join([*lines, *table]) + "\n").encode("utf-8", "backslashreplace")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
