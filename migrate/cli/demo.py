"""The whole tool on the sandbox, through the real wandb client, with no account."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from types import ModuleType

from rich.text import Text

from migrate.cli.rename import RenameOptions, go_on, rename_mapped
from migrate.client.paths import parse_path
from migrate.client.server import connect
from migrate.console import Output
from migrate.errors import InputError
from migrate.mapping.projects import read_projects
from migrate.rename.journal import Journal
from migrate.report.audit import audit
from migrate.report.terminal import print_audit, print_report

PATH = "ycx/RSST"


def load_sandbox() -> ModuleType:
    """The sandbox, which needs packages of its own."""
    try:
        from migrate import sandbox
    except ImportError as error:
        raise InputError(
            f"The sandbox needs {error.name}: pip install 'rsst-migrate[sandbox]' "
            "(in a clone: pip install '.[sandbox]')."
        ) from None
    return sandbox


def run_demo(output: Output, runs: int | None = None) -> None:
    """Audit, report, rename, audit again, and undo, on the sandbox's project."""
    sandbox = load_sandbox()
    with sandbox.Sandbox(sandbox.sample_store(runs)) as served:
        os.environ.update(served.env)
        server = connect()

        _title(output, f"rsst-migrate audit {PATH}")
        project = server.project(parse_path(PATH))
        (mapped,) = read_projects([project], progress=output.progress)
        print_audit(output.out, audit(PATH, mapped.chosen))

        _title(output, f"rsst-migrate report {PATH}")
        print_report(output.out, mapped.chosen)

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            journal = Path("demo.journal.jsonl")
            _title(output, f"rsst-migrate rename {PATH} --yes --journal {journal}")
            rename_mapped(server, [mapped], output, RenameOptions(journal=journal, yes=True))

            _title(output, f"rsst-migrate audit {PATH}")
            (after,) = read_projects([project], progress=output.progress)
            print_audit(output.out, audit(PATH, after.chosen))

            _title(output, f"rsst-migrate undo {journal} --yes")
            opened, state = Journal.reopen(journal)
            with opened:
                go_on(server, opened, state, "undo", output, yes=True, dry_run=False)


def _title(output: Output, command: str) -> None:
    output.out.print()
    output.out.print(Text(f"$ {command}", "bold cyan"))
    output.out.print()
