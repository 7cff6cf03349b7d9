"""Where a run stands, by what the server says of it."""

from __future__ import annotations

import pytest

from migrate.client.runs import RunKey, RunState
from migrate.mapping.rows import Row
from migrate.rename.plan import DONE, Outcome, PlannedRename, classify, planned
from migrate.report.outcomes import outcome_words
from migrate.report.words import settled_text

PLAN = [
    PlannedRename(RunKey("e", "p", "a"), "old a", "new a"),
    PlannedRename(RunKey("e", "q", "b"), "x", "y"),
]


def test_an_undo_goes_the_other_way():
    back = [one.back() for one in PLAN]
    assert [(one.old_name, one.new_name) for one in back] == [("new a", "old a"), ("y", "x")]
    assert [one.back() for one in back] == PLAN
    assert [one.key for one in PLAN] == [one.key for one in back]
    assert [one.where for one in PLAN] == [("e", "p"), ("e", "q")]


def test_rows_with_a_new_name_are_the_plan():
    rows = [
        Row(RunKey("e", "p", "a"), "finished", None, "rename", (), "old a", "new a", {}),
        Row(RunKey("e", "p", "b"), "finished", None, "review", (), "old b", None, {}),
    ]
    assert planned(rows, settled_text) == PLAN[:1]


def state(name="old", storage_id="U3RvcmU=", run_state="finished", read_only=False):
    return RunState("r", storage_id, name, run_state, read_only)


MEANWHILE = "(renamed by somebody else meanwhile)"


@pytest.mark.parametrize(
    ("state", "code", "words"),
    [
        (None, "gone", "gone: the run no longer exists"),
        (state("new"), "done", "done"),
        (state("new", storage_id="", run_state="running", read_only=True), "done", "done"),
        (state("mine"), "drifted", f"drifted: is now mine {MEANWHILE}"),
        (state("\x1b[31m"), "drifted", rf"drifted: is now \x1b[31m {MEANWHILE}"),
        (state("mine", read_only=True), "drifted", f"drifted: is now mine {MEANWHILE}"),
        (state(storage_id=""), "refused", "refused: the server gives no id to rename it by"),
        (state(read_only=True), "read-only", "read-only: this key may not rename it"),
        *(
            (
                state(run_state=alive),
                "running",
                f"running: it is {alive}, and its process may write its name back",
            )
            for alive in ("running", "pending", "preempting", "preempted")
        ),
        (
            state(run_state="running", read_only=True),
            "read-only",
            "read-only: this key may not rename it",
        ),
    ],
)
def test_where_a_run_stands(state, code, words):
    outcome = classify(ONE, state, include_running=False)
    assert outcome.code == code
    assert outcome_words(outcome.code, outcome.text) == words


ONE = PlannedRename(RunKey("e", "p", "r"), "old", "new")


@pytest.mark.parametrize("run_state", ["finished", "crashed", "failed", "killed", "", "new word"])
def test_a_run_as_planned_is_to_be_renamed(run_state):
    assert classify(ONE, state(run_state=run_state), include_running=False) is None


def test_running_runs_are_to_be_renamed_where_they_are_included():
    assert classify(ONE, state(run_state="running"), include_running=True) is None
    assert classify(ONE, state("new", run_state="running"), include_running=True) == DONE
    assert classify(ONE, state("x"), include_running=True) == Outcome("drifted", "x")


@pytest.mark.parametrize(
    ("name", "earlier", "outcome"),
    [
        ("new", "first", DONE),
        ("new", "old", None),  # one of its logs has the new name already, or still the old one
        ("old", "new", None),
        ("first", "old", Outcome("drifted", "first")),
    ],
)
def test_an_offline_run_with_several_names(name, earlier, outcome):
    offline = RunState("r", "r", name, "finished", False, frozenset({earlier}))
    assert classify(ONE, offline, include_running=False) == outcome


@pytest.mark.parametrize(
    ("held", "why"),
    [("being-written", "a process is writing the log"), ("synced", "synced, so on W&B already")],
)
def test_an_offline_run_that_is_left_alone(held, why):
    outcome = classify(ONE, state(run_state=held), include_running=True)
    assert outcome == Outcome("held", held)
    assert outcome_words(outcome.code, outcome.text) == f"left alone: {why}"
