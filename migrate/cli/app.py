"""The command line: its commands, their options and their help, and the one place that exits.

Each command hands what was typed to its module in this folder, which returns the exit code. What
they need is imported there: `parse`, `name` and `--help` answer at once.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn, Protocol, runtime_checkable

import typer

from migrate.cli import completion, practising
from migrate.cli.options import (
    COMPLETE,
    JOURNAL,
    NAME,
    PATHS,
    BaseUrl,
    Command,
    Debug,
    DryRun,
    Help,
    NoColor,
    NoPager,
    Quiet,
    Version,
    Yes,
    flag,
    number,
    option,
    with_request,
)
from migrate.cli.request import Request
from migrate.console import MANNER, ClosedPipe
from migrate.errors import MigrateError, scrub, scrubbed_traceback
from migrate.text import visible

app = typer.Typer(
    name=NAME,
    add_completion=False,
    add_help_option=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


command = partial(app.command, cls=Command)


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, show_help: Help = False, show_version: Version = False) -> None:
    """Audit, preview and batch-rename the Weights & Biases runs of RSST.

    [bold]Where to begin[/bold]

    Without an account: [cyan]rsst-migrate demo[/cyan]
    On your project:    [cyan]rsst-migrate report entity/project[/cyan]   # changes nothing
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@command(rich_help_panel="Look")
@with_request
def audit(
    paths: Annotated[list[str] | None, PATHS] = None,
    as_json: Annotated[bool, flag("json", "The audit as JSON.")] = False,
    check: Annotated[bool, flag("check", "Exit 1 while any old name remains.")] = False,
    no_pager: NoPager = False,
    *,
    request: Request,
) -> int:
    """Summarize projects and list what needs attention.

    [dim]Examples:[/dim]
    $ rsst-migrate audit ycx/RSST
    $ rsst-migrate audit ycx/RSST 609354432/RSST --json
    $ rsst-migrate audit ycx/RSST --check --quiet > /dev/null   # for cron
    """
    from migrate.cli import look

    return look.audit(paths or (), request, as_json=as_json, check=check)


OutputFile = Annotated[
    Path | None,
    option(
        "Write to a file (- is stdout); its suffix picks the format.",
        "FILE",
        names=("-o", "--output"),
    ),
]
OutputFormat = Annotated[
    str | None,
    option(
        "csv, json, md, html or parquet.",
        "FORMAT",
        names=("--format",),
        autocompletion=completion.formats,
    ),
]
Every = Annotated[bool, flag("all", "Show all runs, not only those with an old name.")]
Statuses = Annotated[
    list[str] | None,
    option(
        "Only runs of this status. Repeatable.",
        "STATUS",
        autocompletion=completion.statuses,
    ),
]
Reasons = Annotated[
    list[str] | None,
    option(
        "Only runs with a reason of this code: missing, conflict, … Repeatable.",
        "CODE",
        autocompletion=completion.reasons,
    ),
]
References = Annotated[
    bool, flag("references", "Look for views, reports and automations, too (HTML only).")
]


@command(rich_help_panel="Look")
@with_request
def report(
    paths: Annotated[list[str] | None, PATHS] = None,
    file: OutputFile = None,
    file_format: OutputFormat = None,
    every: Every = False,
    status: Statuses = None,
    reason: Reasons = None,
    references: References = False,
    no_pager: NoPager = False,
    *,
    request: Request,
) -> int:
    """Show the dry run: each run with its old name and its new one, or the reason why not.

    Prints the runs with an old name; files and --format hold every run. With
    --status and --reason, those that are asked for, everywhere.

    [dim]Examples:[/dim]
    $ rsst-migrate report ycx/RSST
    $ rsst-migrate report ycx/RSST --status review --reason missing
    $ rsst-migrate report ycx/RSST -o runs.csv
    $ rsst-migrate report ycx/RSST -o report.html   # for a browser
    $ rsst-migrate report ./wandb                   # offline runs, before wandb sync
    $ rsst-migrate report ycx/RSST --assume rate=0.15 --timezone Asia/Shanghai
    """
    from migrate.cli import look

    return look.report(
        paths or (),
        request,
        file=file,
        file_format=file_format,
        every=every,
        statuses=status or (),
        codes=reason or (),
        references=references,
    )


@command(rich_help_panel="Look")
@with_request
def references(
    paths: Annotated[list[str] | None, PATHS] = None,
    as_json: Annotated[bool, flag("json", "The references as JSON.")] = False,
    *,
    request: Request,
) -> int:
    """List saved views, reports and automations that go by the names of a rename.

    Those that will not match the same runs after it, and those that go on showing
    other names. Reads only: what to do about them is yours.

    [dim]Examples:[/dim]
    $ rsst-migrate references ycx/RSST
    $ rsst-migrate references ycx/RSST --json
    """
    from migrate.cli.references import references

    return references(paths or (), request, as_json=as_json)


@command(rich_help_panel="Rename")
@with_request
def settle(
    paths: Annotated[list[str] | None, PATHS] = None,
    to_stdout: Annotated[
        bool, flag("print", "Write the suggested rules to stdout instead of asking.")
    ] = False,
    no_pager: NoPager = False,
    *,
    request: Request,
) -> int:
    """Decide what keeps runs in review, once for each kind of run.

    One question a kind, the largest first, with what other runs have. The answers
    are written as rules into rsst-migrate.toml, which every command reads.

    [dim]Examples:[/dim]
    $ rsst-migrate settle ycx/RSST
    $ rsst-migrate settle ycx/RSST --print > rules.toml
    """
    from migrate.cli.settle import settle

    return settle(paths or (), request, to_stdout=to_stdout)


@command(rich_help_panel="Rename")
@with_request
def rename(
    paths: Annotated[list[str] | None, PATHS] = None,
    plan: Annotated[
        Path | None,
        option(
            "Rename exactly the rows with status rename of this saved CSV or JSON report.", "FILE"
        ),
    ] = None,
    limit: Annotated[int | None, number("Only the first N renames.", "N", 1)] = None,
    journal: Annotated[
        Path | None,
        option("Where to write the journal (default: a new file in this folder).", "FILE"),
    ] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    *,
    request: Request,
) -> int:
    """Show the plan, ask, rename, and read every name back.

    Only run names change. A run that somebody else renamed meanwhile is left
    alone. Everything is journaled first, so that it can be finished (resume) and
    taken back (undo).

    [dim]Examples:[/dim]
    $ rsst-migrate rename ycx/RSST --dry-run
    $ rsst-migrate rename ycx/RSST --limit 10
    $ rsst-migrate rename --plan runs.csv
    """
    from migrate.cli.rename import rename

    return rename(
        paths or (), plan, request, limit=limit, journal=journal, yes=yes, dry_run=dry_run
    )


@command(rich_help_panel="Rename")
def resume(
    journal: Annotated[Path | None, JOURNAL] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    base_url: BaseUrl = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> int:
    """Finish a rename that was interrupted.

    Without JOURNAL it lists the journals in this folder.

    [dim]Example:[/dim]
    $ rsst-migrate resume rename-ycx-RSST-20260108T143000Z.journal.jsonl
    """
    from migrate.cli.go_on import go_on

    paths = [] if journal is None else [journal]
    return go_on(paths, "rename", base_url, yes=yes, dry_run=dry_run)


@command(rich_help_panel="Rename")
def undo(
    journals: Annotated[list[Path] | None, JOURNAL] = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    base_url: BaseUrl = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> int:
    """Put back every name that a rename changed and nobody has changed since.

    Of several journals, the newest rename first. Without JOURNAL it lists the
    journals in this folder.

    [dim]Examples:[/dim]
    $ rsst-migrate undo rename-ycx-RSST-20260108T143000Z.journal.jsonl
    $ rsst-migrate undo rename-*.journal.jsonl --dry-run
    """
    from migrate.cli.go_on import go_on

    return go_on(journals or (), "undo", base_url, yes=yes, dry_run=dry_run)


@command(
    rich_help_panel="Names",
    add_help_option=False,
    options_metavar="[OPTIONS] NAME...",
    context_settings={"allow_extra_args": True},
)
def parse(
    context: typer.Context,
    as_json: Annotated[bool, flag("json", "One JSON array.")] = False,
    no_color: NoColor = False,
    debug: Debug = False,
    show_help: Help = False,
) -> int:
    """Parse run names into their fields.

    In place of names, - reads them from stdin, a name a line.

    [dim]Examples:[/dim]
    $ rsst-migrate parse rsst_x_l1_res20s_cifar10
    $ rsst-migrate parse --json - < names.txt
    """
    from migrate.cli.names import parse

    return parse(context.args, as_json=as_json)


@command(
    rich_help_panel="Names",
    add_help_option=False,
    options_metavar="[OPTIONS] [FLAGS OF THE TRAINING SCRIPT]",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def name(
    context: typer.Context,
    quiet: Quiet = False,
    debug: Debug = False,
    show_help: Help = False,
) -> int:
    """Preview the name that a new run would get.

    Takes the training script's own flags, so its command lines can be pasted;
    those that do not matter to the name are ignored. Missing hyperparameters get
    the guide's values. Options of this command:

    [cyan]--at ISO-TIME[/cyan]                the time to use in place of now
    [cyan]--timezone ZONE[/cyan]              its zone in the name: Asia/Shanghai, +08:00
    [cyan]--timestamp-format FORMAT[/cyan]    its form, as for strftime
    [cyan]--extra bs,lr,ep=epochs[/cyan]      extra parts after the dataset, in this order
    [cyan]--cnn-exponents[/cyan]              exponents in CNN names too

    [dim]Examples:[/dim]
    $ rsst-migrate name --arch vit_small --dataset cifar100 --pretrained
    $ rsst-migrate name --exp_name vit_ablation_lr0.001 --exp_timestamp
    """
    from migrate.cli.names import name

    return name(context.args)


for practice in (practising.sandbox, practising.demo):
    command(rich_help_panel="Try it out")(practice)
command("completion", rich_help_panel="Try it out")(practising.print_completion)


def main() -> NoReturn:
    """Run the command line: errors are a sentence or two on stderr, and an exit code."""
    MANNER.reset()
    if COMPLETE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    try:
        code = app(prog_name=NAME, standalone_mode=False) or 0
        sys.stdout.flush()
    except ClosedPipe as error:
        code = error.exit_code
    except MigrateError as error:
        code = _fail(f"error: {error}", error.exit_code)
    except typer.Abort as error:  # at a prompt
        interrupted = isinstance(error.__context__, KeyboardInterrupt)
        code = _fail("\nNothing was written.", 130 if interrupted else 1)
    except Exception as error:  # noqa: BLE001 - whatever it is, the user gets a sentence
        if isinstance(error, UsageError):
            code = _fail(_usage_words(error), error.exit_code)
        else:
            words = f"error: {type(error).__name__}: {scrub(error)}\n"
            if not MANNER.debug:
                words += "This is a fault of rsst-migrate. Run it again with --debug to see where."
            code = _fail(words.rstrip(), 1)
    sys.exit(code)


@runtime_checkable
class UsageError(Protocol):
    """What is wrong with a call, as typer says it: of click, which it has as a private copy."""

    exit_code: int
    ctx: typer.Context | None

    def format_message(self) -> str:
        """What is wrong."""


def _usage_words(error: UsageError) -> str:
    words = scrub(error.format_message()).replace("Value error, ", "")
    stop = "" if words[-1:] in (".", "?") else "."
    where = error.ctx.command_path if error.ctx else NAME
    return f"error: {words}{stop} See {where} --help."


def _fail(words: str, code: int) -> int:
    if MANNER.debug or "--debug" in sys.argv:  # a call may be wrong before its flags are read
        print(scrubbed_traceback(), file=sys.stderr)
    # A journal's or a plan's words may be in it.
    print("\n".join(map(visible, words.split("\n"))), file=sys.stderr)
    return code
