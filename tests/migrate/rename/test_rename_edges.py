"""Renames that are nearly right: narrowed plans, others in between, odd answers at the end."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from migrate.client.runs import RunKey
from migrate.errors import InputError
from migrate.rename import verify
from migrate.rename.journal import Header, Journal
from migrate.rename.plan import PlannedRename
from migrate.sandbox.store import StoredRun

COLUMNS = "entity,project,run_id,status,old_name,new_name"


def write_plan(path, rows):
    lines = [",".join(("ycx", project, run, "rename", *names)) for project, run, *names in rows]
    path.write_text("\n".join([COLUMNS, *lines]) + "\n")
    return path


@pytest.fixture
def two(sandbox):
    """ycx/RSST with runs a and b, and ycx/P2 with run c; each has its id for a name."""
    for project, run in (("RSST", "a"), ("RSST", "b"), ("P2", "c")):
        sandbox.store.add("ycx", project, StoredRun(run, run, summaryMetrics="{}"))
    return sandbox


# What a plan file may say.


def test_options_that_cannot_change_a_plan_file_are_refused(sandbox, cli, tmp_path):
    plan = write_plan(tmp_path / "p.csv", [("RSST", "run00000", "x", "y")])
    refused = cli("rename", "--plan", plan, "--yes", "--match", "vit", "--assume", "rate=0.1")
    assert refused.returncode == 2
    assert "--match, --assume cannot change them" in refused.stderr


def test_a_limit_shows_the_runs_that_it_renames(two, cli, tmp_path):
    rows = [("RSST", "a", "a", "A"), ("P2", "c", "c", "C"), ("RSST", "b", "b", "B")]
    done = cli("rename", "--plan", write_plan(tmp_path / "p.csv", rows), "--yes", "--limit", "2")
    assert done.returncode == 0, done.stderr
    assert [word for word in ("→ A", "→ B", "→ C") if word in done.stdout] == ["→ A", "→ C"]
    assert two.store.names("ycx", "RSST")["a"] == "A"
    assert two.store.names("ycx", "RSST")["b"] == "b"
    assert two.store.names("ycx", "P2")["c"] == "C"


def test_two_names_can_be_swapped(two, cli, tmp_path):
    rows = [("RSST", "a", "a", "b"), ("RSST", "b", "b", "a")]
    plan = write_plan(tmp_path / "p.csv", rows)
    half = cli("rename", "--plan", plan, "--yes", "--limit", "1")
    assert (half.returncode, "a: run b already has the name b" in half.stderr) == (2, True)
    assert cli("rename", "--plan", plan, "--yes").returncode == 0
    assert two.store.names("ycx", "RSST")["a"] == "b"
    assert two.store.names("ycx", "RSST")["b"] == "a"


def test_a_run_that_will_be_left_alone_keeps_its_name(two, cli, tmp_path):
    two.store.project("ycx", "RSST").runs["b"].displayName = "A"
    rows = [("RSST", "a", "a", "A"), ("RSST", "b", "b", "B")]
    refused = cli("rename", "--plan", write_plan(tmp_path / "p.csv", rows), "--yes")
    assert (refused.returncode, "a: run b already has the name A" in refused.stderr) == (2, True)


def test_a_dry_run_of_a_plan_counts_what_would_be_renamed_now(two, cli, tmp_path):
    rows = [("RSST", "a", "a", "A"), ("RSST", "b", "b", "B"), ("P2", "c", "c", "C")]
    plan = write_plan(tmp_path / "p.csv", rows)
    two.store.project("ycx", "RSST").runs["a"].displayName = "A"  # renamed already
    two.store.project("ycx", "RSST").runs["b"].displayName = "mine"
    dry = cli("rename", "--plan", plan, "--dry-run").stderr
    assert "b: drifted: is now mine" in dry
    assert "Dry run: 1 of 3 runs would be renamed. Nothing was written." in dry
    assert f"rename --plan {plan}" in dry
    two.store.project("ycx", "P2").runs["c"].state = "running"
    dry = cli("rename", "--plan", plan, "--dry-run").stderr
    assert "c: running: it is running" in dry
    assert "Dry run: 0 of 3 runs would be renamed." in dry
    assert "To rename" not in dry


def test_a_plan_of_a_read_only_project_in_steps(two, cli, tmp_path):
    two.store.project("ycx", "P2").read_only = True
    plan = write_plan(tmp_path / "p.csv", [("P2", "c", "c", "C")])
    for more in ([], ["--limit", "5"]):
        done = cli("rename", "--plan", plan, "--yes", *more)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("error: ycx/P2: read-only for this key.")


def test_a_plan_in_steps(sandbox, cli, tmp_path):
    """Each step takes the next runs; those that somebody renamed stand in no step's way."""
    for run in "abcde":
        sandbox.store.add("ycx", "RSST", StoredRun(run, run, summaryMetrics="{}"))
    rows = [("RSST", run, run, run.upper()) for run in "abcde"]
    plan = write_plan(tmp_path / "p.csv", rows)
    sandbox.store.project("ycx", "RSST").runs["b"].displayName = "mine"

    def step(code):
        done = cli("rename", "--plan", plan, "--limit", "2", "--yes", "--journal", next(journals))
        assert (done.returncode, "b: drifted: is now mine" in done.stderr) == (code, True)
        return done.stderr

    journals = (tmp_path / f"{number}.jsonl" for number in range(3))
    first = step(0)
    assert "--limit: the first 2 of 4 renames." in first
    assert f"To rename the other 2 runs:\n  rsst-migrate rename --plan {plan}\n" in first
    # After the last step it is known that one of them could not be renamed.
    assert "2 of 2 runs renamed, read back" in step(1)
    assert "Nothing to rename." in step(1)
    names = sandbox.store.names("ycx", "RSST")
    assert [names[run] for run in "abcde"] == ["A", "mine", "C", "D", "E"]


# W&B takes a space in a project's name: it is another project, and nothing that is cut off.
OTHER_PROJECTS = ["RSST ", "RSST\u200b"]


@pytest.mark.parametrize("name", OTHER_PROJECTS)
def test_a_plan_for_a_project_that_is_not_there(two, cli, tmp_path, name):
    plan = write_plan(tmp_path / "p.csv", [(name, "a", "a", "A")])
    refused = cli("rename", "--plan", plan, "--yes")
    assert (refused.returncode, "There is no project" in refused.stderr) == (2, True)
    assert not two.service.mutations


@pytest.mark.parametrize("name", OTHER_PROJECTS)
def test_a_journal_about_a_project_that_is_not_there(two, cli, tmp_path, name):
    """A journal that somebody wrote by hand: nothing may be renamed in another project."""
    path = tmp_path / "j.jsonl"
    forged = PlannedRename(RunKey("ycx", name, "a"), "a", "A")
    Journal.create(path, Header.of(two.url, [forged]), [forged]).close()
    refused = cli("resume", path, "--yes")
    assert (refused.returncode, "There is no project" in refused.stderr) == (2, True)
    assert not two.service.mutations


def test_what_an_error_quotes_does_not_act_on_a_terminal(two, cli, tmp_path):
    plan = tmp_path / "p.json"
    row = dict.fromkeys(COLUMNS.split(","), "\x1b[31mred") | {"status": "rename", "new_name": "A"}
    plan.write_text(json.dumps([row]))
    refused = cli("rename", "ycx/RSST", "--plan", plan, "--yes")
    assert refused.returncode == 2
    assert r"The plan is about \x1b[31mred/\x1b[31mred, not ycx/RSST" in refused.stderr


# Other people in between.


def test_an_undo_that_could_not_do_all_says_how_to_go_on_undoing(sandbox, cli, tmp_path):
    path = tmp_path / "j.jsonl"
    assert cli("rename", "ycx/RSST", "--yes", "--journal", path).returncode == 0
    sandbox.store.project("ycx", "RSST").runs["run00003"].displayName = "mine"
    undone = cli("undo", path, "--yes")
    assert undone.returncode == 1
    assert "run00003: drifted: is now mine" in undone.stderr
    # Undoing again would not help.
    commands = [line for line in undone.stderr.splitlines() if "rsst-migrate" in line]
    assert commands == ["  rsst-migrate report ycx/RSST"]


def test_where_nothing_was_renamed_there_is_nothing_to_take_back(sandbox, cli):
    sandbox.faults.denied = {"run00000": "no"}
    done = cli("rename", "ycx/RSST", "--limit", "1", "--yes", "--journal", "j")
    commands = [line for line in done.stderr.splitlines() if "rsst-migrate" in line]
    assert commands == ["  rsst-migrate resume j"]


def test_the_commands_to_go_on_with_can_be_pasted(sandbox, cli):
    sandbox.faults.denied = {"run00003": "no"}
    done = cli("rename", "ycx/RSST", "--yes", "--journal", "my journal.jsonl")
    assert "rsst-migrate undo 'my journal.jsonl'" in done.stderr


def test_undo_takes_back_what_this_rename_did_and_no_more(sandbox, renamer):
    """Not what the run's owner did by hand, nor what a later rename did."""
    plan = renamer.plan()
    sandbox.faults.denied = {"run00003": "permission denied"}
    renamer.rename(plan)
    sandbox.faults.denied = {}
    run = sandbox.store.project("ycx", "RSST").runs["run00003"]
    run.displayName = plan[3].new_name
    renamer.again("undo")
    assert run.displayName == plan[3].new_name
    first, renamer.path = renamer.path, renamer.path.with_name("second.jsonl")
    renamer.rename()
    names = sandbox.store.names("ycx", "RSST")
    renamer.path = first
    assert not renamer.again("undo").done
    assert sandbox.store.names("ycx", "RSST") == names


@pytest.mark.parametrize("command", ["undo", "resume"])
def test_a_journal_is_nobody_elses_while_it_waits_at_the_prompt(
    sandbox, renamer, cli, prompt, command
):
    before = sandbox.store.state()
    plan = renamer.plan()
    renamer.rename(plan[:20])
    runs = sandbox.store.project("ycx", "RSST").runs
    if command == "resume":
        runs["run00003"].displayName = plan[3].old_name
    asked = prompt(command, renamer.path)
    with pytest.raises(InputError, match="Another rsst-migrate is working with the journal"):
        renamer.again("undo")
    refused = cli("undo", renamer.path, "--yes")
    assert (refused.returncode, "Another rsst-migrate" in refused.stderr) == (2, True)
    assert asked.answer("y\n") == 0
    if command == "undo":
        assert sandbox.store.state() == before
    else:
        assert runs["run00003"].displayName == plan[3].new_name


def test_no_stdin_at_all(sandbox):
    words = f"'{sys.executable}' -m migrate rename ycx/RSST <&-"
    done = subprocess.run(words, shell=True, capture_output=True, text=True, check=False)
    assert (done.returncode, "run again with --yes" in done.stderr) == (2, True)


def test_a_project_that_is_gone_keeps_no_other_from_being_undone(two, cli, tmp_path):
    path = tmp_path / "j.jsonl"
    plan = write_plan(tmp_path / "p.csv", [("P2", "c", "c", "C"), ("RSST", "a", "a", "A")])
    assert cli("rename", "--plan", plan, "--yes", "--journal", path).returncode == 0
    two.store.project("ycx", "P2").visible = False
    undone = cli("undo", path, "--yes")
    assert undone.returncode == 1
    assert "1 run not reached" in undone.stderr
    assert "Stopped: There is no project ycx/P2" in undone.stderr
    assert "1 of 2 runs put back" in undone.stderr
    assert f"To put back the others:\n  rsst-migrate undo {path}\n" in undone.stderr
    assert two.store.names("ycx", "RSST")["a"] == "a"
    two.store.project("ycx", "RSST").visible = False
    assert cli("undo", path, "--yes").returncode == 2


# Odd answers.


def test_names_that_cannot_be_read_back_are_not_called_renamed(sandbox, cli, tmp_path):
    def hide(operation: str) -> None:
        if operation == "query" and len(sandbox.service.mutations) == 30:
            sandbox.store.project("ycx", "RSST").visible = False

    sandbox.faults.before = hide
    sandbox.faults.denied = {"run00000": "the owner says no"}
    sandbox.faults.answers, sandbox.faults.others = "path", "done"  # so that none is sent again
    done = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 1
    assert "\n29 of 30 runs renamed; 29 of them were confirmed, but could not be read back" in (
        done.stderr
    )
    assert "29 runs: not verified: There is no project ycx/RSST" in done.stderr
    assert "run00000: refused: the owner says no" in done.stderr
    assert "rsst-migrate undo" in done.stderr


def test_names_that_cannot_be_read_back_are_no_others(sandbox, cli, tmp_path):
    path = tmp_path / "j.jsonl"
    assert cli("rename", "ycx/RSST", "--yes", "--journal", path).returncode == 0

    def hide(operation: str) -> None:
        if operation == "query" and len(sandbox.service.mutations) == 60:
            sandbox.store.project("ycx", "RSST").visible = False

    sandbox.faults.before = hide
    undone = cli("undo", path, "--yes")
    assert undone.returncode == 1
    assert f"To read these names again:\n  rsst-migrate undo {path}\n" in undone.stderr


@pytest.mark.parametrize("answers", ["status", "path"])
@pytest.mark.parametrize(
    "words", ["the sweep is not running", "the database did not respond in time"]
)
def test_words_of_the_server_that_wandb_uses_itself(sandbox, renamer, failed, words, answers):
    sandbox.faults.denied = {"run00003": words}
    sandbox.faults.answers = answers
    result = renamer.rename()
    assert failed(result) == {"run00003": f"refused: {words}"}
    assert len(result.done) == 29


def test_a_server_that_went_silent_is_not_waited_for_again_and_again(
    sandbox, renamer, quick, monkeypatch
):
    monkeypatch.setattr(verify, "READ_AT_ONCE", 5)
    plan = renamer.plan()
    renamer.project.server._call_seconds = 1
    sandbox.faults.add("hang", times=1000)
    start = time.monotonic()
    result = renamer.rename(plan)
    assert time.monotonic() - start < 6  # three calls for the first names, one for the end
    assert result.having("not-reached") == {rename.key for rename in plan}
    assert result.stopped.code == "unread"
    assert "did not answer within 1 s" in result.stopped.text


def test_many_refused_at_the_front_do_not_stop_the_others(serve, cli, tmp_path):
    sandbox = serve(runs=60)
    sandbox.faults.denied = {f"run{number:05d}": "permission denied" for number in range(15)}
    done = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 1
    assert "45 of 60 runs renamed" in done.stderr


def test_a_key_without_write_access_where_the_first_runs_need_nothing(serve, cli, tmp_path):
    sandbox = serve(runs=500)
    plan = tmp_path / "p.json"
    cli("report", "ycx/RSST", "-o", plan)
    for row in json.loads(plan.read_text())[:120]:
        sandbox.store.project("ycx", "RSST").runs[row["run_id"]].displayName = row["new_name"]
    sandbox.faults.read_only_key = True
    done = cli("rename", "--plan", plan, "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 1
    assert 0 < sandbox.counts.requests["mutation"] <= 40
    assert "Stopped: W&B refused the last 40 rename requests" in done.stderr
    assert "120 of 500 runs renamed, read back from the server (120 had the name" in done.stderr


def test_a_server_that_limits_the_size_of_requests(serve, cli, tmp_path):
    sandbox = serve(runs=1000)
    sandbox.faults.max_bytes = 12_000
    path = tmp_path / "j.jsonl"
    done = cli("rename", "ycx/RSST", "--yes", "--journal", path)
    assert done.returncode == 0, done.stderr
    assert "1000 of 1000 runs renamed, read back from the server" in done.stderr
    assert cli("undo", path, "--yes").returncode == 0
