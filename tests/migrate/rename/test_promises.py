"""What renaming promises. One section a promise; the README's safety page names them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from migrate.rename.journal import read

NOT_THE_NAME = "displayName"


def others(state):
    """Everything but the display names."""
    return {
        key: {field: value for field, value in run.items() if field != NOT_THE_NAME}
        for key, run in state.items()
    }


# 1. Only names.


def test_only_names_change_whatever_happens(sandbox, renamer):
    before = sandbox.store.state()
    sandbox.faults.denied = {"run00004": "permission denied"}
    sandbox.faults.add("drop-after", on="mutation")
    renamer.rename()
    sandbox.faults.denied = {}
    renamer.again("rename")
    assert others(sandbox.store.state()) == others(before)
    assert sandbox.store.state() != before
    renamer.again("undo")
    assert sandbox.store.state() == before
    assert {frozenset(given) for given in sandbox.service.mutations} == {
        frozenset({"id", "displayName"})
    }


# 2. Nothing unseen.


def test_what_is_written_is_what_was_shown(sandbox, cli, tmp_path):
    shown = cli("rename", "ycx/RSST", "--dry-run")
    reported = cli("report", "ycx/RSST", "--format", "json")
    assert shown.returncode == 0
    assert "Nothing was written" in shown.stderr
    assert shown.stdout == cli("report", "ycx/RSST").stdout  # of which no row needs a person
    assert not sandbox.service.mutations
    done = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 0, done.stderr
    promised = {row["run_id"]: row["new_name"] for row in json.loads(reported.stdout)}
    assert sandbox.store.names("ycx", "RSST") == promised


def test_no_terminal_and_no_yes_is_refused(sandbox, cli, tmp_path):
    refused = cli("rename", "ycx/RSST", "--journal", tmp_path / "j.jsonl")
    assert refused.returncode == 2
    assert "--yes" in refused.stderr
    assert not (tmp_path / "j.jsonl").exists()
    assert not sandbox.service.mutations


@pytest.mark.parametrize(("answer", "renames"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_at_a_terminal_it_asks(sandbox, prompt, answer, renames):
    asked = prompt("rename", "ycx/RSST", "--limit", "3")
    assert f"Rename 3 runs of ycx/RSST on {sandbox.url}? [y/N]" in asked.said
    assert not sandbox.service.mutations
    assert asked.answer(answer) == 0
    assert len(sandbox.service.mutations) == (3 if renames else 0)


def test_a_saved_report_is_the_plan(sandbox, cli, tmp_path):
    plan = tmp_path / "runs.csv"
    cli("report", "ycx/RSST", "-o", plan)
    lines = plan.read_text("utf-8-sig").splitlines()
    lines[1] = lines[1].replace(",rename,", ",custom,")
    first, second = (line.split(",")[2] for line in lines[1:3])
    lines[2] = lines[2].replace(lines[2].split(",")[8], "hand_edited")
    plan.write_text("\n".join(lines), "utf-8")
    before = sandbox.store.names("ycx", "RSST")
    done = cli("rename", "--plan", plan, "--yes")
    assert done.returncode == 0, done.stderr
    names = sandbox.store.names("ycx", "RSST")
    assert names[first] == before[first]
    assert names[second] == "hand_edited"
    assert len(sandbox.service.mutations) == 29


# 3. Nobody is overwritten.


def test_a_name_that_somebody_changed_is_left_alone(sandbox, renamer, failed):
    plan = renamer.plan()
    runs = sandbox.store.project("ycx", "RSST").runs
    runs["run00003"].displayName = "mine now"
    runs["run00007"].displayName = plan[7].new_name
    runs["run00011"].state = "running"
    runs["run00012"].state = "preempted"
    runs["run00013"].readOnly = True
    sandbox.store.remove(runs["run00017"])
    result = renamer.rename(plan)
    assert failed(result) == {
        "run00003": "drifted: is now mine now (renamed by somebody else meanwhile)",
        "run00011": "running: it is running, and its process may write its name back",
        "run00012": "running: it is preempted, and its process may write its name back",
        "run00013": "read-only: this key may not rename it",
        "run00017": "gone: the run no longer exists",
    }
    assert runs["run00003"].displayName == "mine now"
    assert len(result.done) == 25
    assert len(result.written) == 24


def test_undo_puts_back_only_what_is_still_ours(sandbox, renamer, failed):
    before = sandbox.store.names("ycx", "RSST")
    renamer.rename()
    runs = sandbox.store.project("ycx", "RSST").runs
    runs["run00003"].displayName = "mine now"
    result = renamer.again("undo")
    assert failed(result) == {
        "run00003": "drifted: is now mine now (renamed by somebody else meanwhile)"
    }
    assert sandbox.store.names("ycx", "RSST") == {**before, "run00003": "mine now"}


# 4. Nothing unrecorded.


def test_intents_are_on_disk_before_anything_is_sent(sandbox, renamer, monkeypatch, tmp_path):
    seen: list[tuple[int, set[str]]] = []
    copy, fsync, size = tmp_path / "synced.jsonl", os.fsync, 0

    def sync(handle: int) -> None:
        nonlocal size
        fsync(handle)
        if os.path.samestat(os.fstat(handle), renamer.path.stat()):
            size = os.fstat(handle).st_size

    def look(operation: str) -> None:
        if operation == "mutation":
            copy.write_bytes(renamer.path.read_bytes()[:size])  # what a power cut would leave
            ids = {key[2] for key in read(copy).sent}
            seen.append((len(sandbox.service.mutations), ids))

    monkeypatch.setattr(os, "fsync", sync)
    sandbox.faults.before = look
    renamer.rename()
    ids = {run.id: run.name for run in sandbox.store.project("ycx", "RSST").runs.values()}
    ends = [count for count, _ in seen[1:]] + [len(sandbox.service.mutations)]
    assert len(seen) >= 2
    for (start, intended), end in zip(seen, ends, strict=True):
        assert {ids[one["id"]] for one in sandbox.service.mutations[start:end]} <= intended


def test_the_journal_is_its_owners_and_holds_no_key(sandbox, renamer):
    renamer.rename()
    assert renamer.path.stat().st_mode & 0o777 == 0o600
    assert sandbox.api_key not in renamer.path.read_text()
    header = json.loads(renamer.path.read_text().splitlines()[0])
    assert (header["server"], header["projects"]) == (sandbox.url, ["ycx/RSST"])
    assert (header["version"], header["time"][-1]) == (2, "Z")


def test_a_password_in_the_servers_address_is_nowhere(sandbox, prompt, cli, tmp_path):
    path, url = tmp_path / "j.jsonl", sandbox.url.replace("://", "://me:secret@")
    asked = prompt("rename", "ycx/RSST", "--journal", path, "--base-url", url)
    assert asked.answer("y\n") == 0
    assert "secret" not in asked.said + path.read_text()
    undone = cli("undo", path, "--yes", "--base-url", url)
    assert (undone.returncode, "secret" in undone.stderr) == (0, False)
    page = cli("report", "ycx/RSST", "--format", "html", "--base-url", url).stdout
    assert "secret" not in page
    assert f'href="{sandbox.url}/ycx/RSST"' in page


def test_a_journal_is_never_overwritten(sandbox, cli, tmp_path):
    path = tmp_path / "j.jsonl"
    path.write_text("precious")
    refused = cli("rename", "ycx/RSST", "--yes", "--journal", path)
    assert refused.returncode == 2
    assert "never overwritten" in refused.stderr
    assert path.read_text() == "precious"
    assert not sandbox.service.mutations


# 5. Whatever is killed can be finished or undone: test_kills.py. What is done is done:


def test_resuming_and_undoing_what_is_done_does_nothing(sandbox, cli, tmp_path):
    path = tmp_path / "j.jsonl"
    assert cli("rename", "ycx/RSST", "--yes", "--journal", path).returncode == 0
    count = len(sandbox.service.mutations)
    again = cli("resume", path, "--yes")
    assert again.returncode == 0
    assert again.stderr.startswith("Nothing to do: all runs are renamed already.\nTo see ")
    assert again.stderr.endswith(":\n  rsst-migrate audit ycx/RSST\n")
    assert len(sandbox.service.mutations) == count
    dry = cli("undo", path, "--dry-run")
    assert (dry.returncode, "30 of 30 runs" in dry.stderr) == (0, True)
    assert len(sandbox.service.mutations) == count
    assert cli("undo", path, "--yes").returncode == 0
    again = cli("undo", path, "--yes")
    assert again.returncode == 0
    assert again.stderr.startswith("Nothing to do: there are no names to put back.\n")
    assert len(sandbox.service.mutations) == 2 * count


# 6. The server's word.


def test_a_name_taken_away_before_the_end_is_not_counted(sandbox, renamer, failed):
    runs = sandbox.store.project("ycx", "RSST").runs

    def steal(operation: str) -> None:
        if operation == "query" and len(sandbox.service.mutations) == 30:
            runs["run00005"].displayName = "stolen"

    sandbox.faults.before = steal
    result = renamer.rename()
    assert failed(result) == {
        "run00005": "drifted: is now stolen (renamed by somebody else meanwhile)"
    }
    assert len(result.done) == 29


def test_an_answer_that_was_lost_for_good_is_read_up_and_not_sent_again(sandbox, renamer):
    renamer.project.server._call_seconds = 1  # wandb-core would repeat it after 2.2
    sandbox.faults.add("drop-after", on="mutation")
    result = renamer.rename()
    assert (len(result.done), len(result.written), result.failed) == (30, 30, {})
    assert len(sandbox.service.mutations) == 30


@pytest.mark.parametrize("others", ["undone", "done", "skipped"])
@pytest.mark.parametrize("answers", ["status", "path"])
def test_what_a_refused_document_did_is_read_and_not_supposed(
    sandbox, renamer, failed, answers, others
):
    sandbox.faults.denied = {"run00006": "no", "run00012": "not this"}
    sandbox.faults.answers, sandbox.faults.others = answers, others
    result = renamer.rename()
    assert failed(result) == {"run00006": "refused: no", "run00012": "refused: not this"}
    assert len(result.done) == len(result.written) == 28


# 7. One failure is one failure.


def test_a_refused_run_is_reported_in_the_servers_words(sandbox, cli, tmp_path):
    sandbox.faults.denied = {"run00006": "the owner of this run says no"}
    done = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 1
    assert "run00006: refused: the owner of this run says no" in done.stderr
    assert "29 of 30 runs renamed" in done.stderr
    assert f"rsst-migrate resume {tmp_path / 'j.jsonl'}" in done.stderr


def test_a_read_only_project_stops_before_the_first_write(sandbox, cli, tmp_path):
    plan = tmp_path / "runs.csv"
    cli("report", "ycx/RSST", "-o", plan)
    sandbox.store.project("ycx", "RSST").read_only = True
    done = cli("rename", "--plan", plan, "--yes")
    assert done.returncode == 1
    held = cli("rename", "ycx/RSST", "--yes")
    assert (held.returncode, "30 hold" in held.stdout) == (1, True)
    for one in (done, held):
        assert "ycx/RSST: read-only for this key. Nothing was written." in one.stderr
    assert not sandbox.service.mutations
    assert cli("rename", "ycx/RSST", "--dry-run").returncode == 0


@pytest.mark.parametrize("answers", ["status", "path"])
def test_a_key_without_write_access_costs_at_most_40_refusals(serve, cli, tmp_path, answers):
    sandbox = serve(runs=300)
    before = sandbox.store.state()
    sandbox.faults.read_only_key = True
    sandbox.faults.answers = answers
    path = tmp_path / "j.jsonl"
    done = cli("rename", "ycx/RSST", "--yes", "--journal", path)
    assert done.returncode == 1
    refusals = sandbox.counts.requests["mutation"]
    assert refusals <= 40
    assert f"Stopped: W&B refused the last {refusals} rename requests" in done.stderr
    assert "permission denied" in done.stderr
    assert "0 of 300 runs renamed, read back from the server" in done.stderr
    assert f"rsst-migrate resume {path}" in done.stderr
    assert sandbox.store.state() == before
    # Nothing of what was refused is called ours.
    assert not read(path).sent


def test_what_refuses_every_document_is_asked_40_times(serve, tmp_path, renamer_of, failed):
    """A 403 of whoever stands in between, with words that say nothing of runs."""
    sandbox = serve(runs=300)
    sandbox.faults.add("403", on="mutation", times=1000)
    renamer = renamer_of(sandbox)
    result = renamer.rename()
    assert (result.stopped.code, result.stopped.count) == ("refused", 40)
    assert "the sandbox says 403" in result.stopped.text
    assert sandbox.counts.requests["mutation"] == 40
    words = failed(result)
    assert len(words) == 300
    assert set(words.values()) == {"refused: the sandbox says 403", "not reached"}
    assert len(result.having("not-reached")) > 200


@pytest.mark.parametrize(
    ("kind", "words"),
    [(None, "this project is archived"), ("413", "refuses a request of this size")],
)
def test_what_refuses_every_run_is_not_asked_a_thousand_times(serve, cli, tmp_path, kind, words):
    sandbox = serve(runs=300)
    if kind is None:
        sandbox.faults.denied = dict.fromkeys(sandbox.store.names("ycx", "RSST"), words)
    else:
        sandbox.faults.add(kind, on="mutation", times=1000)
    done = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 1
    assert "Stopped: W&B refused the last 40 rename requests" in done.stderr
    assert words in done.stderr.partition("Stopped: ")[2]
    assert re.search(r"^2\d\d runs not reached$", done.stderr, re.M)
    # A document that is too large is not a refusal yet: the first one is halved.
    assert sandbox.counts.requests["mutation"] <= (40 if kind is None else 45)


def test_plans_say_everything_that_is_wrong_with_them(sandbox, cli, tmp_path):
    path = Path(tmp_path / "runs.json")
    cli("report", "ycx/RSST", "-o", path)
    rows = json.loads(path.read_text())
    rows[0]["new_name"] = ""
    rows[1]["new_name"] = "x" * 129
    rows[2]["run_id"] = rows[3]["run_id"]
    rows[4]["new_name"] = rows[5]["new_name"]
    rows[6]["status"] = "Rename!"
    path.write_text(json.dumps(rows))
    refused = cli("rename", "--plan", path, "--yes")
    assert refused.returncode == 2
    for words in (
        "empty",
        "129 characters",
        "is already in row",
        "is already the new name in",
        "'Rename!'",
    ):
        assert words in refused.stderr
    rows = [{**rows[7], "run_id": "nobody"}, {**rows[8], "new_name": "rsst_taken"}]
    sandbox.store.project("ycx", "RSST").runs["run00020"].displayName = "rsst_taken"
    path.write_text(json.dumps(rows))
    refused = cli("rename", "--plan", path, "--yes")
    assert refused.returncode == 2
    assert "nobody: no such run" in refused.stderr
    assert "run run00020 already has the name rsst_taken" in refused.stderr
    assert "The plan is about ycx/RSST" in cli("rename", "ycx/empty", "--plan", path).stderr
    assert not sandbox.service.mutations
