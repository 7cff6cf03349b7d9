"""wandb-core does not start, or ends early: a sentence within ten seconds, and no hang."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest
import wandb

REAL = Path(wandb.__file__).parent
SAYS = "error: wandb cannot start its helper process (wandb-core): "


@pytest.fixture
def broken(tmp_path):
    """Make a wandb whose wandb-core is this script; gives the folder to import it from."""

    def make(script):
        copy = tmp_path / "broken" / "wandb"
        copy.mkdir(parents=True)
        for part in REAL.iterdir():
            if part.name not in ("bin", "__pycache__"):
                (copy / part.name).symlink_to(part)
        core = copy / "bin" / "wandb-core"
        core.parent.mkdir()
        core.write_text(script)
        core.chmod(0o755)
        return copy.parent

    return make


def environ(*path):
    # Without WANDB_SERVICE, by which wandb would find the wandb-core of this process.
    kept = {key: value for key, value in os.environ.items() if key != "WANDB_SERVICE"}
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def run(*words, folder=None, preexec_fn=None):
    path = [str(folder)] if folder else []
    path += [str(Path(__file__).parents[3]), os.environ.get("PYTHONPATH", "")]
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "migrate", *words],
        env=environ(*path),
        capture_output=True, text=True, timeout=60, check=False, preexec_fn=preexec_fn,
    )  # fmt: skip
    return done, time.monotonic() - begun


def fails(*words, **how):
    """Run a command that must fail in time: the better of two tries, as others run beside it."""
    for _ in range(2):
        done, took = run(*words, **how)
        if took < 10:
            break
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert len(done.stderr.splitlines()) <= 2
    assert "Traceback" not in done.stderr
    assert took < 10
    return done.stderr


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("#!/bin/sh\necho a page of words >&2; exit 3\n", "wandb-core exited with code 3."),
        ("not a program", "[Errno 8] Exec format error"),
        ("#!/bin/sh\nexec sleep 30\n", "no answer in time; "),
    ],
)
def test_a_broken_one(sandbox, broken, script, why):
    folder = broken(script)
    assert fails("audit", "ycx/RSST", folder=folder).startswith(SAYS + why)


@pytest.mark.parametrize(
    "words", [["report", "a/b"], ["rename", "a/b", "--yes"], ["undo", "journal"]]
)
def test_every_command_says_so(sandbox, renamer, broken, words):
    plan = renamer.plan()
    renamer.rename(plan[:1])
    os.rename(renamer.path, "journal")
    assert fails(*words, folder=broken("#!/bin/sh\nexit 1\n")).startswith(SAYS)


def test_the_demo_and_notebooks(sandbox, broken):
    folder = broken("#!/bin/sh\nexit 1\n")
    done, _ = run("demo", folder=folder)
    assert done.returncode == 2
    assert done.stderr.startswith(SAYS)
    program = "import migrate; migrate.plan('ycx/RSST')"
    notebook = subprocess.run(
        [sys.executable, "-c", program], env=environ(str(folder), str(Path(__file__).parents[3])),
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    assert "migrate.errors.ConnectError: wandb cannot start its helper" in notebook.stderr


def test_memory_that_is_limited(sandbox):
    limit = 600_000 * 1024  # `ulimit -v`, as on the login nodes of clusters
    said = fails(
        "audit", "ycx/RSST", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit,) * 2)
    )
    assert said.startswith(SAYS)
    assert "ulimit -v" in said


@pytest.mark.parametrize("seconds", ["0", "0.05", "0.3"])
def test_one_that_is_killed_while_it_starts(sandbox, broken, seconds):
    folder = broken(
        f"#!/bin/sh\n(sleep {seconds}; kill -KILL $$) 2>/dev/null &\n"
        f'exec "{REAL}/bin/wandb-core" "$@"\n'
    )
    done, took = run("audit", "ycx/RSST", folder=folder)
    assert done.returncode in (0, 2)  # 0 where it had done its work
    assert "Traceback" not in done.stderr
    assert took < 20
    if done.returncode:
        assert done.stderr.startswith("error: ")


def test_http_timeout_gives_a_slow_server_time(serve, cli):
    sandbox = serve(latency_ms=3500)
    assert cli("audit", "ycx/RSST", WANDB_BASE_URL=sandbox.url).returncode == 2
    done = cli("audit", "ycx/RSST", "-q", WANDB_BASE_URL=sandbox.url, WANDB_HTTP_TIMEOUT="20")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_server_that_is_busy_for_a_moment(sandbox, cli):
    sandbox.faults.add("503", on="viewer", times=3)
    assert cli("audit", "ycx/RSST").returncode == 0
