"""The command line: its commands, their options and their help, and the one place that exits.

Each command hands what was typed to its module in this folder, which returns the exit code. What
they need is imported there: `parse`, `name` and `--help` answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, NoReturn, Protocol, runtime_checkable

import typer

from migrate.cli.options import OF_SERVER, OPTIONS, Command, for_typer
from migrate.cli.request import Request
from migrate.console import MANNER, ClosedPipe
from migrate.errors import INTERRUPTED, MigrateError, scrub, scrubbed_traceback
from migrate.sandbox.pace import Pace
from migrate.text import visible

NAME = "rsst-migrate"
COMPLETE = "_RSST_MIGRATE_COMPLETE"  # in the environment when the shell asks

app = typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False)
Words = list[str] | None


def command(
    panel: str, *, pages: bool = False, options: Mapping[str, Any] = OPTIONS, **settings: Any
) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """A command, under a title of the help; `pages`: long output of it goes to a pager."""
    switches = (*(["no_pager"] if pages else []), "quiet", "no_color", "debug", "show_help")
    register = app.command(cls=Command, rich_help_panel=panel, add_help_option=False, **settings)
    return lambda function: register(for_typer(function, *switches, options=options))


def begin(context: typer.Context) -> None:
    """Audit, preview and batch-rename the Weights & Biases runs of RSST.

    [bold]Where to begin[/bold]

    Without an account: [cyan]rsst-migrate demo[/cyan]
    On your project:    [cyan]rsst-migrate report entity/project[/cyan]   # changes nothing
    """
    if context.invoked_subcommand is None:
        print(context.get_help())


app.callback(invoke_without_command=True)(for_typer(begin, "show_help", "show_version"))


@command("Look", pages=True)
def audit(as_json: bool = False, check: bool = False, *, request: Request) -> int:
    """Summarize projects and list what needs attention.

    [dim]Examples:[/dim]
    $ rsst-migrate audit ycx/RSST
    $ rsst-migrate audit ycx/RSST 609354432/RSST --json
    $ rsst-migrate audit ycx/RSST --check --quiet > /dev/null   # for cron
    """
    from migrate.cli import look

    return look.audit(request, as_json=as_json, check=check)


@command("Look", pages=True)
def report(
    file: Path | None = None,
    file_format: Literal["csv", "json", "md", "html", "parquet"] | None = None,
    every: bool = False,
    statuses: Words = None,
    codes: Words = None,
    references: bool = False,
    *,
    request: Request,
) -> int:
    """Show the dry run: each run with its old name and its new one, or the reason why not.

    Prints the runs with an old name; files and --format hold every run. --status
    and --reason select runs in either case.

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
        request,
        file=file,
        file_format=file_format,
        every=every,
        statuses=statuses or (),
        codes=codes or (),
        references=references,
    )


@command("Look", options=OF_SERVER)
def references(as_json: bool = False, *, request: Request) -> int:
    """List saved views, reports and automations that depend on the names a rename changes.

    Those that will not match the same runs afterwards, and those that go on showing
    other names. Reads only: what to do about them is up to you.

    [dim]Examples:[/dim]
    $ rsst-migrate references ycx/RSST
    $ rsst-migrate references ycx/RSST --json
    """
    from migrate.cli.references import references

    return references(request, as_json=as_json)


@command("Rename", pages=True)
def settle(to_stdout: bool = False, *, request: Request) -> int:
    """Decide what keeps runs in review, once for each kind of run.

    Asks one question per kind, the largest kind first, and shows what other runs
    have. The answers are written as rules into rsst-migrate.toml, which every
    command reads.

    [dim]Examples:[/dim]
    $ rsst-migrate settle ycx/RSST
    $ rsst-migrate settle ycx/RSST --print > rules.toml
    """
    from migrate.cli.settle import settle

    return settle(request, to_stdout=to_stdout)


@command("Rename")
def rename(
    plan: Path | None = None,
    limit: int | None = None,
    new_journal: Path | None = None,
    yes: bool = False,
    dry_run: bool = False,
    *,
    request: Request,
) -> int:
    """Show the plan, ask, rename, and read every name back.

    Only run names change. A run that somebody else renamed meanwhile is left
    alone. Everything is journaled first, so that it can be finished (resume) or
    taken back (undo).

    [dim]Examples:[/dim]
    $ rsst-migrate rename ycx/RSST --dry-run
    $ rsst-migrate rename ycx/RSST --limit 10
    $ rsst-migrate rename --plan runs.csv
    """
    from migrate.cli.rename import rename

    return rename(plan, request, limit=limit, journal=new_journal, yes=yes, dry_run=dry_run)


@command("Rename")
def resume(
    journal: Path | None = None,
    yes: bool = False,
    dry_run: bool = False,
    base_url: str | None = None,
) -> int:
    """Finish a rename that was interrupted.

    Without JOURNAL it lists the journals in this folder.

    [dim]Example:[/dim]
    $ rsst-migrate resume rename-ycx-RSST-20260108T143000Z.journal.jsonl
    """
    from migrate.cli.go_on import go_on

    paths = [] if journal is None else [journal]
    return go_on(paths, "rename", base_url, yes=yes, dry_run=dry_run)


@command("Rename")
def undo(
    journals: list[Path] | None = None,
    yes: bool = False,
    dry_run: bool = False,
    base_url: str | None = None,
) -> int:
    """Put back every name that a rename changed and nobody has changed since.

    Several journals are undone from the newest to the oldest. Without JOURNAL it
    lists the journals in this folder.

    [dim]Examples:[/dim]
    $ rsst-migrate undo rename-ycx-RSST-20260108T143000Z.journal.jsonl
    $ rsst-migrate undo rename-*.journal.jsonl --dry-run
    """
    from migrate.cli.go_on import go_on

    return go_on(journals or (), "undo", base_url, yes=yes, dry_run=dry_run)


@command("Names", options_metavar="[OPTIONS] NAME...", context_settings={"allow_extra_args": True})
def parse(context: typer.Context, as_json: bool = False) -> int:
    """Parse run names into their fields.

    Give - instead to read names from stdin, one per line.

    [dim]Examples:[/dim]
    $ rsst-migrate parse rsst_x_l1_res20s_cifar10
    $ rsst-migrate parse --json - < names.txt
    """
    from migrate.cli.names import parse

    return parse(context.args, as_json=as_json)


@command(
    "Names",
    options_metavar="[OPTIONS] [FLAGS OF THE TRAINING SCRIPT]",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
)
def name(context: typer.Context) -> int:
    """Preview the name that a new run would get.

    Takes the training script's own flags, so its command lines can be pasted;
    those that do not matter to the name are ignored. Missing hyperparameters get
    the guide's values. Options of this command:

    [cyan]--at ISO-TIME[/cyan]                the time to use instead of now
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


@command("Try it out")
def sandbox(
    port: int = 0,
    runs: int | None = None,
    sample: Literal["kinds", "review"] | None = None,
    report: Path | None = None,
    shell: Literal["bash", "fish", "powershell"] | None = None,
    fail: Words = None,
    *,
    pace: Pace,
) -> int:
    """Serve a W&B-compatible project on loopback, full of old runs of every kind.

    Prints the two environment variables that point any command at it, then serves
    until Ctrl-C. Faults for `--fail`:

    [cyan]400 401 403 404 409 413[/cyan]   refused with this HTTP status; nothing is done
    [cyan]429[/cyan]                       too many requests, wait a second
    [cyan]500 501 502 503 504[/cyan]       the server failed; nothing is done
    [cyan]hang[/cyan]                      no answer, ever
    [cyan]drop[/cyan]                      the connection is dropped; nothing is done
    [cyan]cut[/cyan]                       half an answer, then the connection is dropped
    [cyan]garbled[/cyan]                   an answer cut off in the middle of its JSON
    [cyan]html[/cyan]                      a page in place of an answer, as proxies send it
    [cyan]null[/cyan]                      an answer without data
    [cyan]drop-after cut-after garbled-after html-after null-after[/cyan]
                              the same, after everything was done
    [cyan]run-created[/cyan]               after a page of a listing, an older run is created
    [cyan]run-deleted[/cyan]               after a page of a listing, its first run is deleted

    [dim]Examples:[/dim]
    $ rsst-migrate sandbox
    $ rsst-migrate sandbox --sample review
    $ rsst-migrate sandbox --from runs.json
    $ rsst-migrate sandbox --runs 2000 --latency-ms 100 --fail 429@mutationx3
    $ rsst-migrate sandbox --runs 3000 --upsert-ms 50 --quota 2 --fail run-deleted+1x5
    """
    from migrate.cli.serve import serve

    return serve(port, sample, runs, report, shell, pace, fail or ())


@command("Try it out")
def demo() -> int:
    """Try the whole tool on a sample project, with the real wandb client and no account.

    [dim]Example:[/dim]
    $ rsst-migrate demo
    """
    from migrate.cli.try_out import demo

    return demo()


@command("Try it out", name="completion")
def print_completion(completed_shell: Literal["bash", "zsh", "fish"]) -> int:
    """Print a script for bash, zsh or fish that completes commands, projects and journals.

    [dim]To have it in every new shell:[/dim]
    $ echo 'source <(rsst-migrate completion bash)' >> ~/.bashrc
    $ echo 'source <(rsst-migrate completion zsh)' >> ~/.zshrc
    $ rsst-migrate completion fish > ~/.config/fish/completions/rsst-migrate.fish
    """
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    from migrate.console import Output

    script = get_completion_script(prog_name=NAME, complete_var=COMPLETE, shell=completed_shell)
    Output().data(f"{script}\n")
    return 0


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
        code = _fail(f"error: {error}\n{error.advice}".rstrip(), error.exit_code)
    except typer.Abort as error:  # at a prompt
        interrupted = isinstance(error.__context__, KeyboardInterrupt)
        code = _fail("\nNothing was written.", INTERRUPTED if interrupted else 1)
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
