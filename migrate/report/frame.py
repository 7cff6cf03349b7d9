"""Rows as a pandas DataFrame, and as the Parquet file that pandas writes of it."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from migrate.mapping.rows import STATUSES, Row
from migrate.report.columns import COLUMNS, flat
from naming import FIELD_TYPES

if TYPE_CHECKING:
    import pandas

_TYPES = {str: "string", float: "Float64", int: "Int64", bool: "boolean"}


def frame(rows: Sequence[Row], made_with: Mapping[str, Any] | None = None) -> pandas.DataFrame:
    """The rows as a DataFrame with a column for each of COLUMNS.

    `created_at` is a UTC timestamp, `status` an ordered category, numbers are nullable numbers,
    `pretrained` a nullable boolean, everything else is text. No rows give the same columns.
    What cannot be in a Parquet file is spelled out, or absent. `attrs["made_with"]` has the options
    and rules in force.
    """
    import pandas

    values = [{**flat(row), "created_at": row.created_at} for row in rows]
    table = pandas.DataFrame(values, columns=list(COLUMNS), dtype="object")
    types: dict[str, object] = {
        **dict.fromkeys(COLUMNS, "string"),
        **{field: _TYPES[kind] for field, kind in FIELD_TYPES.items()},
        "status": pandas.CategoricalDtype(list(STATUSES), ordered=True),
        "created_at": "datetime64[us, UTC]",
    }
    for column in COLUMNS:
        if types[column] == "string":
            table[column] = table[column].map(_encodable, na_action="ignore")
        if types[column] == "Int64":
            table[column] = table[column].map(_in_64_bits, na_action="ignore")
    typed = table.astype(types)  # type: ignore[arg-type]
    if made_with is not None:
        typed.attrs["made_with"] = dict(made_with)
    return typed


def _in_64_bits(number: int) -> int | None:
    """A number that no column can hold is absent."""
    return number if abs(number) < 2**63 else None


def _encodable(text: object) -> str:
    """Parquet is UTF-8: what cannot be in it is spelled out."""
    return str(text).encode("utf-8", "backslashreplace").decode()


def write_parquet(rows: Sequence[Row], made_with: Mapping[str, Any] | None = None) -> bytes:
    """The DataFrame as a Parquet file; the types and `attrs` come back when pandas reads it."""
    stream = io.BytesIO()
    frame(rows, made_with).to_parquet(stream, index=False)
    return stream.getvalue()
