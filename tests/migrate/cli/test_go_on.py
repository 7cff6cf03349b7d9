"""`undo` of several journals, and what `undo` and `resume` list where none is given."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from migrate.cli.go_on import state_words
from migrate.client.runs import RunKey
from migrate.rename.journal import Header, Journal, read
from migrate.rename.plan import DONE, Outcome, PlannedRename


@pytest.fixture
def twice(renamer):
    """Two journals, of which the later one renamed three runs of the earlier one once more."""
    plan = renamer.plan()[:5]
    again = [PlannedRename(it.key, it.new_name, f"{it.new_name}_2") for it in plan[:3]]
    paths = []
    for number, (year, these) in enumerate([("2026", plan), ("2027", again)]):
        renamer.path = Path(f"{number}.jsonl")
        renamer.rename(these)
        text = renamer.path.read_text()
        time = read(renamer.path).header.time
        renamer.path.write_text(text.replace(time, year + time[4:]))
        paths.append(renamer.path)
    return paths


def test_several_journals_are_undone_from_the_newest(sandbox, renamer, twice, cli, prompt):
    before = {it.key.run_id: it.old_name for it in read(twice[0]).plan}
    locked, _ = Journal.reopen(twice[1])
    with locked:
        refused = cli("undo", *twice, "--yes")
    assert (refused.returncode, "Another rsst-migrate" in refused.stderr) == (2, True)
    Path("damaged.jsonl").write_bytes(twice[0].read_bytes() + b"?\n")
    refused = cli("undo", *twice, "damaged.jsonl", "--yes")
    assert (refused.returncode, "damaged in line" in refused.stderr) == (2, True)
    asked = prompt("undo", *twice)
    assert asked.said.count("[y/N]") == 1
    assert f"Put back the names of 5 runs of ycx/RSST on {sandbox.url}? [y/N]" in asked.said
    assert asked.answer("y\n") == 0
    put_back = re.findall(r"(\d of \d) runs put back, read back", asked.said)
    assert put_back == ["3 of 3", "5 of 5"]
    names = sandbox.store.names("ycx", "RSST")
    assert {run_id: names[run_id] for run_id in before} == before


def test_there_and_back_again_within_a_second_is_undone(renamer, cli, sandbox):
    plan = renamer.plan()[:1]
    for number, these in enumerate([plan, [it.back() for it in plan]]):
        renamer.path = Path(f"{number}.jsonl")
        renamer.rename(these)
    assert cli("undo", "0.jsonl", "1.jsonl", "--yes").returncode == 0
    assert sandbox.store.names("ycx", "RSST")["run00000"] == plan[0].old_name
    assert [read(Path(path)).renamed for path in ("0.jsonl", "1.jsonl")] == [set(), set()]


def test_what_cannot_be_done_is_not_promised(sandbox, renamer, cli, prompt):
    renamer.path = Path("j.jsonl")
    renamer.rename(renamer.plan()[:4])
    runs = sandbox.store.project("ycx", "RSST").runs
    runs["run00000"].displayName = "mine"
    sandbox.store.remove(runs["run00001"])
    why = [
        "run00000: drifted: is now mine (renamed by somebody else meanwhile)",
        "run00001: gone: the run no longer exists",
    ]
    dry = cli("undo", "j.jsonl", "--dry-run")
    assert dry.returncode == 0
    assert re.findall(r"^run\d+", dry.stdout, re.M) == ["run00002", "run00003"]
    assert dry.stderr.splitlines() == [
        *why,
        "Dry run: 2 of 4 runs would be put back. Nothing was written.",
        "To do it:",
        "  rsst-migrate undo j.jsonl",
    ]
    asked = prompt("undo", "j.jsonl")
    assert "Put back the names of 2 runs of ycx/RSST" in asked.said
    assert all(line in asked.said for line in why)
    assert asked.answer("y\n") == 1
    assert "\n2 of 4 runs put back, " in asked.said
    dry = cli("undo", "j.jsonl", "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "")
    assert dry.stderr.splitlines() == [
        *why,
        "Dry run: 0 of 2 runs would be put back. Nothing was written.",
        "To see what became of these runs:",
        "  rsst-migrate report ycx/RSST",
    ]
    undone = cli("undo", "j.jsonl")  # there is nothing to ask about
    assert undone.returncode == 1
    assert undone.stderr.splitlines() == [
        *why,
        "0 of 2 runs put back, read back from the server.",
        *dry.stderr.splitlines()[3:],
    ]


def test_without_a_journal_those_in_the_folder_are_listed(twice, cli):
    Path("runs.jsonl").write_text('{"not": "a journal"}\n')
    Path("bad.jsonl").write_bytes(twice[0].read_bytes() + b"?\n")
    Path("lost.journal.jsonl").write_text("broken")
    done = cli("undo")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [lines[0], lines[3]] == ["1.jsonl", "0.jsonl"]
    assert [lines[2], lines[5]] == [f"    rsst-migrate undo {path}" for path in twice[::-1]]
    assert lines[4].startswith("    ycx/RSST  2026-")
    assert lines[4].endswith("Z  5 runs  5 of 5 renamed")
    assert "bad.jsonl is damaged in line" in done.stderr
    assert "lost.journal.jsonl is not a journal of rsst-migrate, or damaged" in done.stderr
    assert "runs.jsonl" not in done.stderr
    os.chdir("..")
    assert "There is no journal in this folder" in cli("resume").stderr


def test_only_what_the_command_can_do_is_named(renamer, cli, sandbox):
    plan = renamer.plan()
    sandbox.faults.denied = {"run00001": "no"}
    for path, these in (("all.jsonl", plan[:1]), ("half.jsonl", plan[1:3])):
        renamer.path = Path(path)
        renamer.rename(these)
    listed = {command: cli(command) for command in ("resume", "undo")}
    commands = {
        command: re.findall(r"rsst-migrate .*", done.stdout) for command, done in listed.items()
    }
    assert commands["resume"] == ["rsst-migrate resume half.jsonl"]
    assert sorted(commands["undo"]) == [f"rsst-migrate undo {it}.jsonl" for it in ("all", "half")]
    os.unlink("half.jsonl")
    finished = cli("resume")
    assert "1 of 1 renamed" in finished.stdout
    assert "rsst-migrate" not in finished.stdout
    assert finished.stderr == "There is nothing to resume in this folder.\n"


ONE = PlannedRename(RunKey("e", "p", "a"), "old a", "new a")
TWO = PlannedRename(RunKey("e", "p", "b"), "old b", "new b")


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([], "rename unfinished: 0 of 2 renamed"),
        ([("rename", {ONE: DONE})], "rename unfinished: 1 of 2 renamed"),
        ([("rename", {ONE: DONE, TWO: Outcome("refused", "no")})], "1 of 2 renamed"),
        ([("rename", {ONE: DONE, TWO: DONE})], "2 of 2 renamed"),
        ([("rename", {ONE: DONE, TWO: DONE}), ("undo", {ONE: DONE})], "undo unfinished: 1 of 2 to"),
        ([("rename", {ONE: DONE}), ("undo", {ONE: DONE})], "undone"),
        (
            [("rename", {ONE: DONE, TWO: Outcome("unanswered", "x")}), ("undo", {ONE: DONE})],
            "undone, but for 1 of 2 that may have been sent",
        ),
        ([("rename", {ONE: DONE}), ("undo", {ONE: Outcome("altered", "x")})], "undone"),
    ],
)
def test_how_far_a_rename_has_come(tmp_path, steps, words):
    path = tmp_path / "j.jsonl"
    with Journal.create(path, Header.of("s", [ONE, TWO]), [ONE, TWO]) as journal:
        for direction, outcomes in steps:
            journal.begin(direction)
            journal.intend(direction, list(outcomes))
            journal.conclude(direction, {it.key: outcome for it, outcome in outcomes.items()})
    assert state_words(read(path)).startswith(words)


@pytest.mark.parametrize(
    ("device", "code", "said"),
    [
        (None, 141, "Nothing was renamed: stdout was closed before the plan was shown.\n"),
        (
            "/dev/full",
            1,
            "Nothing was renamed: nobody saw the plan.\n"
            "error: Cannot write to stdout: No space left on device.\n",
        ),
    ],
)
def test_a_plan_that_nobody_saw_is_not_carried_out(sandbox, device, code, said):
    if device is None:
        reading, writing = os.pipe()
        os.close(reading)
    else:
        writing = os.open(device, os.O_WRONLY)
    words = [sys.executable, "-m", "migrate", "rename", "ycx/RSST", "--yes"]
    done = subprocess.run(words, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (code, said)
    assert not sandbox.service.mutations
    assert os.listdir() == []
