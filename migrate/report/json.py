"""Rows as JSON: an array of objects, the fields in an object of their own, absent is null."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from migrate.mapping.rows import Row
from migrate.report.columns import flat
from naming import FIELDS


def write(rows: Sequence[Row]) -> bytes:
    """The rows as a JSON file."""
    return (json.dumps([as_object(row) for row in rows], indent=1) + "\n").encode()


def as_object(row: Row) -> Mapping[str, object]:
    """One row: its columns, with the fields under `fields`."""
    values = flat(row)
    settled = values.pop("settled")
    fields = {field: values.pop(field) for field in FIELDS}
    return {**values, "fields": fields, "settled": settled}
