"""Rows: what is said of them together, and of the reasons of one."""

from __future__ import annotations

from dataclasses import replace

from migrate.client.runs import RunKey
from migrate.mapping.rows import Reason, Row, count_by_status


def test_rows_are_counted_in_the_order_of_the_statuses():
    row = Row(RunKey("ycx", "RSST", "a"), "finished", None, "custom", (), "old", None, {})
    rows = [row, replace(row, status="rename", new_name="new"), replace(row, status="review"), row]
    assert count_by_status(rows) == "1 rename, 1 review, 2 custom"
    assert count_by_status([]) == ""


def test_a_code_counts_once():
    reasons = (Reason("invalid", (("config",),)), Reason("missing"), Reason("invalid"))
    row = Row(RunKey("ycx", "RSST", "a"), "finished", None, "review", reasons, "old", None, {})
    assert row.codes == ("invalid", "missing")
