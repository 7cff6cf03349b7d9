"""W&B's run filters: the part of MongoDB's query language that its clients use.

Not by a library. mongomock (4.3.0, 2024) and mongoquery (1.4.3, 2025) would do the operators, which
are the twenty lines of `_OPERATORS`; what is W&B's own would have to be written around them all the
same: its names of fields, `config.KEY` for `config[KEY].value`, errors for what does not exist, and
times that are texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from migrate.sandbox.store import StoredRun

_FIELDS = {
    "name": "name",
    "display_name": "displayName",
    "displayName": "displayName",
    "state": "state",
    "created_at": "createdAt",
    "createdAt": "createdAt",
    "heartbeat_at": "heartbeatAt",
    "group": "group",
    "job_type": "jobType",
    "jobType": "jobType",
    "tags": "tags",
    "notes": "notes",
}


_TIMES = ("createdAt", "heartbeatAt")


class FilterError(ValueError):
    """A filter that the server refuses."""


@lru_cache(maxsize=200_000)
def moment(text: str) -> datetime:
    """An ISO 8601 time, with or without zone and fractions; UTC where it names no zone.

    >>> moment("2026-01-08T14:30:00.000Z") == moment("2026-01-08T14:30:00")
    True

    Raises:
        FilterError: It is not a time.
    """
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise FilterError(f"invalid filters: {text!r} is not a time") from None


def _ordered(compare: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def check(value: Any, operand: Any) -> bool:
        try:
            return compare(value, operand)
        except TypeError:
            return False

    return check


_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "$eq": lambda value, operand: value == operand or _holds(value, operand),
    "$ne": lambda value, operand: value != operand and not _holds(value, operand),
    "$in": lambda value, operand: value in operand or any(_holds(value, item) for item in operand),
    "$nin": lambda value, operand: value not in operand,
    "$gt": _ordered(lambda value, operand: value > operand),
    "$gte": _ordered(lambda value, operand: value >= operand),
    "$lt": _ordered(lambda value, operand: value < operand),
    "$lte": _ordered(lambda value, operand: value <= operand),
    "$exists": lambda value, operand: (value is not None) == bool(operand),
    "$regex": lambda value, operand: bool(re.search(operand, str(value or ""))),
    "$not": lambda value, operand: not _matches_condition(value, operand),
}


def _holds(value: Any, operand: Any) -> bool:
    return isinstance(value, list) and operand in value


def parse_filters(text: str | None) -> Mapping[str, Any]:
    """The filters of a request; FilterError where they are not a JSON object."""
    try:
        filters = json.loads(text or "{}")
    except json.JSONDecodeError as error:
        raise FilterError(f"invalid filters: {error}") from None
    if not isinstance(filters, dict):
        raise FilterError("invalid filters: not an object")
    return filters


def matches(run: StoredRun, filters: Mapping[str, Any]) -> bool:
    """Whether a run passes; FilterError for a field or operator that does not exist."""
    for key, condition in filters.items():
        if key in ("$and", "$or", "$nor"):
            results = [matches(run, part) for part in condition]
            passed = all(results) if key == "$and" else any(results) == (key == "$or")
        else:
            passed = _matches_condition(*_comparable(run, key, condition))
        if not passed:
            return False
    return True


def field_value(run: StoredRun, key: str) -> Any:
    """A run's value under a key of the filter language; None where it has none."""
    if key in _FIELDS:
        return getattr(run, _FIELDS[key])
    section, _, rest = key.partition(".")
    if section not in ("config", "summary_metrics", "summaryMetrics") or not rest:
        raise FilterError(f"invalid filters: unknown field {key!r}")
    try:
        values = json.loads(run.config if section == "config" else run.summaryMetrics)
    except json.JSONDecodeError:
        return None
    value = values.get(rest.removesuffix(".value")) if isinstance(values, dict) else None
    return value["value"] if isinstance(value, dict) and "value" in value else value


def _comparable(run: StoredRun, key: str, condition: Any) -> tuple[Any, Any]:
    """A run's value and what it is compared with: of times, the moments instead of the texts."""
    value = field_value(run, key)
    if _FIELDS.get(key) not in _TIMES:
        return value, condition
    return moment(value), _moments(condition)


def _moments(condition: Any) -> Any:
    if isinstance(condition, dict):
        return {
            operator: operand if operator in ("$exists", "$regex") else _moments(operand)
            for operator, operand in condition.items()
        }
    if isinstance(condition, list):
        return [_moments(item) for item in condition]
    return moment(condition)


def _matches_condition(value: Any, condition: Any) -> bool:
    if not isinstance(condition, dict):
        return _OPERATORS["$eq"](value, condition)
    for operator, operand in condition.items():
        if operator not in _OPERATORS:
            raise FilterError(f"invalid filters: unknown operator {operator!r}")
        try:
            if not _OPERATORS[operator](value, operand):
                return False
        except (re.error, TypeError) as error:
            raise FilterError(f"invalid filters: {operator}: {error}") from None
    return True
