"""`demo`: the whole tool without an account, through the real wandb client."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator

from rich.text import Text

from migrate.cli.config_file import NO_FILE, VARIABLE
from migrate.cli.serve import sandbox_packages
from migrate.console import MANNER, Captured, Output, rows_of
from migrate.errors import INTERRUPTED

SCREEN_ROWS = 24

# What is typed, what it shows, and how many of its last lines are shown where it is longer than a
# screen: the report's counts the runs.
_STEPS = (
    ("audit ycx/RSST", "What is in the project, and what needs attention.", 0),
    ("report ycx/RSST", "The dry run: what each run would be called.", 1),
    (
        "rename ycx/RSST --limit 3 --yes --journal demo.journal.jsonl",
        "The first of these names, written: journaled, renamed, and read back.",
        None,
    ),
    ("audit ycx/RSST", "What has changed: fewer to rename, more in the new format.", 0),
    ("undo demo.journal.jsonl --yes", "All of it taken back, from the journal.", None),
)


def demo() -> int:
    """Run the commands themselves, one after the other, on the sandbox's project."""
    from migrate.cli.app import app

    with sandbox_packages():
        from migrate.sandbox.sample import sample_store
        from migrate.sandbox.server import Sandbox
    with (
        Sandbox(sample_store()) as served,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):
        os.environ.update({**served.env, VARIABLE: NO_FILE})
        MANNER.no_pager = MANNER.no_next = True  # the steps follow each other
        output, code = Output(), 0
        for number, (command, sentence, last) in enumerate(_STEPS, 1):
            output.out.print()
            output.out.print(Text(f"{number}. {sentence}"))
            output.out.print(Text(f"$ rsst-migrate {command}", "bold cyan"))
            output.out.print()
            with contextlib.nullcontext() if last is None else _one_screen(output, last):
                code = max(code, app(command.split(), standalone_mode=False))
            sys.stdout.flush()
            if code == INTERRUPTED:  # Ctrl-C, which typer makes an exit code
                return INTERRUPTED
        output.out.print()
        output.out.print("Now your own project. This changes nothing, either:")
        output.out.print("  rsst-migrate report entity/project")
        return code


@contextlib.contextmanager
def _one_screen(output: Output, last: int) -> Iterator[None]:
    """Show the first lines of what is printed meanwhile, how many follow, and the `last` ones."""
    with contextlib.redirect_stdout(Captured(sys.stdout)) as captured:
        yield
    lines = captured.getvalue().splitlines()
    # Besides these: four lines of title, and the one that says how many are left out.
    rows, shown = SCREEN_ROWS - 5 - last, 0
    for line in lines:
        rows -= rows_of(line, output.out.width)
        if rows < 0:
            break
        shown += 1
    end = len(lines) - last
    if shown < end:
        lines[shown:end] = [f"… {end - shown} more lines"]
    sys.stdout.write("\n".join([*lines, ""]))
