"""`sandbox` and `demo`: the whole tool without an account, through the real wandb client."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from rich.text import Text

from migrate.cli import look
from migrate.cli.rename import RenameOptions, go_on, rename
from migrate.cli.request import Request
from migrate.console import Output
from migrate.errors import InputError

PATH = "ycx/RSST"


def serve(
    port: int, runs: int | None, pace: Mapping[str, float | None], fail: Sequence[str]
) -> int:
    """Serve the sandbox until Ctrl-C.

    Args:
        port: Where to listen; 0 takes any port that is free.
        runs: How many runs the project has; None for a readable few.
        pace: The fields of the sandbox's `Pace`.
        fail: Faults in their short form, `429@mutationx3`.

    Raises:
        InputError: A fault is not a valid one, or the port is taken.
    """
    with _sandbox_packages():
        from migrate.sandbox.faults import Faults, parse_fail
        from migrate.sandbox.pace import Pace
        from migrate.sandbox.sample import sample_store
        from migrate.sandbox.server import Sandbox
    output = Output()
    try:
        served = Sandbox(
            sample_store(runs),
            port=port,
            pace=Pace(**pace),  # type: ignore[arg-type]
            faults=Faults(pending=[parse_fail(spec) for spec in fail]),
        )
    except ValueError as error:
        raise InputError(f"{error}.") from None
    except OSError as error:
        raise InputError(f"Cannot listen on port {port}: {error.strerror}.") from None
    for key, value in served.env.items():
        output.data(f"export {key}={value}\n")
    sys.stdout.flush()
    output.say("Serving ycx/RSST, 609354432/RSST, ycx/empty and ycx/frozen. Ctrl-C ends it.")
    served.serve()
    return 0


def demo(runs: int | None) -> int:
    """Run the commands themselves, one after the other, on the sandbox's project."""
    with _sandbox_packages():
        from migrate.sandbox.sample import sample_store
        from migrate.sandbox.server import Sandbox
    with (
        Sandbox(sample_store(runs)) as served,
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):
        os.environ.update(served.env)
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
        return max(code, go_on(journal, "undo", None, yes=True, dry_run=False))


@contextlib.contextmanager
def _sandbox_packages() -> Iterator[None]:
    """Say what to install where the sandbox's packages are missing."""
    try:
        yield
    except ImportError as error:
        raise InputError(
            f"The sandbox needs {error.name}: pip install 'rsst-migrate[sandbox]' "
            "(in a clone: pip install '.[sandbox]')."
        ) from None


def _title(command: str, sentence: str) -> None:
    out = Output().out
    out.print()
    out.print(Text(sentence))
    out.print(Text(f"$ rsst-migrate {command}", "bold cyan"))
    out.print()
