"""What can go wrong between us and the server, and what is true and said afterwards."""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from migrate.client import retry
from migrate.client.documents import rename_document
from migrate.client.paths import parse_path
from migrate.client.runs import ProjectKey, RunKey
from migrate.client.server import Project, connect
from migrate.errors import JournalError
from migrate.rename import batches, patience
from migrate.rename.execute import run
from migrate.rename.journal import Header, Journal, read
from migrate.rename.plan import PlannedRename
from migrate.sandbox.service import Answer
from migrate.sandbox.store import Store, StoredRun


def names(sandbox):
    return sandbox.store.names("ycx", "RSST")


def sizes(path):
    """How many renames each document of a journal held, in the order in which they were sent."""
    records = map(json.loads, path.read_text().splitlines())
    return [len(record["runs"]) for record in records if record["record"] == "intent"]


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        ("429", {"on": "mutation", "times": 2}),
        ("429", {"on": "query", "skip": 1, "times": 3}),
        ("500", {"on": "mutation"}),
        ("500", {"on": "query", "skip": 2}),
        ("502", {"on": "mutation"}),
        ("drop", {"on": "mutation"}),
        ("drop-after", {"on": "mutation", "times": 2}),
        ("drop", {"on": "query", "skip": 1}),
    ],
)
def test_passing_faults_are_survived(sandbox, renamer, quick, kind, how):
    sandbox.faults.add(kind, **how)
    result = renamer.rename()
    assert (len(result.done), result.failed) == (30, {})
    assert len(set(names(sandbox).values())) == 30


def test_a_server_that_is_away_for_ten_seconds(sandbox, renamer):
    sandbox.faults.add("503", on="mutation", seconds=10)
    start = time.monotonic()
    result = renamer.rename()
    assert (len(result.done), result.failed) == (30, {})
    assert time.monotonic() - start > 10


def test_an_answer_that_never_comes(serve, cli, tmp_path):
    sandbox = serve(runs=30)
    sandbox.faults.add("hang", on="mutation")
    path = tmp_path / "j.jsonl"
    done = cli("rename", "ycx/RSST", "--yes", "--journal", path, WANDB_HTTP_TIMEOUT="2")
    assert done.returncode == 0, done.stderr
    assert "30 of 30 runs renamed, read back from the server" in done.stderr


def test_an_answer_that_does_not_come_in_time_halves_the_document(sandbox, renamer, quick):
    renamer.project.server._call_seconds = 2
    sandbox.faults.add("hang", on="mutation")
    result = renamer.rename()
    assert (len(result.done), result.failed) == (30, {})
    # From what was answered it goes up again, to what was not.
    assert sizes(renamer.path) == [10, 5, 7, 7, 7, 4]


def test_a_document_that_always_takes_too_long_becomes_smaller(serve, renamer_of, quick):
    """A server that does nothing of a document for which its time does not suffice."""
    sandbox = serve(runs=20, upsert_ms=400)
    renamer = renamer_of(sandbox)
    plan = renamer.plan()
    renamer.project.server._call_seconds = 1.5
    execute = sandbox.service.answer

    async def answer(query, variables):
        if sandbox.service.count_mutations(query) > 3:
            await asyncio.sleep(60)
        return await execute(query, variables)

    sandbox.service.answer = answer
    result = renamer.rename(plan)
    assert (len(result.done), result.failed, result.stopped) == (20, {}, None)
    assert sizes(renamer.path)[:2] == [10, 5]
    assert max(sizes(renamer.path)[5:]) <= 10


def test_a_server_that_falls_silent_in_the_middle(serve, renamer_of, quick):
    """What was in flight gets its attempts; then less is tried, a document at a time."""
    sandbox = serve(runs=1000, upsert_ms=5)
    renamer = renamer_of(sandbox)
    plan, service = renamer.plan(), sandbox.service
    execute, silent, held = service.answer, asyncio.Event(), []

    async def answer(query, variables):
        if not service.count_mutations(query) or len(service.mutations) < 300:
            return await execute(query, variables)
        # Silent for all that are in flight at once: after a success more may be begun.
        held.append(query)
        if len(held) == batches.IN_FLIGHT:
            silent.set()
        await silent.wait()
        return Answer(501, {})

    service.answer = answer
    result = renamer.rename(plan)
    assert result.stopped.code == "silent"
    assert 300 <= len(result.done) < 800
    sent = [service.count_mutations(query) for query in held]
    assert len(sent) <= 2 * batches.IN_FLIGHT + 2 + (3 + 1 + 1 + 1)
    assert sent[-6:] == [1] * 6
    assert result.done | result.having("unanswered") == read(renamer.path).sent
    service.answer = execute
    assert not renamer.again("rename").failed


# Rate limits: nothing was done, so nothing is lost, halved or refused.


@pytest.mark.parametrize("wait_s", [1, 70])
def test_a_rate_limit_is_waited_for(serve, renamer_of, monkeypatch, quick, wait_s):
    """Several 429 in a row, as W&B says them: with how many seconds are left, and no Retry-After.

    wandb-core repeats each once. What we wait in between is a hundredth here.
    """
    monkeypatch.setattr(retry, "RATE_WAIT_SECONDS", (0.2,))
    sandbox = serve(runs=300)
    renamer = renamer_of(sandbox)
    plan = renamer.plan()
    sandbox.faults.add("429", on="mutation", skip=1, times=6, wait_s=wait_s)
    sandbox.faults.add("429", on="query", skip=2, times=2, wait_s=wait_s)
    result = renamer.rename(plan)
    assert (len(result.done), result.failed, result.stopped) == (300, {}, None)
    assert len(sandbox.service.mutations) == 300
    # What was sent again was the same document; none became smaller.
    assert min(sizes(renamer.path)[1:-1]) >= 90


def test_the_words_429_too_many_requests_halve_nothing(sandbox, renamer, quick):
    """Not even where a proxy says them, for half of all requests."""
    for skip in (1, 3, 5):
        sandbox.faults.add("429", skip=skip)
    result = renamer.rename()
    assert (len(result.done), result.failed) == (30, {})
    assert sizes(renamer.path)[0] == 10
    assert len(sandbox.service.mutations) == 30


@pytest.mark.parametrize("retry_after", [False, True])
def test_a_quota_of_query_time(serve, renamer_of, retry_after):
    """Two seconds a second, shared with the project's training, at 20 ms an upsert."""
    sandbox = serve(runs=400, upsert_ms=20, quota=2, window_s=1, retry_after=retry_after)
    renamer = renamer_of(sandbox)
    result = renamer.rename()
    assert (len(result.done), result.failed, result.stopped) == (400, {}, None)
    assert len(sandbox.service.mutations) == 400


# A server that takes no renames now.


@pytest.mark.parametrize("kind", ["503", "501", "html", "null", "garbled"])
def test_a_server_that_answers_no_write_is_left_alone_soon(serve, renamer_of, failed, quick, kind):
    """Reads are fine. A document and then a single rename in vain, three more at other places."""
    sandbox = serve(runs=300)
    renamer = renamer_of(sandbox)
    plan, before = renamer.plan(), names(sandbox)
    sandbox.faults.add(kind, on="mutation", times=10_000)
    start = time.monotonic()
    result = renamer.rename(plan)
    assert time.monotonic() - start < 50  # wandb-core repeats each 503 after 2 s
    assert result.stopped.code == "silent"
    assert names(sandbox) == before
    assert sandbox.counts.requests["mutation"] <= 2 * (2 + 3 + 1 + 1 + 1)
    assert {outcome.code for outcome in result.failed.values()} == {"unanswered", "not-reached"}
    assert len(result.having("unanswered")) == 10 + 3
    # What was sent may be ours: undo and resume know of it.
    assert {key.run_id for key in read(renamer.path).sent} == {
        key.run_id for key in result.having("unanswered")
    }
    sandbox.faults.pending.clear()
    assert not renamer.again("rename").failed


@pytest.mark.parametrize("done", [0, 25])
def test_a_document_that_is_too_large_whatever_the_server_says(serve, renamer_of, quick, done):
    """A server that fails at more than 25 renames, and perhaps does the first ones all the same."""
    sandbox = serve(runs=241)
    renamer = renamer_of(sandbox)
    plan, execute, sent = renamer.plan(), sandbox.service.answer, []

    async def answer(query, variables):
        count = sandbox.service.count_mutations(query)
        sent.append(count)
        if count <= 25:
            return await execute(query, variables)
        for number in range(done):
            given = {"i0": variables[f"i{number}"], "n0": variables[f"n{number}"]}
            await execute(rename_document(1), given)
        return Answer(501, {"errors": [{"message": "internal server error"}]})

    sandbox.service.answer = answer
    result = renamer.rename(plan)
    assert (len(result.done), result.failed, result.stopped) == (241, {}, None)
    # At most four sizes are tried before 25 is known, each twice in all documents under way.
    assert sum(count > 25 for count in sent) <= 4 * 2 * batches.IN_FLIGHT


@pytest.mark.parametrize("places", [[0], [9], [150], [0, 1], [150, 151], [20, 240]])
def test_runs_that_the_server_fails_at_cost_no_other_its_name(serve, renamer_of, quick, places):
    sandbox = serve(runs=241)
    renamer = renamer_of(sandbox)
    plan, execute, sent = renamer.plan(), sandbox.service.answer, 0
    run_ids = {plan[place].key.run_id for place in places}
    runs = sandbox.store.project("ycx", "RSST").runs
    storage_ids = {runs[run_id].id for run_id in run_ids}

    async def answer(query, variables):
        nonlocal sent
        sent += bool(sandbox.service.count_mutations(query))
        if any(value in storage_ids for value in variables.values() if isinstance(value, str)):
            return Answer(501, {"errors": [{"message": "internal server error"}]})
        return await execute(query, variables)

    sandbox.service.answer = answer
    result = renamer.rename(plan)
    assert (len(result.done), result.stopped) == (241 - len(places), None)
    assert {key.run_id for key in result.having("unanswered")} == run_ids
    assert sent <= 90


def test_two_minutes_of_silence_are_enough(sandbox, renamer, quick, monkeypatch):
    """Though no document has had all its attempts yet."""
    monkeypatch.setattr(patience, "SILENCE_SECONDS", 1.5)
    monkeypatch.setattr(batches, "WAIT_SECONDS", (0.1,) * 1000)
    sandbox.faults.add("501", on="mutation", times=10_000)
    start = time.monotonic()
    result = renamer.rename()
    assert time.monotonic() - start < 10
    assert result.stopped.code == "silent"
    assert len(result.having("unanswered")) == 10


def test_it_says_that_the_server_takes_no_renames_and_how_to_resume(serve, cli, tmp_path):
    sandbox, path = serve(runs=30), tmp_path / "j.jsonl"
    sandbox.faults.add("501", on="mutation", times=10_000)
    start = time.monotonic()
    done = cli("rename", "ycx/RSST", "--yes", "--journal", path)
    assert time.monotonic() - start < 60
    assert done.returncode == 1
    assert "Stopped: W&B does not take renames now. Last error: " in done.stderr
    assert "the sandbox says 501" in done.stderr
    assert f"To finish the rename:\n  rsst-migrate resume {path}\n" in done.stderr
    # Once for all of them, and what the server did answer is not called silence.
    (line,) = [line for line in done.stderr.splitlines() if "run00000" in line]
    assert line.startswith("12 runs: not confirmed: The server failed (HTTP 501): the sandbox says")
    assert line.endswith("(run00000, run00001, run00002, run00003, run00004 and 7 more)")
    assert "answer" not in done.stderr


def test_silence_in_one_document_stops_no_other(serve, renamer_of, quick):
    """A server that answers nothing where one run is in it, and everything else."""
    sandbox = serve(runs=300)
    renamer = renamer_of(sandbox)
    plan = renamer.plan()
    sandbox.faults.add("501", on="mutation", times=2)
    sandbox.faults.add("501", on="mutation", skip=1, times=2)
    result = renamer.rename(plan)
    assert (len(result.done), result.failed, result.stopped) == (300, {}, None)


def test_wandbs_own_process_is_killed(serve, cli, tmp_path):
    sandbox = serve(runs=300, latency_ms=100)
    before, path = sandbox.store.state(), tmp_path / "j.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", "migrate", "rename", "ycx/RSST", "--yes", "--journal", path],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not sandbox.service.mutations:
            time.sleep(0.005)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        (core,) = children
        os.kill(int(core), signal.SIGKILL)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "Stopped: wandb's helper process (wandb-core) has ended. Start again." in said
    assert f"\n  rsst-migrate resume {path}\n" in said
    assert cli("resume", path, "--yes").returncode == 0
    assert cli("undo", path, "--yes").returncode == 0
    assert sandbox.store.state() == before


@pytest.mark.parametrize("most", [60, 7, 1])
def test_a_server_that_refuses_large_documents(serve, cli, tmp_path, most):
    sandbox = serve(runs=130)
    sandbox.faults.max_mutations = most
    done = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "j.jsonl")
    assert done.returncode == 0, done.stderr
    assert len(sandbox.service.mutations) == 130  # a refused document does nothing
    # Once refused, the rest is sent in smaller ones at once.
    assert sandbox.counts.requests["mutation"] <= 130 / max(1, most // 2) + 20


def test_requests_that_are_too_large_in_bytes(sandbox, renamer):
    sandbox.faults.max_bytes = 3000
    result = renamer.rename()
    assert (len(result.done), result.failed) == (30, {})


@pytest.mark.parametrize("answers", ["status", "path"])
@pytest.mark.parametrize("others", ["undone", "done", "skipped"])
def test_refusals_in_their_own_words(sandbox, renamer, failed, answers, others):
    """Whether the server says which runs they are about, or not."""
    sandbox.faults.denied = {"run00012": "something else", "run00025": "permission denied"}
    sandbox.faults.answers, sandbox.faults.others = answers, others
    result = renamer.rename()
    assert failed(result) == {
        "run00012": "refused: something else",
        "run00025": "refused: permission denied",
    }
    assert len(result.done) == 28


@pytest.mark.parametrize("when", ["before the write", "after the write"])
def test_a_run_that_disappears_meanwhile(sandbox, renamer, failed, when):
    run = sandbox.store.project("ycx", "RSST").runs["run00002"]
    done = 10 if when == "after the write" else 0

    def delete(operation: str) -> None:
        here = run.name in sandbox.store.project("ycx", "RSST").runs
        if here and operation == "query" and len(sandbox.service.mutations) >= done:
            sandbox.store.remove(run)

    plan = renamer.plan()
    sandbox.faults.before = delete
    result = renamer.rename(plan)
    assert failed(result) == {"run00002": "gone: the run no longer exists"}
    assert len(result.done) == 29


def test_a_run_deleted_between_its_reading_and_its_writing(sandbox, renamer, failed):
    run = sandbox.store.project("ycx", "RSST").runs["run00002"]

    def delete(operation: str) -> None:
        if operation == "mutation" and not sandbox.service.mutations:
            sandbox.store.remove(run)
            sandbox.faults.before = None

    sandbox.faults.before = delete
    result = renamer.rename()
    assert failed(result) == {"run00002": "gone: the run no longer exists"}
    assert len(result.done) == 29


def test_two_renames_of_one_project_at_the_same_time(serve, cli, tmp_path):
    sandbox = serve(runs=200)
    before = set(names(sandbox).values())
    sandbox.pace.request_ms = 30
    ended = []

    def go(number: int) -> None:
        path = tmp_path / f"{number}.jsonl"
        ended.append(cli("rename", "ycx/RSST", "--yes", "--journal", path))

    both = [threading.Thread(target=go, args=(number,)) for number in (1, 2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert [one.returncode for one in ended] == [0, 0], ended
    assert len(set(names(sandbox).values())) == 200
    assert not set(names(sandbox).values()) & before


def test_one_journal_is_for_one_at_a_time(sandbox, renamer, cli):
    renamer.rename()
    journal, _ = Journal.reopen(renamer.path)
    with journal:
        refused = cli("undo", renamer.path, "--yes")
    assert refused.returncode == 2
    assert "Another rsst-migrate is working with the journal" in refused.stderr


def test_a_folder_that_takes_no_journal(sandbox, cli, tmp_path):
    refused = cli("rename", "ycx/RSST", "--yes", "--journal", tmp_path / "no" / "j.jsonl")
    assert refused.returncode == 2
    assert "cannot be written" in refused.stderr
    assert not sandbox.service.mutations


@pytest.mark.parametrize("room", [100, 4000])
def test_a_disk_that_is_full_before_the_first_write(sandbox, tmp_path, room):
    """No room for the plan: nothing happens, and no half a journal is left."""
    path = tmp_path / "j.jsonl"
    done = _rename_with_room(path, room)
    assert done.returncode == 2
    assert os.strerror(errno.EFBIG) in done.stderr
    assert "Nothing was renamed" in done.stderr
    assert not path.exists()
    assert not sandbox.service.mutations


def test_a_disk_that_fills_up_later(sandbox, tmp_path, cli):
    """Stop cleanly, say so; what was written stands in the journal, and can be undone."""
    before = sandbox.store.state()
    path = tmp_path / "whole.jsonl"
    assert cli("rename", "ycx/RSST", "--yes", "--journal", path).returncode == 0
    lines = path.read_bytes().splitlines(keepends=True)
    planned = next(i for i, line in enumerate(lines) if json.loads(line)["record"] == "planned")
    assert cli("undo", path, "--yes").returncode == 0
    room = sum(map(len, lines[: planned + 4])) + 20  # begin, an intent, its outcome, and no more
    stopped = _rename_with_room(tmp_path / "j.jsonl", room)
    assert stopped.returncode == 1, stopped.stderr
    assert "cannot be written" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    assert 0 < len(read(tmp_path / "j.jsonl").sent) < 30
    undone = cli("undo", tmp_path / "j.jsonl", "--yes")
    assert undone.returncode == 0, undone.stderr
    assert sandbox.store.state() == before


def _rename_with_room(path, room):
    """Rename where no file may grow beyond so many bytes: a full disk, as the system tells it."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))

    code = (
        "import signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); sys.argv[0] = 'x'; "
        "from migrate.cli.app import main; main()"
    )
    words = ["rename", "ycx/RSST", "--yes", "--journal", str(path)]
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        preexec_fn=limit,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


# What the loop must not get wrong, whatever comes between a document and its reading.


def test_a_refused_document_that_cannot_be_read_may_have_been_done(sandbox, renamer):
    """The others of the document were done, so `undo` has to know of them."""
    before = sandbox.store.state()
    sandbox.faults.denied, sandbox.faults.others = {"run00003": "no"}, "done"

    def refuse_to_read(operation: str) -> None:
        if operation == "mutation":
            sandbox.faults.add("403", on="query", times=1000)

    sandbox.faults.before = refuse_to_read
    result = renamer.rename()
    assert result.stopped.code == "unread"
    bearing = {key[2] for key, run in sandbox.store.state().items() if run != before[key]}
    assert len(bearing) == 9
    assert bearing <= {key.run_id for key in read(renamer.path).sent}
    assert not result.having("refused")
    sandbox.faults.before, sandbox.faults.denied, sandbox.faults.pending = None, {}, []
    assert not renamer.again("undo").failed
    assert sandbox.store.state() == before


def test_what_an_answer_carried_is_written_though_the_journal_takes_no_more(
    renamer, sandbox, monkeypatch
):
    def full(*_: object) -> None:
        raise JournalError("no space left")

    monkeypatch.setattr(Journal, "conclude", full)
    result = renamer.rename()
    assert result.stopped.code == "journal"
    assert sandbox.counts.requests["mutation"] == 1
    assert len(result.written) == len(result.done) == 10


def test_a_reading_that_nobody_waits_for_any_more_fails_in_silence(
    serve, renamer_of, monkeypatch, caplog
):
    renamer = renamer_of(serve(runs=300))
    plan, states = renamer.plan(), Project.states

    def broken(project: Project, run_ids: list[str], *note: Any) -> object:
        if len(run_ids) == 300:  # of the verification
            return states(project, run_ids, *note)
        if len(run_ids) == 10:  # of the first document, after those that are read ahead
            time.sleep(0.3)
        raise ValueError("a fault of ours")

    monkeypatch.setattr(Project, "states", broken)
    result = renamer.rename(plan)
    gc.collect()
    assert result.stopped.text == "ValueError: a fault of ours"
    assert len(result.having("not-reached")) == 300
    assert not caplog.records


def test_the_second_ctrl_c_leaves_no_traceback_of_asyncio(renamer, monkeypatch, caplog, recwarn):
    conclude = Journal.conclude

    def twice(*args: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        conclude(*args)

    monkeypatch.setattr(Journal, "conclude", twice)
    with pytest.raises(KeyboardInterrupt):
        renamer.rename()
    gc.collect()
    assert not caplog.records
    assert not [str(warning.message) for warning in recwarn if "await" in str(warning.message)]
    assert len(read(renamer.path).sent) == 10


def test_ctrl_c_stops_all_projects_whatever_stopped_one_before(serve, tmp_path, monkeypatch):
    """The first project is refused, Ctrl-C comes in the second, the third is left alone."""
    store = Store()
    for number in range(60):
        where = f"p{number // 20}"
        store.add("ycx", where, StoredRun(f"r{number}", f"old {number}", summaryMetrics="{}"))
    sandbox = serve(store)
    plan = [
        PlannedRename(RunKey("ycx", f"p{n // 20}", f"r{n}"), f"old {n}", f"new {n}")
        for n in range(60)
    ]
    sandbox.faults.denied = {f"r{number}": "no" for number in range(20)}
    monkeypatch.setattr(patience, "MOST_REFUSALS", 5)
    monkeypatch.setattr(batches, "MOST_REFUSALS", 5)
    server = connect(sandbox.url)
    projects = {
        ProjectKey("ycx", name): server.project(parse_path(f"ycx/{name}"))
        for name in ("p0", "p1", "p2")
    }
    conclude = Journal.conclude

    def interrupted(journal, direction, outcomes):
        if any(key.project == "p1" for key in outcomes):
            signal.raise_signal(signal.SIGINT)
            monkeypatch.setattr(Journal, "conclude", conclude)
        conclude(journal, direction, outcomes)

    monkeypatch.setattr(Journal, "conclude", interrupted)
    with Journal.create(tmp_path / "j.jsonl", Header.of("s", plan), plan) as journal:
        journal.begin("rename")
        result = run(plan, projects, journal, "rename")
    assert result.stopped.code == "interrupted"
    assert {key.project for key in result.done} == {"p1"}
    assert {key.run_id for key in result.having("not-reached")} >= {f"r{n}" for n in range(40, 60)}
    assert set(sandbox.store.names("ycx", "p2").values()) == {f"old {n}" for n in range(40, 60)}


def test_the_next_document_waits_for_no_tick(serve, renamer_of, monkeypatch):
    """What a success allows is begun at once, also in the middle of halving."""
    monkeypatch.setattr(batches, "TICK_SECONDS", 30.0)
    sandbox = serve(runs=300)
    sandbox.faults.denied = {f"run{number:05d}": "no" for number in range(7, 300, 25)}
    begun = time.monotonic()
    result = renamer_of(sandbox).rename()
    assert len(result.done) == 288
    assert time.monotonic() - begun < 25
