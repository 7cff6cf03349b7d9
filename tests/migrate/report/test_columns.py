"""A row as the formats write it."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from migrate.client.runs import RunKey
from migrate.mapping.rows import Reason, Row
from migrate.report.columns import COLUMNS, flat


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
    reasons = (Reason("running", ("pending",)),)
    row = Row(RunKey("ycx", "RSST", "a"), "pending", made, "hold", reasons, "old", None, fields)
    assert flat(row) == {
        **dict.fromkeys(COLUMNS),
        "entity": "ycx",
        "project": "RSST",
        "run_id": "a",
        "state": "pending",
        "created_at": "2026-01-08T19:30:00Z",
        "status": "hold",
        "reason": "running",
        "old_name": "old",
        **fields,
        "settled": "",
    }
    assert tuple(flat(row)) == COLUMNS
    assert flat(replace(row, created_at=None))["created_at"] is None
