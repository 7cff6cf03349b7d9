"""A row as the columns that every format writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from migrate.mapping.rows import Row
from migrate.report.words import reason_text, settled_text
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


def utc_text(moment: datetime | None) -> str | None:
    """The ISO 8601 text of an aware time, in UTC with a `Z`; None stays None.

    >>> utc_text(datetime(2026, 1, 8, 14, 30, tzinfo=UTC))
    '2026-01-08T14:30:00Z'
    """
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def flat(row: Row) -> dict[str, object]:
    """A row as one value for each of COLUMNS; `created_at` is text, what is absent is None."""
    return {
        **row.key._asdict(),
        "state": row.state,
        "created_at": utc_text(row.created_at),
        "status": row.status,
        "reason": reason_text(row.reasons),
        "old_name": row.old_name,
        "new_name": row.new_name,
        **{field: row.fields.get(field) for field in FIELDS},
        "settled": settled_text(row.settled),
    }
