"""Killed at every point between two records of the journal, then finished, then undone.

Each kill is a real SIGKILL in a process of its own (`killed_at.py`), driven through all the
points one after the other.
"""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.rename.journal import read

SCRIPT = Path(__file__).with_name("killed_at.py")
# The plan, the beginning, and for each of four documents an intent and an outcome; the server's
# answers to the documents.
POINTS = [
    *((number, point) for number in range(1, 11) for point in ("before", "half", "after")),
    *((number, "sent") for number in (3, 5, 7)),
]


@pytest.mark.parametrize(("number", "point"), POINTS)
def test_killed_then_finished_then_undone(sandbox, renamer, commands, number, point):
    before = sandbox.store.state()
    promised = {rename.key.run_id: rename.new_name for rename in renamer.plan()}
    words = [str(renamer.path), str(number), point]
    killed = commands.run(words, os.environ, program=SCRIPT)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    written = {one["displayName"] for one in sandbox.service.mutations}
    assert written <= set(promised.values())

    if not renamer.path.exists() or not renamer.path.stat().st_size:
        assert not written  # killed before the journal was there
        return
    recorded = read(renamer.path) if b"\n" in renamer.path.read_bytes() else None
    if recorded is None or not recorded.complete:
        assert not written
        return
    mine = {run.id: run.name for run in sandbox.store.project("ycx", "RSST").runs.values()}
    assert {mine[one["id"]] for one in sandbox.service.mutations} <= {
        key[2] for key in recorded.sent
    }
    # Undone at once,
    renamer.again("undo")
    assert sandbox.store.state() == before
    # finished, whatever was undone,
    assert not renamer.again("rename").failed
    assert sandbox.store.names("ycx", "RSST") == promised
    # and undone altogether.
    assert not renamer.again("undo").failed
    assert sandbox.store.state() == before


def test_killed_in_the_middle_of_a_thousand(serve, cli, tmp_path):
    """As a user sees it: kill -9, `resume`, killed again, `resume`, `undo`, killed, `undo`."""
    sandbox = serve(runs=1000, latency_ms=20)
    before, path = sandbox.store.state(), tmp_path / "j.jsonl"

    def kill_after(mutations: int, *words: object) -> None:
        start = len(sandbox.service.mutations)
        with subprocess.Popen(
            [sys.executable, "-m", "migrate", *map(str, words)], stdout=subprocess.DEVNULL
        ) as process:
            while len(sandbox.service.mutations) < start + mutations:
                assert process.poll() is None
                time.sleep(0.001)
            process.kill()

    kill_after(10, "rename", "ycx/RSST", "--yes", "--journal", path)
    kill_after(100, "resume", path, "--yes")
    resumed = cli("resume", path, "--yes")
    assert resumed.returncode == 0, resumed.stderr
    names = sandbox.store.names("ycx", "RSST")
    assert all(names[key[2]] != run["displayName"] for key, run in before.items())
    kill_after(100, "undo", path, "--yes")
    undone = cli("undo", path, "--yes")
    assert undone.returncode == 0, undone.stderr
    assert sandbox.store.state() == before


def test_ctrl_c_while_it_says_what_it_did(sandbox, tmp_path):
    """It does not say that nothing was written."""
    path = tmp_path / "j.jsonl"
    sandbox.faults.denied = {f"run{number:05d}": "no " * 90 for number in range(20)}
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)  # less than it has to say
    with subprocess.Popen(
        [sys.executable, "-m", "migrate", "rename", "ycx/RSST", "--yes", "--journal", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=writer,
    ) as process:
        os.close(writer)
        said = b""
        while b"refused" not in said:
            said += os.read(reader, 50)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        while piece := os.read(reader, 1000):
            said += piece
    os.close(reader)
    assert process.returncode == 130
    assert b"Nothing was written" not in said
    assert f"\n  rsst-migrate resume {path}\n" in said.decode()


def test_ctrl_c_lets_the_batch_in_flight_finish(serve, cli, tmp_path):
    sandbox = serve(runs=1000, latency_ms=200)
    before, path = sandbox.store.state(), tmp_path / "j.jsonl"
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "migrate", "rename", "ycx/RSST", "--yes", "--journal", path],
        stdin=follower,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.close(follower)
        while not sandbox.service.mutations:
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    os.close(leader)
    assert process.returncode == 130
    assert f"\n  rsst-migrate resume {path}\n" in said
    done = len(sandbox.service.mutations)
    assert 0 < done < 1000
    assert "Finishing what is in flight; Ctrl-C again stops immediately." in said
    assert f"{done} of 1000 runs renamed, read back from the server" in said
    assert f"{1000 - done} runs not reached" in said
    assert "Traceback" not in said
    assert cli("resume", path, "--yes").returncode == 0
    assert len(sandbox.service.mutations) == 1000
    assert cli("undo", path, "--yes").returncode == 0
    assert sandbox.store.state() == before
