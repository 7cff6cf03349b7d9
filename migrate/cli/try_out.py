"""`demo`: the whole tool without an account, through the real wandb client."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from math import ceil
from pathlib import Path

from rich.cells import cell_len
from rich.text import Text

from migrate.cli import look
from migrate.cli.go_on import go_on
from migrate.cli.rename import rename
from migrate.cli.request import Request
from migrate.cli.serve import sandbox_packages
from migrate.console import MANNER, Output

PATH = "ycx/RSST"
SCREEN_ROWS = 24
_LIMIT = 3

Step = tuple[str, str, Callable[[], int]]


def demo(runs: int | None) -> int:
    """Run the commands themselves, one after the other, on the sandbox's project."""
    with sandbox_packages():
        from migrate.sandbox.sample import sample_store
        from migrate.sandbox.server import Sandbox
    with (
        Sandbox(sample_store(runs)) as served,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):
        os.environ.update(served.env)
        MANNER.no_pager = MANNER.no_next = True  # the steps follow each other
        output, code = Output(), 0
        for number, (command, sentence, run) in enumerate(_steps(), 1):
            output.out.print()
            output.out.print(Text(f"{number}. {sentence}"))
            output.out.print(Text(f"$ rsst-migrate {command}", "bold cyan"))
            output.out.print()
            code = max(code, run())
            sys.stdout.flush()
        MANNER.no_next = False
        output.out.print()
        output.out.print("Now your own project. This changes nothing, either:")
        output.out.print("  rsst-migrate report entity/project")
        return code


def _steps() -> Sequence[Step]:
    """What is typed, what it shows, and the command itself."""
    journal = Path("demo.journal.jsonl")
    request = Request(config="none")

    def audit() -> int:
        with _one_screen():
            return look.audit([PATH], request, as_json=False, check=False)

    def report() -> int:
        with _one_screen(last=1):  # it counts the runs
            return look.report([PATH], request)

    return (
        (f"audit {PATH}", "What is in the project, and what needs attention.", audit),
        (f"report {PATH}", "The dry run: what each run would be called.", report),
        (
            f"rename {PATH} --limit {_LIMIT} --yes --journal {journal}",
            "The first of these names, written: journaled, renamed, and read back.",
            lambda: rename([PATH], None, request, limit=_LIMIT, journal=journal, yes=True),
        ),
        (f"audit {PATH}", "What has changed: fewer to rename, more in the new format.", audit),
        (
            f"undo {journal} --yes",
            "All of it taken back, from the journal.",
            lambda: go_on([journal], "undo", None, yes=True, dry_run=False),
        ),
    )


class _Captured(io.StringIO):
    """What is printed, with the colours that stdout would get."""

    def isatty(self) -> bool:
        return sys.__stdout__ is not None and sys.__stdout__.isatty()


@contextlib.contextmanager
def _one_screen(last: int = 0) -> Iterator[None]:
    """Show the first lines of what is printed meanwhile, how many follow, and the `last` ones."""
    captured = _Captured()
    with contextlib.redirect_stdout(captured):
        yield
    width = Output().out.width
    lines = captured.getvalue().splitlines()
    # Besides these: four lines of title, and the one that says how many are left out.
    rows, shown = SCREEN_ROWS - 5 - last, 0
    for line in lines:
        rows -= max(1, ceil(cell_len(Text.from_ansi(line).plain) / width))
        if rows < 0:
            break
        shown += 1
    end = len(lines) - last
    if shown < end:
        lines[shown:end] = [f"… {end - shown} more lines"]
    sys.stdout.write("\n".join([*lines, ""]))
