"""The whole tool on the sandbox, through the real wandb client, with no account."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from types import ModuleType

from rich.text import Text

from migrate.cli.options import Shared
from migrate.cli.rename import Asked, go_on, rename
from migrate.client.server import connect
from migrate.console import Output
from migrate.errors import InputError
from migrate.mapping.projects import read_projects
from migrate.rename.plan import planned
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
        (mapped,) = read_projects(server, [PATH], Shared(), output.progress)
        print_audit(output.out, audit(PATH, mapped.chosen))

        _title(output, f"rsst-migrate report {PATH}")
        print_report(output.out, mapped.chosen)

        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            journal = Path("demo.journal.jsonl")
            _title(output, f"rsst-migrate rename {PATH} --yes --journal {journal}")
            plan = planned(mapped.chosen)
            projects = {mapped.project.where: mapped.project}
            rename(server, projects, plan, output, Asked(journal=journal, yes=True))

            _title(output, f"rsst-migrate audit {PATH}")
            (after,) = read_projects(server, [PATH], Shared(), output.progress)
            print_audit(output.out, audit(PATH, after.chosen))

            _title(output, f"rsst-migrate undo {journal} --yes")
            go_on(server, journal, "undo", output, yes=True, dry_run=False, show=False)


def _title(output: Output, command: str) -> None:
    output.out.print()
    output.out.print(Text(f"$ {command}", "bold cyan"))
    output.out.print()
