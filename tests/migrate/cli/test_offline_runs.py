"""The command line on a folder of offline runs: no server, no account, until `wandb sync`."""

import csv
import html
import io
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.cli.sources import tell_unreadable
from migrate.client.offline import Folder, Unreadable
from migrate.console import Output

LOGS = Path(__file__).parents[2] / "fixtures" / "logs" / "0.31"
KILLED = Path(__file__).with_name("killed_offline.py")
OLD = "rsst_exp_custom_exponents_l1_vit_small_cifar100"
NEW = "rsst_vit_small_cifar100_sched_exp_custom_exponents_reg_0.5_exp3_crit_l1_rate_0.15_1125_0409"
NEW_NAMES = {
    "twice001": NEW,
    "later001": NEW.replace("0.15", "0.2"),
    "again001": f"{NEW}_2",
    "large001": f"{NEW}_3",
    "killed01": f"{NEW}_4",
    "plain001": NEW,
}


@pytest.fixture
def folder():
    """`./wandb`, with logs of an hour ago."""
    copy = Path("wandb")
    shutil.copytree(LOGS, copy)
    then = time.time() - 3600
    for log in copy.rglob("*.wandb"):
        os.utime(log, (then, then))
    return copy


def logs(folder):
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.rglob("*.wandb")}


def names(cli, *words):
    """Run id to name, by the JSON report of a folder."""
    rows = json.loads(cli("report", *words, "--format", "json").stdout)
    return {row["run_id"]: row["old_name"] for row in rows if row["old_name"]}


def test_from_audit_to_undo(cli, folder):
    before = logs(folder)
    audit = json.loads(cli("audit", "./wandb", "--json").stdout)
    assert [project["project"] for project in audit["projects"]] == ["(default)/RSST", "ycx/RSST"]
    report = cli("report", "./wandb", "--format", "csv")
    rows = {row["run_id"]: row for row in csv.DictReader(io.StringIO(report.stdout))}
    assert {run_id: row["new_name"] for run_id, row in rows.items() if row["new_name"]} == NEW_NAMES
    assert f"1 log is left alone:\n  {folder.absolute()}/" in report.stderr
    assert "run-cutoff01.wandb: cut off at byte 32,768" in report.stderr

    dry = cli("rename", "./wandb", "--dry-run")
    assert "Dry run: 6 runs would be renamed. Nothing was written." in dry.stderr
    assert logs(folder) == before
    renamed = cli("rename", "./wandb", "--yes", "--journal", "j.jsonl")
    assert renamed.returncode == 0, renamed.stderr
    assert names(cli, "./wandb") == NEW_NAMES
    audit = cli("audit", "./wandb", "--check")
    assert audit.returncode == 0

    folder.rename("elsewhere")
    moved = cli("undo", "j.jsonl", "--yes")
    assert moved.returncode == 2
    assert f"in {folder.absolute()}, and there is no such folder" in moved.stderr
    Path("elsewhere").rename(folder)
    undone = cli("undo", "j.jsonl", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert logs(folder) == before


def test_a_run_of_which_one_log_has_its_new_name_is_not_done(cli, folder):
    """As where an undo was killed: a plan's dry run and its steps see all of its logs."""
    assert cli("report", "./wandb", "-o", "plan.csv").returncode == 0
    first = min(folder.rglob("run-again001.wandb"))
    old = first.read_bytes()
    assert cli("rename", "./wandb", "--yes", "--journal", "j.jsonl").returncode == 0
    renamed = first.read_bytes()
    first.write_bytes(old)
    os.utime(first, (time.time() - 3600,) * 2)
    dry = cli("rename", "./wandb", "--plan", "plan.csv", "--dry-run")
    assert "Dry run: 1 of 6 runs would be renamed." in dry.stderr
    done = cli("rename", "./wandb", "--plan", "plan.csv", "--limit", "5", "--yes")
    assert done.returncode == 0, done.stderr
    assert first.read_bytes() == renamed


def test_a_folder_whose_name_is_not_utf8(cli, folder):
    path = folder.rename(os.fsdecode(b"nu\xff %25 #"))
    before = logs(path)
    renamed = cli("rename", f"./{path}", "--yes", "--journal", "j.jsonl")
    assert renamed.returncode == 0, renamed.stderr
    assert logs(path) != before
    undone = cli("undo", "j.jsonl", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert logs(path) == before


def test_a_folder_that_was_given_from_another(cli, folder, monkeypatch):
    """And that one is gone; a second journal is of the same folder, too."""
    before = logs(folder)
    sub = Path("sub")
    sub.mkdir()
    with monkeypatch.context() as patch:
        patch.chdir(sub)
        first = cli("rename", "../wandb", "--yes", "--limit", "2", "--journal", "../1.jsonl")
    assert first.returncode == 0, first.stderr
    sub.rmdir()
    assert cli("rename", "./wandb", "--yes", "--journal", "2.jsonl").returncode == 0
    undone = cli("undo", "1.jsonl", "2.jsonl", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert logs(folder) == before


def test_a_run_that_is_reached_through_a_link(cli, folder):
    """It is renamed where it is, and the journal takes it back."""
    (run,) = folder.glob("*plain001")
    run.rename("moved")
    run.symlink_to(Path("moved").absolute())
    before = logs(Path("moved"))
    assert cli("rename", "./wandb", "--yes", "--journal", "j.jsonl").returncode == 0
    assert names(cli, "./wandb") == NEW_NAMES
    assert run.is_symlink()
    assert logs(Path("moved")) != before
    assert cli("undo", "j.jsonl", "--yes").returncode == 0
    assert logs(Path("moved")) == before


def test_a_link_that_leads_nowhere_is_listed_by_its_name(cli, folder):
    (folder / "run-dangling.wandb").symlink_to("nowhere")
    report = cli("report", "./wandb")
    assert "2 logs are left alone:\n" in report.stderr
    assert f"  {folder.absolute()}/run-dangling.wandb: No such file or directory" in report.stderr


def test_a_plan_from_a_file(cli, folder):
    assert cli("report", "wandb", "--match", "l1", "-o", "plan.csv").returncode == 0
    plan = Path("plan.csv")
    plan.write_text(plan.read_text().replace(f"{NEW}_2", "mine").replace(f"{NEW}_3", "first try"))
    taken = cli("rename", "./wandb", "--plan", plan, "--yes")
    assert taken.returncode == 2
    assert "The plan does not fit the folder" in taken.stderr
    assert "large001: first try is taken" in taken.stderr
    plan.write_text(plan.read_text().replace("first try", "yours"))
    assert cli("rename", "./wandb", "--plan", plan, "--yes").returncode == 0
    renamed = {**NEW_NAMES, "again001": "mine", "large001": "yours"}
    assert names(cli, "./wandb") == renamed


def test_a_plan_from_a_file_names_the_folder(cli, folder, serve):
    """A folder that does not look like one by its name is written with ./ again."""
    folder.rename("runs")
    Path("rsst-migrate.toml").write_text('projects = ["./runs"]')
    report = cli("report", "-o", "plan.csv")
    assert report.stderr.splitlines()[-1] == "  rsst-migrate rename ./runs --plan plan.csv"
    sandbox = serve()
    refused = cli("rename", "--plan", "plan.csv", "--dry-run")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: These are offline runs. Give their folder, too:\n"
        "  rsst-migrate rename ./wandb --plan plan.csv\n"
    )
    assert sandbox.counts.total == 0
    dry = cli("rename", "./runs", "--plan", "plan.csv", "--dry-run")
    assert (dry.returncode, "6 runs would be renamed" in dry.stderr) == (0, True)


def test_the_page_names_the_folder_and_a_command_that_renames_its_plan(cli, folder, serve):
    sandbox = serve()
    folder.rename("é 长 [x]")
    given = ["./é 长 [x]", "--against", "ycx/RSST", "--base-url", sandbox.url]
    assert cli("report", *given, "-o", "r.html").returncode == 0
    page = Path("r.html").read_text("utf-8")
    assert f'<span class="mono">{Path.cwd()}/é 长 [x]</span>' in page
    command = shlex.split(html.unescape(page.split('<code class="mono">')[1].split("</code>")[0]))
    assert command[2:] == [given[0], "--plan", "rsst-plan.csv", *given[3:], *given[1:3]]
    assert cli("report", *given, "-o", "rsst-plan.csv").returncode == 0
    dry = cli(*command[1:], "--dry-run")
    assert (dry.returncode, "6 runs would be renamed" in dry.stderr) == (0, True), dry.stderr


def test_a_folder_that_is_taken_for_a_project(cli, folder, serve):
    serve()
    folder.rename("runs")
    done = cli("report", "runs")
    assert done.returncode == 2
    assert "There is no project ycx/runs on " in done.stderr
    assert done.stderr.endswith("\nFor the folder runs write ./runs.\n")


def test_what_is_left_alone(cli, folder):
    """A run that was sent, and one that is being written."""
    (log,) = folder.glob("*large001/*.wandb")
    log.with_name(f"{log.name}.synced").touch()
    (log,) = folder.glob("*killed01/*.wandb")
    os.utime(log)
    before = logs(folder)
    table = cli("report", "./wandb", "--status", "hold", "--format", "json")
    held = {row["run_id"]: (row["state"], row["reason"]) for row in json.loads(table.stdout)}
    assert held == {
        "large001": ("synced", "synced"),
        "killed01": ("being-written", "being-written"),
    }
    renamed = cli("rename", "./wandb", "--yes", "--include-running")
    assert renamed.returncode == 0, renamed.stderr
    changed = [path.stem for path, found in logs(folder).items() if found != before[path]]
    assert sorted(set(changed)) == ["run-again001", "run-later001", "run-plain001", "run-twice001"]


def test_an_undo_after_the_runs_were_sent(cli, folder):
    assert cli("rename", "./wandb", "--yes", "--journal", "j").returncode == 0
    for log in folder.rglob("*.wandb"):
        log.with_name(f"{log.name}.synced").touch()
    undone = cli("undo", "j", "--yes")
    assert undone.returncode == 1
    assert "6 runs: left alone: synced, so on W&B already (" in undone.stderr
    assert "rsst-migrate" not in undone.stderr  # on W&B these runs have their new names


def test_a_rename_after_some_runs_were_sent(cli, folder):
    """Their projects are named, and no others."""
    assert cli("report", "./wandb", "-o", "plan.csv").returncode == 0
    (log,) = folder.rglob("run-large001.wandb")
    log.with_name(f"{log.name}.synced").touch()
    renamed = cli("rename", "./wandb", "--plan", "plan.csv", "--yes", "--journal", "j")
    assert renamed.returncode == 1
    commands = [line for line in renamed.stderr.splitlines() if "rsst-migrate" in line]
    assert commands == ["  rsst-migrate report RSST", "  rsst-migrate undo j"]


def test_names_on_the_server_are_taken(cli, folder, serve):
    serve().store.project("ycx", "RSST").runs["run00001"].displayName = NEW
    report = cli("report", "./wandb", "--against", "ycx/RSST", "--format", "json")
    rows = {row["run_id"]: row["new_name"] for row in json.loads(report.stdout)}
    assert (rows["twice001"], rows["plain001"]) == (f"{NEW}_2", f"{NEW}_2")


def test_a_folder_of_which_nothing_can_be_used(cli, folder):
    for path in folder.iterdir():
        if not path.match("*cutoff*"):
            shutil.rmtree(path)
    done = cli("audit", "./wandb")
    assert (done.returncode, done.stdout) == (2, "")
    assert "No offline run in wandb can be used:\n  " in done.stderr
    assert "run-cutoff01.wandb: cut off at byte 32,768" in done.stderr


def test_the_configuration_file(cli, folder):
    """It may name the folder, and other arguments that the logs have."""
    Path("rsst-migrate.toml").write_text('projects = ["./wandb"]\n[extra]\nnote = "notes"\n')
    report = cli("report", "--format", "json")
    assert report.returncode == 0, report.stderr
    reasons = {row["run_id"]: row["reason"] for row in json.loads(report.stdout)}
    assert reasons.pop("large001").startswith("too-long: 70")
    assert [run_id for run_id, reason in reasons.items() if reason] == ["unnamed1"]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["root"], "1 folder is left alone:"),
        (["run-a.wandb"], "1 log is left alone:"),
        (["root", "run-a.wandb", "lost+found"], "1 log and 2 folders are left alone:"),
    ],
)
def test_folders_that_may_not_be_read_do_not_count_as_logs(capsys, names, words):
    place = Folder(Path())
    place.unreadable = [Unreadable(Path(name), "Permission denied") for name in names]
    tell_unreadable(place, Output())
    lines = capsys.readouterr().err.splitlines()
    assert lines == [words, *(f"  {name}: Permission denied" for name in names)]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["report", "./nothing"], "There is no folder ./nothing."),
        (["report", "."], "There are no offline runs in .: no file below it ends in .wandb."),
        (["report", "./wandb", "ycx/RSST"], "must be the only PATH"),
        (["report", "./wandb", "--filters", "{}"], "Choose them by their old names, with --match."),
        (["report", "ycx/RSST", "--against", "ycx/RSST"], "--against is for a folder"),
        (["references", "./wandb"], "Offline runs have no saved views."),
    ],
)
def test_calls_that_are_wrong(cli, folder, words, error):
    if words[1] == ".":
        shutil.rmtree(folder)
    done = cli(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert error in done.stderr


@pytest.mark.parametrize("number", range(1, 4))
@pytest.mark.parametrize("point", ["before", "after"])
def test_killed_then_undone_or_finished(commands, cli, folder, number, point):
    """Killed when the NUMBER-th log is taken in place: before that, or right after it."""
    for path in folder.iterdir():
        if not path.match("*again*") and not path.match("*plain*"):
            shutil.rmtree(path)
    before = logs(folder)
    words = ["./wandb", "j.jsonl", str(number), point]
    killed = commands.run(words, os.environ, program=KILLED)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    kept = Path("kept.jsonl")
    shutil.copy("j.jsonl", kept)
    assert cli("undo", "j.jsonl", "--yes").returncode == 0
    assert logs(folder) == before
    assert cli("resume", kept, "--yes").returncode == 0
    assert names(cli, "./wandb") == {"again001": NEW, "plain001": NEW}
    assert cli("undo", kept, "--yes").returncode == 0
    assert logs(folder) == before
    assert not list(folder.rglob("*.rsst-migrate"))


def sent(serve, folder):
    """What a server without runs of these has after `wandb sync`, by run id; and the requests."""
    sandbox = serve(runs=1)
    command = [str(Path(sys.executable).parent / "wandb"), "sync", "--yes", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    runs = {}
    for run_id, run in sandbox.store.project("ycx", "RSST").runs.items():
        config, summary = json.loads(run.config), json.loads(run.summaryMetrics)
        runs[run_id] = (run.displayName, (config, summary, run.history, run.state, run.tags))
    return runs, len(sandbox.service.mutations)


def test_sent_with_wandb_sync(cli, folder, serve):
    """The runs arrive under their new names, and otherwise as from an unchanged copy."""
    shutil.copytree(folder, "unchanged")
    assert cli("rename", "./wandb", "--yes").returncode == 0
    theirs, mutations = sent(serve, "unchanged")
    ours, with_new_names = sent(serve, folder)
    assert with_new_names == mutations
    assert {run_id: rest for run_id, (_, rest) in ours.items()} == {
        run_id: rest for run_id, (_, rest) in theirs.items()
    }
    assert [len(rest[2]) for rest in (ours["plain001"][1], ours["again001"][1])] == [3, 6]
    old_names = {run_id: name for run_id, (name, _) in theirs.items()}
    assert {run_id: name for run_id, (name, _) in ours.items()} == {**old_names, **NEW_NAMES}
    # Whatever was sent is left alone from now on; `wandb sync` did not finish the one cut off.
    rows = json.loads(cli("report", "./unchanged", "--format", "json").stdout)
    assert {row["status"] for row in rows if row["old_name"]} == {"hold"}
    assert {row["state"] for row in rows} == {"synced"}
