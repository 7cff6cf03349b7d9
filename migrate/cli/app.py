"""The command line. Each command is a few calls: list, map, then report or rename."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NoReturn, Protocol, runtime_checkable

import typer

from migrate.cli import completion
from migrate.cli.options import RUN, Debug, NoColor, Shared, with_shared
from migrate.console import ClosedPipe, Output
from migrate.errors import InputError, MigrateError, scrub, scrubbed_traceback
from migrate.text import visible

if TYPE_CHECKING:
    from migrate.client.server import Server
    from migrate.rename.journal import Direction

NAME = "rsst-migrate"
COMPLETE = "_RSST_MIGRATE_COMPLETE"  # in the environment when the shell asks

app = typer.Typer(
    name=NAME,
    add_completion=False,
    add_help_option=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ANY_PATHS = typer.Argument(
    help="entity/project, project alone, or the address of the project's page.",
    metavar="PATH",
    autocompletion=completion.paths,
)
Paths = Annotated[list[str], ANY_PATHS]


@app.command(rich_help_panel="Look")
@with_shared
def audit(
    paths: Paths,
    as_json: Annotated[bool, typer.Option("--json", help="The audit as JSON.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit 1 while any old name remains.")
    ] = False,
    *,
    shared: Shared,
) -> None:
    """Say what is in these projects, and what needs a person.

    [dim]Examples:[/dim]
    $ rsst-migrate audit ycx/RSST
    $ rsst-migrate audit ycx/RSST 609354432/RSST --json
    $ rsst-migrate audit ycx/RSST --check --quiet > /dev/null   # for cron
    """
    from migrate.mapping.projects import check_input, read_projects
    from migrate.mapping.rows import number_of_runs
    from migrate.report.audit import audit as sum_up
    from migrate.report.terminal import print_audit

    output = Output(no_color=shared.no_color, quiet=shared.quiet)
    check_input(paths, shared)
    mapped = read_projects(_connect(shared.base_url, shared.quiet), paths, shared, output.progress)
    each = [sum_up("/".join(one.project.where), one.chosen) for one in mapped]
    total = sum_up("all", [row for one in mapped for row in one.chosen])
    if as_json:
        found = {"projects": [one.to_dict() for one in each], "total": total.to_dict()}
        output.data(json.dumps(found, indent=1) + "\n")
    else:
        for number, one in enumerate([*each, total] if len(each) > 1 else each):
            if number:
                output.out.print()
            print_audit(output.out, one)
    if check and total.old_names:
        has = "has" if total.old_names == 1 else "have"
        output.say(f"{number_of_runs(total.old_names)} still {has} an old name.")
        raise typer.Exit(1)


@app.command(rich_help_panel="Look")
@with_shared
def report(
    paths: Paths,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Write to a file; its suffix picks the format."),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option(
            "--format",
            help="csv, json, md, html or parquet.",
            metavar="FORMAT",
            autocompletion=completion.formats,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every row in the table, not only those that matter.")
    ] = False,
    *,
    shared: Shared,
) -> None:
    """Show the dry run: one row a run, old name and new name, or the reason why not.

    Prints a table of the rows that matter; files and --format hold every run.

    [dim]Examples:[/dim]
    $ rsst-migrate report ycx/RSST
    $ rsst-migrate report ycx/RSST -o runs.csv
    $ rsst-migrate report ycx/RSST -o report.html   # for a browser
    $ rsst-migrate report ycx/RSST --assume rate=0.15 --timezone Asia/Shanghai
    """
    from migrate.mapping.projects import check_input, read_projects
    from migrate.report.files import FORMATS, Source, format_of, save
    from migrate.report.terminal import count_line, print_report

    output = Output(no_color=shared.no_color, quiet=shared.quiet)
    chosen_format = format_of(file, file_format)
    if file is not None and not os.path.isdir(file.parent):  # Path's own raises on some
        raise InputError(f"There is no folder {file.parent} to write {file.name} to.")
    if chosen_format == "parquet" and file is None and sys.stdout.isatty():
        raise InputError("Parquet is no text for a terminal. Write it to a file with -o FILE.")
    check_input(paths, shared)
    server = _connect(shared.base_url, shared.quiet)
    mapped = read_projects(server, paths, shared, output.progress)
    rows = [row for one in mapped for row in one.chosen]
    if chosen_format is None:
        print_report(output.out, rows, every=every)
        return
    projects = tuple(one.project.where for one in mapped)
    data = FORMATS[chosen_format](rows, Source(server.app_url, datetime.now(UTC), projects))
    if file is None:
        output.data(data)
    else:
        save(file, data)
        output.say(f"Wrote {file}: {count_line(rows)}.")


PlanFile = Annotated[
    Path | None,
    typer.Option("--plan", help="A saved CSV or JSON report: exactly its rows with status rename."),
]
JournalFile = Annotated[
    Path | None, typer.Option("--journal", help="Where to keep the journal; else in this folder.")
]
JournalPath = Annotated[
    Path,
    typer.Argument(
        help="The journal of a rename.", metavar="JOURNAL", autocompletion=completion.journals
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRun = Annotated[bool, typer.Option("--dry-run", "-n", help="Stop after the plan.")]
Url = Annotated[str | None, typer.Option("--base-url", help="The W&B server.", metavar="URL")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.", rich_help_panel=RUN)]


@app.command(rich_help_panel="Rename")
@with_shared
def rename(
    paths: Annotated[list[str] | None, ANY_PATHS] = None,
    plan: PlanFile = None,
    limit: Annotated[
        int | None, typer.Option(help="Only the first N renames.", min=1, metavar="N")
    ] = None,
    journal: JournalFile = None,
    yes: Yes = False,
    dry_run: DryRun = False,
    *,
    shared: Shared,
) -> None:
    """Show the plan, ask, rename, and read every name back.

    Only display names change. A run that somebody else renamed meanwhile is left
    alone. Everything is journaled first, so that it can be finished (resume) and
    taken back (undo).

    [dim]Examples:[/dim]
    $ rsst-migrate rename ycx/RSST --dry-run
    $ rsst-migrate rename ycx/RSST --limit 10
    $ rsst-migrate rename --plan runs.csv
    """
    from migrate.cli.rename import Asked, rename_mapped, rename_planned
    from migrate.mapping.projects import check_input, read_projects
    from migrate.rename.plan_file import read_plan

    if not paths and plan is None:
        raise InputError("Give a project as entity/project, or a saved report with --plan.")
    if plan is not None and (unused := shared.about_the_plan()):
        raise InputError(
            f"--plan takes exactly its file's rows: {', '.join(unused)} cannot change them. "
            "Give such options to the report that is saved."
        )
    output = Output(no_color=shared.no_color, quiet=shared.quiet)
    check_input(paths or [], shared)
    asked = Asked(limit, journal, yes, dry_run, shared.include_running)
    saved = None if plan is None else read_plan(plan)
    server = _connect(shared.base_url, shared.quiet)
    if saved is not None:
        rename_planned(server, saved, paths or [], output, asked)
        return
    mapped = read_projects(server, paths or [], shared, output.progress)
    rename_mapped(server, mapped, output, asked)


@app.command(rich_help_panel="Rename")
def resume(
    journal: JournalPath,
    yes: Yes = False,
    dry_run: DryRun = False,
    base_url: Url = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Finish a rename that was interrupted.

    [dim]Example:[/dim]
    $ rsst-migrate resume rename-ycx-RSST-20260108T143000Z.journal.jsonl
    """
    _go_on("rename", journal, yes, dry_run, base_url, quiet, no_color)


@app.command(rich_help_panel="Rename")
def undo(
    journal: JournalPath,
    yes: Yes = False,
    dry_run: DryRun = False,
    base_url: Url = None,
    quiet: Quiet = False,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Put every name back that a rename changed, and that nobody has changed since.

    [dim]Example:[/dim]
    $ rsst-migrate undo rename-ycx-RSST-20260108T143000Z.journal.jsonl
    """
    _go_on("undo", journal, yes, dry_run, base_url, quiet, no_color)


def _go_on(
    direction: Direction,
    journal: Path,
    yes: bool,
    dry_run: bool,
    base_url: str | None,
    quiet: bool,
    no_color: bool,
) -> None:
    from migrate.cli.rename import go_on
    from migrate.rename.journal import read

    read(journal)  # what is wrong with it is said before anything is asked of a server
    output = Output(no_color=no_color, quiet=quiet)
    go_on(_connect(base_url, quiet), journal, direction, output, yes=yes, dry_run=dry_run)


# `parse` and `name` answer at once, so they have flags alone, and read the other words themselves:
# for a parameter of any type but bool, and for its own --help, typer imports pydantic (0.1 s).
def _show_help(context: typer.Context, asked: bool) -> None:
    if asked:
        print(context.get_help())
        raise typer.Exit()


Help = Annotated[
    bool, typer.Option("--help", "-h", is_eager=True, callback=_show_help, help="Show this.")
]


@app.callback(invoke_without_command=True)
def begin(context: typer.Context, show_help: Help = False) -> None:
    """Audit, preview and batch-rename the Weights & Biases runs of RSST.

    [bold]Where to begin[/bold]

    Without an account: [cyan]rsst-migrate demo[/cyan]
    On your project:    [cyan]rsst-migrate report entity/project[/cyan]   # changes nothing
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


@app.command(
    rich_help_panel="Names",
    add_help_option=False,
    options_metavar="[OPTIONS] NAME...",
    context_settings={"allow_extra_args": True},
)
def parse(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
    no_color: NoColor = False,
    debug: Debug = False,
    show_help: Help = False,
) -> None:
    """Say what names say: their format and their fields.

    In place of names, - reads them from stdin, a name a line.

    [dim]Examples:[/dim]
    $ rsst-migrate parse rsst_x_l1_res20s_cifar10
    $ rsst-migrate parse --json - < names.txt
    """
    from migrate.cli.names import as_object, describe, parse_all

    if not context.args:
        raise InputError("Give names to parse, or - to read them from stdin, a name a line.")
    parsed = parse_all(context.args, sys.stdin)
    output = Output(no_color=no_color)
    if as_json:
        output.data(json.dumps([as_object(one) for one in parsed], indent=1) + "\n")
    else:
        describe(output.out, parsed)


@app.command(
    rich_help_panel="Names",
    add_help_option=False,
    options_metavar="[OPTIONS] [FLAGS OF THE TRAINING SCRIPT]",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def name(
    context: typer.Context,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No advice.", rich_help_panel=RUN)
    ] = False,
    debug: Debug = False,
    show_help: Help = False,
) -> None:
    """Preview the name that a new run would get.

    Takes the training script's own flags, so its command lines can be pasted;
    those that do not matter to the name are ignored. What is left out is what the
    guide means. Besides them:

    [cyan]--at ISO-TIME[/cyan]                the time to use in place of now
    [cyan]--timezone ZONE[/cyan]              its zone in the name: Asia/Shanghai, +08:00
    [cyan]--timestamp-format FORMAT[/cyan]    its form, as strftime has it
    [cyan]--extra bs,lr,seed[/cyan]           extra parts after the dataset, in this order
    [cyan]--cnn-exponents[/cyan]              exp4 in CNN names, too

    [dim]Examples:[/dim]
    $ rsst-migrate name --arch vit_small --dataset cifar100 --pretrained
    $ rsst-migrate name --exp_name vit_ablation_lr0.001 --exp_timestamp
    """
    from migrate.cli.names import preview

    previewed, advice = preview(context.args)
    output = Output(quiet=quiet)
    output.data(f"{previewed}\n")
    for line in advice:
        output.say(line)


@app.command(rich_help_panel="Try it out")
def sandbox(
    port: Annotated[int, typer.Option(help="The port; 0 takes any.", min=0, max=65535)] = 0,
    runs: Annotated[
        int | None, typer.Option(help="How many runs ycx/RSST has.", min=1, max=1_000_000)
    ] = None,
    latency_ms: Annotated[
        float, typer.Option(help="How long each request takes at least.", min=0, max=60_000)
    ] = 0,
    fail: Annotated[
        list[str] | None,
        typer.Option(
            help="Make requests fail: 429@mutationx3, 500@query, drop-after, hang; also 400, 403, "
            "413, 502, 503 and drop. Repeatable.",
            metavar="SPEC",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Serve a W&B-compatible project on loopback, full of old runs of every kind.

    Prints the two environment variables that point any command at it, then serves
    until Ctrl-C.

    [dim]Examples:[/dim]
    $ rsst-migrate sandbox
    $ rsst-migrate sandbox --runs 2000 --latency-ms 100 --fail 429@mutationx3
    """
    from migrate.cli.demo import load_sandbox

    parts = load_sandbox()
    output = Output()
    try:
        faults = parts.Faults(pending=[parts.parse_fail(spec) for spec in fail or ()])
        served = parts.Sandbox(
            parts.sample_store(runs), port=port, latency_ms=latency_ms, faults=faults
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


@app.command(rich_help_panel="Try it out")
def demo(
    runs: Annotated[
        int | None, typer.Option(help="How many runs the project has.", min=1, max=100_000)
    ] = None,
    no_color: NoColor = False,
    debug: Debug = False,
) -> None:
    """Show the whole tool on a project of our own, through the real wandb client. No account.

    [dim]Example:[/dim]
    $ rsst-migrate demo
    """
    from migrate.cli.demo import run_demo

    run_demo(Output(no_color=no_color), runs)


@app.command("completion", rich_help_panel="Try it out")
def print_completion(
    shell: Annotated[Literal["bash", "zsh", "fish"], typer.Argument(metavar="SHELL")],
) -> None:
    """Print a script for bash, zsh or fish that completes commands, projects and journals.

    [dim]To have it in every new shell:[/dim]
    $ echo 'source <(rsst-migrate completion bash)' >> ~/.bashrc
    $ echo 'source <(rsst-migrate completion zsh)' >> ~/.zshrc
    $ rsst-migrate completion fish > ~/.config/fish/completions/rsst-migrate.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script = get_completion_script(prog_name=NAME, complete_var=COMPLETE, shell=shell)
    Output().data(f"{script}\n")


def _connect(base_url: str | None, quiet: bool) -> Server:
    from migrate.client.server import connect

    return connect(base_url, may_prompt=not quiet)


def main() -> NoReturn:
    """Run the command line: errors are a sentence or two on stderr, and an exit code."""
    if COMPLETE in os.environ:
        from typer.completion import completion_init  # type: ignore[attr-defined]

        completion_init()
    try:
        code = app(prog_name=NAME, standalone_mode=False) or 0
        sys.stdout.flush()
        sys.exit(code)
    except ClosedPipe as error:
        sys.exit(error.exit_code)
    except MigrateError as error:
        _fail(f"error: {error}", error.exit_code)
    except typer.Abort as error:  # at a prompt
        interrupted = isinstance(error.__context__, KeyboardInterrupt)
        _fail("\nNothing was written.", 130 if interrupted else 1)
    except Exception as error:
        if isinstance(error, UsageError):
            said = scrub(error.format_message()).replace("Value error, ", "")
            said += "" if said[-1:] in (".", "?") else "."
            where = error.ctx.command_path if error.ctx else NAME
            _fail(f"error: {said} See {where} --help.", error.exit_code)
        said = f"error: {type(error).__name__}: {scrub(error)}\n"
        if "--debug" not in sys.argv:
            said += "This is a fault of rsst-migrate. Run it again with --debug to see where."
        _fail(said.rstrip(), 1)


@runtime_checkable
class UsageError(Protocol):
    """What is wrong with a call, as typer says it: of click, which it has as a private copy."""

    exit_code: int
    ctx: typer.Context | None

    def format_message(self) -> str:
        """What is wrong."""


def _fail(said: str, code: int) -> NoReturn:
    if "--debug" in sys.argv:
        print(scrubbed_traceback(), file=sys.stderr)
    # A journal's or a plan's words may be in it.
    print("\n".join(map(visible, said.split("\n"))), file=sys.stderr)
    sys.exit(code)
