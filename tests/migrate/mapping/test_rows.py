"""A row as the formats write it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from migrate.mapping.rows import COLUMNS, Row, count_by_status, flat, utc_text


@pytest.fixture
def far_from_utc(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_row_has_each_column_and_its_time_in_utc(far_from_utc):
    made = datetime(2026, 1, 8, 14, 30, tzinfo=timezone(timedelta(hours=-5)))
    fields = {"arch": "res18", "rate": 0.2, "pretrained": False}
    row = Row("ycx", "RSST", "a", "finished", made, "hold", "running", "old", None, fields)
    assert flat(row) == {
        **dict.fromkeys(COLUMNS),
        "entity": "ycx",
        "project": "RSST",
        "run_id": "a",
        "state": "finished",
        "created_at": "2026-01-08T19:30:00Z",
        "status": "hold",
        "reason": "running",
        "old_name": "old",
        **fields,
    }
    assert tuple(flat(row)) == COLUMNS
    assert utc_text(None) is None


def test_rows_are_counted_in_the_order_of_the_statuses():
    row = Row("ycx", "RSST", "a", "finished", None, "custom", "", "old", None, {})
    rows = [row, replace(row, status="rename", new_name="new"), replace(row, status="review"), row]
    assert count_by_status(rows) == "1 rename, 1 review, 2 custom"
    assert count_by_status([]) == ""
