"""Rows: what is said of their reasons."""

from __future__ import annotations

from migrate.client.runs import RunKey
from migrate.mapping.rows import Reason, Row


def test_a_code_counts_once():
    reasons = (Reason("invalid", (("config",),)), Reason("missing"), Reason("invalid"))
    row = Row(RunKey("ycx", "RSST", "a"), "finished", None, "review", reasons, "old", None, {})
    assert row.codes == ("invalid", "missing")
