"""`demo`: the whole tool without an account, through the real wandb client."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

from rich.text import Text

from migrate.cli import look
from migrate.cli.go_on import go_on
from migrate.cli.rename import RenameOptions, rename
from migrate.cli.request import Request
from migrate.cli.serve import sandbox_packages
from migrate.console import MANNER, Output

PATH = "ycx/RSST"


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
        journal = Path("demo.journal.jsonl")
        request, yes = Request(config="none"), RenameOptions(journal=journal, yes=True)
        _title(f"audit {PATH}", "What is in the project, and what needs attention.")
        look.audit([PATH], request, as_json=False, check=False)
        _title(f"report {PATH}", "The dry run: what each run would be called. Nothing changes.")
        look.report([PATH], request)
        _title(
            f"rename {PATH} --yes --journal {journal}",
            "The same plan, carried out: journaled, renamed, and read back.",
        )
        code = rename([PATH], None, request, yes)
        _title(f"audit {PATH}", "What remains: names that need attention.")
        look.audit([PATH], request, as_json=False, check=False)
        _title(f"undo {journal} --yes", "All of it taken back, from the journal.")
        return max(code, go_on([journal], "undo", None, yes=True, dry_run=False))


def _title(command: str, sentence: str) -> None:
    out = Output().out
    out.print()
    out.print(Text(sentence))
    out.print(Text(f"$ rsst-migrate {command}", "bold cyan"))
    out.print()
