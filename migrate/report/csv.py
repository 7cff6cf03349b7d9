"""Rows as CSV: the columns of the contract, UTF-8, no cell that acts in a spreadsheet or terminal.

There is a byte order mark in front, without which Excel takes the text for the machine's old
encoding. `plan_file` reads files with and without.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from migrate.mapping.rows import Row
from migrate.report.columns import COLUMNS, flat
from migrate.text import csv_cell


def write(rows: Sequence[Row]) -> bytes:
    """The rows as a CSV file."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow([_cell(value) for value in flat(row).values()])
    return stream.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    """None is an empty cell, a boolean `true` or `false`, a number as Python writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return csv_cell(value) if isinstance(value, str) else str(value)
