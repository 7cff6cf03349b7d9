"""The data that flows through the tool: runs come in, rows come out.

Both are plain values. What a status means and which columns a row has is the
contract of `rsst-migrate report`; every format writes the same columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Final, Literal, get_args

from naming import FIELDS

Status = Literal["rename", "review", "hold", "current", "custom"]

STATUSES: Final[tuple[Status, ...]] = get_args(Status)
"""Every status, those that need a person's eye first."""

OLD: Final[tuple[Status, ...]] = ("rename", "review", "hold")
"""The statuses of runs with an old name."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a report: a run, what is to become of its name, and why.

    Attributes:
        status: One of STATUSES.
        reason: Empty, or a code and words: `missing: rate, exponents`.
        new_name: The new name where status is `rename`, else None.
        fields: The FIELDS of the run as far as they are known; a field that is not is absent.
    """

    entity: str
    project: str
    run_id: str
    state: str
    created_at: datetime | None
    status: Status
    reason: str
    old_name: str
    new_name: str | None
    fields: Mapping[str, object]


_OWN = tuple(part.name for part in fields(Row) if part.name != "fields")

COLUMNS: Final[tuple[str, ...]] = (*_OWN, *FIELDS)
"""The columns of a row, in the order in which every format writes them."""


def utc_text(moment: datetime | None) -> str | None:
    """The ISO 8601 text of an aware time, in UTC with a `Z`; None stays None.

    >>> utc_text(datetime(2026, 1, 8, 14, 30, tzinfo=UTC))
    '2026-01-08T14:30:00Z'
    """
    if moment is None:
        return None
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def number_of_runs(count: int) -> str:
    """So many runs, in words.

    >>> number_of_runs(1), number_of_runs(2)
    ('1 run', '2 runs')
    """
    return f"{count} run{'' if count == 1 else 's'}"


def count_by_status(rows: Iterable[Row]) -> str:
    """`42 rename, 9 review`: the statuses that there are."""
    counts = Counter(row.status for row in rows)
    return ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])


def flat(row: Row) -> dict[str, object]:
    """A row as one value for each of COLUMNS; `created_at` is text, what is absent is None."""
    values: dict[str, object] = {name: getattr(row, name) for name in _OWN}
    values["created_at"] = utc_text(row.created_at)
    return {**values, **{name: row.fields.get(name) for name in FIELDS}}
