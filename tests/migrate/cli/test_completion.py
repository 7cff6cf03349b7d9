"""Tab, as bash, zsh and fish send it: with the variables that the printed scripts set."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from migrate.cli import completion
from migrate.report.files import FORMATS
from migrate.sandbox.store import Store

COMMANDS = {"audit", "report", "rename", "resume", "undo", "parse", "name", "completion"}


@pytest.fixture
def tab(cli):
    """What bash is offered for a line, the cursor at its end."""

    def press(line, **environ):
        done = cli(
            _RSST_MIGRATE_COMPLETE="complete_bash",
            COMP_WORDS="\n".join(line.split(" ")),
            COMP_CWORD=str(line.count(" ")),
            **environ,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return press


def test_commands_and_options(tab):
    assert set(tab("rsst-migrate ")) > COMMANDS
    assert tab("rsst-migrate rep") == ["report"]
    assert {"--timezone", "--filters", "--format"} < set(tab("rsst-migrate report --"))
    assert tab("rsst-migrate report a/b --prefer ") == ["name", "config"]
    assert tab("rsst-migrate completion ") == ["bash", "zsh", "fish"]


def test_folders_of_offline_runs(tab):
    for name in ("wandb", "web site", "w"):
        Path(name).mkdir()
    assert tab("rsst-migrate report ./w") == ["./w/", "./wandb/"]


def test_formats(tab):
    assert tab("rsst-migrate report --format ") == list(FORMATS)
    assert tab("rsst-migrate report --format p") == ["parquet"]


def test_journals_of_this_folder(tab):
    for name in ("b.journal.jsonl", "a.journal.jsonl", "c.json", "$(x).journal.jsonl"):
        Path(name).touch()
    assert tab("rsst-migrate undo ") == ["a.journal.jsonl", "b.journal.jsonl"]
    assert tab("rsst-migrate resume b") == ["b.journal.jsonl"]


@pytest.fixture
def account(serve):
    store = Store()
    for entity, name in [("ycx", "RSST"), ("ycx", "RSST-2"), ("ycx", "other"), ("lab", "RSST")]:
        store.project(entity, name)
    store.project("ycx", "RSST$(touch hurt)\\`x`")
    return serve(store)


def offered(press):
    """What is offered in time, at the tenth try: the tests beside this one take theirs, too."""
    return next(filter(None, (press() for _ in range(10))), [])


def test_projects_of_the_account(account, tab):
    assert offered(lambda: tab("rsst-migrate report ycx/R")) == ["ycx/RSST", "ycx/RSST-2"]
    assert set(offered(lambda: tab("rsst-migrate audit ycx/RSST "))) == {
        "ycx/RSST", "ycx/RSST-2", "ycx/other", "lab/RSST",
    }  # fmt: skip
    assert tab("rsst-migrate report nobody/") == []
    assert tab("rsst-migrate report ycx/R", WANDB_API_KEY="") == []


def test_nobody_waits_for_a_server(odd_server, tab):
    def mute(_):
        time.sleep(20)
        return 200, {}

    odd_server(mute)
    start = time.monotonic()
    assert tab("rsst-migrate report ycx/") == []
    assert time.monotonic() - start < completion.SECONDS + 4  # and Python starts


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_scripts(cli, shell):
    script = cli("completion", shell).stdout
    assert f"_RSST_MIGRATE_COMPLETE=complete_{shell}" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("shell", "environ"),
    [("zsh", {}), ("fish", {"_TYPER_COMPLETE_FISH_ACTION": "get-args"})],
)
def test_other_shells(cli, shell, environ):
    how = {"_RSST_MIGRATE_COMPLETE": f"complete_{shell}", **environ}
    done = cli(_TYPER_COMPLETE_ARGS="rsst-migrate und", **how)
    assert "undo" in done.stdout
    assert "report" not in done.stdout


def test_in_bash(cli, account, tmp_path):
    tool = tmp_path / "bin" / "rsst-migrate"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m migrate "$@"\n')
    tool.chmod(0o755)
    program = """
        source <(rsst-migrate completion bash)
        complete -p rsst-migrate
        COMP_WORDS=(rsst-migrate audit ycx/RS) COMP_CWORD=2
        _rsst_migrate_completion rsst-migrate ycx/RS audit
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    environ = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"}

    def press():
        done = subprocess.run(
            ["bash", "-c", program], env=environ, capture_output=True, text=True, timeout=60
        )
        assert done.stderr == ""
        return [word for word in done.stdout.splitlines()[1:] if word]

    assert offered(press) == ["ycx/RSST", "ycx/RSST-2"]
    assert not Path("hurt").exists()
