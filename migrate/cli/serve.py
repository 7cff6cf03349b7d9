"""`sandbox`: serves a W&B-compatible project on loopback, until Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from migrate.console import Output
from migrate.errors import InputError
from migrate.text import counted, visible

if TYPE_CHECKING:
    from migrate.sandbox.pace import Pace
    from migrate.sandbox.store import Store

_UNKNOWN = """What the report does not hold is not here either:
- config values that names do not use (batch_size, lr, seed, …);
- what the config said in a conflict, and values that are not valid.
Use the options and the configuration file that the report was made with."""

_LINES = {
    "bash": "export {}={}",
    "fish": "set -gx {} {}",
    "powershell": '$env:{} = "{}"',
}


def serve(
    port: int,
    sample: str | None,
    runs: int | None,
    report: Path | None,
    shell: str | None,
    pace: Pace,
    fail: Sequence[str],
) -> int:
    """Serve a sample project, or a saved report's.

    Raises:
        InputError: Options that do not go together, a fault or a report that is not valid, or a
            port that is taken.
    """
    with sandbox_packages():
        from migrate.sandbox.faults import Faults, parse_fail
        from migrate.sandbox.server import Sandbox
    output = Output()
    store, about = _content(sample, runs, report)
    try:
        served = Sandbox(
            store,
            port=port,
            pace=pace,
            faults=Faults(pending=[parse_fail(spec) for spec in fail]),
        )
    except ValueError as error:
        raise InputError(f"{error}.") from None
    except OSError as error:
        raise InputError(f"Cannot listen on port {port}: {error.strerror}.") from None
    with served:
        line = _LINES[shell or _shell()]
        for variable in served.env.items():
            output.data(line.format(*variable) + "\n")
        for text in about:
            output.say(text)
        with contextlib.suppress(KeyboardInterrupt):
            served.wait()
    return 0


def _content(sample: str | None, runs: int | None, report: Path | None) -> tuple[Store, list[str]]:
    """What to serve, and what to say of it."""
    from migrate.sandbox.review import review_store
    from migrate.sandbox.sample import sample_store

    if report is not None and sample is not None:
        raise InputError("--from and --sample: choose one.")
    if runs is not None and (report is not None or sample == "review"):
        other = "--from" if report else "--sample review"
        raise InputError(f"--runs does not go with {other}, which has as many as it has.")
    about = []
    if report is not None:
        from migrate.cli.copied import copied_store, read_rows

        store = copied_store(read_rows(report))
        about = f"A copy, made from {report}. {_UNKNOWN}".split("\n")
    else:
        store = review_store() if sample == "review" else sample_store(runs)
    projects = [
        f"{visible(entity)}/{visible(name)} ({counted(len(project.runs), 'run')})"
        for (entity, name), project in store.projects.items()
    ]
    return store, [*about, f"Serving {', '.join(projects)}. Ctrl-C ends it."]


def _shell() -> str:
    """The shell in use, as far as the environment tells."""
    name = os.environ.get("SHELL", "powershell" if sys.platform == "win32" else "")
    if name.endswith("fish"):
        return "fish"
    return "powershell" if name.endswith(("pwsh", "powershell")) else "bash"


@contextlib.contextmanager
def sandbox_packages() -> Iterator[None]:
    """Say what to install where the sandbox's packages are missing."""
    try:
        yield
    except ImportError as error:
        raise InputError(
            f"The sandbox needs {error.name}: pip install 'rsst-migrate[sandbox]' "
            "(in a clone: pip install '.[sandbox]')."
        ) from None
