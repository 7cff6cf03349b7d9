"""Rows as a Markdown table, for a pull request or a W&B report; a long one is collapsed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from migrate.rows import STATUSES, Row
from migrate.text import markdown

LONG = 30
_COLUMNS = ("run_id", "status", "old_name", "new_name", "reason")


def write(rows: Sequence[Row]) -> bytes:
    """The rows as Markdown."""
    counts = Counter(row.status for row in rows)
    shown = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    projects = ", ".join(sorted({f"{row.entity}/{row.project}" for row in rows}))
    lines = [f"**{markdown(projects) or 'no project'}**: {len(rows)} runs ({shown or 'none'})", ""]
    table = [f"| {' | '.join(_COLUMNS)} |", f"|{' --- |' * len(_COLUMNS)}"]
    table += [
        f"| {' | '.join(markdown(getattr(row, name) or '') for name in _COLUMNS)} |" for row in rows
    ]
    if len(rows) > LONG:
        summary = f"<summary>All {len(rows)} runs</summary>"
        table = ["<details>", summary, "", *table, "", "</details>"]
    return ("\n".join([*lines, *table]) + "\n").encode("utf-8", "backslashreplace")
