"""Where a run stands, by what the server says of it."""

from __future__ import annotations

import pytest

from migrate.client.runs import RunKey, RunState
from migrate.mapping.rows import Row
from migrate.rename.plan import PlannedRename, planned, standing

PLAN = [PlannedRename("e", "p", "a", "old a", "new a"), PlannedRename("e", "q", "b", "x", "y")]


def test_an_undo_goes_the_other_way():
    back = [one.back() for one in PLAN]
    assert [(one.old_name, one.new_name) for one in back] == [("new a", "old a"), ("y", "x")]
    assert [one.back() for one in back] == PLAN
    assert [one.key for one in PLAN] == [one.key for one in back] == [
        ("e", "p", "a"),
        ("e", "q", "b"),
    ]  # fmt: skip


def test_rows_with_a_new_name_are_the_plan():
    rows = [
        Row(RunKey("e", "p", "a"), "finished", None, "rename", (), "old a", "new a", {}),
        Row(RunKey("e", "p", "b"), "finished", None, "review", (), "old b", None, {}),
    ]
    assert planned(rows) == PLAN[:1]


def state(name="old", storage_id="U3RvcmU=", run_state="finished", read_only=False):
    return RunState("r", storage_id, name, run_state, read_only)


@pytest.mark.parametrize(
    ("state", "where"),
    [
        (state(), "to do"),
        (None, "gone: there is no such run any more"),
        (state("new"), "done"),
        (state("new", storage_id="", run_state="running", read_only=True), "done"),
        (state("mine"), "drifted: is now mine"),
        (state("mine", read_only=True), "drifted: is now mine"),
        (state(storage_id=""), "refused: the server gives no id to rename it by"),
        (state(read_only=True), "read-only: this key may not rename it"),
        (state(run_state="running"), "running: its process may write its name back"),
        (state(run_state="running", read_only=True), "read-only: this key may not rename it"),
    ],
)
def test_where_a_run_stands(state, where):
    one = PlannedRename("e", "p", "r", "old", "new")
    assert standing(one, state, include_running=False) == where


def test_running_runs_are_to_do_where_they_are_included():
    one = PlannedRename("e", "p", "r", "old", "new")
    assert standing(one, state(run_state="running"), include_running=True) == "to do"
