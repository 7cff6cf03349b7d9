"""Rows as a Markdown table, for a pull request or a W&B report; a long one is collapsed."""

from __future__ import annotations

import re
from collections.abc import Sequence

from migrate.mapping.rows import Row
from migrate.report.origin import Origin
from migrate.report.words import count_by_status, made_with_lines, reason_text, settled_text
from migrate.text import code_span, counted

LONG = 30
_COLUMNS = ("project", "run_id", "status", "old_name", "new_name", "reason", "settled")


def write(rows: Sequence[Row], origin: Origin) -> bytes:
    """The rows as Markdown, under a heading with every project that was read, empty or not."""
    projects = sorted({*map(str, origin.projects), *(str(row.key.where) for row in rows)})
    heading = ", ".join(map(code_span, projects)) or "no project"
    lines = [f"{heading}: {counted(len(rows), 'run')} ({count_by_status(rows) or 'none'})", ""]
    for project, count, runs in origin.parts(rows):
        part = f"{count} of {counted(runs, 'run')} of {code_span(project)}"
        lines += [f"A part of the project: {part}.", ""]
    if origin.made_with is not None:
        made = [f"- {code_span(line)}" for line in made_with_lines(origin.made_with)]
        lines += ["<details>", "<summary>Made with</summary>", "", *made, "", "</details>", ""]
    several = len(projects) > 1
    shown = slice(0 if several else 1, None if any(row.settled for row in rows) else -1)
    columns = _COLUMNS[shown]
    table = [_line(columns), f"|{' --- |' * len(columns)}"]
    for row in rows:
        cells = [
            _cell(str(row.key.where)),
            _cell(row.key.run_id),
            row.status,
            _cell(row.old_name),
            _cell(row.new_name or ""),
            _cell(reason_text(row.reasons)),
            _cell(settled_text(row.settled)),
        ]
        table.append(_line(cells[shown]))
    if len(rows) > LONG:
        summary = f"<summary>All {len(rows)} runs</summary>"
        table = ["<details>", summary, "", *table, "", "</details>"]
    return ("\n".join([*lines, *table]) + "\n").encode()


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    r"""Text for a cell: a table ends its cells before code spans are looked for.

    Of a backslash in front of a bar GitHub and others make different things: it is spelled out.

    >>> print(_cell("a|b"), _cell(r"a\|b"))
    `a\|b` `a\x5c\|b`
    """
    return re.sub(r"\\(?=\|)", r"\\x5c", code_span(text)).replace("|", r"\|")
