"""A row as the columns of the contract, and the two formats that are nothing else: CSV and JSON."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC
from typing import Final

from migrate.mapping.rows import Row
from migrate.report.words import reason_text, settled_text
from migrate.text import csv_cell
from naming import FIELDS

COLUMNS: Final[tuple[str, ...]] = (
    "entity",
    "project",
    "run_id",
    "state",
    "created_at",
    "status",
    "reason",
    "old_name",
    "new_name",
    *FIELDS,
    "settled",
)
"""The columns of a row, in the order in which every format writes them."""


def flat(row: Row) -> dict[str, object]:
    """A row as one value for each of COLUMNS; `created_at` is text, what is absent is None."""
    created = row.created_at and row.created_at.astimezone(UTC).isoformat()
    return {
        **row.key._asdict(),
        "state": row.state,
        "created_at": created and created.replace("+00:00", "Z"),
        "status": row.status,
        "reason": reason_text(row.reasons),
        "old_name": row.old_name,
        "new_name": row.new_name,
        **{field: row.fields.get(field) for field in FIELDS},
        "settled": settled_text(row.settled),
    }


def write_csv(rows: Sequence[Row]) -> bytes:
    """The rows as CSV in which no cell acts in a spreadsheet or terminal.

    It begins with a byte order mark, without which Excel takes the text for the machine's old
    encoding. `plan_file` reads files with and without.
    """
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


def write_json(rows: Sequence[Row]) -> bytes:
    """The rows as a JSON array of objects, the fields in an object of their own; absent is null."""
    objects = []
    for row in rows:
        values = flat(row)
        settled = values.pop("settled") or None
        fields = {field: values.pop(field) for field in FIELDS}
        reason = values["reason"] or None
        objects.append({**values, "reason": reason, "fields": fields, "settled": settled})
    return (json.dumps(objects, indent=1) + "\n").encode()
