"""Starting up: `parse` and `name` against importing their libraries bare. Medians of one run."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

TIMES = 15
_TOOL = str(Path(sys.executable).with_name("rsst-migrate"))
COMMANDS = {
    "import typer, rich": [sys.executable, "-c", "import typer, rich.table, rich.console"],
    "parse": [_TOOL, "parse", "rsst_x_l1_res20s_cifar10"],
    "name": [_TOOL, "name", "--arch", "vit_small"],
    "--help": [_TOOL, "--help"],
}


def lines() -> Iterator[str]:
    """The table."""
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    taken: dict[str, list[float]] = {what: [] for what in COMMANDS}
    for _ in range(TIMES + 1):  # the first time writes the bytecode
        for what, command in COMMANDS.items():
            start = time.perf_counter()
            subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
            taken[what].append(time.perf_counter() - start)
    medians = {what: statistics.median(seconds[1:]) for what, seconds in taken.items()}
    base = next(iter(medians.values()))
    yield "start-up               ms  ratio"
    for what, seconds in medians.items():
        yield f"{what:20s} {seconds * 1000:4.0f} {seconds / base:6.2f}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in lines())
