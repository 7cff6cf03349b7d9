"""Starting up: each command against importing its libraries bare. Medians of one run, in turn.

What asks a server is measured on an empty project, from the first import to the last answer; bare,
that is importing wandb and signing in, which starts wandb's helper process.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from migrate.sandbox.server import Sandbox
from migrate.sandbox.store import Store

TIMES = 9
_TOOL = str(Path(sys.executable).with_name("rsst-migrate"))
_BARE = "import typer, rich.table, rich.console"
_ASKS = f"{_BARE}, wandb; wandb.Api()"
BARE: dict[str, list[str]] = {
    _BARE: ["parse", "name", "--help", "completion"],
    _ASKS: ["audit", "report", "rename"],
    f"{_ASKS}; import jinja2": ["report to html"],
    f"{_ASKS}; import pandas, pyarrow.parquet": ["report to parquet"],
    f"{_BARE}, graphql, uvicorn": ["sandbox"],
}
"""What is imported bare, to the commands that need just that."""
COMMANDS = {
    "parse": ["parse", "rsst_x_l1_res20s_cifar10"],
    "name": ["name", "--arch", "vit_small"],
    "--help": ["--help"],
    "completion": ["completion", "bash"],
    "audit": ["audit", "ycx/empty"],
    "report": ["report", "ycx/empty"],
    "rename": ["rename", "ycx/empty", "--yes"],
    "report to html": ["report", "ycx/empty", "-o", "report.html"],
    "report to parquet": ["report", "ycx/empty", "-o", "report.parquet"],
    "sandbox": ["sandbox"],
}


def _seconds(words: list[str], environ: dict[str, str], folder: str) -> float:
    """Until the command has ended; a sandbox, which does not, until its second line is there."""
    start = time.perf_counter()
    with subprocess.Popen(
        words, env=environ, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        if "sandbox" not in words:
            process.stdout.read()
            assert process.wait() == 0, words
            return time.perf_counter() - start
        process.stdout.readline()
        process.stdout.readline()
        taken = time.perf_counter() - start
        process.terminate()
        return taken


def lines() -> Iterator[str]:
    """The table."""
    store = Store()
    store.project("ycx", "empty")
    ways = {bare: [sys.executable, "-c", bare] for bare in BARE}
    ways |= {name: [_TOOL, *words] for name, words in COMMANDS.items()}
    taken: dict[str, list[float]] = {what: [] for what in ways}
    with Sandbox(store) as served, tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, **served.env}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        for _ in range(TIMES + 1):  # the first time writes the bytecode
            for what, words in ways.items():
                taken[what].append(_seconds(words, environ, folder))
    yield f"{'start-up':60}   ms  ratio  spread"
    for bare, commands in BARE.items():
        base = statistics.median(taken[bare][1:])
        yield f"{bare:60} {base * 1000:4.0f}"
        for command in commands:
            ratios = [
                one / bare_one
                for one, bare_one in zip(taken[command][1:], taken[bare][1:], strict=True)
            ]
            each = statistics.median(taken[command][1:])
            spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
            yield f"  {command:58} {each * 1000:4.0f} {statistics.median(ratios):6.2f}  {spread}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
